"""Named locks and rates of a hub: in all its runs, in all branches, and never longer than an attempt."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import MapStep, Orchestrator, ParallelStep
from orchestration_kit.testing import FakeClock
from tests.branches.doors import entry_of, flow_of, go, hub_of, paths, run_flow, through
from tests.support import step


def test_a_lock_is_held_in_all_runs_of_a_hub():
    """Two runs on two threads: while one is inside, the other cannot come in."""
    inside, most, mutex = [0], [0], threading.Lock()
    first_in, second_asks = threading.Event(), threading.Event()

    def work(given, context):
        with mutex:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        first_in.set()
        second_asks.wait(0.2 if given == "one" else 0)
        with mutex:
            inside[0] -= 1
        return given

    flow = flow_of(step("before", "a"), step("a", lock="db"))
    hub = hub_of(flow, {"before": lambda given: (first_in.wait(30) if given == "two" else None) or given, "a": work})
    runs = [hub.start("flow", name) for name in ("one", "two")]
    runs[1].machine.started
    threads = [threading.Thread(target=run.run) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1]
    assert [run.state for run in runs] == ["completed", "completed"]


def test_a_lock_is_held_in_all_runs_of_a_loop():
    inside, most = [0], [0]

    async def work(given):
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        for _ in range(3):
            await asyncio.sleep(0)
        inside[0] -= 1
        return given

    async def main():
        hub = hub_of(
            flow_of(step("a", "b", worker_type="w", lock="db"), step("b", worker_type="w", lock="db")), {"w": work}
        )
        runs = [hub.start("flow", f"r{n}") for n in range(20)]
        await asyncio.gather(*(run.arun() for run in runs))
        return runs

    runs = asyncio.run(main())
    assert most == [1]
    assert {run.state.value for run in runs} == {"completed"}


@pytest.mark.parametrize("locks", [{"db": 0}, {"db": -1}, {"db": 1.5}, {"db": True}, {"db": "2"}])
def test_a_lock_admits_a_whole_number_above_zero(locks):
    with pytest.raises(ValueError, match="is no limit; give a whole number above 0"):
        Orchestrator(locks=locks)


def test_a_lock_is_given_back_where_the_attempt_fails(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="continue", is_terminal=True),
        step("a", is_terminal=False, lock="db", max_retries=1),
    )

    def work(n):
        if n % 2:
            raise ValueError("odd")
        return n

    run = run_flow(flow, {"a": work}, door, data={"items": list(range(6))})
    assert run.state == "completed"
    assert sum(entry["success"] for entry in run.history) == 4


def test_a_lock_is_given_back_where_the_time_is_up(door):
    release = threading.Event()

    def hang(n):
        if n == 0:
            release.wait(30)
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="continue", is_terminal=True),
        step("a", is_terminal=False, lock="db", timeout_s=0.05),
    )
    run = run_flow(flow, {"a": hang}, door, data={"items": [0, 1, 2]})
    release.set()
    assert run.context.data["m_output"][1:] == [1, 2]
    assert entry_of(run, "m#1[0]/a#1")["error_type"] == "StepTimeout"


def test_a_lock_is_not_held_while_a_retry_is_waited_for(door):
    from orchestration_kit import RetryPolicy

    seen = []

    class Watched(FakeClock):
        def sleep(self, seconds, wake):
            seen.append(dict(hub.gates._held))
            super().sleep(seconds, wake)

        async def asleep(self, seconds):
            seen.append(dict(hub.gates._held))
            await super().asleep(seconds)

    def work(given, context):
        if context.attempt == 1:
            raise ValueError("again")
        return given

    hub = hub_of(
        flow_of(step("a", lock="db", max_retries=1, retry=RetryPolicy(backoff_s=9))), {"a": work}, clock=Watched()
    )
    run = through(door, hub.start("flow", "go"))
    assert run.state == "completed"
    assert [held.get("db", 0) for held in seen] == [0]


def test_a_cancel_leads_out_of_the_wait_for_a_lock():
    hub = hub_of(flow_of(step("a", lock="db")), {"a": str})
    ticket = hub.gates.ask("db", lambda: None)
    run = hub.start("flow", "go")
    thread = threading.Thread(target=run.run)
    thread.start()
    run.cancel("enough")
    thread.join(30)
    assert (run.state, run.history) == ("cancelled", [])
    hub.gates.give_back(ticket)
    assert hub.start("flow", "go").run().state == "completed"


def test_a_cancel_leads_out_of_the_wait_for_a_lock_in_a_loop():
    async def main():
        hub = hub_of(flow_of(step("a", lock="db")), {"a": str})
        ticket = hub.gates.ask("db", lambda: None)
        run = hub.start("flow", "go")
        task = asyncio.ensure_future(run.arun())
        await asyncio.sleep(0)
        run.cancel("enough")
        await task
        hub.gates.give_back(ticket)
        return run, hub.start("flow", "go").run()

    run, other = asyncio.run(main())
    assert (run.state, run.history, other.state) == ("cancelled", [], "completed")


def test_losers_that_wait_for_a_lock_leave_the_queue():
    """join="any": both branches need the lock; the winner had it, the loser was still in the queue."""
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "a", "s": "a"}, join="any", is_terminal=True),
        step("a", is_terminal=False, lock="db"),
    )
    hub = hub_of(flow, {"a": str})
    for door in ("sync", "async"):
        run = go(hub.start("flow", "go"), door)
        assert run.state == "completed"
    turn = threading.Event()
    ticket = hub.gates.ask("db", turn.set)
    assert ticket.is_mine or turn.wait(30)
    hub.gates.give_back(ticket)


# --- rates


def test_attempts_keep_to_a_rate_of_whole_numbers(door):
    clock, at = FakeClock(0.0), []
    flow = flow_of(
        step("a", "a", worker_type="w", rate="2/s", success_when="visits < 8", on_failure="end"),
        step("end", worker_type="w"),
    )
    run_flow(flow, {"w": lambda given: at.append(clock.monotonic())}, door, clock=clock)
    begun = at[:8]
    for n in range(2, 8):
        assert begun[n] - begun[n - 2] >= 1.0 - 1e-9
    assert begun[:2] == [0, 0]
    assert begun[-1] == pytest.approx(3.0)


def test_a_rate_below_one_a_period_spreads_attempts(door):
    clock, at = FakeClock(0.0), []
    flow = flow_of(
        step("a", "a", worker_type="w", rate="0.5/s", success_when="visits < 4", on_failure="end"),
        step("end", worker_type="w"),
    )
    run_flow(flow, {"w": lambda given: at.append(clock.monotonic())}, door, clock=clock)
    assert at[:4] == pytest.approx([0, 2, 4, 6])


@pytest.mark.parametrize("rate", ["3/s", "90/min", "2/h"])
def test_no_window_of_the_period_ever_holds_more_than_the_rate(door, rate):
    from orchestration_kit.definition.budgets import rate_of

    most, period_s = rate_of(rate)
    clock, at, mutex = FakeClock(0.0), [], threading.Lock()

    def work(n):
        with mutex:
            at.append(clock.monotonic())
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=1, is_terminal=True),
        step("a", is_terminal=False, rate=rate),
    )
    run_flow(flow, {"a": work}, door, data={"items": list(range(12))}, clock=clock)
    for start in at:
        assert sum(start <= one < start + period_s - 1e-6 for one in at) <= most


def test_a_rate_holds_in_all_runs_of_a_hub_and_for_each_step_by_itself(door):
    clock, at = FakeClock(0.0), {"a": [], "b": []}
    flow = flow_of(step("a", "b", rate="1/min"), step("b", rate="1/min"))
    hub = hub_of(
        flow, {name: lambda given, name=name: at[name].append(clock.monotonic()) for name in "ab"}, clock=clock
    )
    for _ in range(3):
        through(door, hub.start("flow", "go"))
    assert at == {"a": [0, 60, 120], "b": [0, 60, 120]}


def test_retries_count_for_the_rate(door):
    clock, at = FakeClock(0.0), []

    def work(given):
        at.append(clock.monotonic())
        raise ValueError("no")

    run = run_flow(flow_of(step("a", rate="1/s", max_retries=2)), {"a": work}, door, clock=clock)
    assert paths(run) == ["a#1", "a#1.2", "a#1.3"]
    assert at == [0, 1, 2]
