"""Interrupts, cancels and late comers, wherever they hit: the run ends on record, and nobody else is harmed."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import RetryPolicy, WorkerDefinition
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.support import hub_of, step, workflow_of

LONG = 30.0


@pytest.fixture
def released():
    """An event that blocked workers wait for, set when the test is over so that their threads end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("leaving", [SystemExit, KeyboardInterrupt])
def test_a_worker_that_exits_on_the_engine_thread_ends_its_run_and_no_other(leaving):
    async def exiting(_):
        raise leaving

    async def fine(text):
        await asyncio.sleep(0)
        return text

    hub = hub_of(workflow_of(step("a")), {"a": exiting})
    with pytest.raises(leaving):
        hub.execute_workflow("flow", "g", verbose=False)
    assert hub.last_run.state == "cancelled"
    other = hub_of(workflow_of(step("a")), {"a": fine})
    assert other.execute_workflow("flow", "still here", verbose=False).data["a_output"] == "still here"


def test_runs_may_be_nested_deeply_with_async_workers():
    hub = hub_of(workflow_of(step("leaf"), name="level0"), {})

    async def leaf(text):
        await asyncio.sleep(0)
        return text + "!"

    hub.register_worker(WorkerDefinition(worker_type="leaf", name="leaf", executor=leaf))
    for level in range(1, 5):

        async def down(text, context, below=f"level{level - 1}"):
            inner = hub.execute_workflow(below, text, verbose=False)
            return inner.get_last_output()

        hub.register_worker(WorkerDefinition(worker_type=f"w{level}", name=f"w{level}", executor=down))
        hub.register_workflow(workflow_of(step("only", worker_type=f"w{level}"), name=f"level{level}"))
    assert hub.execute_workflow("level4", "deep", verbose=False).get_last_output() == "deep!"


def test_a_sync_worker_stays_with_its_caller_also_beside_async_ones():
    seen = []

    async def aworker(_):
        seen.append(threading.current_thread())

    def worker(_):
        seen.append(threading.current_thread())
        return asyncio.run(asyncio.sleep(0, "its own loop"))

    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": aworker, "b": worker})
    assert hub.execute_workflow("flow", "g", verbose=False).data["b_output"] == "its own loop"
    assert seen[0] is not threading.current_thread()
    assert seen[1] is threading.current_thread()


def interrupted_in(place):
    """A run that a Ctrl-C hits somewhere around its worker."""

    def interrupt(*_):
        raise KeyboardInterrupt

    class Interrupting(FakeClock):
        def sleep(self, seconds, wake):
            raise KeyboardInterrupt

    fields = {
        "success_when": {"success_when": interrupt},
        "branch": {"branches": [{"when": interrupt, "to": "b"}]},
        "waiting": {"max_retries": 1, "retry": RetryPolicy(backoff_s=1)},
    }.get(place, {})
    hub = hub_of(workflow_of(step("a", "b", **fields), step("b")), {"b": str}, clock=Interrupting())
    transformers = {"output_transformer": interrupt} if place == "output_transformer" else {}
    executor = ScriptedWorker(OSError) if place == "waiting" else str
    hub.register_worker(WorkerDefinition(worker_type="a", name="a", executor=executor, **transformers))
    observers = [lambda event: interrupt() if type(event).__name__ == "AttemptFinished" else None]
    return hub.start("flow", "g", observers=observers if place == "observer" else ())


@pytest.mark.parametrize("place", ["success_when", "branch", "output_transformer", "observer", "waiting"])
@pytest.mark.parametrize("door", ["run", "step"])
def test_an_interrupt_around_a_worker_ends_the_run_cleanly_wherever_it_hits(place, door):
    run = interrupted_in(place)
    with pytest.raises(KeyboardInterrupt):
        getattr(run, door)()
    assert (run.state, run.is_finished, run.next_step) == ("cancelled", True, None)
    assert run.context.error.startswith("interrupted by KeyboardInterrupt in a#1")
    assert len(run.history) == 1
    assert run.events[-1].steps == 1


def test_cancelling_twice_is_cancelling_once():
    async def cell():
        started = asyncio.Event()

        async def worker(_):
            started.set()
            await asyncio.sleep(LONG)

        run = hub_of(workflow_of(step("a")), {"a": worker}).start("flow", "g")
        task = asyncio.create_task(run.arun())
        await started.wait()
        run.cancel("once")
        run.cancel("twice")
        context = await task
        assert task.cancelling() == 0
        return context

    assert asyncio.run(cell()).error == "once"


def test_a_cancel_that_comes_too_late_for_the_worker_does_not_hit_the_caller():
    async def cell():
        async def worker(_):
            hub.last_run.cancel("from inside")
            return "done"

        hub = hub_of(workflow_of(step("a")), {"a": worker})
        context = await hub.aexecute_workflow("flow", "g", verbose=False)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return context

    assert asyncio.run(cell()).state == "completed"


def test_a_foreign_cancellation_is_not_swallowed_by_a_timeout_at_the_same_time():
    async def cell():
        async def worker(_):
            try:
                await asyncio.sleep(LONG)
            finally:
                task.cancel()  # somebody else's, arriving with ours

        hub = hub_of(workflow_of(step("a", timeout_s=0.02, max_retries=50)), {"a": worker})
        task = asyncio.create_task(hub.aexecute_workflow("flow", "g", verbose=False))
        with pytest.raises(asyncio.CancelledError):
            await task
        return hub.last_run

    task_run = asyncio.run(cell())
    assert task_run.state == "cancelled"
    assert len(task_run.history) == 1


@pytest.mark.parametrize("door", ["sync", "async"])
def test_a_cancelled_error_that_nobody_sent_is_a_failure_like_any_other(door):
    async def worker(_, context):
        if context.attempt == 1:
            raise asyncio.CancelledError
        return "ok"

    hub = hub_of(workflow_of(step("a", max_retries=1)), {"a": worker})
    if door == "sync":
        result = hub.execute_workflow("flow", "g", verbose=False)
    else:
        result = asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False))
    assert [entry["error_type"] for entry in result.history] == ["CancelledError", None]


@pytest.mark.parametrize("timeout_s", [None, LONG])
def test_stop_iteration_from_a_worker_is_a_failure_through_every_door(timeout_s):
    def worker(_):
        raise StopIteration("no more")

    hub = hub_of(workflow_of(step("a", timeout_s=timeout_s)), {"a": worker})
    sync = hub.execute_workflow("flow", "g", verbose=False)
    in_loop = asyncio.run(hub.aexecute_workflow("flow", "g", verbose=False))
    assert sync.history[0]["error_type"] == in_loop.history[0]["error_type"] == "StopIteration"


@pytest.mark.parametrize("door", ["step", "run_until", "run"])
def test_a_cancel_within_a_step_ends_the_run_through_every_door(door):
    hub = hub_of(
        workflow_of(step("a", "b"), step("b", "c"), step("c")),
        {"a": lambda _: hub.last_run.cancel("enough"), "b": str, "c": str},
    )
    run = hub.start("flow", "g")
    run.run_until("b") if door == "run_until" else getattr(run, door)()
    assert (run.state, run.context.error, len(run.history)) == ("cancelled", "enough", 1)


def test_a_worker_that_outlived_its_time_keeps_its_own_attempt_and_data(released):
    seen, late = {}, threading.Event()

    def worker(_, context):
        if context.attempt == 1:
            released.wait(LONG)
            seen.update(attempt=context.attempt, last_error=context.last_error, data=dict(context.data))
            late.set()
        return context.attempt

    hub = hub_of(workflow_of(step("a", "b", timeout_s=0.02, max_retries=1), step("b")), {"a": worker, "b": str})
    hub.execute_workflow("flow", "g", {"x": 1}, verbose=False)
    released.set()
    assert late.wait(LONG)
    assert seen == {"attempt": 1, "last_error": None, "data": {"x": 1}}


def test_a_generator_that_outlived_its_time_is_stopped_at_its_next_piece(released):
    closed = threading.Event()

    def worker(_):
        try:
            yield "first"
            released.wait(LONG)
            for _ in range(1000):
                yield "more"
        finally:
            closed.set()

    pieces = []
    hub = hub_of(workflow_of(step("a", timeout_s=0.05)), {"a": worker}, observers=[pieces.append])
    assert hub.execute_workflow("flow", "g", verbose=False).history[0]["error_type"] == "StepTimeout"
    released.set()
    assert closed.wait(LONG)
    assert [event.piece for event in pieces if type(event).__name__ == "PartialOutput"] == ["first"]


def test_cancel_stops_a_generator_at_its_next_piece():
    def worker(_):
        yield "first"
        hub.last_run.cancel("enough")
        yield "second"
        raise AssertionError("it went on")

    hub = hub_of(workflow_of(step("a")), {"a": worker})
    assert hub.execute_workflow("flow", "g", verbose=False).error == "enough"
