from __future__ import annotations

from orchestration_kit import Branch
from tests.branches.doors import flow_of, paths, run_flow
from tests.support import step


def test_10_a_cycle_may_have_several_ways_in_and_out(door):
    """a and b are both entered from outside; c leads back to either, or out."""
    flow = flow_of(
        step("start", "b", branches=(Branch(when="data.enter == 'a'", to="a"),)),
        step("a", "b"),
        step("b", "c"),
        step("c", "end", branches=(Branch(when="visits == 1", to="b"), Branch(when="visits == 2", to="a"))),
        step("end"),
    )
    workers = {name: lambda given: given for name in ("start", "a", "b", "c", "end")}
    run = run_flow(flow, workers, door, data={"enter": "a"})
    assert paths(run) == ["start#1", "a#1", "b#1", "c#1", "b#2", "c#2", "a#2", "b#3", "c#3", "end#1"]
    run = run_flow(flow, workers, door, data={"enter": "b"})
    assert paths(run) == ["start#1", "b#1", "c#1", "b#2", "c#2", "a#1", "b#3", "c#3", "end#1"]
