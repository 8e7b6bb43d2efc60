"""What is done where no thread can be started, as in a browser (Pyodide): one thing after another, on the one there is.

Branches are worked on in order, a sync worker's time limit is held against it when it has returned, and what is due
is called by the event loop. Nothing here is used where threads can be had.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

_MAY_HAVE_NONE = ("emscripten", "wasi")
"""Elsewhere a thread that cannot be started is a trouble of the moment, and is told as one."""


@cache
def can_start_threads() -> bool:
    """Whether threads can be started here. Asked once.

    >>> can_start_threads()
    True
    """
    if sys.platform not in _MAY_HAVE_NONE:
        return True
    try:
        thread = threading.Thread(target=_nothing, daemon=True)
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True


def _nothing() -> None:
    """Be called."""


def await_here(work: Callable[[], Coroutine[Any, Any, Any]], seconds: float | None, late: BaseException) -> Any:
    """Await a coroutine from code that is not async, on the loop that is running; arguments as in `wait_for`.

    Raises:
        RuntimeError: this browser cannot put Python aside meanwhile.
    """
    run_sync = _run_sync()
    if run_sync is None:
        raise RuntimeError(
            "an async worker cannot be awaited by a call that is not: no thread can be started here to do it on. "
            "Write `await hub.aexecute_workflow(...)`, `await run.arun()` or `await run.astep()`."
        )
    return run_sync(_within(work, seconds, late))


def can_await_here() -> bool:
    """Whether code that is not async can await: in browsers that have WebAssembly's promise integration."""
    return _run_sync() is not None


def _run_sync() -> Callable[[Coroutine[Any, Any, Any]], Any] | None:
    ffi: Any = sys.modules.get("pyodide.ffi")
    return ffi.run_sync if ffi is not None and ffi.can_run_sync() else None


async def _within(work: Callable[[], Coroutine[Any, Any, Any]], seconds: float | None, late: BaseException) -> Any:
    import asyncio

    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            return await work()
    except TimeoutError:
        if scope.expired():
            raise late from None
        raise


_begun: set[Any] = set()
"""Tasks that nobody else holds on to."""


def begin_on_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    """Have the running event loop do something as well; False where none is running."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return False
    task = loop.create_task(work())
    _begun.add(task)
    task.add_done_callback(_begun.discard)
    return True


def call_later(seconds: float, call: Callable[[], Any]) -> None:
    """Have the running event loop call something; where none is running, nobody does."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    loop.call_later(max(0.0, seconds), call)
