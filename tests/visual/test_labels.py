"""Where labels stand: beside their edge, clear of boxes and of one another, with and without the counts of a run."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import pytest

from orchestration_kit.visual import (
    DiagramCluster,
    DiagramEdge,
    DiagramModel,
    DiagramNode,
    Overlay,
    Renderer,
    visualize,
)
from orchestration_kit.visual.from_workflow import model_of
from orchestration_kit.visual.labels import place_labels
from orchestration_kit.visual.layout import Layout, Rect, Route, counted_text, label_room
from orchestration_kit.visual.model import Detail, Direction
from orchestration_kit.visual.render import has_dot
from tests.visual.models import SVG, build_website, groups
from tests.visual.test_layered import overlap
from tests.visual.workflows import graded, nested, refund, reviewed

RENDERERS = [
    "builtin",
    pytest.param("dot", marks=pytest.mark.skipif(not has_dot(), reason="Graphviz is not installed")),
]
CROSS = "\N{BALLOT X} fails"


def letter() -> DiagramModel:
    """Drafts that are checked and written again, ways around, and an end for failures."""
    names = ("gather", "write", "check", "edit", "warn", "send", "give_up")
    edges = (
        DiagramEdge("gather", "write"),
        DiagramEdge("gather", "give_up", "failure", CROSS),
        DiagramEdge("gather", "gather", "retry", "retry \N{MULTIPLICATION SIGN}2"),
        DiagramEdge("write", "edit", "branch", "4th draft"),
        DiagramEdge("write", "check", "success", "else"),
        DiagramEdge("check", "warn", "branch", "data.wind >= 34"),
        DiagramEdge("check", "send", "success", "else"),
        DiagramEdge("check", "write", "failure", CROSS),
        DiagramEdge("edit", "send"),
        DiagramEdge("warn", "send"),
    )
    return DiagramModel("letter", tuple(DiagramNode(name, name) for name in names), edges)


def often(model: DiagramModel, count: int) -> Overlay:
    """A run that took every edge so often."""
    return Overlay({}, {(e.source, e.target, e.kind not in ("failure", "retry")): count for e in model.edges})


def boxes(svg: str, kind: str) -> list[Rect]:
    """The first rectangle of each node or edge: the frame, or the ground of the label."""
    found: list[Rect] = []
    for group in groups(svg, kind):
        for rect in list(group.iter(f"{SVG}rect"))[:1]:
            x, y, wide, high = (float(rect.get(name, "nan")) for name in ("x", "y", "width", "height"))
            found.append(Rect(x + wide / 2, y + high / 2, wide, high))
    return found


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("detail", ["full", "compact"])
@pytest.mark.parametrize("count", [0, 4, 99])
def test_labels_and_counts_cover_no_box_and_no_other_label(
    renderer: Renderer, direction: Direction, detail: Detail, count: int
) -> None:
    for model in (letter(), model_of(build_website()), *map(model_of, (reviewed(), graded(), refund(), nested()))):
        drawn = visualize(replace(model, direction=direction, detail=detail), renderer=renderer)
        svg = drawn.with_overlay(often(drawn.model, count) if count else None).svg
        labels = boxes(svg, "edge")
        assert len(labels) >= sum(bool(edge.label) for edge in drawn.model.edges)
        assert not [pair for pair in combinations(labels, 2) if overlap(*pair)]
        assert not [(a, b) for a in labels for b in boxes(svg, "node") if overlap(a, b)]
        for label in labels:
            assert label.left >= 0 and label.top >= 0
            assert label.right <= drawn.layout.width and label.bottom <= drawn.layout.height


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_labels_stand_beside_their_edge(renderer: Renderer, direction: Direction) -> None:
    model = replace(letter(), direction=direction)
    layout = visualize(model, renderer=renderer).layout
    for edge, route in zip(model.edges, layout.routes, strict=True):
        assert route.label_at is not None
        wide, high = label_room(edge)
        x = route.label_at[0] + {"start": wide / 2, "middle": 0, "end": -wide / 2}[route.label_anchor]
        box = Rect(x, route.label_at[1], wide, high)
        assert min(distance(box, point) for point in fine(route)) < 25


def fine(route: Route) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for start in range(0, len(route.points) - 3, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = route.points[start : start + 4]
        for at in range(51):
            t = at / 50
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return found


def distance(box: Rect, point: tuple[float, float]) -> float:
    x, y = point
    return math.hypot(max(abs(x - box.x) - box.width / 2, 0), max(abs(y - box.y) - box.height / 2, 0))


def straight(start: tuple[float, float], end: tuple[float, float], label: tuple[float, float] | None) -> Route:
    (x0, y0), (x1, y1) = start, end
    thirds = [(x0 + (x1 - x0) * part / 3, y0 + (y1 - y0) * part / 3) for part in (1, 2)]
    return Route((start, *thirds, end), label)


def test_a_label_that_floats_is_brought_to_the_middle_of_its_edge() -> None:
    model = DiagramModel("two", (), (DiagramEdge("a", "b", label="far"),))
    layout = Layout(400, 300, {}, (straight((200, 50), (200, 250), (380, 20)),))
    (route,) = place_labels(model, layout).routes
    assert route.label_at is not None and route.label_anchor == "start"
    assert route.label_at[0] == pytest.approx(204)
    assert abs(route.label_at[1] - 150) < 15


def test_a_label_keeps_clear_of_a_box_beside_its_edge() -> None:
    model = DiagramModel("two", (DiagramNode("c", "c"),), (DiagramEdge("a", "b", label="far"),))
    layout = Layout(400, 300, {"c": Rect(280, 150, 150, 300)}, (straight((200, 50), (200, 250), None),))
    (route,) = place_labels(model, layout).routes
    assert route.label_anchor == "end"


def test_a_label_does_not_stand_on_the_line_of_a_frame() -> None:
    frame = DiagramCluster("f", "f", ("a",))
    model = DiagramModel("two", (DiagramNode("a", "a"),), (DiagramEdge("a", "b", label="far"),), (frame,))
    frames = {"f": Rect(200, 75, 300, 150)}
    layout = Layout(400, 300, {"a": Rect(200, 70, 80, 40)}, (straight((200, 90), (200, 210), None),), frames)
    (route,) = place_labels(model, layout).routes
    assert route.label_at is not None
    assert abs(route.label_at[1] - frames["f"].bottom) > 8


def test_a_label_without_a_free_place_stays_where_it_was() -> None:
    model = DiagramModel("two", (DiagramNode("c", "c"),), (DiagramEdge("a", "b", label="far"),))
    layout = Layout(400, 300, {"c": Rect(200, 150, 400, 300)}, (straight((200, 50), (200, 250), (7, 8)),))
    assert place_labels(model, layout) == layout


@pytest.mark.parametrize(("taken", "shown"), [(0, ""), (1, ""), (3, "\N{MULTIPLICATION SIGN}3")])
def test_a_count_says_what_is_more_than_once(taken: int, shown: str) -> None:
    assert counted_text(DiagramEdge("a", "b"), taken) == shown
