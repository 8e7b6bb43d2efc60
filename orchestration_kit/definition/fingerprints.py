"""A stable name for a piece of user code, so that a change of it is noticed. Never runs it."""

from __future__ import annotations

import functools
import hashlib
import inspect
from datetime import datetime
from types import CodeType
from typing import Any, cast

from orchestration_kit.definition.steps import callable_name

MAX_DEPTH = 8
"""How far functions that hold functions, and lists that hold lists, are followed."""
MAX_HELD = 1_000
"""Entries of a list that are looked at."""


def callable_fingerprint(function: Any, depth: int = 0) -> str:
    """Return name and hash of a callable's code and of what it holds: defaults, closure, partial arguments.

    Two lambdas on one line differ by what they do, two closures of one function by what they close over.
    """
    if isinstance(function, datetime):
        return function.isoformat()  # the same for every class that may stand for a zone
    if not callable(function):
        return repr(function)
    held: list[Any] = []
    subject = cast("Any", function)
    while _is_partial(subject):
        held += [*subject.args, *sorted(subject.keywords.items())]
        subject = subject.func
    code = getattr(subject, "__code__", None) or getattr(type(subject).__call__, "__code__", None)
    held += getattr(subject, "__defaults__", None) or ()
    by_name: dict[str, Any] = getattr(subject, "__kwdefaults__", None) or {}
    held += sorted(by_name.items())
    held += [_cell_contents(cell) for cell in getattr(subject, "__closure__", None) or ()]
    text = "|".join(["builtin" if code is None else _code_text(code), *(_held_text(one, depth) for one in held)])
    return f"callable:{callable_name(subject)}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _is_partial(subject: object) -> bool:
    return isinstance(subject, functools.partial)


def _cell_contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _held_text(value: Any, depth: int) -> str:
    """Return plain values as they are; of anything else, whose repr may hold an address, the type."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return repr(value)
    if depth < MAX_DEPTH and isinstance(value, (tuple, list)):
        held = cast("list[Any]", value)
        more = f"...{len(held)}" if len(held) > MAX_HELD else ""
        return f"({','.join(_held_text(one, depth + 1) for one in held[:MAX_HELD])}{more})"
    if depth < MAX_DEPTH and inspect.isfunction(value):
        return callable_fingerprint(value, depth + 1)
    return type(value).__qualname__


def _code_text(code: CodeType) -> str:
    constants = [_code_text(one) if isinstance(one, CodeType) else _constant_text(one) for one in code.co_consts]
    return "|".join([code.co_code.hex(), ",".join(code.co_names), *constants])


def _constant_text(constant: Any) -> str:
    if isinstance(constant, frozenset):  # its order changes from process to process
        return f"frozenset({sorted(map(repr, cast('frozenset[Any]', constant)))})"
    return repr(constant)
