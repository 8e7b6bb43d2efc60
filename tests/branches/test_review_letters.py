"""What is said to a run while it is driven arrives, whoever drives it and wherever it stands."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    MemoryJournal,
    ParallelStep,
    SubworkflowStep,
    WaitStep,
    WorkflowStep,
)
from orchestration_kit.engine import tasks, threads
from orchestration_kit.engine.refusals import AnswerRefused
from orchestration_kit.testing import FakeClock
from tests.branches.doors import flow_of, go, hub_of
from tests.branches.test_review_stopping import PATIENCE_S, driven, until
from tests.support import step

LOOP_DOORS = ("sync", "async")


def leaf(step_id, to=None, **fields):
    return WorkflowStep(step_id=step_id, worker_type=step_id, on_success=to, **fields)


def same(input_data):
    return input_data


class Held:
    """A worker that holds until something was said to its run, and the thread that says it meanwhile."""

    def __init__(self):
        self.begun, self.said = threading.Event(), threading.Event()

    def worker(self, input_data):
        self.begun.set()
        assert self.said.wait(PATIENCE_S)
        return input_data

    def drive(self, run, door, act, *args):
        """Drive a run; once the worker is at it, act, then let it go."""

        def say():
            try:
                assert self.begun.wait(PATIENCE_S)
                act(*args)
            finally:
                self.said.set()

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(say)
            driven(run, door)
            done.result(PATIENCE_S)


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_an_event_that_comes_while_no_branch_waits_holds_up_nobody(door, monkeypatch):
    rounds, sleeps = [], []
    waits, awaits = threads._Threads.waits, tasks._Tasks.waits

    def counted(self):
        def wait(seconds, wait=type(self.changed).wait):
            sleeps.append(seconds)
            return wait(self.changed, seconds)

        self.changed.wait = wait
        rounds.append(1)
        return waits(self)

    async def acounted(self, guard):
        rounds.append(1)
        await awaits(self, guard)

    monkeypatch.setattr(threads, "POLL_S", 0.005)
    monkeypatch.setattr(threads._Threads, "waits", counted)
    monkeypatch.setattr(tasks._Tasks, "waits", acounted)
    workflow = flow_of(
        ParallelStep(step_id="p", branches={"a": "a", "b": "b"}, on_success="w"),
        leaf("a"),
        leaf("b"),
        WaitStep(step_id="w", event="paid", on_success="z"),
        step("z"),
    )
    held = Held()

    def stays(input_data):
        held.worker(input_data)
        until(lambda before=len(rounds): len(rounds) > before + 50)  # of a driver that polls

    async def astays(input_data):
        while not held.said.is_set():
            await asyncio.sleep(0)
        for _ in range(500):  # passes of a loop, in each of which its driver might look around
            await asyncio.sleep(0)

    run = hub_of(workflow, {"a": held.worker, "b": stays if door == "sync" else astays, "z": same}).start("flow", "go")
    held.drive(run, door, run.send, "paid", 7)
    assert run.state == "completed"
    assert run.machine.data["w_output"] == 7
    assert len(rounds) - len(sleeps) < 10  # nobody spins meanwhile


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_a_run_goes_on_with_a_child_that_was_answered_meanwhile(door):
    child = flow_of(ApprovalStep(step_id="ask", prompt="?", on_success="end"), step("end"), name="child")
    workflow = flow_of(
        ParallelStep(step_id="p", branches={"s": "s", "l": "slow"}, on_success="z"),
        SubworkflowStep(step_id="s", workflow="child"),
        leaf("slow"),
        step("z"),
    )
    held = Held()
    run = hub_of([child, workflow], {"slow": held.worker, "end": same, "z": same}).start("flow", "go")
    held.drive(run, door, lambda: (until(lambda: run.waiting), run.approve(3)))
    assert run.state == "completed"
    assert run.machine.data["s_output"] == 3


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_an_event_for_a_child_that_does_not_wait_yet_arrives(door):
    child = flow_of(leaf("slow", "w"), WaitStep(step_id="w", event="paid", on_success="end"), step("end"), name="child")
    workflow = flow_of(SubworkflowStep(step_id="s", workflow="child", on_success="z"), step("z"))
    held = Held()
    run = hub_of([child, workflow], {"slow": held.worker, "end": same, "z": same}).start("flow", "go")
    held.drive(run, door, run.send, "paid", 7)
    assert run.state == "completed"


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_an_approval_that_comes_as_the_driver_leaves_is_on_record(door):
    workflow = flow_of(ApprovalStep(step_id="ask", prompt="?", on_success="z"), step("z"))
    journal = MemoryJournal()
    run = hub_of(workflow, {"z": same}, journal=journal).start("flow", "go", run_id="r")
    release, said = run.log.release, []

    def release_late():
        if not said and run.waiting:
            said.append(1)
            run.approve(5)  # the driver has looked at its letters
        release()

    run.log.release = release_late
    go(run, door)
    assert said
    assert not run.letters
    again = hub_of(workflow, {"z": same}, journal=journal).get_run("r")
    assert again.waiting == []


@pytest.mark.parametrize(
    "schema", [{"$ref": "http://127.0.0.1:9/x"}, {"$ref": "file:///etc/passwd"}, {"$ref": "#"}, {"$ref": "#/nope"}]
)
def test_a_schema_that_cannot_be_followed_refuses_the_value(schema):
    workflow = flow_of(ApprovalStep(step_id="ask", prompt="?", schema=schema, on_success="z"), step("z"))
    run = go(hub_of(workflow, {"z": same}).start("flow", "go"))
    with pytest.raises(AnswerRefused, match="cannot be held against the value"):
        run.approve(1)
    assert run.state == "waiting"


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_a_child_used_before_it_waited_counts(door, is_restarted):
    def pays(input_data, context):
        context.add_usage(input_tokens=3, cost_usd=1.0)
        return input_data

    child = flow_of(
        leaf("pay", "ask"), ApprovalStep(step_id="ask", prompt="?", on_success="pay2"), step("pay2"), name="child"
    )
    workflow = flow_of(SubworkflowStep(step_id="s", workflow="child", on_success="z"), step("z"))
    workers = {"pay": pays, "pay2": pays, "z": same}
    journal = MemoryJournal()
    run = go(hub_of([child, workflow], workers, journal=journal).start("flow", "go", run_id="r"), door)
    if is_restarted:
        run = hub_of([child, workflow], workers, journal=journal).get_run("r")
    run.approve(1)
    go(run, door)
    assert run.state == "completed"
    usage = run.history[0]["usage"]
    assert (usage["input_tokens"], usage["cost_usd"]) == (6, 2.0)


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_what_a_child_used_counts_once_where_its_parent_was_stopped(door):
    runs = []

    def pays(input_data, context):
        context.add_usage(cost_usd=1.0)
        return input_data

    def stops(input_data, context):
        context.add_usage(cost_usd=1.0)
        if len(runs) == 1:
            runs.append(None)
            runs[0].cancel("enough")
        return input_data

    child = flow_of(leaf("pay", "stop"), leaf("stop", "end"), step("end"), name="child")
    workflow = flow_of(SubworkflowStep(step_id="s", workflow="child", on_success="z"), step("z"))
    hub = hub_of([child, workflow], {"pay": pays, "stop": stops, "end": pays, "z": same})
    runs.append(hub.start("flow", "go", run_id="r"))
    go(runs[0], door)
    assert runs[0].state == "cancelled"
    go(hub.reopen("r"), door)
    assert runs[0].state == "completed"
    used = [(entry["usage"] or {}).get("cost_usd", 0) for entry in runs[0].children["s#1"].history]
    assert sum((entry["usage"] or {}).get("cost_usd", 0) for entry in runs[0].history) == sum(used) >= 3


def test_an_event_that_comes_after_the_time_was_up_is_no_answer():
    workflow = flow_of(
        WaitStep(step_id="w", event="paid", timeout_s=0.05, on_timeout="late", on_success="z"),
        leaf("late", "again"),
        WaitStep(step_id="again", event="paid", on_success="z"),
        step("z"),
    )
    clock = FakeClock()
    run = go(hub_of(workflow, {"late": same, "z": same}, clock=clock).start("flow", "go"))
    clock.advance(0.1)
    run.send("paid", 7)
    go(run)
    assert [entry["path"] for entry in run.history] == ["w#1", "late#1", "again#1", "z#1"]
    assert run.machine.data["again_output"] == 7


def test_a_thousand_approvals_are_given_in_no_time():
    workflow = flow_of(
        MapStep(step_id="m", over="data.items", body="ask", on_success="z"),
        ApprovalStep(step_id="ask", prompt="?"),
        step("z"),
    )
    run = go(hub_of(workflow, {"z": same}).start("flow", "go", {"items": list(range(1_000))}))
    questions = run.waiting
    calls = [0]

    def count(frame, event, arg):
        calls[0] += 1
        assert calls[0] < 1_000 * 500  # of functions: to look at all that are open each time takes millions

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for question in questions:
            run.approve(1, question)
    finally:
        sys.setprofile(before)
    assert go(run).state == "completed"
