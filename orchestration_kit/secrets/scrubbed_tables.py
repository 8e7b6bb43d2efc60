"""Take secrets out of DataFrames, Series, arrays and Arrow tables. Imports none of those libraries."""

from __future__ import annotations

import sys
from typing import Any, Protocol, cast

_LIBRARIES = frozenset({"pandas", "numpy", "pyarrow"})
_TEXTS = "OU"
"""Kinds of columns that can hold text."""
_ARRAYS = "OUS"


class Scrub(Protocol):
    """What takes secrets out of a value."""

    def __call__(self, value: Any) -> Any:
        """Return a value without its secrets; the same object where there is none."""
        ...

    def may_be_in(self, texts: list[str]) -> bool:
        """Whether one of many texts may hold a secret."""
        ...


def is_table(value: Any) -> bool:
    """Whether a value is a table or an array, or a part of one.

    >>> is_table([[1, 2], [3, 4]])
    False
    """
    return type(value).__module__.partition(".")[0] in _LIBRARIES


def scrubbed_table(value: Any, scrub: Scrub) -> Any:
    """Return a table or an array without its secrets; the same object where there is none."""
    pandas, numpy, arrow = (sys.modules.get(name) for name in ("pandas", "numpy", "pyarrow"))
    if pandas is not None:
        if isinstance(value, pandas.DataFrame):
            return _frame(value, scrub)
        if isinstance(value, pandas.Series):
            return _series(value, scrub)
        if isinstance(value, pandas.Index):
            return _index(value, scrub)
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _array(value, scrub)
    if arrow is not None and isinstance(value, (arrow.Table, arrow.RecordBatch)):
        return _arrow(value, scrub)
    return value


def _cells(cells: list[Any], scrub: Scrub) -> list[Any] | None:
    """Return cells without their secrets; None where there is none."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    if len(texts) == len(cells) and not scrub.may_be_in(texts):
        return None
    cleaned = [scrub(cell) for cell in cells]
    return None if all(one is other for one, other in zip(cells, cleaned, strict=True)) else cleaned


def _frame(frame: Any, scrub: Scrub) -> Any:
    kinds = [dtype.kind for dtype in frame.dtypes]
    columns = {at: frame.iloc[:, at] for at, kind in enumerate(kinds) if kind in _TEXTS}
    cleaned = {at: _series(column, scrub) for at, column in columns.items()}
    changed = {at: column for at, column in cleaned.items() if column is not columns[at]}
    index, names, attrs = _index(frame.index, scrub), _index(frame.columns, scrub), scrub(frame.attrs)
    if not changed and index is frame.index and names is frame.columns and attrs is frame.attrs:
        return frame
    copied = frame.copy(deep=False)
    for at, column in changed.items():
        copied.isetitem(at, column)
    copied.index, copied.columns, copied.attrs = index, names, attrs
    return copied


def _series(series: Any, scrub: Scrub) -> Any:
    pandas: Any = sys.modules["pandas"]
    index, name, attrs = _index(series.index, scrub), scrub(series.name), scrub(series.attrs)
    cells = None
    if isinstance(series.dtype, pandas.CategoricalDtype):
        if _cells(series.cat.categories.tolist(), scrub) is not None:  # two of them may come out alike
            cells = pandas.Series([scrub(cell) for cell in series.tolist()], series.index, dtype="category")
    elif series.dtype.kind in _TEXTS:
        found = _cells(series.tolist(), scrub)
        cells = None if found is None else pandas.Series(found, series.index, dtype=series.dtype)
    if cells is None and index is series.index and name is series.name and attrs is series.attrs:
        return series
    copied = series.copy(deep=False) if cells is None else cells
    copied.index, copied.name, copied.attrs = index, name, attrs
    return copied


def _index(index: Any, scrub: Scrub) -> Any:
    pandas: Any = sys.modules["pandas"]
    names = list(index.names)
    cleaned_names = [scrub(name) for name in names]
    cells = _cells(index.tolist(), scrub) if index.dtype.kind in _TEXTS else None
    if cells is None:
        is_same = all(one is other for one, other in zip(names, cleaned_names, strict=True))
        return index if is_same else index.set_names(cleaned_names)
    if isinstance(index, pandas.MultiIndex):
        return pandas.MultiIndex.from_tuples(cells, names=cleaned_names)
    is_text = isinstance(index.dtype, pandas.CategoricalDtype)
    return pandas.Index(cells, dtype="category" if is_text else index.dtype, name=cleaned_names[0])


def _array(array: Any, scrub: Scrub) -> Any:
    numpy: Any = sys.modules["numpy"]
    if array.dtype.kind == "V" and array.dtype.names:
        parts = {name: _array(array[name], scrub) for name in array.dtype.names}
        if all(_is_alike(part, array[name]) for name, part in parts.items()):
            return array
        copied = array.copy()
        for name, part in parts.items():
            copied[name] = part  # cut to the width of the field
        return copied
    if array.dtype.kind not in _ARRAYS or not array.size:
        return array
    cells: list[Any] = array.ravel().tolist()
    cleaned = _cells(cells, scrub)
    if cleaned is None:
        return array
    flat = numpy.empty(len(cleaned), dtype=object)
    flat[:] = cleaned
    return (flat if array.dtype.kind == "O" else numpy.array(cleaned)).reshape(array.shape)


def _is_alike(one: Any, other: Any) -> bool:
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


def _arrow(table: Any, scrub: Scrub) -> Any:
    arrow: Any = sys.modules["pyarrow"]
    names, metadata = table.schema.names, table.schema.metadata
    cleaned = {at: _column(column, scrub) for at, column in enumerate(table.columns)}
    changed = {at: cells for at, cells in cleaned.items() if cells is not None}
    cleaned_names, cleaned_metadata = scrub(names), scrub(metadata)
    if not changed and cleaned_names is names and cleaned_metadata is metadata:
        return table
    columns = [
        arrow.array(changed[at], type=column.type) if at in changed else column
        for at, column in enumerate(table.columns)
    ]
    made = cast("Any", type(table))
    return made.from_arrays(columns, names=cleaned_names).replace_schema_metadata(cleaned_metadata)


def _column(column: Any, scrub: Scrub) -> list[Any] | None:
    is_text = "string" in str(column.type) or "binary" in str(column.type)
    return _cells(column.to_pylist(), scrub) if is_text else None
