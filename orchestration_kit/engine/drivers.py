"""The two loops around the machine: inline on the caller's thread, and in an event loop.

They differ in how they call a worker and how they wait. What an attempt means is in `attempt.py`, what follows
from it in `machine.py`. They take one visit after another; while branches are open, threads or tasks do
(`threads.py`, `tasks.py`). Whatever interrupts a loop, wherever it hits, ends the run on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.engine.attempt import conclude, conclude_failure, prepare, put_notes, take_notes
from orchestration_kit.engine.calling import acall, acall_within, announce, call_beside
from orchestration_kit.engine.context import WorkflowContext, context_of
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.engine.rest import arest, before, rest
from orchestration_kit.engine.single import amake, make
from orchestration_kit.engine.thread import Outcome
from orchestration_kit.engine.values import ATOMS, TEXTS, isolate
from orchestration_kit.engine.visits import STOPPED
from orchestration_kit.errors import JournalError

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit


def drive(run: Driven, *, one_visit: bool = False) -> None:  # noqa: C901, PLR0912, PLR0915 - the hot loop, calls cost
    """Run to the end, or to where it waits, or to the end of one visit, on this thread."""
    machine, clock, log = run.machine, run.clock, run.log
    take, settle, monotonic = machine.next, machine.settle, clock.monotonic
    timed = machine.limits.max_seconds is not None or run.is_beside
    wall = clock.time() - monotonic()
    past = run.past
    before(run)
    made = machine.recorded
    scrub = machine.plan.services.scrub
    if machine.groups and not one_visit:
        _with_threads(run)
    while run.cancel_reason is None and run.pausing is None:
        visit = take()
        if visit is None:
            if machine.finished is None and machine.waiting and rest(run):
                if machine.groups and not one_visit:
                    _with_threads(run)
                continue
            break
        step = visit.step
        worker = step.worker
        context = context_of(machine, visit)
        try:
            if past is not None or not step.is_plain or visit.more is not None:
                make(run, visit, context)
            else:
                if visit.wait_s is not None:
                    clock.sleep(visit.wait_s, run.doze)
                    if run.cancel_reason is not None:
                        break
                    if run.pausing is not None:
                        machine.put_back(visit)
                        break
                begun = monotonic()
                visit.started_at = wall + begun
                try:
                    if step.is_prepared:
                        prepare(run, visit, context)
                    if run.audience.observers:
                        announce(run, visit)
                    given = visit.given
                    if type(given) not in ATOMS:
                        given = isolate(given)
                    if worker is None:
                        output = given
                    elif timed or not step.is_direct:
                        output = call_beside(run, visit, given, context)
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
                        if scrub is not None and type(output) in TEXTS:
                            output = scrub(output)
                        if step.branches:
                            visit.facts, visit.output = context, output
                        settle(visit, output)
            if log is not None:
                log.sync()
            if run.audience.observers:
                run.audience.tell()
        except BaseException as error:
            if interrupted(run, visit, context, error):
                raise
            return
        if one_visit:
            if machine.recorded > made and not machine.is_retrying:
                break
            if machine.is_retrying:
                machine.ready.rotate(1)  # the retry before other branches
        elif visit.more is not None and machine.groups:
            _with_threads(run)
    run.ended_by_cancel()


async def drive_async(run: Driven, *, one_visit: bool = False) -> None:  # noqa: C901, PLR0912, PLR0915 - as drive()
    """Run to the end, or to where it waits, or to the end of one visit, in the running event loop.

    Sync workers are called inline; in branches, on threads.
    """
    machine, clock, guard, log = run.machine, run.clock, run.guard, run.log
    take, monotonic = machine.next, clock.monotonic
    timed = machine.limits.max_seconds is not None
    wall = clock.time() - monotonic()
    past = run.past
    before(run)
    made = machine.recorded
    scrub = machine.plan.services.scrub
    if machine.groups and not one_visit:
        await _with_tasks(run)
    while run.cancel_reason is None and run.pausing is None:
        visit = take()
        if visit is None:
            if machine.finished is None and machine.waiting and await arest(run, guard):
                if machine.groups and not one_visit:
                    await _with_tasks(run)
                continue
            break
        step = visit.step
        worker = step.worker
        context = context_of(machine, visit)
        try:
            guard.check()
            if past is not None or not step.is_plain or visit.more is not None:
                await amake(run, visit, context, guard)
            else:
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
                        announce(run, visit)
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
                            output = await acall_within(run, visit, given, context, guard)
                            output = output.get() if isinstance(output, Outcome) else output
                        elif worker.is_async and not worker.is_generator:
                            output = await (worker.call(given, context) if worker.takes_context else worker.call(given))
                        else:
                            output = await acall(run, visit, given, context)
                        guard.returned()
                    visit.duration_s = monotonic() - begun
                except BaseException as raised:  # noqa: BLE001 - sorted out at once
                    visit.duration_s = monotonic() - begun
                    error = guard.explain(raised)
                    if not isinstance(error, Exception) and not guard.is_stray(error):
                        raise error from raised.__cause__
                    conclude_failure(run, visit, context, error)
                else:
                    if step.is_judged or context._notes is not None or type(output) not in ATOMS:  # noqa: SLF001 - hot
                        conclude(run, visit, context, output)
                    else:
                        if scrub is not None and type(output) in TEXTS:
                            output = scrub(output)
                        if step.branches:
                            visit.facts, visit.output = context, output
                        machine.settle(visit, output)
            if log is not None:
                log.sync()
            if run.audience.observers:
                run.audience.tell()
        except BaseException as raised:
            if interrupted(run, visit, context, guard.explain(raised)):
                raise
            return
        if one_visit:
            if machine.recorded > made and not machine.is_retrying:
                break
            if machine.is_retrying:
                machine.ready.rotate(1)
        elif visit.more is not None and machine.groups:
            await _with_tasks(run)
    run.ended_by_cancel()


def _with_threads(run: Driven) -> None:
    from orchestration_kit.engine.threads import drive_threads

    drive_threads(run)


async def _with_tasks(run: Driven) -> None:
    from orchestration_kit.engine.tasks import drive_tasks

    await drive_tasks(run)


def interrupted(run: Driven, visit: Visit, context: WorkflowContext, error: BaseException) -> bool:
    """End the run so that it can be looked at, its attempt on record if one was under way.

    Whether the interrupt is to be raised: all but our own cancel is.
    """
    if isinstance(error, JournalError):  # the attempt is settled, but not committed: the same run can go on
        return True
    machine, name = run.machine, type(error).__name__
    reason = run.cancel_reason or f"interrupted by {name} in {visit.path}"
    try:
        if not machine.is_unsettled(visit):
            machine.refold()
        # `started_at` is 0.0 until the attempt begins: an interrupt in the wait before it is no attempt.
        is_attempt = visit.started_at and not visit.step.is_special and visit.group is None
        if machine.finished is None and is_attempt and machine.is_unsettled(visit):
            visit.changes = None
            take_notes(visit, context)
            put_interrupt(run, visit, name, reason)
    finally:
        machine.cancel(reason, run.clock.time())
    return explain_interrupt(run, error, visit.path)


def put_interrupt(run: Driven, visit: Visit, name: str, reason: str) -> None:
    """Put on record that an attempt was stopped because the run was."""
    # One that a caller's task was cancelled by is named as our own is: a worker may raise a CancelledError itself.
    name = "RunCancelled" if name == "CancelledError" else name
    message = f"the run was cancelled: {reason}" if name == "RunCancelled" else reason
    if name not in STOPPED:  # of somebody else: it is told from a failure by this
        visit.detail = {**(visit.detail or {}), "stopped": True}
    run.machine.settle(visit, {"error": message}, ErrorInfo(name, message), (), reason)


def explain_interrupt(run: Driven, error: BaseException, path: str) -> bool:
    """Say on an interrupt where the run stands; whether it is to be raised."""
    if type(error).__name__ == "RunCancelled":
        return False
    run.exception = error
    error.add_note(
        f"Run {run.run_id!r} is {run.state.value} since {path}. It can be looked at, and gone on with by "
        f"orchestrator.resume({run.run_id!r}): {run!r}"
    )
    return True


def stop_all(run: Driven, error: BaseException) -> bool:
    """End the run, with all that was under way in branches on record as stopped; whether the error is to be raised."""
    machine = run.machine
    if isinstance(error, JournalError):  # what is settled is committed when the run is driven again
        for visit in list(machine.taken):
            machine.abandon(visit)
        return True
    name = type(error).__name__
    under_way = sorted(machine.taken, key=lambda visit: visit.path)
    where = under_way[0].path if under_way else machine.current_step
    reason = run.cancel_reason or f"interrupted by {name} in {where}"
    for child in list(run.children.values()):
        child.cancel(reason)
    for visit in under_way:
        if not visit.started_at or visit.step.is_special or visit.group is not None:
            machine.abandon(visit)
    for visit in sorted(machine.taken, key=lambda visit: visit.path):
        visit.changes = None
        _take_what_was_done(run, visit)
        visit.duration_s = max(0.0, run.clock.time() - visit.started_at)
        put_interrupt(run, visit, name, reason)
    machine.cancel(reason, run.clock.time())
    return explain_interrupt(run, error, where)


def put_cancelled(run: Driven, visit: Visit) -> None:
    """Put on record that an attempt was stopped whose branch nobody waits for."""
    if not visit.started_at:
        visit.started_at = run.clock.time()
    visit.duration_s = visit.duration_s or max(0.0, run.clock.time() - visit.started_at)
    visit.changes = None
    _take_what_was_done(run, visit)
    run.machine.settle(visit, None, ErrorInfo("BranchCancelled", "cancelled"), None)


def _take_what_was_done(run: Driven, visit: Visit) -> None:
    """Put on record what an attempt had carried out whose worker is left alone."""
    if visit.notes is not None:
        put_notes(visit, visit.notes, run.machine.plan.services.scrub)
