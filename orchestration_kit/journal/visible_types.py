"""Makes known the types that a hub's workers can see, so that what they returned can be read back in a new process.

Nothing is imported, and no code is run: names are looked up where they stand already.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from orchestration_kit.journal.codec.registry import kind_of, register_type

_OTHERS: weakref.WeakSet[type] = weakref.WeakSet()
"""Types that are of no kind to register, as nearly all are that a notebook has imported: looked at once."""


def register_visible(functions: Iterable[Any]) -> None:
    """Register the models, dataclasses, Enums and NamedTuples in the modules of functions, and in `__main__`.

    In a notebook, that is what its cells define.
    """
    seen: dict[int, Mapping[str, Any]] = {}
    for function in functions:
        for names in _namespaces(function):
            seen[id(names)] = names
    main = sys.modules.get("__main__")
    if main is not None:
        seen[id(vars(main))] = vars(main)
    _register(found for names in seen.values() for found in list(names.values()) if isinstance(found, type))


def _register(found: Iterable[type]) -> None:
    """Register types and those that stand in the fields of a model or dataclass."""
    left: list[Any] = list(found)
    seen: set[Any] = set()
    while left:
        one = left.pop()
        if not isinstance(one, type):
            left += get_args(one)
            continue
        if one in seen or (one in _OTHERS and not dataclasses.is_dataclass(one)):  # which it can be made later
            continue
        if kind_of(one) is None:
            _OTHERS.add(one)
            continue
        seen.add(one)
        register_type(one)
        made_of: Any = getattr(one, "__pydantic_fields__", None) or getattr(one, "__dataclass_fields__", {})
        left += [getattr(about, "annotation", None) or getattr(about, "type", None) for about in made_of.values()]


def _namespaces(function: Any) -> list[Mapping[str, Any]]:
    while _is_partial(function):
        function = function.func
    called: Any = function if hasattr(function, "__globals__") else getattr(function, "__func__", None)
    called = called or getattr(cast("Any", type(function)), "__call__", None)  # noqa: B004 - where its code is
    names: dict[str, Any] = getattr(called, "__globals__", None) or {}
    cells: dict[str, Any] = {}
    closure = cast("tuple[Any, ...]", getattr(called, "__closure__", None) or ())
    for index, cell in enumerate(closure):
        try:
            cells[str(index)] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return [found for found in (names, cells) if found]


def _is_partial(function: object) -> bool:
    return isinstance(function, functools.partial)
