from __future__ import annotations

import pytest

from orchestration_kit import Branch
from tests.branches.doors import flow_of, paths, run_flow
from tests.support import step


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_21_while_the_condition_is_looked_at_before_each_round(door, rounds):
    flow = flow_of(
        step("look", "end", branches=(Branch(when=f"visits <= {rounds}", to="body"),)),
        step("body", "look"),
        step("end"),
    )
    run = run_flow(flow, {"look": str, "body": str, "end": str}, door)
    assert paths(run) == [f"{name}#{n}" for n in range(1, rounds + 1) for name in ("look", "body")] + [
        f"look#{rounds + 1}",
        "end#1",
    ]


@pytest.mark.parametrize("rounds", [1, 3])
def test_21_until_the_condition_is_looked_at_after_each_round(door, rounds):
    flow = flow_of(step("body", "end", branches=(Branch(when="output < data.enough", to="body"),)), step("end"))
    run = run_flow(flow, {"body": lambda _, context: context.visit, "end": str}, door, data={"enough": rounds})
    assert paths(run) == [*(f"body#{n}" for n in range(1, rounds + 1)), "end#1"]


def test_21_each_branch_has_rounds_of_its_own(door):
    from orchestration_kit import MapStep

    flow = flow_of(
        MapStep(step_id="m", over="data.rounds", body="body", is_terminal=True),
        step("body", branches=(Branch(when="visits < output", to="body"),), is_terminal=False),
    )
    run = run_flow(flow, {"body": lambda given: given}, door, data={"rounds": [1, 3, 2]})
    assert paths(run) == [
        *(f"m#1[{n}]/body#{k}" for n, last in enumerate((1, 3, 2)) for k in range(1, last + 1)),
        "m#1",
    ]
