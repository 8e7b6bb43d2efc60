from __future__ import annotations

import pytest

from orchestration_kit import MapStep, ParallelStep
from tests.branches.doors import ends_of, entry_of, flow_of, paths, run_flow
from tests.support import step


def test_13_as_many_instances_as_the_definition_says(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"1": "vote", "2": "vote", "3": "vote"}, is_terminal=True),
        step("vote", is_terminal=False),
    )
    run = run_flow(flow, {"vote": lambda _, context: f"vote of {context.branch}"}, door)
    assert paths(run) == ["p#1[1]/vote#1", "p#1[2]/vote#1", "p#1[3]/vote#1", "p#1"]
    assert run.context.data["p_output"] == {"1": "vote of 1", "2": "vote of 2", "3": "vote of 3"}


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_14_as_many_instances_as_there_are_items_when_the_run_comes_there(door, count):
    flow = flow_of(
        step("list", "m"),
        MapStep(step_id="m", over="output.rows", body="a", on_success="end"),
        step("a", "b", is_terminal=False),
        step("b", is_terminal=False),
        step("end"),
    )
    workers = {"list": lambda _: {"rows": list(range(count))}, "a": lambda n: n + 1, "b": lambda n: n * n, "end": sum}
    run = run_flow(flow, workers, door)
    within = [f"m#1[{n}]/{name}#1" for n in range(count) for name in "ab"]
    assert paths(run) == ["list#1", *within, "m#1", "end#1"]
    join = entry_of(run, "m#1")
    assert (join["worker"], join["worker_type"], join["input"]) == (None, "map", {"rows": list(range(count))})
    assert join["output"] == [(n + 1) ** 2 for n in range(count)]
    assert ends_of(run, "m#1") == {str(n): "completed" for n in range(count)}
    assert run.context.data["end_output"] == sum((n + 1) ** 2 for n in range(count))
