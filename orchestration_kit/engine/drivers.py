"""The two loops around the machine: inline on the caller's thread, and in an event loop.

They differ in how they call a worker and how they wait. What an attempt means is in `attempt.py`, what follows
from it in `machine.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.attempt import conclude, conclude_failure, prepare
from orchestration_kit.engine.events import AttemptStarted, ErrorInfo, PartialOutput
from orchestration_kit.engine.timeouts import RunCancelled, Watchdog, call_on_thread, call_on_thread_async
from orchestration_kit.engine.values import ATOMS, isolate
if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.machine import Visit
    from orchestration_kit.engine.run import Run


def drive(run: Run, *, one_visit: bool = False) -> None:
    """Run to the end, or to the end of one visit, on this thread. Sync workers only."""
    machine, clock = run.machine, run.clock
    take, wall, monotonic = machine.next, clock.time, clock.monotonic
    timed = machine.limits.max_seconds is not None
    while not run.ended_by_cancel() and (visit := take()) is not None:
        if visit.wait_s is not None:
            clock.sleep(visit.wait_s, run.wake)
            if run.ended_by_cancel():
                return
        worker = visit.step.worker
        context: WorkflowContext | None = None
        visit.started_at = wall()
        begun = monotonic()
        try:
            context = prepare(machine, visit)
            if run.observers:
                _announce(run, visit)
            given = visit.given
            if worker is None:
                output = given
            else:
                if type(given) not in ATOMS:
                    given = isolate(given)
                if timed or visit.step.timeout_s is not None:
                    output = call_on_thread(run, visit, partial(_call, run, visit, given, context))
                elif worker.is_generator:
                    output = _call(run, visit, given, context)
                elif worker.takes_context:
                    output = worker.call(given, context)
                else:
                    output = worker.call(given)
            visit.duration_s = monotonic() - begun
        except Exception as error:
            visit.duration_s = monotonic() - begun
            record = run.note(conclude_failure(machine, visit, context, error), error)
        except BaseException as error:
            visit.duration_s = monotonic() - begun
            _interrupted(run, visit, error)
            if isinstance(error, RunCancelled):
                return
            raise
        else:
            record = conclude(machine, visit, context, output)
            if run.observers:
                run.emit(record)
        if one_visit and record.retry_in_s is None:
            return


async def drive_async(run: Run, *, one_visit: bool = False) -> None:
    """Run to the end, or to the end of one visit, in the running event loop. Sync workers are called inline."""
    machine, clock = run.machine, run.clock
    take, wall, monotonic = machine.next, clock.time, clock.monotonic
    timed = machine.limits.max_seconds is not None
    watchdog = Watchdog()
    while not run.ended_by_cancel() and (visit := take()) is not None:
        worker = visit.step.worker
        context: WorkflowContext | None = None
        begun = monotonic()
        try:
            if visit.wait_s is not None:
                await clock.asleep(visit.wait_s)
            visit.started_at = wall()
            begun = monotonic()
            context = prepare(machine, visit)
            if run.observers:
                _announce(run, visit)
            given = visit.given
            if worker is None:
                output = given
            else:
                if type(given) not in ATOMS:
                    given = isolate(given)
                if timed or visit.step.timeout_s is not None:
                    if worker.is_async:
                        watchdog.arm(*run.time_allowed(visit))
                        output = await _acall(run, visit, given, context)
                        watchdog.disarm()
                    else:
                        output = await call_on_thread_async(run, visit, partial(_call, run, visit, given, context))
                elif worker.is_async:
                    output = await _acall(run, visit, given, context)
                else:
                    output = _call(run, visit, given, context)
            visit.duration_s = monotonic() - begun
        except Exception as error:
            visit.duration_s = monotonic() - begun
            failure = watchdog.explain(error)
            record = run.note(conclude_failure(machine, visit, context, failure), failure)
        except BaseException as error:
            visit.duration_s = monotonic() - begun
            failure = watchdog.explain(error)
            if failure is error:
                _interrupted(run, visit, error)
                if run.took_cancellation(error):
                    return
                raise
            record = run.note(conclude_failure(machine, visit, context, failure), failure)
        else:
            record = conclude(machine, visit, context, output)
            if run.observers:
                run.emit(record)
        if one_visit and record.retry_in_s is None:
            return


def _call(run: Run, visit: Visit, given: Any, context: WorkflowContext | None) -> Any:
    worker = visit.step.worker
    assert worker is not None
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


async def _acall(run: Run, visit: Visit, given: Any, context: WorkflowContext | None) -> Any:
    worker = visit.step.worker
    assert worker is not None
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
        AttemptStarted(
            visit.path, visit.step.step_id, visit.number, visit.attempt, name, visit.given, visit.started_at
        )
    )


def _interrupted(run: Run, visit: Visit, error: BaseException) -> None:
    """Put an interrupted attempt on record, and end the run so that it can be looked at."""
    name = type(error).__name__
    reason = run.cancel_reason or f"interrupted by {name} in {visit.path}"
    run.emit(run.machine.abort(visit, ErrorInfo(name, f"interrupted: {reason}"), reason))
    run.exception = error
    error.add_note(f"Run {run.run_id!r} was cancelled at {visit.path}; orchestrator.last_run has its record.")
