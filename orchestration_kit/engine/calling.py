"""How a worker is called: on this thread, beside it, in an event loop; with a time limit, or piece by piece."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.elsewhere import Errand, LedOut, lend_errand
from orchestration_kit.engine.events import AttemptStarted
from orchestration_kit.engine.streams import Stream
from orchestration_kit.engine.thread import GRACE_S, await_on_engine, call_on_thread, wait_for
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import StepTimeout

if TYPE_CHECKING:
    from orchestration_kit.engine.calls import BoundWorker
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.interrupts import Guard
    from orchestration_kit.engine.visits import Visit


def call_beside(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """Call a worker that is async, yields pieces, or has only so much time, from a sync loop."""
    worker = cast("BoundWorker", visit.step.worker)
    seconds, error = _time_allowed(run, visit)
    if seconds is None and not worker.is_async and not run.is_beside and worker.place is None:
        return _call(run, visit, given, context)
    _ = context.data  # viewed now: a worker that outlives its time limit must not see what came later
    if worker.place is not None:
        lend_errand(context, Errand(run, visit, seconds, error, partial(check_wanted, run, visit)))
        if worker.place.is_remote or (seconds is None and not run.is_beside):
            return _call_elsewhere(run, visit, given, context)
        outcome = call_on_thread(partial(_call_elsewhere, run, visit, given, context))
        return wait_for(outcome, seconds, error, partial(check_wanted, run, visit))
    if worker.runs is not None:
        outcome = call_on_thread(partial(_call, run, visit, given, context))
        try:
            return wait_for(outcome, seconds, error, partial(check_wanted, run, visit))
        except BaseException as raised:
            child = run.children.get(visit.path)
            if child is not None and not outcome.wait(0):
                child.cancel(run.cancel_reason or f"its parent's step was stopped: {raised}")
                outcome.wait(GRACE_S)
            raise
    if worker.is_async:
        return await_on_engine(
            partial(acall, run, visit, given, context), seconds, error, partial(check_wanted, run, visit)
        )
    outcome = call_on_thread(partial(_call, run, visit, given, context))
    return wait_for(outcome, seconds, error, partial(check_wanted, run, visit))


async def acall_within(run: Driven, visit: Visit, given: Any, context: WorkflowContext, guard: Guard) -> Any:
    """Call a worker within the time it is allowed, from an event loop, which stays free meanwhile.

    What came of a sync worker is returned as an `Outcome`.
    """
    worker = cast("BoundWorker", visit.step.worker)
    seconds, error = _time_allowed(run, visit)
    if seconds is not None:
        guard.arm(seconds, error)
    if worker.is_async or worker.runs is not None:
        return await acall(run, visit, given, context)
    import asyncio

    _ = context.data  # as in call_beside()
    call = _call
    if worker.place is not None:
        lend_errand(context, Errand(run, visit, seconds, error, partial(check_wanted, run, visit)))
        call = _call_elsewhere
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        if not loop.is_closed():  # it may have ended long before the worker did
            loop.call_soon_threadsafe(done.set)

    outcome = call_on_thread(partial(call, run, visit, given, context), tell)
    if outcome.took_s is None:
        await done.wait()
    outcome.check_time(seconds, error)
    return outcome  # opened by the caller: a StopIteration cannot leave a coroutine


def _call_elsewhere(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """Call a worker by way of an executor, and wait on this thread."""
    try:
        return _call(run, visit, given, context)
    except LedOut as out:
        raise out.cause from None


def _call(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    worker = cast("BoundWorker", visit.step.worker)
    if worker.runs is not None:
        from orchestration_kit.engine.subruns import run_child

        return run_child(run, visit, given, context)
    result = worker.call(given, context) if worker.takes_context else worker.call(given)
    if not worker.is_generator:
        return result
    pieces: list[Any] = []
    told = Stream(run, visit)
    try:
        while True:
            piece = next(result)
            if not _is_wanted(run, visit):
                return None
            pieces.append(isolate(piece))
            told.tell(piece)
    except StopIteration as stop:
        return _collected(pieces, stop.value)
    finally:
        result.close()


async def acall(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """Call a worker of any kind in the running event loop; a sync one is called inline."""
    worker = cast("BoundWorker", visit.step.worker)
    if worker.runs is not None:
        from orchestration_kit.engine.subruns import arun_child

        return await arun_child(run, visit, given, context)
    if not worker.is_async:
        return _call(run, visit, given, context)
    result = worker.call(given, context) if worker.takes_context else worker.call(given)
    if not worker.is_generator:
        return await result
    import asyncio

    pieces: list[Any] = []
    told = Stream(run, visit)
    try:
        async for piece in result:
            if not _is_wanted(run, visit):
                return None
            pieces.append(isolate(piece))
            told.tell(piece)
            await asyncio.sleep(0)  # so that one that never really waits can be stopped, and blocks nobody
    finally:
        await result.aclose()
    return _collected(pieces, None)


def check_wanted(run: Driven, visit: Visit) -> None:
    """Lead out of a blocking wait for a worker.

    Raises:
        RunCancelled: the run was asked to cancel.
        BranchCancelled: nobody waits for its branch any more.
    """
    run.raise_if_cancelled()
    if visit not in run.machine.taken:
        from orchestration_kit.engine.interrupts import BranchCancelled

        raise BranchCancelled(visit.path)


def _is_wanted(run: Driven, visit: Visit) -> bool:
    """Whether a worker's next piece is of use: not where its time was up and it went on.

    Raises:
        RunCancelled: the run was asked to cancel.
    """
    if visit not in run.machine.taken:
        return False
    run.raise_if_cancelled()
    return True


def _time_allowed(run: Driven, visit: Visit) -> tuple[float | None, StepTimeout]:
    """Return the seconds an attempt may take (None: any), and the error that says which limit it was."""
    step, max_seconds = visit.step, run.machine.limits.max_seconds
    used = 0.0 if run.machine.meter is None else run.machine.meter.busy_s
    left = math.inf if max_seconds is None else max(0.0, max_seconds - used)
    own = math.inf if step.timeout_s is None else step.timeout_s
    if max_seconds is None or own <= left:
        return None if own == math.inf else own, StepTimeout(step.step_id, own)
    return left, StepTimeout(step.step_id, max_seconds, "the run's limit max_seconds")


def _collected(pieces: list[Any], returned: Any) -> Any:
    """What a generator worker put out: what it returned; else its pieces, text joined."""
    if returned is not None or not pieces:
        return returned
    return "".join(pieces) if all(isinstance(piece, str) for piece in pieces) else pieces


def announce(run: Driven, visit: Visit) -> None:
    """Tell that a worker is about to be called."""
    step, given, at = visit.step, visit.given, visit.started_at
    run.audience.emit(
        AttemptStarted(visit.path, step.step_id, visit.number, visit.attempt, step.worker_name, given, at)
    )
