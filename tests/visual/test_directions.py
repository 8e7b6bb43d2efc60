"""Whichever way a picture runs, branches stand in the order of their definition: what comes first is at the left or top."""

from __future__ import annotations

import subprocess
from typing import Any, Literal

import pytest

from orchestration_kit.definition.kinds import ParallelStep
from orchestration_kit.visual import visualize
from orchestration_kit.visual.layout import CLUSTER_HEADER
from orchestration_kit.visual.model import FORK
from tests.visual.test_kinds import both, needs_dot
from tests.visual.workflows import end, of, reviewed, step

NAMES = ["ola", "per", "bo", "eva", "kim"]


def votes() -> Any:
    ask = ParallelStep(step_id="vote", branches={name: name for name in NAMES}, on_success="done")
    return of("votes", ask, *map(step, NAMES), end())


@both
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_branches_are_drawn_in_the_order_of_the_definition(renderer: Any, direction: Literal["TB", "LR"]) -> None:
    layout = visualize(votes(), direction=direction, renderer=renderer).layout
    nodes, frame = layout.nodes, layout.clusters["vote"]
    assert sorted(NAMES, key=lambda name: nodes[name].x if direction == "TB" else nodes[name].y) == NAMES
    assert min(nodes[name].top for name in NAMES) - frame.top > CLUSTER_HEADER  # room for the header, at the top
    fork, last = nodes["vote" + FORK], nodes["done"]
    assert fork.y < last.y if direction == "TB" else fork.x < last.x


@both
def test_edges_from_left_to_right_end_at_their_steps(renderer: Any) -> None:
    diagram = visualize(reviewed(), direction="LR", renderer=renderer)
    boxes = {**diagram.layout.nodes, **diagram.layout.clusters}
    for edge, route in zip(diagram.model.edges, diagram.layout.routes, strict=True):
        for name, (x, y) in ((edge.source, route.points[0]), (edge.target, route.points[-1])):
            box = boxes[name]
            assert box.left - 8 <= x <= box.right + 8, (edge, name)
            assert box.top - 8 <= y <= box.bottom + 8, (edge, name)


@needs_dot
def test_dot_text_from_left_to_right_has_branches_in_their_order_from_the_top() -> None:
    diagram = visualize(votes(), direction="LR")
    plain = subprocess.run(["dot", "-Tplain"], input=diagram.dot, capture_output=True, text=True, check=True).stdout
    heights = {line.split()[1]: float(line.split()[3]) for line in plain.splitlines() if line.startswith("node")}
    at = {node.id: heights[f"n{number}"] for number, node in enumerate(diagram.model.nodes)}
    assert sorted(NAMES, key=lambda name: -at[name]) == NAMES
