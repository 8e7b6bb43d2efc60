"""What a piece of code reaches among the variables of a notebook becomes text, so that a change of it is noticed.

Looked at are constants (numbers, text, tuples of them) and functions, with what those reach in turn: a parameter in
the first cell of a notebook, a helper in the second. Lists, tables, models and other objects are not: what is in them
changes as a notebook goes on, and often they are too large to be looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, cast

from orchestration_kit.definition.fingerprints import callable_fingerprint

_PLAIN = (bool, int, float, str, bytes)
MOST_PARTS = 1_000
"""Parts of a tuple that are looked at; a longer one is not."""


def reached(code: CodeType, variables: Mapping[str, Any], besides: Collection[str] = ()) -> str:
    """Return what code reaches among variables, as text that is the same in every process.

    >>> limit, log = 60, []
    >>> reached((lambda total: total <= limit and log).__code__, {"limit": limit, "log": log})
    'limit=60'

    Args:
        code: The code.
        variables: Those of the notebook.
        besides: Names that are the code's own.
    """
    return "\n".join(sorted(_reached(code, variables, set(besides))))


def _reached(code: CodeType, variables: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    for name in _names(code):
        if name in seen or name.startswith("_") or name not in variables:
            continue
        seen.add(name)
        value = variables[name]
        if isinstance(value, FunctionType):
            yield f"{name}={callable_fingerprint(value)}"
            if value.__globals__ is variables:
                yield from _reached(value.__code__, variables, seen)
        elif _is_plain(value):
            yield f"{name}={value!r}"


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_plain(value: Any) -> bool:
    if value is None or type(value) in _PLAIN:
        return True
    if type(value) is not tuple:
        return False
    parts = cast("tuple[Any, ...]", value)
    return len(parts) <= MOST_PARTS and all(_is_plain(part) for part in parts)
