"""A cancel or a Ctrl-C in the middle of a map: everything under way stops on record, and the run goes on from there."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orchestration_kit import MapStep, MemoryJournal, ParallelStep
from tests.branches.doors import check_record, entry_of, flow_of, go, hub_of, paths, through
from tests.support import step

FLOW = flow_of(
    MapStep(step_id="m", over="data.items", body="a", max_concurrency=4, on_success="end"),
    step("a", "b", is_terminal=False),
    step("b", is_terminal=False),
    step("end"),
)
ITEMS = {"items": list(range(10))}


class Held:
    """Workers that note their calls; those of some items hold in `b` until they are let go."""

    def __init__(self, *items: int) -> None:
        self.items, self.calls, self.mutex = set(items), [], threading.Lock()
        self.holding, self.go_on = threading.Semaphore(0), threading.Event()

    def a(self, n):
        with self.mutex:
            self.calls.append(("a", n))
        return n

    def b(self, n):
        with self.mutex:
            self.calls.append(("b", n))
        if n in self.items and not self.go_on.is_set():
            self.holding.release()
            assert self.go_on.wait(60)
        return n * 10

    async def ab(self, n):
        self.calls.append(("b", n))
        if n in self.items and not self.go_on.is_set():
            self.holding.release()
            await asyncio.Event().wait()
        return n * 10

    def all_hold(self):
        assert all(self.holding.acquire(timeout=60) for _ in self.items)

    def let_go(self):
        self.go_on.set()

    def workers(self, door):
        return {"a": self.a, "b": self.ab if door == "async" else self.b, "end": sum}


def cancelled_in_the_middle(door, hub, held):
    run = hub.start("flow", "go", ITEMS, run_id="r")
    canceller = threading.Thread(target=lambda: (held.all_hold(), run.cancel("enough")))
    canceller.start()
    go(run, door)
    canceller.join()
    return run


@pytest.mark.parametrize("door", ["sync", "async"])
def test_a_cancel_from_another_thread_stops_all_branches_at_once(door):
    held = Held(2, 4, 5, 6)
    run = cancelled_in_the_middle(door, hub_of(FLOW, held.workers(door)), held)
    before = run.events
    held.let_go()
    assert (run.state, run.context.error) == ("cancelled", "enough")
    stopped = {entry["path"] for entry in run.history if entry["error_type"] == "RunCancelled"}
    assert stopped == {f"m#1[{n}]/b#1" for n in (2, 4, 5, 6)}
    assert {entry["path"] for entry in run.history if entry["success"]} >= {f"m#1[{n}]/b#1" for n in (0, 1, 3)}
    assert run.next_step is None
    check_record(run)
    assert run.events == before


@pytest.mark.parametrize("door", ["sync", "async"])
@pytest.mark.parametrize("journaled", [False, True])
def test_it_goes_on_without_repeating_finished_items(door, journaled):
    held = Held(2, 4, 5, 6)
    journal = MemoryJournal() if journaled else None
    hub = hub_of(FLOW, held.workers(door), journal=journal)
    run = cancelled_in_the_middle(door, hub, held)
    held.let_go()
    if journaled:
        del run
        hub = hub_of(FLOW, held.workers(door), journal=journal)
    run = through(door, hub.reopen("r"))
    assert run.state == "completed"
    assert run.context.data["end_output"] == sum(n * 10 for n in range(10))
    repeated = {("b", n) for n in (2, 4, 5, 6)}
    assert {call: held.calls.count(call) for call in held.calls} == {
        (name, n): 2 if (name, n) in repeated else 1 for name in "ab" for n in range(10)
    }
    for n in (2, 4, 5, 6):
        assert entry_of(run, f"m#1[{n}]/b#1")["attempt"] == 2
    assert run.context.data["m_output"] == [n * 10 for n in range(10)]


def test_resume_of_the_hub_takes_it_to_its_end():
    held = Held(0, 1, 2, 3)
    journal = MemoryJournal()
    cancelled_in_the_middle("sync", hub_of(FLOW, held.workers("sync"), journal=journal), held)
    held.let_go()
    context = hub_of(FLOW, held.workers("sync"), journal=journal).resume("r", verbose=False)
    assert context.state == "completed"
    assert context.data["m_output"] == [n * 10 for n in range(10)]


def test_a_cancel_between_steps_by_hand(door):
    held = Held()
    run = hub_of(FLOW, held.workers("sync")).start("flow", "go", ITEMS, run_id="r")
    for _ in range(5):
        run.step()
    run.cancel()
    assert run.state == "cancelled"
    assert run.step() is None
    check_record(run)
    again = through(door, run.hub.reopen("r"))
    assert again.context.data["m_output"] == [n * 10 for n in range(10)]
    assert len(held.calls) == 20


def test_a_worker_may_cancel_its_own_run_in_the_middle_of_a_map(door):
    told = []

    def a(n):
        if n == 3 and not told:
            told.append(n)
            hub.last_run.cancel("by item 3")
        return n

    hub = hub_of(FLOW, {"a": a, "b": lambda n: n, "end": sum})
    run = go(hub.start("flow", "go", ITEMS, run_id="r"), door)
    assert (run.state, run.context.error) == ("cancelled", "by item 3")
    check_record(run)
    again = through(door, hub.reopen("r"))
    assert again.context.data["m_output"] == list(range(10))


def test_cancelling_twice_is_once_and_the_first_reason_stays():
    held = Held(0)
    hub = hub_of(FLOW, held.workers("sync"))
    run = cancelled_in_the_middle("sync", hub, held)
    held.let_go()
    run.cancel("another reason")
    assert run.context.error == "enough"
    assert sum(type(event).__name__ == "RunFinished" for event in run.events) == 1


def test_a_task_that_is_cancelled_from_outside_stops_all_branches_and_raises():
    held = Held(0, 1, 2, 3)
    hub = hub_of(FLOW, held.workers("async"))

    async def main():
        run = hub.start("flow", "go", ITEMS, run_id="r")
        task = asyncio.ensure_future(run.arun())
        await asyncio.get_running_loop().run_in_executor(None, held.all_hold)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return run, len(asyncio.all_tasks())

    run, tasks = asyncio.run(main())
    assert tasks == 1  # that of the test
    assert run.state == "cancelled"
    assert {entry["error_type"] for entry in run.history if not entry["success"]} == {"RunCancelled"}
    check_record(run)
    held.let_go()
    assert through("async", hub.reopen("r")).context.data["m_output"] == [n * 10 for n in range(10)]


# --- a real Ctrl-C, in a process of its own


def interrupted_map(door: str, kind: str, holding: int) -> None:
    """Drive a map whose workers hold, have a signal hit the main thread, and go on. Prints what came of it."""
    held = Held(*range(3, 3 + holding))
    journal = MemoryJournal()
    workers = held.workers("async" if kind == "async" else "sync")
    hub = hub_of(FLOW, workers, journal=journal)
    run = hub.start("flow", "go", ITEMS, run_id="r")

    def ring():
        held.all_hold()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        if run.poke is not None:
            run.poke()  # asyncio.run hears of a signal that comes just before it waits only when something wakes it

    threading.Thread(target=ring, daemon=True).start()
    try:
        go(run, door)
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("it was not interrupted")
    assert run.state == "cancelled", run
    done = {entry["path"] for entry in run.history if entry["success"]}
    under_way = {entry["path"] for entry in run.history if not entry["success"]}
    assert len(under_way) == holding, under_way
    check_record(run)
    held.let_go()
    again = through(door, hub_of(FLOW, workers, journal=journal).reopen("r"))
    assert again.context.data["m_output"] == [n * 10 for n in range(10)]
    finished = [call for call in held.calls if f"m#1[{call[1]}]/{call[0]}#1" in done]
    assert len(finished) == len(set(finished)) == len(done)
    assert len(held.calls) == 20 + holding
    print("ok")


@pytest.mark.parametrize(("door", "kind"), [("sync", "sync"), ("sync", "async"), ("async", "async"), ("async", "sync")])
def test_a_ctrl_c_in_the_middle_of_a_map_stops_it_and_it_goes_on_without_repeating_finished_items(door, kind):
    code = f"from tests.branches.test_cancelling import interrupted_map; interrupted_map({door!r}, {kind!r}, 4)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path.cwd(), capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "ok"), done.stderr


# --- after a join that failed


def test_after_a_failed_join_only_the_branches_that_failed_are_made_again(door):
    broken, calls, mutex = [True], [], threading.Lock()

    def a(n):
        with mutex:
            calls.append(n)
        if broken[0] and n in (1, 3):
            raise ValueError("not yet")
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", join=4, failure="continue", on_success="end"),
        step("a", is_terminal=False),
        step("end"),
    )
    hub = hub_of(flow, {"a": a, "end": sum})
    run = through(door, hub.start("flow", "go", {"items": [0, 1, 2, 3]}, run_id="r"))
    assert run.state == "failed"
    broken[0] = False
    again = through(door, hub.reopen("r"))
    assert again.state == "completed"
    assert sorted(calls) == [0, 1, 1, 2, 3, 3]
    assert again.context.data["end_output"] == 6
    assert [(entry["path"], entry["attempt"]) for entry in again.history if entry["path"] == "m#1"] == [
        ("m#1", 1),
        ("m#1", 2),
    ]


def test_after_fail_fast_the_branches_that_never_began_are_made_as_well(door):
    broken, calls = [True], []

    def a(n):
        calls.append(n)
        if broken[0] and n == 1:
            raise ValueError("not yet")
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=1, on_success="end"),
        step("a", is_terminal=False),
        step("end"),
    )
    hub = hub_of(flow, {"a": a, "end": list})
    run = through(door, hub.start("flow", "go", {"items": [0, 1, 2, 3]}, run_id="r"))
    assert run.state == "failed"
    broken[0] = False
    again = through(door, hub.reopen("r"))
    assert again.context.data["end_output"] == [0, 1, 2, 3]
    assert calls == [0, 1, 1, 2, 3]


def test_after_fail_fast_branches_that_were_cut_off_are_made_again():
    broken, stopped = [True], []
    begun = asyncio.Semaphore(0)

    async def a(n):
        if not broken[0]:
            return n
        if n == 0:
            await begun.acquire()
            raise ValueError("not yet")
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(n)

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", on_success="end"), step("a", is_terminal=False), step("end")
    )
    hub = hub_of(flow, {"a": a, "end": list})
    run = through("async", hub.start("flow", "go", {"items": [0, 1]}, run_id="r"))
    assert (run.state, stopped) == ("failed", [1])
    broken[0] = False
    again = through("async", hub.reopen("r"))
    assert again.context.data["end_output"] == [0, 1]
    assert paths(again)[-1] == "end#1"


@pytest.mark.parametrize("journaled", [False, True])
def test_a_nested_map_whose_inner_join_failed_goes_on_there(door, journaled):
    broken, calls = [True], []

    def a(n):
        calls.append(n)
        if broken[0] and n == 4:
            raise ValueError("not yet")
        return n

    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "outer", "r": "x"}, max_concurrency=1, on_success="end"),
        MapStep(step_id="outer", over="data.table", body="inner", max_concurrency=1), MapStep(step_id="inner", over="output", body="a", max_concurrency=1),
        step("a", is_terminal=False), step("x", is_terminal=False), step("end"),
    )  # fmt: skip
    journal = MemoryJournal() if journaled else None
    workers = {"a": a, "x": lambda _: "x", "end": lambda given: given}
    hub = hub_of(flow, workers, journal=journal)
    run = through(door, hub.start("flow", "go", {"table": [[1, 2], [3, 4, 5], [6]]}, run_id="r"))
    assert run.state == "failed"
    assert calls == [1, 2, 3, 4]
    broken[0] = False
    again = through(door, (hub_of(flow, workers, journal=journal) if journaled else hub).reopen("r"))
    assert again.context.data["end_output"] == {"l": [[1, 2], [3, 4, 5], [6]], "r": "x"}
    assert calls == [1, 2, 3, 4, 4, 5, 6]
