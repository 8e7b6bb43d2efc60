"""Errors as a cassette keeps them, and errors made again from that: equal in name, message and names of their bases.

Nothing is imported to find a class: a builtin error comes back as itself, any other as a class made on the spot.
"""

from __future__ import annotations

import builtins
import functools
from typing import Any, NamedTuple, cast

_COMMON = ("Exception", "BaseException", "object")
_BUILTINS: dict[str, type[Exception]] = {
    name: cls for name, cls in vars(builtins).items() if isinstance(cls, type) and issubclass(cls, Exception)
}


class RecordedError(NamedTuple):
    """What is known of an error."""

    type: str
    message: str
    bases: tuple[str, ...] = ()
    """Names of its base classes, nearest first, apart from those of every error."""
    is_final: bool = False
    """Whether another attempt cannot help."""


def describe(error: BaseException) -> RecordedError:
    """Return what a cassette keeps of an error.

    >>> describe(FileNotFoundError("no draft.md"))
    RecordedError(type='FileNotFoundError', message='no draft.md', bases=('OSError',), is_final=False)
    """
    try:
        message = str(error)
    except Exception as failed:  # noqa: BLE001 - somebody else's __str__
        message = f"{type(error).__name__} (its message cannot be read: {type(failed).__name__})"
    bases = tuple(base.__name__ for base in type(error).__mro__[1:] if base.__name__ not in _COMMON)
    return RecordedError(type(error).__name__, message, bases, getattr(error, "is_final", False) is True)


def rebuild(recorded: RecordedError) -> Exception:
    """Return an error as it was recorded.

    >>> error = rebuild(RecordedError("RateLimited", "slow down", ("APIError", "ConnectionError", "OSError")))
    >>> type(error).__name__, str(error), isinstance(error, ConnectionError)
    ('RateLimited', 'slow down', True)
    """
    found = _BUILTINS.get(recorded.type)
    if found is not None and not recorded.is_final:
        try:
            error = found(recorded.message) if recorded.message else found()
        except TypeError:  # UnicodeDecodeError and the like want more
            pass
        else:
            if str(error) == recorded.message:
                return error
    made = _class_of((recorded.type, *recorded.bases))
    return made(recorded)


def _initialize(self: Any, recorded: RecordedError) -> None:
    self.recorded = recorded
    self.is_final = recorded.is_final


def _text(self: Any) -> str:
    return self.recorded.message


def _reduced(self: Any) -> Any:
    return rebuild, (self.recorded,)


@functools.lru_cache(maxsize=512)
def _class_of(names: tuple[str, ...]) -> Any:
    """Return a class whose bases have these names, in this order as far as a class can have them."""
    at, root = _root(names)
    known = {base.__name__ for base in root.__mro__}
    besides = tuple(type(name, (), {}) for name in names[at + 1 :] if name not in known)
    made: Any = root
    for name in reversed(names[: max(at, 1)]):
        members = {
            "__init__": _initialize,
            "__str__": _text,
            "__reduce__": _reduced,
            "__doc__": "Made from a recording.",
        }
        bases = (made, *besides) if made is root else (made,)
        made = type(name, bases, members)
    return made


def _root(names: tuple[str, ...]) -> tuple[int, type[Exception]]:
    """Return the first builtin error among the names, and where it stands."""
    for at, name in enumerate(names):
        found = _BUILTINS.get(name)
        if found is not None:
            try:
                cast("Any", found.__new__)(found, "")
            except TypeError:  # groups of errors want the errors
                continue
            return at, found
    return len(names), Exception
