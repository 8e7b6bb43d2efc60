"""Attacks on acting: secrets and approvals, runs within runs, recordings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestration_kit import (
    Orchestrator,
    ParallelStep,
    SQLiteJournal,
    SubworkflowStep,
    WorkerDefinition,
)
from orchestration_kit.engine.outcome import Action, Failure
from tests.engine.gatekeeping import FakeGate
from tests.engine.test_acting_attacks import World, actions_of
from tests.support import step, workflow_of

KEY = "sk-proj-" + "Ab3" * 16


@pytest.mark.parametrize("within", [False, True])
def test_an_action_with_a_secret_cannot_be_approved_unseen(within):
    def worker(_, context):
        action = Action("pay", {"header": KEY})
        return context.act(action) if within else action

    world = World(worker, FakeGate({"pay": "ask"}))
    run = world.start()
    assert (run.state, world.done) == ("failed", [])
    assert "it holds a secret" in run.context.error and KEY not in str(run.context.history)


# --- runs within runs


def nested(tmp_path, done):
    gate = FakeGate(labels={"read": ["secret"]}, after={"secret": {"send"}})
    hub = Orchestrator(
        constraints=gate,
        actions={"send": done.append, "read": lambda data: "s"},
        journal=SQLiteJournal(tmp_path / "runs.db"),
    )
    for name, kind in (("reader", "read"), ("sender", "send")):
        hub.register_worker(
            WorkerDefinition(worker_type=name, name=name, executor=lambda _, kind=kind: Action(kind, {}))
        )
    from orchestration_kit import ApprovalStep

    asks = ApprovalStep(step_id="ask", prompt="go on?", on_success="send")
    hub.register_workflow(workflow_of(asks, step("send", worker_type="sender"), name="inner"))
    sub = SubworkflowStep(step_id="sub", workflow="inner", is_terminal=True)
    hub.register_workflow(workflow_of(step("read", "sub", worker_type="reader"), sub, name="outer"))
    return hub


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_a_run_within_a_run_that_goes_on_alone_knows_what_was_done_before_it(how, tmp_path):
    done = []
    run = nested(tmp_path, done).start("outer", "goal", run_id="r")
    run.run()
    hub = nested(tmp_path, done)
    child = hub.get_run("r/sub#1")
    if how == "fork":
        child = child.fork(at="ask#1", run_id="f")
        child.put_on_record()
        hub = nested(tmp_path, done)
        child = hub.get_run("f")
    child.run()
    child.approve()
    child.run()
    assert (child.state, done) == ("failed", [])


def test_what_undoes_a_step_is_asked_about_too():
    steps = [step("a", "b", compensate="undo"), step("b", on_failure=None, max_retries=0), step("undo")]
    world = World(
        lambda _: "a", FakeGate({"drop": "fail"}), steps=steps,
        workers={"b": lambda _: Failure("no"), "undo": lambda _: Action("drop", {})},
    )  # fmt: skip
    run = world.start()
    assert (run.state, world.done) == ("failed", [])
    assert any(one["step"] == "undo" and actions_of(run, i) for i, one in enumerate(run.context.history))


# --- recordings


def test_a_recording_carries_nothing_out(tmp_path):
    def worker(_, context):
        context.act(Action("send", {"to": "ann"}))
        return Action("pay", {})

    first = World(worker, cassette=tmp_path / "c.yaml")
    recorded = first.start()
    again = World(worker, cassette=tmp_path / "c.yaml")
    replayed = again.start()
    assert len(first.done) == 2 and again.done == []
    assert recorded.context.data == replayed.context.data
    assert [one["action_type"] for one in actions_of(replayed)] == ["send", "pay"]


def test_a_cancel_while_a_hand_works_leaves_its_action_on_record():
    def hand(data):
        world.hub.last_run.cancel("enough")
        return "sent"

    world = World(lambda _: Action("send", {}), hands={"send": hand}, steps=[step("a", "b"), step("b")])
    run = world.hub.start("flow", "goal")
    run.run()
    assert run.state == "cancelled"
    assert actions_of(run)[0]["approved"] and "unfinished" not in actions_of(run)[0]


def test_an_approval_that_is_shared_with_a_fork_is_used_by_one_of_the_two():
    steps = [
        ParallelStep(step_id="p", branches={"x": "a", "y": "c"}, is_terminal=True),
        step("a"),
        step("c", "d"),
        step("d"),
    ]
    world = World(
        lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}), steps=steps,
        workers={"c": lambda _: "c", "d": lambda _: "d"},
    )  # fmt: skip
    run = world.hub.start("flow", "goal")
    run.step()
    run.approve()
    run.step()
    other = run.fork(at="p#1[y]/d#1")
    run.run()
    other.run()
    assert (run.state, other.state, len(world.done)) == ("completed", "blocked", 1)


def test_what_was_rejected_is_asked_about_anew_in_a_retry():
    world = World(lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}))
    run = world.start()
    run.reject("no")
    assert run.run().state == "failed"
    again = run.retry()
    again.run()
    assert (again.state, world.done) == ("blocked", [])


CRASHES = """
import os, sys
from pathlib import Path
from orchestration_kit.engine.outcome import Action
from tests.engine.gatekeeping import FakeGate
from tests.support import hub_of, step, workflow_of

folder, is_first = Path(sys.argv[1]), sys.argv[2] == "first"

def hand(data, context):
    with (folder / "paid").open("a") as paid:
        paid.write(context.idempotency_key + " ")
    if is_first:
        os._exit(9)  # carried out, and not on record
    return "paid"

hub = hub_of(
    workflow_of(step("a")), {"a": lambda _: Action("pay", {"usd": 7})},
    constraints=FakeGate({"pay": "ask"}), actions={"pay": hand}, journal=folder / "runs.db",
)
if is_first:
    run = hub.start("flow", "goal", run_id="r")
    run.run()
    run.approve()
    run.run()
print(hub.resume("r", verbose=False).state.value)
"""


def test_after_a_crash_an_approved_action_in_flight_is_repeated_with_the_same_key(tmp_path):
    crashed, resumed = (
        subprocess.run(
            [sys.executable, "-c", CRASHES, str(tmp_path), which], capture_output=True, text=True, check=False
        )
        for which in ("first", "second")
    )
    assert (crashed.returncode, resumed.stdout.strip()) == (9, "completed"), resumed.stderr
    one, other = (tmp_path / "paid").read_text().split()
    assert one == other


def test_what_a_resumed_run_within_a_run_did_counts_once():
    tries = []

    def breaks_off_once(_):
        tries.append(1)
        if len(tries) == 1:
            raise KeyboardInterrupt
        return Action("pay", {})

    world = World(lambda _: Action("send", {}), steps=[step("a", "b"), step("b")], workers={"b": breaks_off_once})
    world.hub.register_workflow(
        workflow_of(SubworkflowStep(step_id="sub", workflow="flow", is_terminal=True), name="outer")
    )
    run = world.hub.start("outer", "goal")
    with pytest.raises(KeyboardInterrupt):
        run.run()
    again = world.hub.reopen(run.run_id)
    assert again.run().state == "completed"
    found = [one["action_type"] for at in range(len(again.context.history)) for one in actions_of(again, at)]
    assert found == ["send", "pay"]
    assert [seen for _, seen, _ in world.gate.seen] == [[], ["send"]]
