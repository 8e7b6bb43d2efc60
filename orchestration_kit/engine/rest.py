"""What a driver does when nothing is to be worked on: take what has come in, and wait for times, but not for people."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from orchestration_kit.engine.asking import put_answer
from orchestration_kit.engine.events import Answered
from orchestration_kit.engine.state import RESTING
from orchestration_kit.errors import RunStateError

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.interrupts import Guard
    from orchestration_kit.engine.visits import Visit

_log = logging.getLogger("orchestration_kit")


def before(run: Driven) -> None:
    """Take what has come in since the run was driven last."""
    if run.machine.waiting or run.letters:
        look_within(run, whatever=True)
        take_letters(run)
        expire(run)
        commit(run)


def take_letters(run: Driven) -> None:
    """Take what others have sent while the run was being driven."""
    while run.letters:
        try:
            run.letters.pop(0)()
        except RunStateError as error:  # it was right when it was sent; whoever sent it is gone by now
            _log.warning("What was sent to run %r came too late: %s", run.run_id, error)
    look_within(run)


def look_within(run: Driven, *, whatever: bool = False) -> None:
    """Go on with visits whose own run does not wait any more; with `whatever`, with all that have one."""
    for path, visit in list(run.machine.waiting.items()):
        if visit.wait is None:
            child = run.children.get(path)
            if whatever or child is None or child.state not in RESTING:
                run.machine.unpark(path)


def due_s(run: Driven, visit: Visit) -> float | None:
    """Return the seconds until a wait is over by itself; None where it never is.

    Measured by a clock that nobody sets, from when this process first saw the wait.
    """
    if visit.wait is None or visit.wait.until is None:
        return None
    path = visit.wait.path
    if path not in run.timers:
        left_s = min(visit.wait.until - run.clock.time(), visit.wait.until - visit.wait.asked_at)  # it was put back
        run.timers[path] = run.clock.monotonic() + max(0.0, left_s)
    return run.timers[path] - run.clock.monotonic()


def next_due_s(run: Driven) -> float | None:
    """Return the seconds until the first of the waits is over by itself; None where none ever is."""
    found = [seconds for visit in run.machine.waiting.values() if (seconds := due_s(run, visit)) is not None]
    return min(found, default=None)


def expire(run: Driven) -> bool:
    """End the waits whose time has come; whether there were any."""
    over = [
        path
        for path, visit in sorted(run.machine.waiting.items())
        if (seconds := due_s(run, visit)) is not None and seconds <= 0
    ]
    for path in over:
        visit = run.machine.waiting.get(path)
        if visit is not None and visit.wait is not None:
            run.timers.pop(path, None)
            kind = "time" if visit.wait.kind == "time" else "timeout"
            put_answer(run, Answered(path, kind, None, None, visit.wait.request, run.clock.time()))
    return bool(over)


def _pause_s(run: Driven) -> float | None:
    """Return the seconds to wait now; None where somebody else has to do something first."""
    waiting = run.machine.waiting.values()
    if any(visit.wait is None or visit.wait.kind != "time" for visit in waiting):
        return None
    return next_due_s(run)


def rest(run: Driven) -> bool:
    """Wait, if the run waits for times only; whether there is something to do now."""
    take_letters(run)
    if not expire(run) and not run.machine.ready:
        commit(run)
        pause = _pause_s(run)
        if pause is None:
            return False
        run.clock.sleep(max(0.0, pause), run.doze)
        expire(run)
    commit(run)
    return True


async def arest(run: Driven, guard: Guard) -> bool:
    """`rest()` in the running event loop."""
    take_letters(run)
    if not expire(run) and not run.machine.ready:
        commit(run)
        pause = _pause_s(run)
        if pause is None:
            return False
        try:
            guard.awaiting = True
            await run.clock.asleep(max(0.0, pause))
            guard.returned()
        except BaseException as raised:
            error = guard.explain(raised)
            if type(error).__name__ != "RunCancelled":
                raise
        expire(run)
    commit(run)
    return True


def commit(run: Driven) -> None:
    """Put on record what is new, and tell of it."""
    if run.log is not None:
        run.log.sync()
    if run.audience.observers:
        run.audience.tell()
