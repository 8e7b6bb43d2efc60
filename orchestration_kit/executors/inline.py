"""Calls are made at once, on the thread that submits them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Self

from orchestration_kit.engine.executor_port import Call
from orchestration_kit.executors.window import Window, checked_resources


class InlineExecutor:
    """Makes each call where it is submitted, before `submit` returns: nothing to set up, and easy to debug.

    >>> from orchestration_kit.engine.executor_port import Call
    >>> with InlineExecutor() as executor:
    ...     executor.submit(Call(key="1", function=pow, arguments=(2, 10))).result()
    1024

    Args:
        resources: What this machine has, e.g. `{"GPU": 1}`.
    """

    is_remote = False
    is_here = True
    """Whether a call is over when `submit` returns."""

    def __init__(self, *, resources: Mapping[str, float] | None = None) -> None:
        self._window = Window("InlineExecutor", lambda: 1 << 20, checked_resources(resources))

    @property
    def slots(self) -> int:
        """One, for each thread that submits."""
        return 1

    def submit(self, call: Call) -> Future[Any]:
        """Make a call, and return what came of it.

        Raises:
            ResourcesMissing: this machine does not offer what it needs.
            ExecutorClosed: it was closed.
        """
        self._window.take(call.resources)
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            result = call.function(*call.arguments)
        except BaseException as error:
            self._window.give_back(call.resources)
            if isinstance(error, KeyboardInterrupt):
                raise  # of whoever sits at this thread
            future.set_exception(error)
        else:
            self._window.give_back(call.resources)
            future.set_result(result)
        return future

    def cancel(self, future: Future[Any]) -> None:
        """Do nothing: what was submitted is over."""

    def close(self) -> None:
        """Make no more calls."""
        self._window.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "InlineExecutor()"
