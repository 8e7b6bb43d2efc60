"""Time limits on a worker: one watchdog per async run, a thread for a sync worker. None where none is set."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import StepTimeout

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from orchestration_kit.engine.machine import Visit
    from orchestration_kit.engine.run import Run

POLL_S = 0.1
"""How soon a blocking wait notices a cancel, or a keyboard interrupt on every platform."""


class RunCancelled(BaseException):
    """Leads out of a blocking wait when the run is cancelled from elsewhere; never leaves the driver."""


class Watchdog:
    """Cancels the task that drives a run when its worker takes too long.

    One timer for all visits of a run: arming it again is two assignments, where `asyncio.timeout` costs 4.5 us a step.
    """

    __slots__ = ("_deadline", "_error", "_handle", "_task", "fired")

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._deadline: float | None = None
        self._error: StepTimeout | None = None
        self.fired = False

    def arm(self, seconds: float, error: StepTimeout) -> None:
        """Cancel the current task in `seconds`, unless disarmed; `error` then tells why."""
        import asyncio

        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._error = error
        self._deadline = loop.time() + seconds
        if self._handle is not None and self._handle.when() > self._deadline:
            self._handle.cancel()
            self._handle = None
        if self._handle is None:
            self._handle = loop.call_at(self._deadline, self._check, loop)

    def disarm(self) -> None:
        """Let the worker be: it has returned.

        Raises:
            StepTimeout: it returned after the watchdog had cancelled it.
        """
        self._deadline = None
        if self.fired:
            raise StepTimeout("", 0)  # replaced by the real one in explain()

    def explain(self, error: BaseException) -> BaseException:
        """Return the timeout where this watchdog caused the error, else the error itself."""
        self._deadline = None
        if not self.fired or self._task is None or self._error is None:
            return error
        self.fired = False
        self._task.uncancel()
        return self._error

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = None
        if self._deadline is None or self._task is None:
            return
        if loop.time() < self._deadline:
            self._handle = loop.call_at(self._deadline, self._check, loop)
        else:
            self.fired = True
            self._task.cancel()


def _on_thread(call: Callable[[], Any]) -> Future[Any]:
    """Call on a daemon thread of its own. One that never returns cannot be stopped, but it holds up nobody."""
    from concurrent.futures import Future

    future: Future[Any] = Future()

    def work() -> None:
        future.set_running_or_notify_cancel()  # from here on a cancel of the waiting side leaves the future be
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            future.set_exception(error)
        else:
            future.set_result(result)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="orchestration_kit worker", daemon=True).start()
    return future


def call_on_thread(run: Run, visit: Visit, call: Callable[[], Any]) -> Any:
    """Call a sync worker with a time limit, from a sync loop. What it returns too late is dropped.

    Raises:
        StepTimeout: it did not return in time.
    """
    seconds, error = run.time_allowed(visit)
    future = _on_thread(call)
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        try:
            return future.result(timeout=max(0.0, min(left, POLL_S)))
        except TimeoutError:
            if future.done():
                return future.result()  # the worker's own TimeoutError, or it returned just now
            if left <= POLL_S:
                raise error from None
            run.raise_if_cancelled()


async def call_on_thread_async(run: Run, visit: Visit, call: Callable[[], Any]) -> Any:
    """Call a sync worker with a time limit, from an event loop, which stays free meanwhile.

    Raises:
        StepTimeout: it did not return in time.
    """
    import asyncio

    seconds, error = run.time_allowed(visit)
    waiting = asyncio.wrap_future(_on_thread(call))
    done, _ = await asyncio.wait({waiting}, timeout=seconds)
    if not done:
        waiting.cancel()
        raise error
    return waiting.result()
