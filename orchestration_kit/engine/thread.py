"""Work beside the caller's thread: an engine loop for async workers, a thread of its own for a sync one.

A notebook's own loop is busy running the cell, and clients that async workers keep (HTTP pools, model clients)
belong to the loop they were made in. So all sync doors share one loop on one daemon thread. Only the coroutines of
async workers run there; sync workers stay with their caller.
"""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.threadless import await_here, can_start_threads

if TYPE_CHECKING:
    import asyncio

POLL_S = 0.1
"""How soon a blocking wait notices a cancel, and a keyboard interrupt on every platform."""
STALL_S = 1.0
"""How long a coroutine may wait to be begun before its loop counts as blocked."""
GRACE_S = 5.0
"""How long a stopped coroutine may take to clean up before nobody waits for it any more."""

_log = logging.getLogger("orchestration_kit")
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
        self.took_s: float | None = None
        """How long a call took that was made at once, here, as there are no threads; None for any other."""

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

    def check_time(self, seconds: float | None, late: BaseException) -> None:
        """Raise `late` where a call that nothing could stop took longer than it was allowed."""
        if self.took_s is not None and seconds is not None and self.took_s > seconds:
            late.add_note(
                f"No thread can be started here, and nothing stopped the worker: it returned after {self.took_s:.3g} s."
            )
            raise late

    def get(self) -> Any:
        """Return the result, or raise the error."""
        if self._error is not None:
            raise self._error
        return self._result


def call_on_thread(call: Callable[[], Any], then: Callable[[], None] | None = None) -> Outcome:
    """Call on a daemon thread of its own, and `then` there too, when it has ended.

    A call that never returns cannot be stopped, but it holds up nobody. Where there are no threads it is made here.
    """
    outcome = Outcome()
    context = contextvars.copy_context()
    if not can_start_threads():
        begun = time.monotonic()
        context.run(outcome.capture, call, then)
        outcome.took_s = time.monotonic() - begun
        return outcome
    name = "orchestration_kit worker"
    threading.Thread(target=context.run, args=(outcome.capture, call, then), name=name, daemon=True).start()
    return outcome


def wait_for(outcome: Outcome, seconds: float | None, late: BaseException, check: Callable[[], None]) -> Any:
    """Wait for a call on another thread and return what it gave.

    Args:
        outcome: What will come of it.
        seconds: How long to wait at most; None waits for ever.
        late: What is raised past that.
        check: Called every tenth of a second; what it raises ends the wait.
    """
    outcome.check_time(seconds, late)
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        left = POLL_S if deadline is None else deadline - time.monotonic()
        if outcome.wait(min(left, POLL_S)):
            return outcome.get()
        if left <= 0:
            raise late
        check()


def await_on_engine(
    work: Callable[[], Coroutine[Any, Any, Any]],
    seconds: float | None,
    late: BaseException,
    check: Callable[[], None],
) -> Any:
    """Await a coroutine on the engine thread and return what it gave; arguments as in `wait_for`.

    Whatever ends the wait early (no time left, a cancel, a keyboard interrupt) cancels the coroutine first and lets it
    clean up.
    """
    if not can_start_threads():
        return await_here(work, seconds, late)
    job = _Job(work)
    engine, is_own = _engine()
    try:
        try:
            engine.submit(job)
            if not job.begun.wait(STALL_S) and job.claim():
                # A worker blocks that loop, perhaps waiting for this very run. Nobody shares it from now on.
                _forget(engine)
                job, engine, is_own = _Job(work), _Loop(), True
                engine.submit(job)
            return wait_for(job.outcome, seconds, late, check)
        except BaseException:
            if not job.claim():
                engine.stop(job)
                job.outcome.wait(GRACE_S)
            raise
    finally:
        if is_own:
            engine.end()


class _Job:
    """A coroutine on its way to an engine loop. Who claims it first decides: the loop begins it, or it is withdrawn."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.work = work
        self.context = contextvars.copy_context()
        self.outcome = Outcome()
        self.begun = threading.Event()
        self.task: asyncio.Task[None] | None = None
        self._free = threading.Lock()

    def claim(self) -> bool:
        """Take it; False where it was taken before."""
        return self._free.acquire(blocking=False)

    async def run(self) -> None:
        """Await the work. Nothing may leave the task: a SystemExit would end the loop of all others."""
        try:
            self.outcome.put(await self.work(), None)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            self.outcome.put(None, error)


class _Loop:
    def __init__(self) -> None:
        import asyncio

        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self._ending = False
        self.thread = threading.Thread(target=self._run, name="orchestration_kit engine", daemon=True)
        self.thread.start()

    def submit(self, job: _Job) -> None:
        """Have a job begun on this loop."""

        def begin() -> None:
            if job.claim():
                job.begun.set()
                job.task = self.loop.create_task(job.run(), context=job.context)

        self.loop.call_soon_threadsafe(begin)

    def stop(self, job: _Job) -> None:
        """Cancel a job."""
        self.loop.call_soon_threadsafe(lambda: job.task and job.task.cancel())

    def end(self) -> None:
        """Let the loop end, when what it holds has cleaned up."""
        self._ending = True
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _run(self) -> None:
        import asyncio

        _here.is_engine = True
        while not self._ending:
            try:
                self.loop.run_forever()
            except BaseException:  # noqa: BLE001 - a task within a worker raised SystemExit, say
                _log.exception("The engine loop was interrupted and goes on")

        async def clean_up() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await self.loop.shutdown_asyncgens()

        self.loop.run_until_complete(clean_up())
        self.loop.close()


def _forget(engine: _Loop) -> None:
    global _shared  # noqa: PLW0603 - one engine thread a process
    with _lock:
        if _shared is engine:
            _shared = None


def _after_fork() -> None:
    """A child has neither the thread nor whoever held the lock."""
    global _lock, _shared
    _lock, _shared = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _engine() -> tuple[_Loop, bool]:
    """Return the shared loop, or a loop of its own for a run that a worker starts on an engine thread."""
    global _shared  # noqa: PLW0603 - one engine thread a process
    if getattr(_here, "is_engine", False):
        return _Loop(), True
    with _lock:
        if _shared is None or not _shared.thread.is_alive():
            _shared = _Loop()
        return _shared, False
