"""The engine thread: an event loop beside the caller, so that sync doors can drive async workers.

A notebook's own loop is busy running the cell, and clients that async workers keep (HTTP pools, model
clients) belong to the loop they were made in. So all sync doors share one loop on one daemon thread.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

POLL_S = 0.1
"""How soon a blocking wait notices a keyboard interrupt."""

_lock = threading.Lock()
_shared: _Loop | None = None


class _Loop:
    def __init__(self) -> None:
        import asyncio

        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="orchestration_kit engine", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()


def run_in_engine_thread(work: Callable[[], Coroutine[Any, Any, None]], on_interrupt: Callable[[str], None]) -> None:
    """Run a coroutine on the engine thread and wait for it.

    A keyboard interrupt is passed to `on_interrupt` first, and raised when the coroutine has ended.
    """
    engine, is_own = _engine()
    try:
        future = _submit(engine.loop, work)
        _wait(future, on_interrupt)
    finally:
        if is_own:
            engine.loop.call_soon_threadsafe(engine.loop.stop)


def _engine() -> tuple[_Loop, bool]:
    """Return the shared loop, or one of its own for a worker that starts a run while it is on the shared one."""
    global _shared  # noqa: PLW0603 - one engine thread a process
    with _lock:
        if _shared is None or not _shared.thread.is_alive():  # not alive: after a fork
            _shared = _Loop()
        if threading.current_thread() is _shared.thread:
            return _Loop(), True
        return _shared, False


def _submit(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, None]]) -> Any:
    from concurrent.futures import Future

    done: Future[None] = Future()
    context = contextvars.copy_context()

    def finished(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            done.cancel()
        elif (error := task.exception()) is not None:
            done.set_exception(error)
        else:
            done.set_result(None)

    def start() -> None:
        loop.create_task(work(), context=context).add_done_callback(finished)

    loop.call_soon_threadsafe(start)
    return done


def _wait(future: Any, on_interrupt: Callable[[str], None]) -> None:
    interrupt: KeyboardInterrupt | None = None
    while True:
        try:
            future.result(timeout=POLL_S)
        except TimeoutError:
            if not future.done():
                continue
            raise
        except KeyboardInterrupt as error:
            if interrupt is not None or future.done():
                raise
            interrupt = error
            on_interrupt("interrupted by KeyboardInterrupt")
            continue
        break
    if interrupt is not None:
        raise interrupt
