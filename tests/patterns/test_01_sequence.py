from __future__ import annotations

from tests.branches.doors import flow_of, paths, run_flow
from tests.support import step


def test_01_each_step_begins_when_the_one_before_has_ended(door):
    flow = flow_of(step("a", "b"), step("b", "c"), step("c"))
    run = run_flow(flow, {name: lambda text, name=name: f"{text} {name}" for name in "abc"}, door)
    assert run.state == "completed"
    assert paths(run) == ["a#1", "b#1", "c#1"]
    assert [entry["output"] for entry in run.history] == ["go a", "go a b", "go a b c"]
    assert [entry["input"] for entry in run.history] == ["go", "go a", "go a b"]
