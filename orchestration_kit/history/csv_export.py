"""Frames become CSV in which no cell is a formula: what a worker wrote must not run in somebody's spreadsheet.

A text cell that a spreadsheet could take for a formula gets an apostrophe in front (CWE-1236,
https://owasp.org/www-community/attacks/CSV_Injection). Numbers, times and truth values stay as they are.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.history.columns import clean

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(
    r"[\t\r\n]"  # a spreadsheet may drop them, and read what follows
    r"|[\s\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]"  # full-width signs count, too
)
_LINE_END = "\r\n"
"""As RFC 4180 has it. Python then quotes a cell that holds either character; with "\\n" alone, a carriage return
in a cell would begin a new row, and that row may be a formula."""


def write_csv(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a frame as CSV (UTF-8, a header, no row numbers) with formulas neutralised, wholly or not at all.

    >>> import tempfile
    >>> import pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_csv(pd.DataFrame({"said": ["=1+1"], "score": [0.5]}), f"{folder}/said.csv").read_text().split())
    ['said,score', "'=1+1,0.5"]

    Args:
        frame: Any DataFrame. A named index becomes columns, in front of the others.
        path: Where to write; an existing file is replaced.

    Raises:
        FileNotFoundError: there is no directory to write into.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"There is no directory {str(target.parent)!r} to write {target.name!r} into; make it first."
        )
    beside = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        with beside.open("x", encoding="utf-8", newline="") as file:
            neutral(frame).to_csv(file, index=False, lineterminator=_LINE_END)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return target


def to_csv_text(frame: pd.DataFrame) -> str:
    """Return what `write_csv` would write.

    >>> import pandas as pd
    >>> to_csv_text(pd.DataFrame({"=said": ["=1+1", "well"], "score": [-1.5, 2.0]})).splitlines()
    ["'=said,score", "'=1+1,-1.5", 'well,2.0']
    """
    return neutral(frame).to_csv(index=False, lineterminator=_LINE_END)


def neutral(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with an apostrophe in front of every cell and header that could be a formula."""
    import pandas as pd

    if not isinstance(frame.index, pd.RangeIndex) or frame.index.name is not None:
        frame = frame.reset_index(allow_duplicates=True)
    safe = [_column(frame.iloc[:, at]) for at in range(frame.shape[1])]
    headers = [_cell(_header(name)) for name in frame.columns]
    shown = pd.concat(safe, axis=1) if safe else frame
    return shown.set_axis(pd.Index(headers, dtype=object), axis=1)


def _column(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        texts = [_cell(name) for name in dtype.categories]
        codes = column.cat.codes
        return pd.Series([texts[code] if code >= 0 else None for code in codes], column.index, dtype=object)
    if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
        return pd.Series([_cell(value) for value in column], column.index, dtype=object)
    return column


def _cell(value: Any) -> Any:
    """Return a value that is safe in a spreadsheet: numbers and missing values as they are, the rest as text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if not isinstance(value, str):
        if _is_missing(value):
            return None
        value = str(value)
    text = clean(value)
    safe = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return f"'{safe}" if _FORMULA.match(text) else safe


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is pd.NA or value is pd.NaT


def _header(name: Any) -> Any:
    return " / ".join(map(str, cast("Any", name))) if isinstance(name, tuple) else name
