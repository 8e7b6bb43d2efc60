"""The two loops around the machine: inline on the caller's thread, and in an event loop.

They differ in how they call a worker and how they wait. What an attempt means is in `attempt.py`, what follows
from it in `machine.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.attempt import conclude, conclude_failure, prepare
from orchestration_kit.engine.context import WorkflowContext, context_of
from orchestration_kit.engine.events import AttemptStarted, ErrorInfo, PartialOutput
from orchestration_kit.engine.timeouts import RunCancelled, Watchdog, call_on_thread, call_on_thread_async
from orchestration_kit.engine.values import ATOMS, isolate

if TYPE_CHECKING:
    from orchestration_kit.engine.calls import BoundWorker
    from orchestration_kit.engine.machine import Visit
    from orchestration_kit.engine.run import Run


def drive(run: Run, *, one_visit: bool = False) -> None:  # noqa: C901, PLR0912 - the hot loop, calls cost
    """Run to the end, or to the end of one visit, on this thread. Sync workers only."""
    machine, clock = run.machine, run.clock
    take, settle, monotonic = machine.next, machine.settle, clock.monotonic
    timed = machine.limits.max_seconds is not None
    wall = clock.time() - monotonic()
    while run.cancel_reason is None and (visit := take()) is not None:
        if visit.wait_s is not None:
            clock.sleep(visit.wait_s, run.wake)
            if run.ended_by_cancel():
                return
        step = visit.step
        worker = step.worker
        context = context_of(machine, visit)
        begun = monotonic()
        visit.started_at = wall + begun
        try:
            if step.is_prepared:
                prepare(visit, context)
            if run.observers:
                _announce(run, visit)
            given = visit.given
            if type(given) not in ATOMS:
                given = isolate(given)
            if worker is None:
                output = given
            elif timed or not step.is_direct:
                output = _call_indirectly(run, visit, given, context)
            elif worker.takes_context:
                output = worker.call(given, context)
            else:
                output = worker.call(given)
            visit.duration_s = monotonic() - begun
        except Exception as error:  # noqa: BLE001 - whatever a worker raises is its attempt's outcome
            visit.duration_s = monotonic() - begun
            run.exception = error
            conclude_failure(machine, visit, context, error)
        except BaseException as error:
            visit.duration_s = monotonic() - begun
            _interrupted(run, visit, error)
            if isinstance(error, RunCancelled):
                return
            raise
        else:
            if step.is_judged or context._notes is not None or type(output) not in ATOMS:  # noqa: SLF001 - hot
                conclude(machine, visit, context, output)
            else:
                settle(visit, output)
        if run.observers:
            _tell(run)
        if one_visit and visit not in machine.active:
            return
    run.ended_by_cancel()


def _call_indirectly(run: Run, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """Call a sync worker that yields pieces, or has only so much time."""
    if visit.step.timeout_s is None and run.machine.limits.max_seconds is None:
        return _call(run, visit, given, context)
    return call_on_thread(run, visit, partial(_call, run, visit, given, context))


async def drive_async(run: Run, *, one_visit: bool = False) -> None:  # noqa: C901, PLR0912, PLR0915 - as drive()
    """Run to the end, or to the end of one visit, in the running event loop. Sync workers are called inline."""
    machine, clock = run.machine, run.clock
    take, settle, monotonic = machine.next, machine.settle, clock.monotonic
    timed = machine.limits.max_seconds is not None
    wall = clock.time() - monotonic()
    watchdog = Watchdog()
    while run.cancel_reason is None and (visit := take()) is not None:
        step = visit.step
        worker = step.worker
        context = context_of(machine, visit)
        begun = monotonic()
        try:
            if visit.wait_s is not None:
                await clock.asleep(visit.wait_s)
                begun = monotonic()
            visit.started_at = wall + begun
            if step.is_prepared:
                prepare(visit, context)
            if run.observers:
                _announce(run, visit)
            given = visit.given
            if type(given) not in ATOMS:
                given = isolate(given)
            if worker is None:
                output = given
            elif timed or step.timeout_s is not None:
                output = await _acall_within(run, visit, given, context, watchdog)
            elif not worker.is_async:
                output = _call(run, visit, given, context)
            elif worker.is_generator:
                output = await _acall(run, visit, given, context)
            elif worker.takes_context:
                output = await worker.call(given, context)
            else:
                output = await worker.call(given)
            visit.duration_s = monotonic() - begun
        except BaseException as raised:
            visit.duration_s = monotonic() - begun
            error = watchdog.explain(raised)
            if not isinstance(error, Exception):
                _interrupted(run, visit, error)
                if run.took_cancellation(error):
                    return
                raise
            run.exception = error
            conclude_failure(machine, visit, context, error)
        else:
            if step.is_judged or context._notes is not None or type(output) not in ATOMS:  # noqa: SLF001 - hot
                conclude(machine, visit, context, output)
            else:
                settle(visit, output)
        if run.observers:
            _tell(run)
        if one_visit and visit not in machine.active:
            return
    run.ended_by_cancel()


async def _acall_within(run: Run, visit: Visit, given: Any, context: WorkflowContext, watchdog: Watchdog) -> Any:
    """Call a worker within the time it is allowed."""
    worker = visit.step.worker
    if worker is None or not worker.is_async:
        return await call_on_thread_async(run, visit, partial(_call, run, visit, given, context))
    watchdog.arm(*run.time_allowed(visit))
    output = await _acall(run, visit, given, context)
    watchdog.disarm()
    return output


def _call(run: Run, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    worker = cast("BoundWorker", visit.step.worker)
    result = worker.call(given, context) if worker.takes_context else worker.call(given)
    if not worker.is_generator:
        return result
    pieces: list[Any] = []
    attempt = visit.attempt
    while True:
        try:
            piece = next(result)
        except StopIteration as stop:
            return _collected(pieces, stop.value)
        pieces.append(isolate(piece))
        if visit.attempt == attempt and visit in run.machine.active:  # not from a thread that timed out
            run.emit(PartialOutput(visit.path, piece))


async def _acall(run: Run, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    worker = cast("BoundWorker", visit.step.worker)
    result = worker.call(given, context) if worker.takes_context else worker.call(given)
    if not worker.is_generator:
        return await result
    pieces: list[Any] = []
    async for piece in result:
        pieces.append(isolate(piece))
        run.emit(PartialOutput(visit.path, piece))
    return _collected(pieces, None)


def _collected(pieces: list[Any], returned: Any) -> Any:
    """What a generator worker put out: what it returned; else its pieces, text joined."""
    if returned is not None or not pieces:
        return returned
    return "".join(pieces) if all(isinstance(piece, str) for piece in pieces) else pieces


def _announce(run: Run, visit: Visit) -> None:
    worker = visit.step.worker
    name = None if worker is None else worker.name
    run.emit(
        AttemptStarted(visit.path, visit.step.step_id, visit.number, visit.attempt, name, visit.given, visit.started_at)
    )


def _tell(run: Run) -> None:
    """Tell the observers of the attempt that was just settled."""
    record = run.machine.last_record()
    if record is not None:
        run.emit(record)


def _interrupted(run: Run, visit: Visit, error: BaseException) -> None:
    """Put an interrupted attempt on record, and end the run so that it can be looked at."""
    name = type(error).__name__
    reason = run.cancel_reason or f"interrupted by {name} in {visit.path}"
    message = f"interrupted: {reason}"
    run.machine.settle(visit, {"error": message}, ErrorInfo(name, message), cancelled=reason)
    _tell(run)
    run.exception = error
    error.add_note(f"Run {run.run_id!r} was cancelled at {visit.path}; orchestrator.last_run has its record.")
