from __future__ import annotations

import pytest

from orchestration_kit import Branch
from tests.branches.doors import flow_of, paths, run_flow
from tests.support import step

FLOW = flow_of(
    step("a", "right", branches=(Branch(when="output == 'l'", to="left"),)),
    step("left", "end"),
    step("right", "end"),
    step("end"),
)


@pytest.mark.parametrize(("value", "way"), [("l", "left"), ("r", "right")])
def test_05_alternative_ways_come_together_without_waiting_for_one_another(door, value, way):
    run = run_flow(FLOW, {"a": lambda _: value, "left": str.upper, "right": str.upper, "end": str}, door)
    assert run.state == "completed"
    assert paths(run) == ["a#1", f"{way}#1", "end#1"]
    assert run.context.data["end_output"] == value.upper()
