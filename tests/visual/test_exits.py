"""The built-in layout leads edges out of frames without crossing what stands inside."""

from __future__ import annotations

import pytest

from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.visual import visualize
from orchestration_kit.visual.layered import layered_layout
from orchestration_kit.visual.layout import Rect
from orchestration_kit.visual.model import Direction
from tests.visual.test_labels import fine
from tests.visual.workflows import end, nested, of, reviewed, step


def crossing(diagram_of: object, direction: Direction) -> list[tuple[str, str, str]]:
    """Edges that run over a node that is neither their source nor their target."""
    diagram = visualize(diagram_of, renderer="builtin", direction=direction)
    layout = diagram.layout
    found: list[tuple[str, str, str]] = []
    for edge, route in zip(diagram.model.edges, layout.routes, strict=True):
        for name, box in layout.nodes.items():
            inner = Rect(box.x, box.y, box.width - 4, box.height - 4)
            if name not in (edge.source, edge.target) and any(
                inner.left < x < inner.right and inner.top < y < inner.bottom for x, y in fine(route)
            ):
                found.append((edge.source, edge.target, name))
    return found


def failing(levels: int) -> object:
    """A body of three steps in a frame in a frame, each of which can fail into one end of the run."""
    body = [step("a", on_success="b", on_failure="failed"), step("b", on_success="c", on_failure="failed")]
    body.append(step("c", on_failure="failed"))
    opener = "m0"
    frames = [MapStep(step_id="m0", body="a", on_failure="failed", on_success="done")]
    for level in range(1, levels):
        frames[-1] = MapStep(
            step_id=opener, body=f"m{level}", on_failure="failed", on_success="done" if level == 1 else None
        )
        opener = f"m{level}"
        frames.append(MapStep(step_id=opener, body="a", on_failure="failed"))
    return of("failing", *frames, *body, end(), end("failed", outcome="failed"))


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_edges_out_of_frames_cross_no_step(levels: int, direction: Direction) -> None:
    assert crossing(failing(levels), direction) == []


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_edges_of_branches_cross_no_step(direction: Direction) -> None:
    assert crossing(reviewed(), direction) == []
    assert crossing(nested(), direction) == []


def test_edges_to_one_end_leave_a_frame_together() -> None:
    layout = layered_layout(visualize(failing(1), renderer="builtin").model)
    model = visualize(failing(1), renderer="builtin").model
    tips = {
        r.points[-1]
        for e, r in zip(model.edges, layout.routes, strict=True)
        if e.kind == "failure" and e.source in "abc"
    }
    assert len(tips) == 1


def test_a_way_back_up_out_of_a_frame_is_drawn() -> None:
    back = of(
        "back",
        step("first", on_success="p"),
        ParallelStep(step_id="p", branches={"a": "x"}, on_success="done"),
        step("x", on_failure="first"),
        end(),
    )
    layout = visualize(back, renderer="builtin").layout
    assert all(len(route.points) >= 4 for route in layout.routes)
