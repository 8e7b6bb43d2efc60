"""Work beside the caller's thread: an engine loop for async workers, a thread of its own for a sync one.

A notebook's own loop is busy running the cell, and clients that async workers keep (HTTP pools, model clients)
belong to the loop they were made in. So all sync doors share one loop on one daemon thread. Only the coroutines of
async workers run there; sync workers stay with their caller.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

POLL_S = 0.1
"""How soon a blocking wait notices a cancel, and a keyboard interrupt on every platform."""
GRACE_S = 5.0
"""How long a stopped coroutine may take to clean up before nobody waits for it any more."""

_lock = threading.Lock()
_shared: _Loop | None = None
_here = threading.local()
"""`_here.is_engine` on the threads of engine loops."""


class Outcome:
    """What came of a call on another thread."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None

    def capture(self, call: Callable[[], Any], then: Callable[[], None] | None) -> None:
        """Make the call, here, keep what came of it, and say so."""
        try:
            self._result = call()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            self._error = error
        self._done.set()
        if then is not None:
            then()

    def put(self, result: Any, error: BaseException | None) -> None:
        """Keep a result, or an error."""
        self._result, self._error = result, error
        self._done.set()

    def wait(self, seconds: float) -> bool:
        """Wait; whether it is there."""
        return self._done.wait(max(0.0, seconds))

    def get(self) -> Any:
        """Return the result, or raise the error."""
        if self._error is not None:
            raise self._error
        return self._result


def call_on_thread(call: Callable[[], Any], then: Callable[[], None] | None = None) -> Outcome:
    """Call on a daemon thread of its own, and `then` there too, when it has ended.

    A call that never returns cannot be stopped, but it holds up nobody.
    """
    outcome = Outcome()
    context = contextvars.copy_context()
    name = "orchestration_kit worker"
    threading.Thread(target=context.run, args=(outcome.capture, call, then), name=name, daemon=True).start()
    return outcome


def wait_for(
    outcome: Outcome, seconds: float | None, late: Callable[[], BaseException], check: Callable[[], None]
) -> Any:
    """Wait for a call on another thread and return what it gave.

    Args:
        outcome: What will come of it.
        seconds: How long to wait at most; None waits for ever.
        late: Makes the error that is raised past that.
        check: Called every tenth of a second; what it raises ends the wait.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        left = POLL_S if deadline is None else deadline - time.monotonic()
        if outcome.wait(min(left, POLL_S)):
            return outcome.get()
        if left <= 0:
            raise late()
        check()


def await_on_engine(
    work: Callable[[], Coroutine[Any, Any, Any]],
    seconds: float | None,
    late: Callable[[], BaseException],
    check: Callable[[], None],
) -> Any:
    """Await a coroutine on the engine thread and return what it gave; arguments as in `wait_for`.

    Whatever ends the wait early (no time left, a cancel, a keyboard interrupt) cancels the coroutine first and lets it
    clean up.
    """
    engine, is_own = _engine()
    try:
        outcome, stop = engine.submit(work)
        try:
            return wait_for(outcome, seconds, late, check)
        except BaseException:
            if not outcome.wait(0):
                stop()
                outcome.wait(GRACE_S)
            raise
    finally:
        if is_own:
            engine.loop.call_soon_threadsafe(engine.loop.stop)


class _Loop:
    def __init__(self) -> None:
        import asyncio

        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="orchestration_kit engine", daemon=True)
        self.thread.start()

    def submit(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Outcome, Callable[[], None]]:
        """Start a coroutine; return what will come of it, and how to stop it."""
        outcome = Outcome()
        context = contextvars.copy_context()
        tasks: list[asyncio.Task[None]] = []

        async def guarded() -> None:
            # Nothing may leave the task: SystemExit and KeyboardInterrupt would end the loop of all others.
            try:
                outcome.put(await work(), None)
            except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
                outcome.put(None, error)

        def start() -> None:
            tasks.append(self.loop.create_task(guarded(), context=context))

        def stop() -> None:
            self.loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])

        self.loop.call_soon_threadsafe(start)
        return outcome, stop

    def _run(self) -> None:
        _here.is_engine = True
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()


def _engine() -> tuple[_Loop, bool]:
    """Return the shared loop, or a loop of its own for a run that a worker starts on an engine thread."""
    global _shared  # noqa: PLW0603 - one engine thread a process
    if getattr(_here, "is_engine", False):
        return _Loop(), True
    with _lock:
        if _shared is None or not _shared.thread.is_alive():  # not alive: after a fork
            _shared = _Loop()
        return _shared, False
