"""Room on the stack for values that are nested deeply: a thread of its own, where the caller's stack is too full."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def with_room(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function; if the stack is too deep for it, call it again on a thread, whose stack is empty.

    >>> with_room(max, 1, 2)
    2

    Raises:
        RecursionError: an empty stack is not enough either.
    """
    try:
        return function(*arguments)
    except RecursionError:
        pass
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function(*arguments))
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            errors.append(error)

    thread = threading.Thread(target=run, name="orchestration-kit-codec", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # there are no threads in a browser
        raise RecursionError(f"the value is nested too deeply for the stack, and {error}") from None
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
