"""The two loops around the machine: inline on the caller's thread, and in an event loop.

They differ in how they call a worker and how they wait. What an attempt means is in `attempt.py`, what follows
from it in `machine.py`. Whatever interrupts a loop, wherever it hits, ends the run on record.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.attempt import conclude, conclude_failure, prepare, take_notes
from orchestration_kit.engine.context import WorkflowContext, context_of
from orchestration_kit.engine.events import AttemptStarted, ErrorInfo, PartialOutput
from orchestration_kit.engine.thread import Outcome, await_on_engine, call_on_thread, wait_for
from orchestration_kit.engine.values import ATOMS, isolate
from orchestration_kit.errors import JournalError, StepTimeout

if TYPE_CHECKING:
    from orchestration_kit.engine.calls import BoundWorker
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit


def drive(run: Driven, *, one_visit: bool = False) -> None:  # noqa: C901, PLR0912, PLR0915 - the hot loop, calls cost
    """Run to the end, or to the end of one visit, on this thread."""
    machine, clock, log = run.machine, run.clock, run.log
    take, settle, monotonic = machine.next, machine.settle, clock.monotonic
    timed = machine.limits.max_seconds is not None
    wall = clock.time() - monotonic()
    while run.cancel_reason is None and (visit := take()) is not None:
        step = visit.step
        worker = step.worker
        context = context_of(machine, visit)
        try:
            if visit.wait_s is not None:
                clock.sleep(visit.wait_s, run.wake)
                if run.cancel_reason is not None:
                    break
            begun = monotonic()
            visit.started_at = wall + begun
            try:
                if step.is_prepared:
                    prepare(run, visit, context)
                if run.audience.observers:
                    _announce(run, visit)
                given = visit.given
                if type(given) not in ATOMS:
                    given = isolate(given)
                if worker is None:
                    output = given
                elif timed or not step.is_direct:
                    output = _call_beside(run, visit, given, context)
                elif worker.takes_context:
                    output = worker.call(given, context)
                else:
                    output = worker.call(given)
                visit.duration_s = monotonic() - begun
            except BaseException as error:
                visit.duration_s = monotonic() - begun
                # A CancelledError that comes here is the worker's own: nobody cancels a thread.
                if not isinstance(error, Exception) and type(error).__name__ != "CancelledError":
                    raise
                conclude_failure(run, visit, context, error)
            else:
                if step.is_judged or context._notes is not None or type(output) not in ATOMS:  # noqa: SLF001 - hot
                    conclude(run, visit, context, output)
                else:
                    if step.branches:
                        visit.facts, visit.output = context, output
                    settle(visit, output)
            if log is not None:
                log.sync()
            if run.audience.observers:
                run.audience.tell()
        except BaseException as error:
            if _interrupted(run, visit, context, error):
                raise
            return
        if one_visit and not machine.is_retrying:
            break
    run.ended_by_cancel()


async def drive_async(run: Driven, *, one_visit: bool = False) -> None:  # noqa: C901, PLR0912, PLR0915 - as drive()
    """Run to the end, or to the end of one visit, in the running event loop. Sync workers are called inline."""
    machine, clock, guard, log = run.machine, run.clock, run.guard, run.log
    take, monotonic = machine.next, clock.monotonic
    timed = machine.limits.max_seconds is not None
    wall = clock.time() - monotonic()
    while run.cancel_reason is None and (visit := take()) is not None:
        step = visit.step
        worker = step.worker
        context = context_of(machine, visit)
        try:
            guard.check()
            if visit.wait_s is not None:
                guard.awaiting = True
                await clock.asleep(visit.wait_s)
                guard.returned()
            begun = monotonic()
            visit.started_at = wall + begun
            try:
                if step.is_prepared:
                    prepare(run, visit, context)
                if run.audience.observers:
                    _announce(run, visit)
                given = visit.given
                if type(given) not in ATOMS:
                    given = isolate(given)
                if worker is None:
                    output = given
                elif step.is_direct and not timed:
                    output = worker.call(given, context) if worker.takes_context else worker.call(given)
                else:
                    guard.awaiting = True
                    if timed or step.timeout_s is not None:
                        output = await _acall_within(run, visit, given, context)
                        output = output.get() if isinstance(output, Outcome) else output
                    elif worker.is_async and not worker.is_generator:
                        output = await (worker.call(given, context) if worker.takes_context else worker.call(given))
                    else:
                        output = await _acall(run, visit, given, context)
                    guard.returned()
                visit.duration_s = monotonic() - begun
            except BaseException as raised:  # noqa: BLE001 - sorted out at once
                visit.duration_s = monotonic() - begun
                error = guard.explain(raised)
                if not isinstance(error, Exception) and not _is_stray(run, error):
                    raise error from raised.__cause__
                conclude_failure(run, visit, context, error)
            else:
                if step.is_judged or context._notes is not None or type(output) not in ATOMS:  # noqa: SLF001 - hot
                    conclude(run, visit, context, output)
                else:
                    if step.branches:
                        visit.facts, visit.output = context, output
                    machine.settle(visit, output)
            if log is not None:
                log.sync()
            if run.audience.observers:
                run.audience.tell()
        except BaseException as raised:
            if _interrupted(run, visit, context, guard.explain(raised)):
                raise
            return
        if one_visit and not machine.is_retrying:
            break
    run.ended_by_cancel()


def _is_stray(run: Driven, error: BaseException) -> bool:
    """Whether a worker raised a CancelledError that nobody had asked for: it is an error like any other."""
    import asyncio

    return isinstance(error, asyncio.CancelledError) and not run.guard.is_cancelled_from_outside()


def _call_beside(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """Call a worker that is async, yields pieces, or has only so much time, from a sync loop."""
    worker = cast("BoundWorker", visit.step.worker)
    seconds, error = _time_allowed(run, visit)
    if seconds is None and not worker.is_async:
        return _call(run, visit, given, context)
    _ = context.data  # viewed now: a worker that outlives its time limit must not see what came later
    if worker.is_async:
        return await_on_engine(partial(_acall, run, visit, given, context), seconds, error, run.raise_if_cancelled)
    outcome = call_on_thread(partial(_call, run, visit, given, context))
    return wait_for(outcome, seconds, error, run.raise_if_cancelled)


async def _acall_within(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """Call a worker within the time it is allowed, from an event loop, which stays free meanwhile.

    What came of a sync worker is returned as an `Outcome`.
    """
    worker = cast("BoundWorker", visit.step.worker)
    seconds, error = _time_allowed(run, visit)
    if seconds is not None:
        run.guard.arm(seconds, error)
    if worker.is_async:
        return await _acall(run, visit, given, context)
    import asyncio

    _ = context.data  # as in _call_beside()
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        if not loop.is_closed():  # it may have ended long before the worker did
            loop.call_soon_threadsafe(done.set)

    outcome = call_on_thread(partial(_call, run, visit, given, context), tell)
    await done.wait()
    return outcome  # opened by the caller: a StopIteration cannot leave a coroutine


def _call(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    worker = cast("BoundWorker", visit.step.worker)
    result = worker.call(given, context) if worker.takes_context else worker.call(given)
    if not worker.is_generator:
        return result
    pieces: list[Any] = []
    try:
        while True:
            piece = next(result)
            if not _is_wanted(run, visit):
                return None
            pieces.append(isolate(piece))
            run.audience.emit(PartialOutput(visit.path, piece))
    except StopIteration as stop:
        return _collected(pieces, stop.value)
    finally:
        result.close()


async def _acall(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    worker = cast("BoundWorker", visit.step.worker)
    if not worker.is_async:
        return _call(run, visit, given, context)
    result = worker.call(given, context) if worker.takes_context else worker.call(given)
    if not worker.is_generator:
        return await result
    import asyncio

    pieces: list[Any] = []
    try:
        async for piece in result:
            if not _is_wanted(run, visit):
                return None
            pieces.append(isolate(piece))
            run.audience.emit(PartialOutput(visit.path, piece))
            await asyncio.sleep(0)  # so that one that never really waits can be stopped, and blocks nobody
    finally:
        await result.aclose()
    return _collected(pieces, None)


def _is_wanted(run: Driven, visit: Visit) -> bool:
    """Whether a worker's next piece is of use: not where its time was up and it went on.

    Raises:
        RunCancelled: the run was asked to cancel.
    """
    if visit not in run.machine.active:
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


def _announce(run: Driven, visit: Visit) -> None:
    step, given, at = visit.step, visit.given, visit.started_at
    run.audience.emit(
        AttemptStarted(visit.path, step.step_id, visit.number, visit.attempt, step.worker_name, given, at)
    )


def _interrupted(run: Driven, visit: Visit, context: WorkflowContext, error: BaseException) -> bool:
    """End the run so that it can be looked at, its attempt on record if one was under way.

    Whether the interrupt is to be raised: all but our own cancel is.
    """
    if isinstance(error, JournalError):  # the attempt is settled, but not committed: the same run can go on
        return True
    machine, name = run.machine, type(error).__name__
    is_cancel = name == "RunCancelled"
    reason = run.cancel_reason or f"interrupted by {name} in {visit.path}"
    try:
        if not machine.is_unsettled(visit):
            machine.refold()
        # `started_at` is 0.0 until the attempt begins: an interrupt in the wait before it is no attempt.
        if machine.finished is None and visit.started_at and machine.is_unsettled(visit):
            visit.changes = None
            take_notes(visit, context)
            message = f"the run was cancelled: {reason}" if is_cancel else reason
            machine.settle(visit, {"error": message}, ErrorInfo(name, message), (), reason)
    finally:
        machine.cancel(reason, run.clock.time())
    if not is_cancel:
        run.exception = error
        error.add_note(f"Run {run.run_id!r} is {run.state.value} since {visit.path}. It can be looked at: {run!r}")
    return not is_cancel
