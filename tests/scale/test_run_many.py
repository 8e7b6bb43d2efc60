"""What `run_many` makes, refuses and finds again."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

from orchestration_kit import (
    ApprovalStep,
    MemoryJournal,
    Orchestrator,
    RunLimits,
    SQLiteJournal,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.errors import MissingWorkers, UnknownWorkflow
from orchestration_kit.journal.errors import NotRecordable, RunLocked
from orchestration_kit.scale import GoalsError, RunSet, RunSetChanged, WorkflowTaken, run_many
from orchestration_kit.scale.plan import seed_of
from tests.scale.sets import GOALS, hub_of, moody, three_steps, without_times


@pytest.fixture(params=["memory alone", "a journal in memory", "a file", "a file with group commit"])
def journal(request, tmp_path):
    kinds = {
        "memory alone": lambda: None,
        "a journal in memory": MemoryJournal,
        "a file": lambda: SQLiteJournal(tmp_path / "runs.db"),
        "a file with group commit": lambda: SQLiteJournal(tmp_path / "runs.db", group_commit=True),
    }
    made = kinds[request.param]()
    yield made
    if made is not None:
        made.close()


def test_every_goal_is_run_so_many_times(journal):
    runs = run_many("flow", GOALS, hub=hub_of(journal), repeats=2, name="set")
    assert isinstance(runs, RunSet)
    assert len(runs) == 12
    assert runs.state == {"completed": 12}
    assert runs.is_finished
    assert [run.run_id for run in runs] == [f"set/{goal}/{repeat}" for goal in range(1, 7) for repeat in (1, 2)]
    assert [run.context.goal for run in runs] == [goal for goal in GOALS for _ in range(2)]


def test_a_set_is_the_same_in_memory_and_in_every_journal(journal):
    def frames(hub):
        runs = run_many("flow", GOALS, hub=hub, repeats=3, seed=7, name="set")
        return [without_times(one) for one in (runs.frame(), runs.history(), runs.failures())]

    for ours, theirs in zip(frames(hub_of(journal, draft=moody)), frames(hub_of(draft=moody)), strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("at_once", [1, 2, 5, 50])
def test_a_set_is_the_same_whatever_is_made_at_once(journal, at_once):
    def frames(hub, **options):
        runs = run_many("flow", GOALS, hub=hub, repeats=3, seed=7, name="set", **options)
        return [without_times(one) for one in (runs.frame(), runs.history())]

    reference = frames(hub_of(draft=moody))
    for ours, theirs in zip(frames(hub_of(journal, draft=moody), max_concurrency=at_once), reference, strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


def test_a_run_that_fails_stops_no_other(journal):
    def draft(goal):
        if "3" in goal:
            raise ValueError("no idea")
        return goal

    runs = run_many("flow", GOALS, hub=hub_of(journal, draft=draft), name="set")
    assert runs.state == {"completed": 5, "failed": 1}
    assert runs.failures()[["run", "step", "error_type", "error"]].values.tolist() == [
        ["set/3/1", "draft", "ValueError", "no idea"]
    ]


def test_data_of_a_goal_is_on_its_bus(journal):
    table = pd.DataFrame({"goal": ["a", "b"], "id": ["x", "y"], "budget": [1, 2]})
    runs = run_many("flow", table, hub=hub_of(journal, done=lambda found: found["budget"]), name="set")
    assert runs.outputs() == [1, 2]
    assert runs["y", 1].context.data["budget"] == 2


def test_runs_are_found_by_their_tags(journal):
    hub = hub_of(journal)
    run_many("flow", ["a", "b"], hub=hub, name="set", tags={"team": "red"}, repeats=2)
    run_many("flow", ["a"], hub=hub, name="another")
    found = hub.runs(tags={"many": "set"})
    assert len(found) == 4
    assert {one.tags["team"] for one in found} == {"red"}
    assert [one.run_id for one in hub.runs(tags={"many": "set", "goal": "2", "repeat": "1"})] == ["set/2/1"]


def test_limits_are_those_of_each_run(journal):
    runs = run_many("flow", ["a"], hub=hub_of(journal), limits=RunLimits(max_steps=2), name="set")
    assert runs.state == {"failed": 1}
    assert "limit max_steps" in runs.frame()["reason"][0]


def test_seeds_of_repeats_differ_and_are_told_by_the_seed_of_the_set():
    def luck(seed):
        return run_many("flow", ["a"], hub=hub_of(), repeats=3, seed=seed).outputs()

    assert luck(1) == luck(1)
    assert luck(1) != luck(2)
    assert len(set(luck(1))) == 3


def test_a_definition_is_registered(journal):
    hub = hub_of(journal)
    assert run_many(three_steps("mine"), ["a"], hub=hub).state == {"completed": 1}
    assert run_many(three_steps("mine"), ["a"], hub=hub).state == {"completed": 1}
    assert "mine" in hub.workflows


def test_another_workflow_under_the_same_name_is_refused():
    hub, other = hub_of(), three_steps()
    other.add_step(other.steps["check"].model_copy(update={"max_retries": 3}), replace=True)
    with pytest.raises(WorkflowTaken, match="'flow'.*hub.register_workflow"):
        run_many(other, ["a"], hub=hub)
    assert hub.runs() == []


def test_without_a_name_each_set_is_a_new_one(journal):
    hub = hub_of(journal)
    one, other = (run_many("flow", ["a"], hub=hub) for _ in range(2))
    assert one.name != other.name
    assert one.name.startswith("flow_")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"goals": []}, GoalsError, "there are none"),
        ({"workflow": "flwo"}, UnknownWorkflow, "Did you mean 'flow'?"),
        ({"workflow": 3}, TypeError, "a WorkflowDefinition, not 3"),
        ({"workflow": three_steps("x"), "hub": Orchestrator()}, MissingWorkers, "writer"),
        ({"hub": None}, TypeError, "hub=hub"),
        ({"repeats": 0}, ValueError, "repeats is a whole number from 1"),
        ({"repeats": True}, ValueError, "repeats"),
        ({"max_concurrency": 0}, ValueError, "max_concurrency is a whole number from 1 to 1,000"),
        ({"max_concurrency": 2.0}, ValueError, "max_concurrency"),
        ({"seed": "x"}, TypeError, "seed is a whole number"),
        ({"name": "a/b"}, ValueError, "holds a slash"),
        ({"name": " "}, TypeError, "name is a text"),
        ({"tags": {"many": "x"}}, ValueError, "'many', which is run_many's own"),
        ({"tags": {"a": 1}}, TypeError, "tags is a dict of texts"),
        ({"limits": 5}, TypeError, "RunLimits"),
        ({"executor": 5}, TypeError, "is no executor"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(arguments, error, says):
    hub = hub_of()
    given = {"workflow": "flow", "goals": GOALS, "hub": hub} | arguments
    with pytest.raises(error, match=says):
        run_many(given.pop("workflow"), given.pop("goals"), **given)
    assert hub.runs() == []


def test_data_that_no_journal_takes_is_refused_before_anything_runs():
    hub = hub_of(MemoryJournal())
    with pytest.raises(NotRecordable, match=r"data\['x'\] of goal '2'"):
        run_many("flow", ["a", {"goal": "b", "data": {"x": object()}}], hub=hub)
    assert hub.runs() == []
    assert run_many("flow", [{"goal": "b", "data": {"x": object()}}], hub=hub_of()).state == {"completed": 1}


# --- called again


def test_finished_runs_are_not_repeated(journal):
    calls = []
    hub = hub_of(journal, draft=lambda goal: calls.append(goal) or goal)
    run_many("flow", ["a", "b"], hub=hub, name="set")
    runs = run_many("flow", ["a", "b"], hub=hub, name="set")
    assert calls == ["a", "b"]
    assert runs.state == {"completed": 2}


def test_more_goals_and_more_repeats_add_what_is_missing(journal):
    calls = []
    hub = hub_of(journal, draft=lambda goal: calls.append(goal) or goal)
    run_many("flow", ["a", "b"], hub=hub, name="set")
    runs = run_many("flow", ["a", "b", "c"], hub=hub, name="set", repeats=2)
    assert sorted(calls) == ["a", "a", "b", "b", "c", "c"]
    assert len(runs) == 6
    assert runs.is_finished


def test_fewer_goals_are_a_view_of_those(journal):
    hub = hub_of(journal)
    run_many("flow", GOALS, hub=hub, name="set")
    assert len(run_many("flow", GOALS[:2], hub=hub, name="set").frame()) == 2


def test_failed_runs_are_finished_unless_they_are_to_be_tried_again(journal):
    is_broken = [True]

    def check(text, context):
        if is_broken[0]:
            raise ValueError("broken")
        return {"text": text, "luck": 0}

    hub = hub_of(journal, check=check)
    assert run_many("flow", ["a", "b"], hub=hub, name="set").state == {"failed": 2}
    is_broken[0] = False
    assert run_many("flow", ["a", "b"], hub=hub, name="set").state == {"failed": 2}
    runs = run_many("flow", ["a", "b"], hub=hub, name="set", retry_failed=True)
    assert runs.state == {"completed": 2}
    assert [entry["step"] for entry in runs[0].history] == ["draft", "check", "check", "done"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"goals": ["a", "B"]}, "set/2/1: its goal was 'b', now it is 'B'"),
        ({"goals": ["a", {"goal": "b", "data": {"x": 1}}]}, "set/2/1: its initial data differs in 'x'"),
        ({"seed": 1}, "set/1/1: seed= of the set was another one"),
        ({"workflow": "other"}, "set/1/1: its workflow was 'flow', now it is 'other'"),
    ],
)
def test_a_set_that_began_otherwise_is_refused(journal, change, says):
    hub = hub_of(journal)
    hub.register_workflow(three_steps("other"))
    run_many("flow", ["a", "b"], hub=hub, name="set")
    before = len(hub.runs())
    given = {"workflow": "flow", "goals": ["a", "b", "c"]} | change
    with pytest.raises(RunSetChanged) as caught:
        run_many(given.pop("workflow"), given.pop("goals"), hub=hub, name="set", **given)
    assert says in str(caught.value)
    assert "Nothing was run" in str(caught.value)
    assert len(hub.runs()) == before


def test_a_changed_definition_is_refused(journal):
    hub = hub_of(journal)
    run_many("flow", ["a", "b"], hub=hub, name="set")
    changed = three_steps()
    changed.add_step(changed.steps["check"].model_copy(update={"max_retries": 3}), replace=True)
    hub.register_workflow(changed)
    with pytest.raises(RunSetChanged, match="the workflow, or who works at one of its steps, is another one"):
        run_many("flow", ["a", "b"], hub=hub, name="set")


def test_of_many_that_differ_the_first_are_named(journal):
    hub = hub_of(journal)
    run_many("flow", [f"a {n}" for n in range(20)], hub=hub, name="set")
    with pytest.raises(RunSetChanged, match="and 15 more") as caught:
        run_many("flow", [f"b {n}" for n in range(20)], hub=hub, name="set")
    assert list(caught.value.differs) == [f"set/{n}/1" for n in range(1, 6)]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_other_code_and_other_limits_are_no_hindrance(journal):
    hub = hub_of(journal)
    run_many("flow", ["a"], hub=hub, name="set")
    again = hub_of(journal, done=lambda found: "another") if journal is not None else hub
    runs = run_many("flow", ["a", "b"], hub=again, name="set", limits=RunLimits(max_steps=9))
    assert runs.state == {"completed": 2}


def test_secrets_are_no_difference(journal):
    key = "sk-ant-api03-" + "Ab1" * 12
    hub = hub_of(journal)
    goals = [{"goal": f"use {key}", "data": {"key": key}}]
    run_many("flow", goals, hub=hub, name="set")
    runs = run_many("flow", goals, hub=hub, name="set")
    assert runs.state == {"completed": 1}
    assert key not in str(runs[0].events)


def test_a_large_goal_is_no_difference(journal):
    hub = hub_of(journal)
    goals = [{"goal": "x" * 90_000, "data": {"text": "y" * 500_000}}]
    run_many("flow", goals, hub=hub, name="set")
    assert run_many("flow", goals, hub=hub, name="set").state == {"completed": 1}


# --- people


def test_runs_wait_for_people_and_go_on_in_the_next_call(journal):
    hub = hub_of(journal)
    gate = WorkflowDefinition(name="gate")
    gate.add_step(WorkflowStep(step_id="draft", worker_type="writer", on_success="ask"), is_initial=True)
    gate.add_step(ApprovalStep(step_id="ask", prompt="Good?", on_success="done", on_failure="done"))
    gate.add_step(WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True))
    hub.register_workflow(gate)
    runs = run_many("gate", ["a", "b"], hub=hub, name="set")
    assert runs.state == {"waiting": 2}
    assert not runs.is_finished
    assert runs.frame()["success"].isna().all()
    runs[0].approve()
    before = len(runs[1].events)
    again = run_many("gate", ["a", "b"], hub=hub, name="set")
    assert again.state == {"completed": 1, "waiting": 1}
    assert len(again[1].events) == before


# --- others at work


def test_a_run_that_somebody_drives_holds_the_set_up(tmp_path):
    path = tmp_path / "runs.db"
    with SQLiteJournal(path) as journal, SQLiteJournal(path) as other:
        run_many("flow", ["a", "b"], hub=hub_of(journal), name="set")
        hub_of(other).start("flow", "c", run_id="set/3/1", seed=seed_of(0, "3", 1)).step()
        other.claim("set/3/1", None)
        with pytest.raises(RunLocked, match="set/3/1"):
            run_many("flow", ["a", "b", "c"], hub=hub_of(journal), name="set")
