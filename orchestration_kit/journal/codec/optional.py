"""Finds the writers and readers of numpy, pandas and pyarrow; none of the three is imported before a value needs it."""

from __future__ import annotations

from typing import Any, cast

from orchestration_kit.journal.codec.reading import READERS, Reader
from orchestration_kit.journal.codec.writing import FINDERS, Write


def _find(value: Any) -> Write | None:
    """Return what writes a value of one of the three: whoever made it has imported the library."""
    library = cast("Any", type(value)).__module__.partition(".")[0]
    if library == "numpy":
        from orchestration_kit.journal.codec import arrays

        return arrays.find(value)
    if library == "pandas":
        from orchestration_kit.journal.codec import tables

        return tables.find(value)
    if library == "pyarrow":
        from orchestration_kit.journal.codec import arrow

        return arrow.find(value)
    return None


def _read_array(reader: Reader, payload: Any) -> Any:
    from orchestration_kit.journal.codec import arrays

    return arrays.read_array(reader, payload)


def _read_scalar(reader: Reader, payload: Any) -> Any:
    from orchestration_kit.journal.codec import arrays

    return arrays.read_scalar(reader, payload)


def _read_arrow(reader: Reader, payload: Any) -> Any:
    from orchestration_kit.journal.codec import arrow

    return arrow.read(reader, payload)


def _read_pandas(tag: str) -> Any:
    def read(reader: Reader, payload: Any) -> Any:
        from orchestration_kit.journal.codec import tables

        return tables.reader_of(tag)(reader, payload)

    return read


def install() -> None:
    """Make these kinds known to the writer and the reader."""
    FINDERS.append(_find)
    READERS.update({"$ndarray": _read_array, "$numpy": _read_scalar, "$arrow": _read_arrow})
    for tag in ("$dataframe", "$series", "$index", "$pandas_array", "$pandas"):
        READERS[tag] = _read_pandas(tag)
