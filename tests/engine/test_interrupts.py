"""Timeouts, cancels and keyboard interrupts: a run always ends on record, and nobody is left behind."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from orchestration_kit import RetryPolicy, RunLimits
from orchestration_kit.engine import thread
from orchestration_kit.errors import RunStateError, UnknownStep
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.support import hub_of, step, workflow_of

LONG = 30.0


@pytest.fixture
def released():
    """An event that blocked workers wait for, set when the test is over so that their threads end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_sync_worker_past_its_timeout_fails_the_attempt_and_its_late_writes_are_dropped(released):
    late = threading.Event()

    def worker(_, context):
        if context.attempt == 1:
            context.data["half"] = 1
            released.wait(LONG)
            context.data["late"] = 1
            late.set()
        return "ok"

    hub = hub_of(workflow_of(step("a", timeout_s=0.02, max_retries=1)), {"a": worker})
    result = hub.execute_workflow("flow", "g", verbose=False)
    assert [(e["success"], e["error_type"]) for e in result.history] == [(False, "StepTimeout"), (True, None)]
    assert result.history[0]["error"] == "Step 'a' was stopped: its timeout_s of 0.02 s was reached"
    released.set()
    assert late.wait(LONG)
    assert result.data == {"a_output": "ok"}


@pytest.mark.parametrize("door", ["sync", "async"])
def test_an_async_worker_past_its_timeout_is_cancelled_and_may_clean_up(door):
    cleaned = []

    async def worker(_, context):
        if context.attempt == 1:
            try:
                await asyncio.sleep(LONG)
            finally:
                cleaned.append(context.path)
        await asyncio.sleep(0)
        return "ok"

    hub = hub_of(workflow_of(step("a", "b", timeout_s=0.02, max_retries=1), step("b")), {"a": worker, "b": lambda i: i})
    if door == "sync":
        result = hub.execute_workflow("flow", "g", verbose=False)
    else:
        result = asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False, limits=RunLimits(max_seconds=LONG)))
    assert [e["error_type"] for e in result.history] == ["StepTimeout", None, None]
    assert cleaned == ["a#1"]


def test_a_worker_that_returns_in_spite_of_its_timeout_has_failed_all_the_same():
    async def stubborn(_):
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            return "too late"

    hub = hub_of(
        workflow_of(step("a", "b", timeout_s=0.02, on_failure="b"), step("b")), {"a": stubborn, "b": lambda i: i}
    )
    result = asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False))
    assert [e["error_type"] for e in result.history] == ["StepTimeout", None]
    assert result.state == "completed"


def test_workers_in_time_are_not_disturbed_by_one_watchdog_for_all_visits():
    async def quick(_):
        await asyncio.sleep(0)
        return 1

    steps = [step(f"s{i}", f"s{i + 1}" if i < 19 else None, worker_type="w", timeout_s=LONG - i) for i in range(20)]
    hub = hub_of(workflow_of(*steps), {"w": quick})
    result = asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False))
    assert (result.state, len(result.history)) == ("completed", 20)


def test_the_watchdog_waits_again_where_a_later_visit_has_more_time():
    async def some(_):
        await asyncio.sleep(0.03)
        return 1

    hub = hub_of(workflow_of(step("a", "b", timeout_s=0.05), step("b", timeout_s=0.05)), {"a": some, "b": some})
    assert asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False)).state == "completed"


def test_a_sync_worker_with_a_timeout_does_not_block_the_loop_it_is_awaited_in(released):
    async def cell():
        async def tick():
            released.set()

        hub = hub_of(workflow_of(step("a", timeout_s=LONG)), {"a": lambda _: released.wait(LONG)})
        result, _ = await asyncio.gather(hub.aexecute_workflow("flow", "g", verbose=False), tick())
        return result

    assert asyncio.run(cell()).data["a_output"] is True


def test_a_sync_worker_past_its_timeout_in_a_loop(released):
    hub = hub_of(workflow_of(step("a", timeout_s=0.02)), {"a": lambda _: released.wait(LONG)})
    result = asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False))
    assert result.history[0]["error_type"] == "StepTimeout"


def test_the_time_limit_of_the_run_stops_a_worker_and_is_named(released):
    hub = hub_of(
        workflow_of(step("a", "b", timeout_s=LONG, on_failure="b"), step("b")),
        {"a": lambda _: released.wait(LONG), "b": str},
    )
    result = hub.execute_workflow("flow", "g", verbose=False, limits=RunLimits(max_seconds=0.03))
    assert result.history[0]["error"] == "Step 'a' was stopped: the run's limit max_seconds of 0.03 s was reached"
    assert result.error.startswith("limit max_seconds reached before b#1")


def test_a_timeout_error_of_the_workers_own_is_its_own():
    hub = hub_of(workflow_of(step("a", timeout_s=LONG)), {"a": ScriptedWorker(TimeoutError("upstream"))})
    assert hub.execute_workflow("flow", "g", verbose=False).history[0]["error"] == "upstream"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_sync_worker_cancels_the_run_which_can_be_looked_at(interrupt):
    hub = hub_of(
        workflow_of(step("a", "b", max_retries=3), step("b")), {"a": lambda _: 1, "b": ScriptedWorker(interrupt)}
    )
    with pytest.raises(interrupt) as caught:
        hub.execute_workflow("flow", "g", verbose=False)
    run = hub.last_run
    assert (run.state, run.is_finished, len(run.history)) == ("cancelled", True, 2)
    assert run.history[1]["error"] == f"interrupted by {interrupt.__name__} in b#1"
    assert run.context.error == f"interrupted by {interrupt.__name__} in b#1"
    note = caught.value.__notes__[0]
    assert f"Run {run.run_id!r} is cancelled since b#1" in note
    assert f"orchestrator.resume({run.run_id!r})" in note
    assert run.step() is None
    assert run.run().state == "cancelled"


def test_a_keyboard_interrupt_while_the_engine_thread_works_cancels_the_async_worker(monkeypatch):
    working, ended = threading.Event(), []

    async def worker(_):
        working.set()
        try:
            await asyncio.sleep(LONG)
        finally:
            ended.append("cleaned")

    hub = hub_of(workflow_of(step("a")), {"a": worker})
    wait, interrupts = thread.Outcome.wait, iter([KeyboardInterrupt()])

    def wait_and_be_interrupted(outcome, seconds):
        """Stands for a Ctrl-C that arrives while the caller waits."""
        if working.wait(LONG) and (interrupt := next(interrupts, None)) is not None:
            raise interrupt
        return wait(outcome, seconds)

    monkeypatch.setattr(thread.Outcome, "wait", wait_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        hub.execute_workflow("flow", "g", verbose=False)
    assert ended == ["cleaned"]
    assert (hub.last_run.state, hub.last_run.context.error) == ("cancelled", "interrupted by KeyboardInterrupt in a#1")


def test_cancelling_the_awaiting_task_cancels_the_run():
    async def cell():
        started = asyncio.Event()

        async def worker(_):
            started.set()
            await asyncio.sleep(LONG)

        hub = hub_of(workflow_of(step("a")), {"a": worker})
        task = asyncio.create_task(hub.aexecute_workflow("flow", "g", verbose=False))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return hub.last_run

    run = asyncio.run(cell())
    assert (run.state, run.history[0]["error_type"]) == ("cancelled", "RunCancelled")


def test_cancel_ends_an_awaited_run_without_an_error():
    async def cell():
        started = asyncio.Event()

        async def worker(_):
            started.set()
            await asyncio.sleep(LONG)

        hub = hub_of(workflow_of(step("a")), {"a": worker})
        run = hub.start("flow", "g")
        task = asyncio.create_task(run.arun())
        await started.wait()
        run.cancel("enough")
        context = await task
        await asyncio.sleep(0)  # the task is whole again: it can wait
        return context

    context = asyncio.run(cell())
    assert (context.state, context.error) == ("cancelled", "enough")


def test_cancel_from_another_thread_ends_a_blocking_run_of_an_async_worker():
    working = threading.Event()

    async def worker(_):
        working.set()
        await asyncio.sleep(LONG)

    hub = hub_of(workflow_of(step("a")), {"a": worker})
    run = hub.start("flow", "g")
    canceller = threading.Thread(target=lambda: working.wait(LONG) and run.cancel("stop"))
    canceller.start()
    assert run.run().error == "stop"
    canceller.join()


def test_cancel_reaches_a_sync_worker_with_a_timeout_at_once(released):
    working = threading.Event()

    def worker(_):
        working.set()
        released.wait(LONG)

    hub = hub_of(workflow_of(step("a", timeout_s=LONG)), {"a": worker})
    run = hub.start("flow", "g")
    canceller = threading.Thread(target=lambda: working.wait(LONG) and run.cancel("stop"))
    canceller.start()
    begun = time.monotonic()
    assert run.run().error == "stop"
    assert time.monotonic() - begun < LONG / 2
    canceller.join()


def test_cancel_during_a_sync_worker_takes_effect_after_it():
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": lambda _, c: hub.last_run.cancel("later"), "b": str})
    result = hub.execute_workflow("flow", "g", verbose=False)
    assert (result.state, [e["step"] for e in result.history]) == ("cancelled", ["a"])


def test_cancel_ends_a_wait_between_retries():
    class Cancelling(FakeClock):
        def sleep(self, seconds, wake):
            hub.last_run.cancel("while waiting")
            super().sleep(seconds, wake)

    policy = RetryPolicy(backoff_s=60)
    hub = hub_of(
        workflow_of(step("a", max_retries=5, retry=policy)), {"a": ScriptedWorker(OSError, 1)}, clock=Cancelling()
    )
    result = hub.execute_workflow("flow", "g", verbose=False)
    assert (result.state, result.error, len(result.history)) == ("cancelled", "while waiting", 1)


def test_cancel_before_the_first_step_and_after_the_end():
    seen = []
    hub = hub_of(workflow_of(step("a")), {"a": str}, observers=[seen.append])
    run = hub.start("flow", "g")
    run.cancel()
    assert (run.state, run.context.error, run.history, run.step()) == ("cancelled", "cancelled", [], None)
    assert type(seen[-1]).__name__ == "RunFinished"
    done = hub.start("flow", "g")
    done.run()
    done.cancel()
    assert done.state == "completed"


def test_waits_in_a_loop_let_others_go_on():
    clock = FakeClock()
    policy = RetryPolicy(backoff_s=5)

    async def worker(_, context):
        if context.attempt == 1:
            raise OSError

    hub = hub_of(workflow_of(step("a", max_retries=1, retry=policy)), {"a": worker}, clock=clock)
    assert asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False)).state == "completed"
    assert clock.slept == [5]


def test_stepping_by_hand_stops_where_it_is_told_to():
    hub = hub_of(
        workflow_of(step("a", "b", max_retries=1), step("b", "c"), step("c")),
        {"a": ScriptedWorker(OSError, 1), "b": str, "c": str},
    )
    run = hub.start("flow", "g")
    assert (run.state, run.next_step, repr(run)) == (
        "initialized",
        "a",
        f"<Run {run.run_id!r}: initialized, 0 attempts, next is a>",
    )
    assert run.step()["attempt"] == 2
    assert run.run_until("c").state == "in_progress"
    assert (run.next_step, run.context.current_step, len(run.history)) == ("c", "c", 3)
    with pytest.raises(UnknownStep, match=r"has no step 'd'\. Its steps: a, b, c"):
        run.run_until("d")
    assert run.run_until("a").state == "completed"
    assert (run.step(), run.next_step) == (None, None)
    assert [type(e).__name__ for e in run.events] == ["RunStarted"] + ["AttemptFinished"] * 4 + ["RunFinished"]
    assert run.workflow.name == "flow"


def test_stepping_by_hand_in_a_loop():
    async def cell():
        hub = hub_of(workflow_of(step("a", "b"), step("b", "c"), step("c")), dict.fromkeys("abc", str))
        run = hub.start("flow", "g")
        assert (await run.astep())["step"] == "a"
        assert (await run.arun_until("c")).current_step == "c"
        assert (await run.arun()).state == "completed"
        assert await run.astep() is None

    asyncio.run(cell())


def test_a_run_is_driven_by_one_at_a_time():
    def worker(_):
        with pytest.raises(RunStateError, match="being driven already"):
            hub.last_run.step()
        return "ok"

    hub = hub_of(workflow_of(step("a")), {"a": worker})
    assert hub.execute_workflow("flow", "g", verbose=False).data["a_output"] == "ok"


def test_the_exception_of_a_failed_attempt_is_kept_for_debugging():
    hub = hub_of(workflow_of(step("a")), {"a": lambda _: 1 / 0})
    hub.execute_workflow("flow", "g", verbose=False)
    assert isinstance(hub.last_run.exception, ZeroDivisionError)
    assert hub.last_run.exception.__traceback__ is not None


def test_async_generators_stream_in_a_loop():
    async def pieces(_, context):
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    seen = []
    hub = hub_of(workflow_of(step("a")), {"a": pieces}, observers=[seen.append])
    assert asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False)).data["a_output"] == "ab"
    assert hub.execute_workflow("flow", "g", verbose=False).data["a_output"] == "ab"
    assert [e.piece for e in seen if type(e).__name__ == "PartialOutput"] == ["a", "b"] * 2
