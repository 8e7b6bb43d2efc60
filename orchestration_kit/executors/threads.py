"""Calls are made on threads of this process: for workers that wait for others, or leave the interpreter's lock."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Self
from weakref import finalize

from orchestration_kit.engine.executor_port import Call
from orchestration_kit.executors.crew import Crew, Task
from orchestration_kit.executors.window import Window, checked_resources, checked_slots


class ThreadsExecutor:
    """Makes calls on daemon threads: at most so many at once, whatever the hub's runs have ready.

    A call that nobody waits for any more is left alone, and another thread takes its place: one that never returns
    holds up nobody.

    >>> from orchestration_kit.engine.executor_port import Call
    >>> with ThreadsExecutor(2) as executor:
    ...     executor.submit(Call(key="1", function=pow, arguments=(2, 10))).result()
    1024

    Args:
        threads: How many calls are made at once; as many as there are processors where nothing is said.
        resources: What this machine has, e.g. `{"GPU": 1}`: calls that need it take turns.
    """

    is_remote = False

    def __init__(self, threads: int | None = None, *, resources: Mapping[str, float] | None = None) -> None:
        self._threads = checked_slots(threads, "threads")
        window = Window("ThreadsExecutor", lambda: self._threads, checked_resources(resources))
        self._crew = Crew("ThreadsExecutor", self._threads, window, hand=_Hand)
        finalize(self, self._crew.close)

    @property
    def slots(self) -> int:
        """How many threads there are."""
        return self._threads

    def submit(self, call: Call) -> Future[Any]:
        """Have a call made on one of the threads; raises as `Executor.submit` does."""
        return self._crew.submit(call)

    def cancel(self, future: Future[Any]) -> None:
        """Let go of a call; one that is being made goes on, and is dropped."""
        self._crew.cancel(future)

    def close(self) -> None:
        """Let the threads end when they have done what they are at."""
        self._crew.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ThreadsExecutor({self._threads})"


class _Hand:
    def make(self, task: Task) -> Any:
        return task.call.function(*task.call.arguments)

    def end(self) -> None:
        """There is nothing to let go of."""
