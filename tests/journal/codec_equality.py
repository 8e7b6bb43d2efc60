"""An equality that is stricter than any `==`."""

import dataclasses
import datetime as dt
import enum
import functools
import math
import struct
from collections import defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel


def exact(a: Any, b: Any) -> bool:
    """Whether two values are equal and of the same types, all the way down."""
    if type(a) is not type(b):
        return False
    for kind, same in _EXACT.items():
        if isinstance(a, kind):
            return bool(same(a, b))
    if dataclasses.is_dataclass(a):
        return exact(_state(a), _state(b))
    return a is b if a is None or a is pd.NaT or a is pd.NA else bool(a == b)


def _all(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(exact, a, b))


def _zone(value: Any) -> Any:
    zone = value.tzinfo
    return (type(zone), getattr(zone, "key", None), zone and zone.utcoffset(None), zone and zone.tzname(None))


def _moments(a: Any, b: Any) -> bool:
    return a.replace(tzinfo=None) == b.replace(tzinfo=None) and a.fold == b.fold and _zone(a) == _zone(b)


def _sets(a: Any, b: Any) -> bool:
    rest = list(b)
    for one in a:
        partner = next((at for at, other in enumerate(rest) if exact(one, other)), None)
        if partner is None:
            return False
        del rest[partner]
    return not rest


def _arrays(a: Any, b: Any) -> bool:
    if a.dtype != b.dtype or a.dtype.str != b.dtype.str or a.shape != b.shape:
        return False
    return _all(a.ravel().tolist(), b.ravel().tolist()) if a.dtype.kind == "O" else a.tobytes() == b.tobytes()


def _dtypes(a: Any, b: Any) -> bool:
    return a == b and type(a) is type(b) and repr(a) == repr(b) and getattr(a, "storage", 0) == getattr(b, "storage", 0)


def _columns(a: Any, b: Any) -> bool:
    if not _dtypes(a.dtype, b.dtype) or len(a) != len(b):
        return False
    if isinstance(a, pd.Categorical):
        return exact(a.categories, b.categories) and exact(np.asarray(a.codes), np.asarray(b.codes))
    return _all(list(a), list(b))


def _labelled(a: Any, b: Any) -> bool:
    return exact(a.index, b.index) and exact(a.attrs, b.attrs) and a.flags == b.flags


def _indexes(a: Any, b: Any) -> bool:
    if isinstance(a, pd.MultiIndex):
        levels = zip(a.levels, b.levels, strict=True)
        return (
            exact(list(a.names), list(b.names))
            and all(exact(one, other) for one, other in levels)
            and all(map(np.array_equal, a.codes, b.codes))
        )
    frequencies = getattr(a, "freq", None) == getattr(b, "freq", None)
    return exact(a.name, b.name) and _columns(a.array, b.array) and frequencies


def _state(value: Any) -> dict[str, Any]:
    kind = type(value)
    cached = {name for name in dir(kind) if isinstance(getattr(kind, name, None), functools.cached_property)}
    fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
    state = {field.name: getattr(value, field.name) for field in fields if hasattr(value, field.name)}
    rest = getattr(value, "__dict__", {})
    return state | {name: rest[name] for name in sorted(rest) if name not in cached and not name.startswith("__")}


_EXACT: dict[Any, Callable[[Any, Any], bool]] = {
    enum.Enum: lambda a, b: a is b or a == b,
    np.generic: lambda a, b: (
        a.dtype == b.dtype and (a.tobytes() == b.tobytes() if a.dtype.kind != "f" else a == b or a != a)
    ),
    float: lambda a, b: struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b)),
    complex: lambda a, b: exact([a.real, a.imag], [b.real, b.imag]),
    (list, tuple): _all,
    deque: lambda a, b: a.maxlen == b.maxlen and _all(a, b),
    defaultdict: lambda a, b: a.default_factory is b.default_factory and _all(list(a.items()), list(b.items())),
    dict: lambda a, b: _all(list(a.items()), list(b.items())),
    (set, frozenset): _sets,
    type(pd.NaT): lambda a, b: a is b,
    pd.Timestamp: lambda a, b: a == b and a.unit == b.unit and a.nanosecond == b.nanosecond and _moments(a, b),
    pd.Timedelta: lambda a, b: a == b and a.unit == b.unit,
    (dt.datetime, dt.time): _moments,
    dt.timezone: lambda a, b: a == b and a.tzname(None) == b.tzname(None),
    Decimal: lambda a, b: str(a) == str(b),
    np.ndarray: _arrays,
    pd.DataFrame: lambda a, b: (
        _labelled(a, b)
        and exact(a.columns, b.columns)
        and all(_columns(a.iloc[:, at].array, b.iloc[:, at].array) for at in range(a.shape[1]))
    ),
    pd.Series: lambda a, b: _labelled(a, b) and exact(a.name, b.name) and _columns(a.array, b.array),
    pd.Index: _indexes,
    pd.api.extensions.ExtensionArray: _columns,
    pa.Table: lambda a, b: a.schema.equals(b.schema, check_metadata=True) and exact(a.to_pylist(), b.to_pylist()),
    pa.RecordBatch: lambda a, b: a.schema.equals(b.schema, check_metadata=True) and exact(a.to_pylist(), b.to_pylist()),
    (pa.Array, pa.ChunkedArray): lambda a, b: a.type == b.type and exact(a.to_pylist(), b.to_pylist()),
    BaseModel: lambda a, b: (
        exact(_state(a), _state(b))
        and a.__pydantic_fields_set__ == b.__pydantic_fields_set__
        and exact(a.__pydantic_extra__, b.__pydantic_extra__)
        and exact(a.__pydantic_private__, b.__pydantic_private__)
    ),
}
