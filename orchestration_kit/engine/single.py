"""One visit of any kind: a worker's attempt, branches to open or to join, a wait to begin or to end.

The loops in `drivers.py` make plain attempts themselves, as calls cost; all else, and all in branches, comes here.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.asking import ask, conclude_wait
from orchestration_kit.engine.attempt import conclude, conclude_failure, prepare
from orchestration_kit.engine.blocking import is_asked_anew, may_go_on
from orchestration_kit.engine.branching import join_branches, open_branches
from orchestration_kit.engine.calling import acall, acall_within, announce, call_beside, check_wanted
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.engine.thread import Outcome
from orchestration_kit.engine.values import ATOMS, TEXTS, isolate

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.interrupts import Guard
    from orchestration_kit.engine.visits import Visit

_AT_ONCE = nullcontext()
"""Of steps that wait for no lock and no rate."""


def make(run: Driven, visit: Visit, context: WorkflowContext) -> None:  # noqa: C901 - as in drive()
    """Make a visit on this thread."""
    step, clock = visit.step, run.clock
    if step.is_special or visit.group is not None:
        with run.turn:
            _advance(run, visit, context)
        return
    if visit.more is not None and not _is_allowed(run, visit, context):
        return
    if run.past is not None and run.past.settles(run, visit):
        return
    if run.past is not None and is_asked_anew(run, visit):
        return
    if visit.wait_s is not None:
        clock.sleep(visit.wait_s, run.wake)
        check_wanted(run, visit)
    worker = step.worker
    with run.gates.held(run, step, partial(check_wanted, run, visit)) if step.is_gated else _AT_ONCE:
        begun = clock.monotonic()
        visit.started_at = clock.time()
        try:
            if step.is_prepared:
                prepare(run, visit, context)
            if run.audience.observers:
                announce(run, visit)
            given = isolate(visit.given)
            if worker is None:
                output = given
            elif step.is_direct and run.machine.limits.max_seconds is None and not run.is_beside:
                output = worker.call(given, context) if worker.takes_context else worker.call(given)
            else:
                output = call_beside(run, visit, given, context)
            visit.duration_s = clock.monotonic() - begun
        except BaseException as error:
            visit.duration_s = clock.monotonic() - begun
            if not isinstance(error, Exception) and type(error).__name__ != "CancelledError":
                raise
            conclude_failure(run, visit, context, error)
            return
    conclude(run, visit, context, output)


async def amake(run: Driven, visit: Visit, context: WorkflowContext, guard: Guard, *, is_shared: bool = False) -> None:
    """Make a visit in the running event loop; with `is_shared` sync workers are called on threads."""
    step, clock = visit.step, run.clock
    if step.is_special or visit.group is not None:
        _advance(run, visit, context)
        return
    if visit.more is not None and not _is_allowed(run, visit, context):
        return
    if run.past is not None and run.past.settles(run, visit):
        return
    if run.past is not None and is_asked_anew(run, visit):
        return
    if visit.wait_s is not None:
        guard.awaiting = True
        await clock.asleep(visit.wait_s)
        guard.returned()
    give_back = None
    if step.is_gated:
        guard.awaiting = True
        give_back = await run.gates.atake(run, step)
        guard.returned()
    try:
        await acall_worker(run, visit, context, guard, is_shared=is_shared)
    finally:
        if give_back is not None:
            give_back()


async def acall_worker(  # noqa: C901 - on the way of every attempt, calls cost
    run: Driven, visit: Visit, context: WorkflowContext, guard: Guard, *, is_shared: bool = True
) -> None:
    """Make an attempt that needs no waiting before it."""
    step, clock = visit.step, run.clock
    worker = step.worker
    begun = clock.monotonic()
    visit.started_at = clock.time()
    try:
        if step.is_prepared:
            prepare(run, visit, context)
        if run.audience.observers:
            announce(run, visit)
        given: Any = visit.given
        if type(given) not in ATOMS:
            given = isolate(given)
        if worker is None:
            output = given
        else:
            guard.awaiting = True
            timed = step.timeout_s is not None or run.machine.limits.max_seconds is not None
            if worker.is_async and not worker.is_generator and not timed:
                output = await (worker.call(given, context) if worker.takes_context else worker.call(given))
            elif timed or worker.place is not None or (is_shared and not worker.is_async and worker.runs is None):
                output = await acall_within(run, visit, given, context, guard)
                output = output.get() if isinstance(output, Outcome) else output
            else:
                output = await acall(run, visit, given, context)
            guard.returned()
        visit.duration_s = clock.monotonic() - begun
    except BaseException as raised:  # noqa: BLE001 - sorted out at once
        visit.duration_s = clock.monotonic() - begun
        error = guard.explain(raised)
        if not isinstance(error, Exception) and not guard.is_stray(error):
            raise error from raised.__cause__
        conclude_failure(run, visit, context, error)
        return
    if step.is_judged or context._notes is not None or step.branches or type(output) not in ATOMS:  # noqa: SLF001 - hot
        conclude(run, visit, context, output)
    elif visit in run.machine.taken:
        scrub = run.machine.plan.services.scrub
        run.machine.settle(visit, scrub(output) if scrub is not None and type(output) in TEXTS else output)


def _is_allowed(run: Driven, visit: Visit, context: WorkflowContext) -> bool:
    """Whether an attempt may be made, where a person has to decide about its action first."""
    if "asks" not in (visit.detail or ()):
        return True
    with run.turn:
        return visit in run.machine.taken and may_go_on(run, visit, context)


def _advance(run: Driven, visit: Visit, context: WorkflowContext) -> None:
    if visit not in run.machine.taken:  # its branch was cancelled while this thread waited for its turn
        return
    if visit.scope.group is not None and run.machine.is_unwanted(visit.scope):
        visit.started_at = run.clock.time()
        run.machine.settle(visit, None, ErrorInfo("BranchCancelled", "cancelled"), None)
    elif visit.group is not None:
        join_branches(run, visit, context)
    elif visit.step.opens is not None:
        open_branches(run, visit, context)
    elif visit.answer is not None:
        conclude_wait(run, visit, context)
    else:
        ask(run, visit, context)
