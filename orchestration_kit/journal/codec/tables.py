"""DataFrames, Series and indexes: columns as arrays (`columns.py`), labels by this codec. No metadata to parse.

Whatever has no exact form here is refused. Loaded when a value or a record needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from orchestration_kit.journal.codec import columns
from orchestration_kit.journal.codec.reading import Reader, expect, sequence
from orchestration_kit.journal.codec.writing import Write, Writer, refuse

pandas: Any = pd  # its stubs know fewer kinds than there are


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
    written = [_column(writer, bare.iloc[:, at], depth) for at in range(value.shape[1])]
    labels = [writer.part(value.index, depth), writer.part(value.columns, depth)]
    return {"$dataframe": [*labels, written, *_extras(writer, value, depth)]}


def _column(writer: Writer, column: Any, depth: int) -> Any:
    return writer.fields({f"[{column.name!r:.60}]": _values(column)}, depth, "{}").popitem()[1]


def _values(column: Any) -> Any:
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _extras(writer: Writer, value: Any, depth: int) -> list[Any]:
    attrs = writer.mapping(value.attrs, depth, ".attrs[{!r}]") if value.attrs else None
    return [attrs, bool(value.flags.allows_duplicate_labels)]


def _read_frame(payload: Any) -> Any:
    index, labels, parts, attrs, duplicates = sequence(payload, object, object, list, object, bool)
    expect(isinstance(index, pandas.Index) and isinstance(labels, pandas.Index))
    expect(all(_is_column(column) and len(column) == len(index) for column in parts))
    if parts:
        frame = pandas.DataFrame({at: _series_of(column) for at, column in enumerate(parts)})
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
            made.freq = columns.read_frequency(frequency)
        return made
    column, name = sequence(parts, object, object)
    expect(_is_column(column))
    return _INDEX_TYPES[kind](column, dtype=column.dtype, name=name)


def _read_multi_index(parts: Any) -> Any:
    levels, codes, names, sortorder = sequence(parts, list, list, list, object)
    expect(sortorder is None or type(sortorder) is int)
    expect(all(map(columns.is_bounded, levels)))
    expect(all(type(code) is np.ndarray and code.dtype.kind == "i" for code in codes))
    return pandas.MultiIndex(levels=levels, codes=codes, names=names, sortorder=sortorder)


def _frequency(value: Any, frequency: Any) -> str:
    text = frequency.freqstr
    if columns.FREQUENCY.fullmatch(text) is None or to_offset(text) != frequency:
        refuse(value, f"its frequency {text!r:.40} has no exact form", "Set its freq to None.")
    return text


_INDEX_TYPES: dict[Any, Any] = {
    "plain": pandas.Index,
    "datetime": pandas.DatetimeIndex,
    "timedelta": pandas.TimedeltaIndex,
    "period": pandas.PeriodIndex,
    "interval": pandas.IntervalIndex,
    "categorical": pandas.CategoricalIndex,
}
_INDEX_NAMES: dict[Any, Any] = {kind: name for name, kind in _INDEX_TYPES.items()}
_WRITERS: dict[Any, Write] = {
    pandas.DataFrame: _write_frame,
    pandas.Series: _write_series,
    pandas.RangeIndex: _write_range_index,
    pandas.MultiIndex: _write_multi_index,
    **dict.fromkeys(_INDEX_NAMES, _write_index),
    **columns.WRITERS,
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "$dataframe": _read_frame,
    "$series": _read_series,
    "$index": _read_index,
    "$pandas_array": columns.read_array,
    "$pandas": columns.read_scalar,
}


def reader_of(tag: str) -> Callable[[Reader, Any], Any]:
    """Return what reads one of the tags of pandas' kinds."""
    read = _READERS[tag]
    return lambda _, payload: read(payload)
