"""DataFrames, Series, indexes and what else pandas has: columns as arrays, labels by this codec. No metadata to parse.

Whatever has no exact form here is refused. Loaded when a value or a record needs it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from orchestration_kit.journal.reading import Reader, expect, sequence
from orchestration_kit.journal.writing import Write, Writer, refuse

pandas: Any = pd  # its stubs know fewer kinds than there are

_FREQUENCY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:+-]{0,40}")
_CLOSED = frozenset({"left", "right", "both", "neither"})


def find(value: Any) -> Write | None:
    """Return what writes a value of pandas'; None for anything else."""
    write = _WRITERS.get(cast("Any", type(value)))
    if write is None and isinstance(value, pandas.api.extensions.ExtensionArray):
        hint = "value.sparse.to_dense()" if isinstance(value, pandas.arrays.SparseArray) else "value.astype(object)"
        refuse(value, f"an array of {value.dtype} has no exact form here", f"Use {hint}.")
    return write


# Frames and series


def _write_frame(writer: Writer, value: Any, depth: int) -> Any:
    bare = value.copy(deep=False)
    bare.attrs = {}  # each column would copy them
    columns = [_column(writer, bare.iloc[:, at], depth) for at in range(value.shape[1])]
    labels = [writer.part(value.index, depth), writer.part(value.columns, depth)]
    return {"$dataframe": [*labels, columns, *_extras(writer, value, depth)]}


def _column(writer: Writer, column: Any, depth: int) -> Any:
    return writer.fields({f"[{column.name!r:.60}]": _values(column)}, depth, "{}").popitem()[1]


def _values(column: Any) -> Any:
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _extras(writer: Writer, value: Any, depth: int) -> list[Any]:
    attrs = writer.mapping(value.attrs, depth, ".attrs[{!r}]") if value.attrs else None
    return [attrs, bool(value.flags.allows_duplicate_labels)]


def _read_frame(payload: Any) -> Any:
    index, labels, columns, attrs, duplicates = sequence(payload, object, object, list, object, bool)
    expect(isinstance(index, pandas.Index) and isinstance(labels, pandas.Index))
    expect(all(_is_column(column) and len(column) == len(index) for column in columns))
    if columns:
        frame = pandas.DataFrame({at: _series_of(column) for at, column in enumerate(columns)})
        frame.index = index
    else:
        frame = pandas.DataFrame(index=index)
    frame.columns = labels
    return _with_extras(frame, attrs, allows_duplicates=duplicates)


def _with_extras(made: Any, attrs: Any, *, allows_duplicates: bool) -> Any:
    expect(attrs is None or type(attrs) is dict)
    made.attrs = attrs or {}
    if not allows_duplicates:
        made.flags.allows_duplicate_labels = False
    return made


def _is_column(column: Any) -> bool:
    return isinstance(column, pandas.api.extensions.ExtensionArray) or (type(column) is np.ndarray and column.ndim == 1)


def _series_of(column: Any) -> Any:
    return pandas.Series(column, dtype=column.dtype, copy=False)  # no dtype: objects would be inferred


def _write_series(writer: Writer, value: Any, depth: int) -> Any:
    labels = [writer.part(value.index, depth), writer.part(value.name, depth)]
    return {"$series": [*labels, writer.part(_values(value), depth), *_extras(writer, value, depth)]}


def _read_series(payload: Any) -> Any:
    index, name, column, attrs, duplicates = sequence(payload, object, object, object, object, bool)
    expect(isinstance(index, pandas.Index) and _is_column(column) and len(column) == len(index))
    made = _series_of(column)
    made.index = index
    made.name = name
    return _with_extras(made, attrs, allows_duplicates=duplicates)


# Indexes


def _write_index(writer: Writer, value: Any, depth: int) -> Any:
    kind = _INDEX_NAMES[type(value)]
    payload = [kind, writer.part(_values(value), depth), writer.part(value.name, depth)]
    if kind in {"datetime", "timedelta"}:
        payload.append(None if value.freq is None else _frequency(value, value.freq))
    return {"$index": payload}


def _write_range_index(writer: Writer, value: Any, depth: int) -> Any:
    return {"$index": ["range", *writer.items((value.start, value.stop, value.step, value.name), depth)]}


def _write_multi_index(writer: Writer, value: Any, depth: int) -> Any:
    levels = writer.items([level.rename(None) for level in value.levels], depth)
    codes = writer.items([np.asarray(code) for code in value.codes], depth)
    return {"$index": ["multi", levels, codes, writer.items(value.names, depth), value.sortorder]}


def _read_index(payload: Any) -> Any:
    expect(type(payload) is list and len(payload) > 0)
    kind, *parts = payload
    if kind == "range":
        start, stop, step, name = sequence(parts, int, int, int, object)
        return pandas.RangeIndex(start, stop, step, name=name)
    if kind == "multi":
        return _read_multi_index(parts)
    if kind in {"datetime", "timedelta"}:
        column, name, frequency = sequence(parts, object, object, object)
        made = _INDEX_TYPES[kind](column, name=name)
        if frequency is not None:
            made.freq = _read_frequency(frequency)
        return made
    column, name = sequence(parts, object, object)
    expect(_is_column(column))
    return _INDEX_TYPES[kind](column, dtype=column.dtype, name=name)


def _read_multi_index(parts: Any) -> Any:
    levels, codes, names, sortorder = sequence(parts, list, list, list, object)
    expect(sortorder is None or type(sortorder) is int)
    expect(all(isinstance(level, pandas.Index) for level in levels))
    expect(all(type(code) is np.ndarray and code.dtype.kind == "i" for code in codes))
    return pandas.MultiIndex(levels=levels, codes=codes, names=names, sortorder=sortorder)


def _frequency(value: Any, frequency: Any) -> str:
    text = frequency.freqstr
    if _FREQUENCY.fullmatch(text) is None or to_offset(text) != frequency:
        refuse(value, f"its frequency {text!r:.40} has no exact form", "Set its freq to None.")
    return text


def _period_frequency(value: Any) -> str:
    text = value.freqstr
    if _FREQUENCY.fullmatch(text) is None or pandas.Period(ordinal=0, freq=text).freq != value.freq:
        refuse(value, f"its frequency {text!r:.40} has no exact form", "Use value.to_timestamp().")
    return text


def _read_frequency(text: Any) -> str:
    expect(type(text) is str and _FREQUENCY.fullmatch(text) is not None, "no frequency")
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
    expect(isinstance(categories, pandas.Index) and codes.dtype.kind == "i" and type(ordered) is bool)
    return pandas.Categorical.from_codes(codes, dtype=pandas.CategoricalDtype(categories, ordered))


def _write_moments(writer: Writer, value: Any, depth: int) -> Any:
    moments = value.asi8.view(f"M8[{value.unit}]")
    return {"$pandas_array": ["datetime", *writer.items((moments, value.tz), depth)]}


def _read_moments(moments: Any, zone: Any) -> Any:
    expect(moments.dtype.kind == "M")
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
    return pandas.PeriodIndex.from_ordinals(ordinals, freq=_read_frequency(frequency)).array


def _write_intervals(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas_array": ["interval", *writer.items((value.left, value.right), depth), value.closed]}


def _read_intervals(left: Any, right: Any, closed: Any) -> Any:
    expect(isinstance(left, pandas.Index) and isinstance(right, pandas.Index) and closed in _CLOSED)
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


def _read_pandas_array(payload: Any) -> Any:
    expect(type(payload) is list and len(payload) > 1)
    return _ARRAYS[payload[0]](*payload[1:])


# Scalars


def _write_timestamp(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas": ["timestamp", value.unit, int(value.asm8.view("i8")), writer.part(value.tz, depth)]}


def _read_timestamp(unit: Any, count: Any, zone: Any) -> Any:
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
    return pandas.Period(ordinal=ordinal, freq=_read_frequency(frequency))


def _write_interval(writer: Writer, value: Any, depth: int) -> Any:
    return {"$pandas": ["interval", *writer.items((value.left, value.right), depth), value.closed]}


def _write_missing(_: Writer, value: Any, __: int) -> Any:
    return {"$pandas": ["NA" if value is pandas.NA else "NaT"]}


def _read_scalar(payload: Any) -> Any:
    expect(type(payload) is list and len(payload) > 0)
    return _SCALARS[payload[0]](*payload[1:])


_INDEX_TYPES: dict[Any, Any] = {
    "plain": pandas.Index,
    "datetime": pandas.DatetimeIndex,
    "timedelta": pandas.TimedeltaIndex,
    "period": pandas.PeriodIndex,
    "interval": pandas.IntervalIndex,
    "categorical": pandas.CategoricalIndex,
}
_INDEX_NAMES: dict[Any, Any] = {kind: name for name, kind in _INDEX_TYPES.items()}
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
_WRITERS: dict[Any, Write] = {
    pandas.DataFrame: _write_frame,
    pandas.Series: _write_series,
    pandas.RangeIndex: _write_range_index,
    pandas.MultiIndex: _write_multi_index,
    **dict.fromkeys(_INDEX_NAMES, _write_index),
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

_READERS: dict[str, Callable[[Any], Any]] = {
    "$dataframe": _read_frame,
    "$series": _read_series,
    "$index": _read_index,
    "$pandas_array": _read_pandas_array,
    "$pandas": _read_scalar,
}


def reader_of(tag: str) -> Callable[[Reader, Any], Any]:
    """Return what reads one of the tags of pandas' kinds."""
    read = _READERS[tag]
    return lambda _, payload: read(payload)
