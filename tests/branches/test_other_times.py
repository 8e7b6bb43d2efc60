"""A run at other times: how things stood in a branch, and another way from there."""

from __future__ import annotations

import pytest

from orchestration_kit import ApprovalStep, MapStep, ParallelStep, Spawn, replay
from orchestration_kit.errors import UnknownVisit
from tests.branches.doors import check_record, entry_of, flow_of, go, hub_of, paths, through
from tests.support import step

FLOW = flow_of(
    step("list", "m"),
    MapStep(step_id="m", over="output", body="a", max_concurrency=2, reducer={"total": "sum"}, on_success="end"),
    step("a", "b", is_terminal=False), step("b", is_terminal=False), step("end"),
)  # fmt: skip


def workers(calls=None):
    def a(n, context):
        (calls if calls is not None else []).append(context.path)
        context.data["total"] = n
        return n + context.data.get("add", 0)

    def b(n, context):
        (calls if calls is not None else []).append(context.path)
        return n * 10

    return {"list": lambda _: [1, 2, 3], "a": a, "b": b, "end": lambda given: given}


def test_at_shows_a_branch_as_it_was_when_the_visit_began(door):
    run = through(door, hub_of(FLOW, workers()).start("flow", "go", {"total": 100}))
    moment = run.at("m#1[1]/b#1")
    assert moment.input == 2
    assert moment.data["total"] == 2
    assert moment.data["a_output"] == 2
    assert moment.context.branch == "1"
    assert [entry["path"] for entry in moment.history] == ["list#1", "m#1[1]/a#1"]
    moment = run.at("m#1[2]/a#1")
    assert (moment.input, moment.data["total"]) == (3, 100)


def test_at_a_join_shows_what_the_branches_did(door):
    run = through(door, hub_of(FLOW, workers()).start("flow", "go", {"total": 100}))
    moment = run.at("end#1")
    assert moment.input == [10, 20, 30]
    assert moment.data["total"] == 6
    assert len(moment.history) == 8
    assert run.at("list#1").history == []


def test_a_position_of_which_there_are_several_has_to_be_named_in_full(door):
    run = through(door, hub_of(FLOW, workers()).start("flow", "go"))
    with pytest.raises(UnknownVisit, match=r"m#1\[0\]/b#1"):
        run.at("b")
    with pytest.raises(UnknownVisit):
        run.at("m#1[3]/a#1")


def test_a_fork_within_a_branch_shares_what_came_before_and_makes_the_rest(door):
    calls = []
    hub = hub_of(FLOW, workers(calls))
    run = through("hand", hub.start("flow", "go", {"total": 0}))
    calls.clear()
    fork = through(door, run.fork("m#1[1]/b#1", input=7))
    assert fork.context.data["end_output"] == [10, 70, 30]
    assert fork.machine.started.forked_at == "m#1[1]/b#1"
    assert "m#1[1]/b#1" in calls
    assert "m#1[1]/a#1" not in calls
    assert paths(fork) == paths(run)
    assert run.context.data["end_output"] == [10, 20, 30]


def test_a_fork_within_a_branch_may_change_its_data_and_nobody_elses(door):
    hub = hub_of(FLOW, workers())
    run = through("sync", hub.start("flow", "go", {"total": 0}))
    fork = through(door, run.fork("m#1[2]/a#1", {"add": 5}))
    assert fork.context.data["end_output"] == [10, 20, 80]
    check_record(fork)


def test_a_fork_before_the_map_makes_all_of_it_again(door):
    calls = []
    hub = hub_of(FLOW, workers(calls))
    run = through("sync", hub.start("flow", "go"))
    calls.clear()
    fork = through(door, run.fork("m#1", input=[5]))
    assert fork.context.data["end_output"] == [50]
    assert calls == ["m#1[0]/a#1", "m#1[0]/b#1"]


def test_a_fork_of_a_fork(door):
    hub = hub_of(FLOW, workers())
    run = through("sync", hub.start("flow", "go"))
    first = through(door, run.fork("m#1[0]/b#1", input=100))
    second = through(door, first.fork("end#1", input="other"))
    assert second.context.data["end_output"] == "other"
    assert second.context.data["m_output"] == [1000, 20, 30]
    check_record(second)


def test_a_fork_where_a_person_was_asked_asks_again(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="sign", is_terminal=True), ApprovalStep(step_id="sign", prompt="?")
    )
    hub = hub_of(flow, {})
    answer = lambda value: lambda run: [run.approve(value, one) for one in run.waiting]
    run = through(door, hub.start("flow", "go", {"items": [1, 2]}), answer("yes"))
    fork = go(run.fork("m#1[1]/sign#1"), door)
    assert "m#1[1]/sign#1" in [one.path for one in fork.waiting]
    through(door, fork, answer("no"))
    assert fork.context.data["m_output"][1] == "no"
    assert run.context.data["m_output"] == ["yes", "yes"]


def test_a_fork_within_a_spawned_workflow(door):
    inner = flow_of(step("x", "y"), step("y"), name="made")
    flow = flow_of(step("plan", "end"), step("end"))
    hub = hub_of(flow, {"plan": lambda _: Spawn(inner), "x": lambda _: "x", "y": str.upper, "end": lambda given: given})
    run = through(door, hub.start("flow", "go"))
    fork = through(door, run.fork("plan#1[spawn]/y#1", input="other"))
    assert (run.context.data["end_output"], fork.context.data["end_output"]) == ("X", "OTHER")


def test_replay_follows_branches_and_says_where_another_workflow_parts(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "b"}, on_success="end"), step("a", "a2", is_terminal=False), step("a2", is_terminal=False),
        step("b", is_terminal=False), step("end"), step("a3", is_terminal=False),
    )  # fmt: skip
    del flow.steps["a3"]
    run = through(door, hub_of(flow, {"a": str, "a2": str, "b": str, "end": dict}).start("flow", "go"))
    assert replay(run).attempts == 5
    other = flow_of(
        *[
            one if one.step_id != "a" else step("a", is_terminal=False)
            for one in flow.steps.values()
            if one.step_id != "a2"
        ]
    )
    again = replay(run, other)
    assert not again.is_same
    assert again.parting.path == "p#1[l]/a#1"


def test_the_entry_of_a_join_is_found_by_its_position(door):
    run = through(door, hub_of(FLOW, workers()).start("flow", "go"))
    assert entry_of(run, "m#1")["output"] == [10, 20, 30]
