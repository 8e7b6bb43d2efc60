from __future__ import annotations

import pytest

from orchestration_kit import Branch
from tests.branches.doors import flow_of, paths, run_flow
from tests.support import step

FLOW = flow_of(
    step("a", "other", branches=(Branch(when="output > 10", to="large"), Branch(when="output > 5", to="middle"))),
    step("large"),
    step("middle"),
    step("other"),
)


@pytest.mark.parametrize(("value", "taken"), [(11, "large"), (7, "middle"), (1, "other")])
def test_04_exactly_one_way_on_is_taken_the_first_that_holds(door, value, taken):
    run = run_flow(FLOW, {"a": lambda _: value, "large": str, "middle": str, "other": str}, door)
    assert paths(run) == ["a#1", f"{taken}#1"]
    assert run.history[0]["next_step"] == taken
    assert run.history[0]["why"][0] == {"text": "output > 10", "inputs": {"output": value}, "result": value == 11}
