"""Joins cannot be lost: a join waits for exactly the branches that were activated, and fails where it can never fire."""

from __future__ import annotations

import pytest

from orchestration_kit import Branch, MapStep, ParallelStep
from orchestration_kit.errors import InvalidWorkflow
from tests.branches.doors import ends_of, entry_of, flow_of, hub_of, paths, run_flow
from tests.support import step


def parallel(join, branches, **fields):
    steps = [step(name, is_terminal=False) for name in "abc"]
    return flow_of(
        ParallelStep(step_id="p", join=join, branches=branches, on_success="end", **fields), *steps, step("end")
    )


def test_a_join_of_three_from_two_branches_is_refused_when_it_is_registered():
    flow = parallel(3, {"x": "a", "y": "b"}).model_copy()
    del flow.steps["c"]
    with pytest.raises(InvalidWorkflow, match="waits for 3 branches, and there can be only 2 branches"):
        hub_of(flow, {"a": str, "b": str, "end": dict})


def test_a_join_of_more_than_the_items_that_a_map_may_have_is_refused():
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", join=4, max_items=3, is_terminal=True),
        step("a", is_terminal=False),
    )
    with pytest.raises(InvalidWorkflow, match="waits for 4 branches, and there can be only max_items=3"):
        hub_of(flow, {"a": str})


CONDITIONAL = {"x": "a", "y": Branch(when="data.more", to="b"), "z": Branch(when="data.more", to="c")}
WORKERS = {"a": lambda _: "A", "b": lambda _: "B", "c": lambda _: "C", "end": lambda given: given}


def test_a_join_of_more_branches_than_were_activated_fails_before_one_is_worked_on(door):
    run = run_flow(parallel(3, CONDITIONAL), WORKERS, door, data={"more": False})
    assert run.state == "failed"
    assert paths(run) == ["p#1"]
    entry = entry_of(run, "p#1")
    assert entry["error_type"] == "JoinFailed"
    assert entry["error"] == "The join of p#1 needs 3 of 1 branch, and that cannot be reached"
    assert ends_of(run, "p#1") == {"x": "not started"}


def test_it_is_reached_where_enough_were_activated(door):
    run = run_flow(parallel(3, CONDITIONAL), WORKERS, door, data={"more": True})
    assert run.state == "completed"
    assert run.context.data["end_output"] == {"x": "A", "y": "B", "z": "C"}


@pytest.mark.parametrize("join", ["any", 1, 2])
def test_a_join_of_some_of_no_branches_fails(door, join):
    none = {name: Branch(when="false", to=to) for name, to in (("x", "a"), ("y", "b"), ("z", "c"))}
    run = run_flow(parallel(join, none), WORKERS, door)
    assert run.state == "failed"
    assert entry_of(run, "p#1")["error_type"] == "JoinFailed"
    assert ends_of(run, "p#1") == {}


def test_a_join_of_all_of_no_branches_is_reached_at_once(door):
    none = {name: Branch(when="false", to=to) for name, to in (("x", "a"), ("y", "b"), ("z", "c"))}
    run = run_flow(parallel("all", none), WORKERS, door)
    assert run.state == "completed"
    assert run.context.data["end_output"] == {}


@pytest.mark.parametrize("failure", ["fail_fast", "continue", "all_or_nothing"])
@pytest.mark.parametrize("join", ["all", "any", 2])
@pytest.mark.parametrize("failing", ["", "a", "ab", "abc"])
def test_a_join_is_decided_as_its_fields_say(door, failure, join, failing):
    def of(name):
        def work(_):
            if name in failing:
                raise ValueError(name)
            return name

        return work

    flow = parallel(join, {"x": "a", "y": "b", "z": "c"}, failure=failure, max_concurrency=1)
    run = run_flow(flow, {**{name: of(name) for name in "abc"}, "end": lambda given: given}, door)
    good = 3 - len(failing)
    needed = {"all": 3, "any": 1, 2: 2}[join]
    holds = good >= (1 if (join, failure) == ("all", "continue") else needed)
    assert run.state == ("completed" if holds else "failed")
    assert paths(run)[-1] == ("end#1" if holds else "p#1")
    if holds and join != "all":
        assert sum(end == "completed" for end in ends_of(run, "p#1").values()) == needed
    if not holds:
        assert entry_of(run, "p#1")["error_type"] == "JoinFailed"


def test_a_failed_join_may_be_entered_again(door):
    flow = parallel("all", {"x": "a", "y": "b", "z": "c"}, on_failure="p", max_concurrency=1)

    def a(_, context):
        if "p#1" in context.path:
            raise ValueError("first round")
        return "A"

    run = run_flow(flow, {**WORKERS, "a": a}, door)
    assert run.state == "completed"
    assert paths(run) == ["p#1[x]/a#1", "p#1", "p#2[x]/a#1", "p#2[y]/b#1", "p#2[z]/c#1", "p#2", "end#1"]


def test_a_branch_may_lead_back_into_the_step_that_opened_it_and_opens_branches_of_its_own(door):
    flow = flow_of(
        ParallelStep(
            step_id="p",
            branches={"go": "a", "again": Branch(when="data.depth < 3", to="deeper")},
            is_terminal=True,
            reducer={"depth": "max"},
        ),
        step("a", is_terminal=False),
        step("deeper", "p", is_terminal=False),
    )

    def deeper(given, context):
        context.data["depth"] += 1
        return given

    run = run_flow(flow, {"a": lambda _, context: context.path.count("["), "deeper": deeper}, door, data={"depth": 1})
    assert run.state == "completed"
    assert run.context.data["p_output"] == {"go": 1, "again": {"go": 2, "again": {"go": 3}}}


@pytest.mark.parametrize("count", [1, 40, 200])
def test_many_named_branches(door, count):
    flow = flow_of(
        ParallelStep(step_id="p", branches={f"b{n}": "a" for n in range(count)}, is_terminal=True),
        step("a", is_terminal=False),
    )
    run = run_flow(flow, {"a": lambda _, context: context.branch}, door)
    assert run.context.data["p_output"] == {f"b{n}": f"b{n}" for n in range(count)}
    assert len(run.history) == count + 1
