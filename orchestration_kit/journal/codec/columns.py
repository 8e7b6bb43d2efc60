"""What a column of a table is made of, and the scalars in it: arrays of pandas' own, as plain parts and numpy arrays.

Loaded when a value or a record needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd

from orchestration_kit.journal.codec.reading import expect
from orchestration_kit.journal.codec.writing import Write, Writer, refuse

pandas: Any = pd  # its stubs know fewer kinds than there are

FREQUENCY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:+-]{0,40}")
_CLOSED = frozenset({"left", "right", "both", "neither"})
_MAX_RANGE = 10_000_000
"""A range that is part of something else is written out in memory there: a small record must not make a huge one."""


def is_bounded(index: Any) -> bool:
    """Whether an index may be a part of an array or of another index."""
    return isinstance(index, pandas.Index) and (type(index) is not pandas.RangeIndex or len(index) <= _MAX_RANGE)


def _is_zone(zone: Any) -> bool:
    """Whether this is a time zone, or none: pandas would look for a file, and a module, of the name of any text."""
    return zone is None or isinstance(zone, tzinfo)


def _period_frequency(value: Any) -> str:
    text = value.freqstr
    if FREQUENCY.fullmatch(text) is None or pandas.Period(ordinal=0, freq=text).freq != value.freq:
        refuse(value, f"its frequency {text!r:.40} has no exact form", "Use value.to_timestamp().")
    return text


def read_frequency(text: Any) -> str:
    """Return the name of a frequency, after checking that it has the form of one."""
    expect(type(text) is str and FREQUENCY.fullmatch(text) is not None, "no frequency")
    return text


# Arrays


def _write_masked(writer: Writer, value: Any, depth: int) -> Any:
    data, mask = value._data.copy(), value._mask  # noqa: SLF001 - pandas has no public way to tell NaN from NA
    data[mask] = 0
    return {"$pandas_array": ["masked", *writer.items((data, mask), depth)]}


def _read_masked(data: Any, mask: Any) -> Any:
    expect(data.ndim == 1 and mask.dtype == np.bool_)
    return _MASKED[data.dtype.kind](data, mask)


def _write_texts(writer: Writer, value: Any, depth: int) -> Any:
    missing = "NA" if value.dtype.na_value is pandas.NA else "nan"
    if value.dtype.storage not in {"python", "pyarrow"}:
        refuse(value, f"its storage {value.dtype.storage!r} is not known here", "Use value.astype(object).")
    texts = value.to_numpy(dtype=object, na_value=None).tolist()
    return {"$pandas_array": ["text", value.dtype.storage, missing, writer.items(texts, depth)]}


def _read_texts(storage: Any, missing: Any, texts: Any) -> Any:
    expect(storage in {"python", "pyarrow"} and missing in {"NA", "nan"} and type(texts) is list)
    expect(all(text is None or type(text) is str for text in texts))
    dtype = pandas.StringDtype(storage) if missing == "NA" else pandas.StringDtype(storage, na_value=np.nan)
    return pandas.array(texts, dtype=dtype)


def _write_categorical(writer: Writer, value: Any, depth: int) -> Any:
    codes, categories = writer.items((np.asarray(value.codes), value.categories), depth)
    return {"$pandas_array": ["categorical", codes, categories, bool(value.ordered)]}


def _read_categorical(codes: Any, categories: Any, ordered: Any) -> Any:
    expect(is_bounded(categories) and codes.dtype.kind == "i" and type(ordered) is bool)
    return pandas.Categorical.from_codes(codes, dtype=pandas.CategoricalDtype(categories, ordered))


def _write_moments(writer: Writer, value: Any, depth: int) -> Any:
    moments = value.asi8.view(f"M8[{value.unit}]")
    return {"$pandas_array": ["datetime", *writer.items((moments, value.tz), depth)]}


def _read_moments(moments: Any, zone: Any) -> Any:
    expect(moments.dtype.kind == "M" and _is_zone(zone))
    index = pandas.DatetimeIndex(moments)
    return (index if zone is None else index.tz_localize("UTC").tz_convert(zone)).array


def _write_spans(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas_array": ["timedelta", writer.part(value.to_numpy(), depth)]}


def _read_spans(spans: Any) -> Any:
    expect(spans.dtype.kind == "m")
    return pandas.TimedeltaIndex(spans).array


def _write_periods(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas_array": ["period", _period_frequency(value), writer.part(value.asi8, depth)]}


def _read_periods(frequency: Any, ordinals: Any) -> Any:
    expect(ordinals.dtype == np.int64)
    return pandas.PeriodIndex.from_ordinals(ordinals, freq=read_frequency(frequency)).array


def _write_intervals(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas_array": ["interval", *writer.items((value.left, value.right), depth), value.closed]}


def _read_intervals(left: Any, right: Any, closed: Any) -> Any:
    expect(is_bounded(left) and is_bounded(right) and closed in _CLOSED)
    return pandas.arrays.IntervalArray.from_arrays(left, right, closed)


def _write_numpy(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas_array": ["numpy", writer.part(value.to_numpy(), depth)]}


def _read_numpy(column: Any) -> Any:
    expect(type(column) is np.ndarray and column.ndim == 1)
    return pandas.arrays.NumpyExtensionArray(column)


def _write_arrow(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas_array": ["arrow", writer.part(value.__arrow_array__(), depth)]}


def _read_arrow(column: Any) -> Any:
    expect(type(column).__module__ == "pyarrow.lib")
    return pandas.arrays.ArrowExtensionArray(column)


def read_array(payload: Any) -> Any:
    """Make an array of pandas' own."""
    expect(type(payload) is list and len(payload) > 1)
    return _ARRAYS[payload[0]](*payload[1:])


# Scalars


def _write_timestamp(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas": ["timestamp", value.unit, int(value.asm8.view("i8")), writer.part(value.tz, depth)]}


def _read_timestamp(unit: Any, count: Any, zone: Any) -> Any:
    expect(_is_zone(zone))
    made = pandas.Timestamp(_moment("M8", unit, count))
    return made if zone is None else made.tz_localize("UTC").tz_convert(zone)


def _write_span(_: Writer, value: Any, __: int) -> Any:
    return {"$pandas": ["timedelta", value.unit, int(value.asm8.view("i8"))]}


def _read_span(unit: Any, count: Any) -> Any:
    return pandas.Timedelta(_moment("m8", unit, count))


def _moment(kind: str, unit: Any, count: Any) -> Any:
    expect(unit in {"s", "ms", "us", "ns"} and type(count) is int)
    return np.array(count, dtype=np.int64).view(f"{kind}[{unit}]")[()]


def _write_period(_: Writer, value: Any, __: int) -> Any:
    return {"$pandas": ["period", _period_frequency(value), value.ordinal]}


def _read_period(frequency: Any, ordinal: Any) -> Any:
    expect(type(ordinal) is int)
    return pandas.Period(ordinal=ordinal, freq=read_frequency(frequency))


def _write_interval(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas": ["interval", *writer.items((value.left, value.right), depth), value.closed]}


def _write_missing(_: Writer, value: Any, __: int) -> Any:
    return {"$pandas": ["NA" if value is pandas.NA else "NaT"]}


def read_scalar(payload: Any) -> Any:
    """Make a scalar of pandas' own."""
    expect(type(payload) is list and len(payload) > 0)
    return _SCALARS[payload[0]](*payload[1:])


_MASKED: dict[Any, Any] = {
    "i": pandas.arrays.IntegerArray,
    "u": pandas.arrays.IntegerArray,
    "f": pandas.arrays.FloatingArray,
    "b": pandas.arrays.BooleanArray,
}
_ARRAYS: dict[Any, Callable[..., Any]] = {
    "masked": _read_masked,
    "text": _read_texts,
    "categorical": _read_categorical,
    "datetime": _read_moments,
    "timedelta": _read_spans,
    "period": _read_periods,
    "interval": _read_intervals,
    "numpy": _read_numpy,
    "arrow": _read_arrow,
}
_SCALARS: dict[Any, Callable[..., Any]] = {
    "timestamp": _read_timestamp,
    "timedelta": _read_span,
    "period": _read_period,
    "interval": pandas.Interval,
    "NA": lambda: pandas.NA,
    "NaT": lambda: pandas.NaT,
}
WRITERS: dict[Any, Write] = {
    **dict.fromkeys(_MASKED.values(), _write_masked),
    pandas.arrays.StringArray: _write_texts,
    pandas.arrays.ArrowStringArray: _write_texts,
    pandas.Categorical: _write_categorical,
    pandas.arrays.DatetimeArray: _write_moments,
    pandas.arrays.TimedeltaArray: _write_spans,
    pandas.arrays.PeriodArray: _write_periods,
    pandas.arrays.IntervalArray: _write_intervals,
    pandas.arrays.NumpyExtensionArray: _write_numpy,
    pandas.arrays.ArrowExtensionArray: _write_arrow,
    pandas.Timestamp: _write_timestamp,
    pandas.Timedelta: _write_span,
    pandas.Period: _write_period,
    pandas.Interval: _write_interval,
    type(pandas.NaT): _write_missing,
    type(pandas.NA): _write_missing,
}
