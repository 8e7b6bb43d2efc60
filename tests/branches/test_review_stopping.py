"""What is stopped stays stopped, limits end everything, and nothing that is undone holds up the rest."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from orchestration_kit import ApprovalStep, MapStep, ParallelStep, RunLimits, WorkflowStep
from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.steps import Branch, RetryPolicy
from orchestration_kit.engine import threads
from orchestration_kit.engine.context import context_of
from orchestration_kit.engine.events import BranchesOpened, ErrorInfo
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.single import make
from orchestration_kit.engine.threads import _Threads
from orchestration_kit.testing import FakeClock
from tests.branches.doors import check_record, entry_of, flow_of, go, hub_of
from tests.support import step

LOOP_DOORS = ("sync", "async")
PATIENCE_S = 60.0
"""How long a test waits for what is sure to come, before it fails."""


def leaf(step_id, to=None, **fields):
    return WorkflowStep(step_id=step_id, worker_type=step_id, on_success=to, **fields)


def same(input_data):
    return input_data


def boom(input_data):
    raise ValueError("boom")


def until(condition: Callable[[], object]) -> None:
    """Wait, on a thread of one's own, for what another thread is sure to bring about."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it never came")


def driven(run, door="sync"):
    """Drive a run on a thread, so that one that hangs fails its test only."""
    thread = threading.Thread(target=go, args=(run, door), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), f"{run} hangs"
    return run


class HeldClock(FakeClock):
    """A clock by which a wait lasts until the test says it is over, on a thread; in a loop, until it is cancelled."""

    def __init__(self):
        super().__init__()
        self.waits, self.is_over = threading.Event(), threading.Event()
        self.thread = None

    def sleep(self, seconds, wake):
        self.thread = threading.current_thread()
        self.waits.set()
        assert self.is_over.wait(PATIENCE_S)

    async def asleep(self, seconds):
        self.thread = threading.current_thread()
        self.waits.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_the_retry_of_a_cancelled_branch_calls_no_worker(door):
    calls = []
    clock = HeldClock()

    def flaky(input_data):
        calls.append(1)
        raise ValueError("no")

    policy = RetryPolicy(backoff_s=0.3, multiplier=1)
    workflow = flow_of(
        ParallelStep(step_id="p", branches={"a": "a", "b": "flaky"}, join="any", on_success="z"),
        leaf("a"),
        leaf("flaky", max_retries=3, retry=policy),
        step("z"),
    )
    workers = {"a": lambda _: clock.waits.wait(PATIENCE_S), "flaky": flaky, "z": same}
    run = driven(hub_of(workflow, workers, clock=clock).start("flow", "go"), door)
    assert run.state == "completed"
    clock.is_over.set()
    clock.thread.join(PATIENCE_S)
    assert not clock.thread.is_alive()
    assert calls == [1]


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_a_cancelled_branch_that_waited_for_a_lock_calls_no_worker(door, monkeypatch):
    calls, asking = [], []
    asks, free = threading.Event(), threading.Event()
    workflow = flow_of(
        ParallelStep(step_id="p", branches={"a": "a", "b": "locked"}, join="any", on_success="z"),
        leaf("a"),
        leaf("locked", lock="db"),
        step("z"),
    )
    hub = hub_of(workflow, {"a": lambda _: asks.wait(PATIENCE_S), "locked": lambda x: calls.append(x), "z": same})
    ask = hub.gates.ask
    ticket = ask("db", free.set)

    def noted(name, tell):
        asking.append(threading.current_thread())
        found = ask(name, tell)
        asks.set()
        return found

    monkeypatch.setattr(hub.gates, "ask", noted)
    run = driven(hub.start("flow", "go"), door)
    assert run.state == "completed"
    hub.gates.give_back(ticket)
    asking[0].join(PATIENCE_S)
    assert not asking[0].is_alive()
    assert calls == []
    assert ask("db", free.set).is_mine


def test_undoing_is_not_held_up_by_max_steps(door):
    workflow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", on_success="fails"),
        leaf("a", compensate="u"),
        leaf("u"),
        step("fails"),
    )
    hub = hub_of(workflow, {"a": same, "u": same, "fails": boom})
    run = driven(hub.start("flow", "go", {"items": [1, 2, 3, 4, 5]}, limits=RunLimits(max_steps=3)), door)
    assert run.state == "failed"
    assert sum("undoes" in (entry["detail"] or {}) for entry in run.history) == 5
    check_record(run)


@pytest.mark.parametrize("door", LOOP_DOORS)
def test_a_budget_holds_while_another_branch_is_undone(door, monkeypatch):
    undoes, spent = threading.Event(), threading.Event()

    def pays(input_data, context):
        assert undoes.wait(PATIENCE_S)
        context.add_usage(cost_usd=1.0)

    def undo(input_data):
        undoes.set()
        assert spent.wait(PATIENCE_S)

    def looks_for_more(machine):
        visit = take(machine)
        if sum((record.usage or {}).get("cost_usd", 0) for record in machine.records) >= 2:
            spent.set()  # the third is set aside for what undoes
        return visit

    take = Machine.next
    monkeypatch.setattr(Machine, "next", looks_for_more)

    both = {"c": "charge", "d": "fails"}  # one after the other: else the first may be cancelled before it has ended
    inner = ParallelStep(step_id="q", branches=both, max_concurrency=1, failure="all_or_nothing")
    workflow = flow_of(
        ParallelStep(step_id="p", branches={"q": "q", "l": "pay"}, failure="continue", on_success="z"),
        inner,
        leaf("charge", compensate="undo"),
        leaf("undo"),
        leaf("fails"),
        leaf("pay", "pay2"),
        leaf("pay2", "pay", branches=(Branch(when="visits > 20", to="end"),)),
        leaf("end"),
        step("z"),
    )
    workflow.budget = Budget(max_cost_usd=3, reserve_usd=1)
    workers = {"charge": same, "undo": undo, "fails": boom, "pay": pays, "pay2": pays, "end": same, "z": same}
    run = driven(hub_of(workflow, workers).start("flow", "go"), door)
    assert run.state == "failed"
    assert sum((entry["usage"] or {}).get("cost_usd", 0) for entry in run.history) == 3
    assert run.machine.meter._run.reserved_usd == 0
    assert entry_of(run, "p#1[q]/q#1[undo]/undo#1")["success"]


@pytest.mark.parametrize("door", LOOP_DOORS)
@pytest.mark.parametrize("by", ["budget", "max_steps"])
def test_a_limit_in_one_branch_does_not_wait_for_a_worker_that_hangs_in_another(door, by):
    begun, free = threading.Event(), threading.Event()

    def hangs(input_data):
        begun.set()
        free.wait()

    def beside(input_data):
        assert begun.wait(PATIENCE_S)
        return input_data

    budget = Budget(max_cost_usd=0.0) if by == "budget" else None
    workflow = flow_of(
        ParallelStep(step_id="p", branches={"a": "hangs", "b": "x"}, on_success="z"),
        leaf("hangs"),
        leaf("x", "y"),
        leaf("y", "x", budget=budget, branches=(Branch(when="visits > 90", to="end"),)),
        leaf("end"),
        step("z"),
    )
    hub = hub_of(workflow, {"hangs": hangs, "x": beside, "y": same, "end": same, "z": same})
    try:
        run = driven(hub.start("flow", "go", limits=RunLimits(max_steps=10)), door)
    finally:
        free.set()
    assert run.state == "failed"
    assert ("max_steps" if by == "max_steps" else "the budget of step 'y' is spent") in run.context.error
    assert "cancelled" not in run.context.error


def test_no_thread_is_begun_for_what_a_budget_holds_up(monkeypatch):
    begun, rounds = [], []
    work, waits = _Threads.work, _Threads.waits
    monkeypatch.setattr(threads, "POLL_S", 0.005)
    monkeypatch.setattr(_Threads, "work", lambda self: (begun.append(1), work(self))[1])
    monkeypatch.setattr(_Threads, "waits", lambda self: (rounds.append(1), waits(self))[1])

    def pays(input_data, context):
        until(lambda: len(rounds) > 50)  # each of which might begin threads
        context.add_usage(cost_usd=1.0)

    workflow = flow_of(
        ParallelStep(step_id="p", branches={"a": "x", "b": "y", "c": "w"}, on_success="z"),
        *map(leaf, "xyw"),
        step("z"),
        budget=Budget(max_cost_usd=6.5, reserve_usd=3),
    )
    run = driven(hub_of(workflow, {"x": pays, "y": pays, "w": pays, "z": same}).start("flow", "go"))
    assert run.state == "completed"
    assert len(begun) < 12


def test_a_map_does_not_grow_without_an_end(door):
    def grows(input_data, context):
        context.add_item(input_data + 1)
        return input_data

    workflow = flow_of(
        MapStep(step_id="m", over="data.items", body="grows", max_items=5, on_success="z"), leaf("grows"), step("z")
    )
    run = driven(hub_of(workflow, {"grows": grows, "z": same}).start("flow", "go", {"items": [0]}), door)
    assert run.state == "failed"
    assert "max_items=5" in run.context.error
    check_record(run)


def test_what_is_no_exception_ends_a_run_of_branches_too():
    class Stop(BaseException):
        pass

    async def works(input_data):
        await asyncio.sleep(0)
        return 1

    def observe(event):
        if type(event).__name__ == "AttemptFinished" and event.scope:
            raise Stop

    workflow = flow_of(
        ParallelStep(step_id="p", branches={"a": "x", "b": "y"}, on_success="z"), *map(leaf, "xy"), step("z")
    )
    hub = hub_of(workflow, {"x": works, "y": works, "z": same}, journal=None)
    run = hub.start("flow", "go", observers=[observe])

    async def drive():
        with pytest.raises(Stop):
            await asyncio.wait_for(run.arun(), PATIENCE_S)

    asyncio.run(drive())
    assert run.is_finished


def test_a_wait_in_a_branch_that_is_cancelled_as_it_begins_is_on_record_once():
    workflow = flow_of(
        ParallelStep(step_id="p", branches={"a": "x", "b": "ask"}, join="any", on_success="z"),
        leaf("x"),
        ApprovalStep(step_id="ask", prompt="?"),
        step("z"),
    )
    run = hub_of(workflow, {"x": same, "z": same}).start("flow", "go")
    machine = run.machine
    opening = machine.next()
    machine.open(opening, BranchesOpened("p#1", ("a", "b"), None, (), 0.0))
    first, second = machine.next(), machine.next()
    machine.settle(first, 1)  # the join is reached while a thread has the other visit, and waits for its turn
    machine.settle(second, None, ErrorInfo("BranchCancelled", "cancelled"), None)
    make(run, second, context_of(machine, second))
    assert [record.path for record in machine.records] == ["p#1[a]/x#1", "p#1[b]/ask#1"]
