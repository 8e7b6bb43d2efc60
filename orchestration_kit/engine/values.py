"""Copies of values, so that what is on record cannot change behind its back.

Plain containers, pydantic models and dataclasses are copied, part by part. So are DataFrames and Series, which
costs next to nothing where pandas copies on write (3.0 and later), and numpy arrays. Anything else (a client, a
fitted model, an open file) is handed on as it is: copying it could fail, so changing such an object in place is
seen by everyone who holds it. Put a new one on the data bus instead.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from operator import is_
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel

from orchestration_kit.errors import OutputRejected, ValueTooDeep

MAX_DEPTH = 200

ATOMS: frozenset[type] = frozenset(
    {str, int, float, bool, type(None), bytes, complex, datetime, date, timedelta, Decimal, range}
)
TEXTS: frozenset[type] = frozenset({str, bytes})
"""Atoms that may hold a secret."""
_EXACT: frozenset[type] = frozenset({str, int, bool, type(None), bytes, date, timedelta, range})
"""Atoms that look the same when they are equal."""
_SEQUENCES: frozenset[type] = frozenset({list, tuple, set, frozenset})


def isolate(value: Any, depth: int = 0) -> Any:
    """Return a copy that shares no plain container with `value`; see the module for what is not copied.

    >>> original = {"items": [1, 2]}
    >>> isolate(original)["items"].append(3)
    >>> original
    {'items': [1, 2]}

    Raises:
        ValueTooDeep: more than 200 levels, or a value that contains itself.
    """
    kind = cast("Any", type(value))
    if kind in ATOMS:
        return value
    if depth > MAX_DEPTH:
        raise ValueTooDeep(MAX_DEPTH)
    if kind is dict:
        if ATOMS.issuperset(map(type, value.values())):
            return value.copy()
        return {k: v if type(v) in ATOMS else isolate(v, depth + 1) for k, v in value.items()}
    if kind in _SEQUENCES:
        if ATOMS.issuperset(map(type, value)):
            return kind(value)
        return kind(v if type(v) in ATOMS else isolate(v, depth + 1) for v in value)
    return _isolate_other(value, depth + 1)


def _isolate_other(value: Any, depth: int) -> Any:  # noqa: C901 - one kind of value after the other
    if isinstance(value, (str, bytes, int, float, PurePath)):
        return value
    if isinstance(value, (dict, list, set, tuple, bytearray, deque)):
        return _isolate_collection(cast("Any", value), depth)
    if isinstance(value, BaseModel):
        model = value.model_copy()
        for parts in (vars(model), model.__pydantic_extra__, model.__pydantic_private__):
            for name, part in (parts or {}).items():
                cast("dict[str, Any]", parts)[name] = isolate(part, depth)
        return model
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        copied = copy.copy(value)
        for field in dataclasses.fields(value):
            if hasattr(value, field.name):
                object.__setattr__(copied, field.name, isolate(getattr(value, field.name), depth))
        return copied
    if type(value).__module__.partition(".")[0] in _TABLES:
        return _isolate_table(value)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise OutputRejected("the worker returned a coroutine that nobody awaits; define it with async def")
    if isinstance(value, (Iterator, AsyncIterator)):
        kind = type(cast("Any", value)).__name__
        raise OutputRejected(f"a {kind} can be read only once, so that it cannot be put on record; make it a list")
    return value


_TABLES = frozenset({"pandas", "numpy"})


def _isolate_table(value: Any) -> Any:
    """Copy a DataFrame, a Series or an array; nothing is imported for it, as whoever made it has done that."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)):
        copies_on_write = int(str(pandas.__version__).partition(".")[0]) >= 3
        return value.copy(deep=not copies_on_write)
    numpy = sys.modules.get("numpy")
    return value.copy() if numpy is not None and isinstance(value, numpy.ndarray) else value


def _same_table(one: Any, other: Any) -> bool:
    try:
        if hasattr(one, "equals"):
            return bool(one.equals(other))
        numpy: Any = sys.modules["numpy"]
        return bool(numpy.array_equal(one, other, equal_nan=one.dtype.kind in "fc") and one.dtype == other.dtype)
    except Exception:  # noqa: BLE001 - cells can hold anything; what cannot be compared counts as changed
        return False


def _isolate_collection(value: Any, depth: int) -> Any:
    """Copy a subclass of a plain container, or another container of the standard library."""
    if isinstance(value, tuple):
        parts = cast("tuple[Any, ...]", value)
        make = getattr(cast("Any", value), "_make", None)  # a named tuple's
        return parts if make is None else make([isolate(part, depth) for part in parts])
    copied = copy.copy(value)
    if isinstance(value, dict):
        for key, part in cast("dict[Any, Any]", value).items():
            copied[key] = isolate(part, depth)
    elif isinstance(value, (list, deque)):
        copied.clear()
        copied.extend(isolate(part, depth) for part in cast("list[Any]", value))
    return copied


def _parts_of(model: BaseModel) -> tuple[Any, ...]:
    return model.__dict__, model.__pydantic_extra__, model.__pydantic_private__


def same(one: Any, other: Any) -> bool:  # noqa: C901 - one kind of value after the other
    """Whether two values are the same data: equal types and equal parts; other objects by identity."""
    if one is other:
        return True
    kind = cast("Any", type(one))
    if kind is not type(other):
        return False
    if kind in ATOMS:
        try:  # 0.0 and -0.0, 1.0 and 1.00, the same moment in two zones: equal, and not the same
            return bool(one == other) and (kind in _EXACT or repr(one) == repr(other))
        except ArithmeticError:  # a signalling NaN cannot be compared
            return False
    if kind is dict:
        return one.keys() == other.keys() and all(same(part, other[key]) for key, part in one.items())
    if kind in (list, tuple):
        return len(one) == len(other) and (all(map(is_, one, other)) or all(map(same, one, other)))
    if isinstance(one, (set, frozenset)):
        kinds = sorted(map(repr, cast("set[Any]", one))), sorted(map(repr, cast("set[Any]", other)))
        return bool(one == other) and kinds[0] == kinds[1]
    if isinstance(one, (bytearray, PurePath, UUID, Fraction)):
        return bool(one == other)
    if isinstance(one, (dict, list, tuple, deque)):
        plain: Any = dict if isinstance(one, dict) else list
        return same(plain(one), plain(other))
    if kind.__module__.partition(".")[0] in _TABLES:
        return _same_table(one, other)
    if isinstance(one, BaseModel):
        return all(map(same, _parts_of(one), _parts_of(cast("BaseModel", other))))
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name, None), getattr(other, name, None)) for name in names)
    return False
