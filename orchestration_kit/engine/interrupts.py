"""Stop a worker that runs in an event loop: because its time is up, or because its run is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

from orchestration_kit.errors import StepTimeout


class RunCancelled(BaseException):
    """Leads out of a worker's call when its run is cancelled from elsewhere; never leaves the driver."""


class BranchCancelled(BaseException):
    """Leads out of a worker's call whose branch nobody waits for any more; never leaves the driver."""


class Guard:
    """Cancels the task that awaits a worker, for one of our own reasons at a time, and tells it from others.

    One timer serves all visits of a run: arming it again is two assignments, where `asyncio.timeout` costs
    4.5 us a step.
    """

    __slots__ = ("_before", "_cause", "_deadline", "_error", "_handle", "_loop", "_task", "awaiting")

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A run is awaited from a task: use asyncio.run(...) or await it in a coroutine.")
        self._task: asyncio.Task[Any] = task
        self._before = task.cancelling()
        """Cancellations that the caller is handling already: a run may be the clean-up after one."""
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self._error: StepTimeout | None = None
        self._cause: BaseException | None = None
        self.awaiting = False
        """Whether the task is inside a worker's call, the only place where we cancel it."""

    def arm(self, seconds: float, error: StepTimeout) -> None:
        """Stop the worker in `seconds` with `error`, unless it has returned by then."""
        self._error = error
        self._deadline = self._loop.time() + seconds
        if self._handle is not None and self._handle.when() > self._deadline:
            self._handle.cancel()
            self._handle = None
        if self._handle is None:
            self._handle = self._loop.call_at(self._deadline, self._check)

    def cancel(self, reason: str) -> bool:
        """Stop the worker because its run is cancelled, from any thread; whether there is a loop left to do it."""
        try:
            self._loop.call_soon_threadsafe(self._interrupt, RunCancelled(reason))
        except RuntimeError:  # the loop was closed under the run
            return False
        return True

    def returned(self) -> None:
        """Note that the worker has returned.

        Raises:
            BaseException: ours, where it returned although we had stopped it.
        """
        self.awaiting = False
        self._deadline = None
        if self._cause is not None:
            raise self._cause

    def explain(self, raised: BaseException) -> BaseException:
        """Return why the worker was stopped, where that was us; else what was raised.

        A cancellation from outside that arrived together with ours counts more: it is not ours to swallow.
        """
        self.awaiting = False
        self._deadline = None
        cause, self._cause = self._cause, None
        if cause is None:
            return raised
        return asyncio.CancelledError() if self._task.uncancel() > self._before else cause

    def is_cancelled_from_outside(self) -> bool:
        """Whether somebody asked the awaiting task to stop. A worker may also raise CancelledError of its own."""
        return self._task.cancelling() > self._before

    def is_stray(self, error: BaseException) -> bool:
        """Whether a worker raised a CancelledError that nobody had asked for: it is an error like any other."""
        return isinstance(error, asyncio.CancelledError) and not self.is_cancelled_from_outside()

    def stop(self, cause: BaseException) -> None:
        """Stop the worker that is awaited now, from its own loop."""
        self._interrupt(cause)

    def check(self) -> None:
        """Do not go on where a worker swallowed a cancellation that was meant for all of us.

        Raises:
            CancelledError: somebody asked the awaiting task to stop.
        """
        if self.is_cancelled_from_outside():
            raise asyncio.CancelledError

    def close(self) -> None:
        """Drop the timer."""
        if self._handle is not None:
            self._handle.cancel()

    def _check(self) -> None:
        self._handle = None
        if self._deadline is None or self._error is None:
            return
        if self._loop.time() < self._deadline:
            self._handle = self._loop.call_at(self._deadline, self._check)
        else:
            self._interrupt(self._error)

    def _interrupt(self, cause: BaseException) -> None:
        if self.awaiting and self._cause is None:
            self._cause = cause
            self._task.cancel()
