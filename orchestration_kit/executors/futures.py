"""Any pool of the standard library's kind becomes an executor: `concurrent.futures.Executor`, and what is like one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import Executor as Pool
from typing import Any, Self

from orchestration_kit.engine.executor_port import Call
from orchestration_kit.executors.answers import answer, opened
from orchestration_kit.executors.errors import ExecutorClosed, lost
from orchestration_kit.executors.window import Window, checked_resources, checked_slots


class FuturesExecutor:
    """Makes calls in a pool of somebody else's, who also shuts it down.

    `Orchestrator(executor=pool)` is short for `Orchestrator(executor=FuturesExecutor(pool))`.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from orchestration_kit.engine.executor_port import Call
    >>> with ThreadPoolExecutor(2) as pool:
    ...     FuturesExecutor(pool).submit(Call(key="1", function=pow, arguments=(2, 10))).result()
    1024

    Args:
        pool: The pool.
        slots: How many calls it makes at once; where nothing is said, what it says itself, or the number of
            processors.
        is_remote: Whether its calls leave this process; where nothing is said, all do but those of a
            `ThreadPoolExecutor`. What is said to leave goes as data, and needs cloudpickle.
        resources: What its machine has, e.g. `{"GPU": 1}`: calls that need it take turns.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        slots: int | None = None,
        is_remote: bool | None = None,
        resources: Mapping[str, float] | None = None,
    ) -> None:
        if not callable(getattr(pool, "submit", None)):
            raise TypeError(f"FuturesExecutor takes a pool such as ThreadPoolExecutor(4), not {pool!r:.80}.")
        self._pool = pool
        known = getattr(pool, "_max_workers", None)  # no pool tells it in any other way
        self._slots = checked_slots(known if slots is None and isinstance(known, int) else slots, "slots")
        self.is_remote = not isinstance(pool, ThreadPoolExecutor) if is_remote is None else is_remote
        self._window = Window("FuturesExecutor", lambda: self._slots, checked_resources(resources))
        self._theirs: dict[Future[Any], tuple[Future[Any], Call]] = {}
        """The pool's own future of each call under way."""

    @property
    def slots(self) -> int:
        """How many calls the pool makes at once."""
        return self._slots

    def submit(self, call: Call) -> Future[Any]:
        """Have a call made by the pool; raises as `Executor.submit` does."""
        self._window.take(call.resources)
        try:
            parts = (answer, call.function) if self.is_remote else (call.function,)
            theirs: Future[Any] = self._pool.submit(*parts, *call.arguments)
        except BrokenExecutor as error:
            self._window.give_back(call.resources)
            raise lost(call, f"{_BROKEN} ({error})") from error
        except BaseException as error:
            self._window.give_back(call.resources)
            if isinstance(error, RuntimeError):
                raise ExecutorClosed(type(self._pool).__name__) from error
            raise
        future: Future[Any] = Future()
        self._theirs[future] = theirs, call

        def ended(of_pool: Future[Any]) -> None:
            self._ended(future)
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = opened(of_pool.result()) if self.is_remote else of_pool.result()
            except BrokenExecutor as error:
                future.set_exception(lost(call, f"{_BROKEN} ({error})"))
            except CancelledError:
                future.set_exception(lost(call, "its pool was shut down, or somebody cancelled it"))
            except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
                future.set_exception(error)
            else:
                future.set_result(result)

        theirs.add_done_callback(ended)
        return future

    def cancel(self, future: Future[Any]) -> None:
        """Let go of a call; one that is being made goes on, and is dropped."""
        known = self._theirs.get(future)
        if known is not None:
            future.cancel()
            known[0].cancel()
            self._ended(future)  # its place is free, though the pool may be at it

    def _ended(self, future: Future[Any]) -> None:
        known = self._theirs.pop(future, None)
        if known is not None:
            self._window.give_back(known[1].resources)

    def close(self) -> None:
        """Make no more calls. The pool goes on, and is for whoever made it to shut down."""
        if self._window.close():
            for future in list(self._theirs):
                self.cancel(future)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"FuturesExecutor({self._pool!r}, slots={self._slots})"


_BROKEN = "a process of its pool ended, and the pool with it. ProcessesExecutor() replaces processes that end"
