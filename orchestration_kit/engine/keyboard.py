"""An interrupt reaches what a cell of a notebook awaits, also where a sync worker blocks the notebook's event loop.

While a cell awaits, the kernel's handler of SIGINT only asks the loop to cancel the cell. A loop that sleeps may not
wake up for that, as the kernel has several threads that a signal may hit: so it is kept awake. A loop that a worker
blocks cannot do as it is asked: so a handler of our own calls the kernel's, and leads out of the worker. Code of the
engine that the worker calls is not broken off: the interrupt comes again, when the worker has got back from it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.bar import is_in_notebook
from orchestration_kit.engine.interrupts import RunCancelled
from orchestration_kit.engine.thread import POLL_S

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven

REASON = "interrupted by KeyboardInterrupt"
AGAIN_S = 0.05
"""How soon an interrupt comes again that hit the engine's own code."""
_ENGINE = "orchestration_kit.engine."
_NOTHING = nullcontext()
_awaited: dict[int, Driven] = {}
"""Runs that are awaited now, by identity."""
_before: Any = None
"""The handler there was before ours."""
_beat: asyncio.TimerHandle | None = None


def heard(run: Driven) -> AbstractContextManager[None]:
    """Return what lets an interrupt end `run` while a cell awaits it; outside of notebooks nothing is needed."""
    is_needed = is_in_notebook() and threading.current_thread() is threading.main_thread()
    return _heard(run) if is_needed else _NOTHING


@contextmanager
def _heard(run: Driven) -> Generator[None]:
    """Lead out of the run's sync workers where an interrupt comes while they are called inline, here.

    Raises:
        CancelledError: such an interrupt came; as a notebook's kernel has it in a cell that awaits.
    """
    global _before  # noqa: PLW0603 - one handler a process
    if not _awaited and callable(found := signal.getsignal(signal.SIGINT)):
        _before = found
        signal.signal(signal.SIGINT, _hear)
        _keep_awake()
    _awaited[id(run)] = run
    try:
        yield
    finally:
        del _awaited[id(run)]
        if not _awaited:
            if _beat is not None:
                _beat.cancel()
            if signal.getsignal(signal.SIGINT) is _hear:
                signal.signal(signal.SIGINT, _before)
    if run.cancel_reason == REASON:
        raise asyncio.CancelledError(REASON)


def _keep_awake() -> None:
    global _beat  # noqa: PLW0603 - one for all that is awaited
    _beat = asyncio.get_running_loop().call_later(POLL_S, _keep_awake)


def _hear(number: int, frame: FrameType | None) -> None:
    run, is_own = _calling(frame)
    if run is not None and run.cancel_reason is None:
        run.cancel_reason = REASON  # cancel() takes locks that the interrupted code may hold
    try:
        _before(number, frame)
    except KeyboardInterrupt:  # where nobody cancels what is awaited
        if run is None:
            raise
    if run is not None and is_own:
        raise RunCancelled(REASON)
    if run is not None:
        again = threading.Timer(AGAIN_S, _interrupt, [run])
        again.daemon = True
        again.start()


def _interrupt(run: Driven) -> None:
    """Interrupt the main thread, from another, if it is still at `run`."""
    if id(run) not in _awaited or signal.getsignal(signal.SIGINT) is not _hear:
        return
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)  # which is handled by the main thread there too
    else:
        signal.pthread_kill(cast("int", threading.main_thread().ident), signal.SIGINT)


def _calling(frame: FrameType | None) -> tuple[Driven | None, bool]:
    """The awaited run one of whose workers was interrupted, None where it was anything else.

    And whether it was in the worker's own code: not in the engine's that it called.
    """
    is_worker, is_own = False, True
    while frame is not None:
        is_engine = frame.f_globals.get("__name__", "").startswith(_ENGINE)
        if is_engine and is_worker and (run := _awaited.get(id(frame.f_locals.get("run")))) is not None:
            return run, is_own
        is_own = is_own and not is_engine
        is_worker, frame = not is_engine, frame.f_back
    return None, False
