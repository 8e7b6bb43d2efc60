"""What came of a call that was made elsewhere, as bytes: its result, or its error in words. Nothing is pickled."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import msgspec

from orchestration_kit.journal.cassette.errors_again import RecordedError, describe, rebuild

RETURNED, RAISED = b"=", b"!"
"""What an answer begins with."""
MAX_TRACEBACK = 8_000
"""Characters of a traceback that are sent, from its end."""


def answer(function: Callable[..., Any], *arguments: Any) -> bytes:
    """Make a call, here, and return what came of it.

    >>> opened(answer(bytes.upper, b"abc"))
    b'ABC'
    """
    try:
        result = function(*arguments)
        if not isinstance(result, bytes):
            name = getattr(function, "__qualname__", repr(function))
            raise TypeError(f"{name} returned {type(result).__name__}; what comes back has to be bytes")
    except BaseException as error:  # noqa: BLE001 - raised again at the hub
        recorded = describe(error)
        return RAISED + msgspec.msgpack.encode((*recorded, where_from(error)))
    return RETURNED + result


def opened(content: bytes) -> bytes:
    """Return the result in an answer, or raise the error: by its name, its message and the names of its bases."""
    if content[:1] == RETURNED:
        return content[1:]
    kind, message, bases, is_final, where = msgspec.msgpack.decode(
        content[1:], type=tuple[str, str, tuple[str, ...], bool, str]
    )
    raise error_again(RecordedError(kind, message, bases, is_final), where)


def error_again(recorded: RecordedError, where: str) -> BaseException:
    """Return an error as it was recorded, with where it came from as a note."""
    interrupt = _INTERRUPTS.get(recorded.type)
    error = rebuild(recorded) if interrupt is None else interrupt(recorded.message)
    if where:
        error.add_note(f"Where it was called:\n{where}")
    return error


def where_from(error: BaseException) -> str:
    """Return the last lines of an error's traceback."""
    try:
        return "".join(traceback.format_exception(error))[-MAX_TRACEBACK:]
    except Exception:  # noqa: BLE001 - somebody else's __str__
        return "".join(traceback.format_tb(error.__traceback__))[-MAX_TRACEBACK:]


_INTERRUPTS: dict[str, type[BaseException]] = {
    cls.__name__: cls for cls in (KeyboardInterrupt, SystemExit, GeneratorExit)
}
