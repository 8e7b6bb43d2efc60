"""The built-in layout: nothing overlaps, nothing is left out, and size does not break it."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.visual import DiagramCluster, DiagramEdge, DiagramModel, DiagramNode, visualize
from orchestration_kit.visual.coordinates import spread
from orchestration_kit.visual.layered import layered_layout
from orchestration_kit.visual.layout import Rect
from tests.laws import examples
from tests.visual.models import clustered, groups

KINDS = ("success", "failure", "branch")


def overlap(one: Rect, other: Rect) -> bool:
    return (
        one.left < other.right - 0.01
        and other.left < one.right - 0.01
        and one.top < other.bottom - 0.01
        and other.top < one.bottom - 0.01
    )


def holds(frame: Rect, box: Rect) -> bool:
    return frame.left <= box.left and frame.top <= box.top and frame.right >= box.right and frame.bottom >= box.bottom


@st.composite
def models(draw: st.DrawFn) -> DiagramModel:
    count = draw(st.integers(1, 14))
    names = [f"s{at}" for at in range(count)]
    ends = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=30))
    labels = draw(
        st.lists(
            st.sampled_from(["", "fails", "output.kind == 'a long condition, longer than that'"]),
            min_size=30,
            max_size=30,
        )
    )
    edges = tuple(DiagramEdge(a, b, "retry" if a == b else KINDS[at % 3], labels[at]) for at, (a, b) in enumerate(ends))
    nodes = tuple(DiagramNode(name, draw(st.sampled_from(["a", "a longer title " * 2])), worker="w") for name in names)
    inside = draw(st.integers(0, count))
    clusters: tuple[DiagramCluster, ...] = ()
    if inside > 1:
        clusters = (
            DiagramCluster("outer", "outer", tuple(names[1:inside]), ("inner",) if inside < count else ()),
            *((DiagramCluster("inner", "inner", (names[inside],), kind="map"),) if inside < count else ()),
        )
    direction = draw(st.sampled_from(["TB", "LR"]))
    detail = draw(st.sampled_from(["full", "compact"]))
    return DiagramModel("random", nodes, edges, clusters, direction=direction, detail=detail)


@settings(max_examples=examples(150), deadline=None)
@given(models())
def test_no_two_nodes_overlap_and_frames_hold_what_is_theirs(model: DiagramModel) -> None:
    layout = layered_layout(model)
    assert set(layout.nodes) == {node.id for node in model.nodes}
    assert len(layout.routes) == len(model.edges)
    assert not [pair for pair in combinations(layout.nodes, 2) if overlap(layout.nodes[pair[0]], layout.nodes[pair[1]])]
    picture = Rect(layout.width / 2, layout.height / 2, layout.width, layout.height)
    for cluster in model.clusters:
        frame = layout.clusters[cluster.id]
        assert holds(picture, frame)
        inside = {*cluster.nodes, *(n for c in model.clusters if c.id in cluster.clusters for n in c.nodes)}
        for name, box in layout.nodes.items():
            assert holds(frame, box) if name in inside else not overlap(frame, box)
    for box in layout.nodes.values():
        assert holds(picture, box)


@settings(max_examples=examples(60), deadline=None)
@given(models())
def test_every_node_and_edge_is_in_the_svg_once(model: DiagramModel) -> None:
    svg = visualize(model, renderer="builtin").svg
    assert sorted(group.get("data-step", "") for group in groups(svg, "node")) == sorted(n.id for n in model.nodes)
    drawn = sorted((g.get("data-source", ""), g.get("data-target", "")) for g in groups(svg, "edge"))
    assert drawn == sorted((edge.source, edge.target) for edge in model.edges)


@settings(max_examples=examples(60), deadline=None)
@given(models())
def test_edges_begin_and_end_at_their_nodes(model: DiagramModel) -> None:
    layout = layered_layout(model)
    for edge, route in zip(model.edges, layout.routes, strict=True):
        for name, (x, y) in ((edge.source, route.points[0]), (edge.target, route.points[-1])):
            box = layout.nodes[name]
            assert box.left - 1 <= x <= box.right + 1
            assert box.top - 1 <= y <= box.bottom + 1


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0.1, 100)), min_size=1, max_size=20), st.data())
def test_spread_keeps_distances(points: list[tuple[float, float]], data: st.DataObject) -> None:
    distances = data.draw(st.lists(st.floats(0, 300), min_size=len(points) - 1, max_size=len(points) - 1))
    at = spread([want for want, _ in points], [weight for _, weight in points], distances)
    assert all(b - a >= distance - 1e-6 for a, b, distance in zip(at, at[1:], distances, strict=False))


def test_a_success_path_reads_straight_down() -> None:
    names = ["a", "b", "c", "d"]
    nodes = tuple(DiagramNode(name, name) for name in (*names, "failed"))
    ways = tuple(DiagramEdge(a, b) for a, b in pairwise(names))
    fails = tuple(DiagramEdge(name, "failed", "failure", "fails") for name in names)
    layout = layered_layout(DiagramModel("straight", nodes, ways + fails))
    assert max(layout.nodes[n].x for n in names) - min(layout.nodes[n].x for n in names) < 0.5
    assert [layout.nodes[n].y for n in names] == sorted(layout.nodes[n].y for n in names)


def test_left_to_right_grows_to_the_right() -> None:
    layout = layered_layout(clustered(direction="LR"))
    assert layout.nodes["plan"].right < layout.clusters["r"].left < layout.clusters["s"].left
    assert layout.width > layout.height


@pytest.mark.parametrize("size", [1, 5_000])
def test_a_chain_of_any_length_is_drawn_without_recursion(size: int) -> None:
    nodes = tuple(DiagramNode(f"{at}", f"step {at}") for at in range(size))
    edges = tuple(DiagramEdge(f"{at}", f"{at + 1}") for at in range(size - 1))
    back = (DiagramEdge(f"{size - 1}", "0", "failure", "again"),)
    layout = layered_layout(DiagramModel("chain", nodes, edges + back))
    assert len(layout.nodes) == size
    assert len(layout.routes) == size


def test_a_web_too_dense_for_knots_is_drawn_around_the_outside() -> None:
    nodes = tuple(DiagramNode(f"{at}", f"{at}") for at in range(220))
    chain = [DiagramEdge(f"{at}", f"{at + 1}") for at in range(219)]
    far = [DiagramEdge(f"{at}", f"{219 - at}", "branch", f"b{at}") for at in range(105)]
    model = DiagramModel("web", nodes, (*chain, *far))
    layout = layered_layout(model)
    assert len(layout.routes) == len(model.edges)
    assert max(x for route in layout.routes for x, _ in route.points) <= layout.width


def test_clusters_nested_a_hundred_deep_are_drawn() -> None:
    depth = 100
    frames = (DiagramCluster(f"c{at}", f"c{at}", (), (f"c{at + 1}",)) for at in range(depth - 1))
    clusters = (*frames, DiagramCluster(f"c{depth - 1}", "last", ("a",)))
    layout = layered_layout(DiagramModel("nest", (DiagramNode("a", "a"),), (), clusters))
    assert holds(layout.clusters["c0"], layout.nodes["a"])
