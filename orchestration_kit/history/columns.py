"""Values become typed pandas columns, a part at a time, so that a million rows cost little time and memory.

Every column can be written to Parquet and read back with its dtype (of a category without any value, Parquet keeps
no categories): text that UTF-8 cannot carry (lone surrogates, which a worker may well return) is replaced, and a
number that does not fit is missing rather than an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_800
"""The years 1 to 9999, in seconds since the epoch: what Python's datetime holds."""


class Categories:
    """Builds a categorical column of text; None is missing. Categories: `known`, then the rest as they come."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._order = {name: at for at, name in enumerate(known)}
        self._codes: dict[Any, int] = {None: -1}
        self._parts: list[Array] = []

    def add(self, values: Collection[Any]) -> None:
        """Append values."""
        import numpy as np

        try:
            codes = np.fromiter(map(self._codes.__getitem__, values), np.int32, len(values))
        except KeyError:
            for value in dict.fromkeys(values):
                if value not in self._codes:
                    self._codes[value] = self._order.setdefault(clean(value), len(self._order))
            codes = np.fromiter(map(self._codes.__getitem__, values), np.int32, len(values))
        except TypeError:  # something unhashable
            self.add([None if value is None else clean(value) for value in values])
            return
        self._parts.append(codes)

    def add_codes(self, codes: Array) -> None:
        """Append places in the known categories; -1 is missing."""
        self._parts.append(codes)

    def skip(self, count: int) -> None:
        """Append missing values."""
        import numpy as np

        self._parts.append(np.full(count, -1, np.int32))

    def column(self) -> pd.Categorical:
        """Return what was built."""
        import pandas as pd

        # No name at all and dtype "str": before pandas 3 that is object, and comes back from Parquet as no category.
        names = pd.Index(list(self._order), dtype="str" if self._order else "string")
        return pd.Categorical.from_codes(_joined(self._parts, "i4"), names, validate=False)


class Integers:
    """Builds a column of nullable integers; what is no 64-bit integer is missing."""

    def __init__(self) -> None:
        self._parts: list[Array] = []
        self._missing: list[Array] = []

    def add(self, values: Collection[Any]) -> None:
        """Append values."""
        import numpy as np

        try:
            data = np.fromiter(values, np.int64, len(values))
            missing = np.zeros(len(values), bool)
        except (TypeError, ValueError, OverflowError):
            whole = [_whole(value) for value in values]
            data = np.fromiter((value or 0 for value in whole), np.int64, len(whole))
            missing = ~present(whole)
        self._parts.append(data)
        self._missing.append(missing)

    def skip(self, count: int) -> None:
        """Append missing values."""
        import numpy as np

        self._parts.append(np.zeros(count, np.int64))
        self._missing.append(np.ones(count, bool))

    def column(self) -> pd.api.extensions.ExtensionArray:
        """Return what was built."""
        import pandas as pd

        return pd.arrays.IntegerArray(_joined(self._parts, "i8"), _joined(self._missing, "?"))


class Floats:
    """Builds a column of numbers; what is missing, or no number, is NaN."""

    def __init__(self) -> None:
        self._parts: list[Array] = []

    def add(self, values: Collection[Any]) -> None:
        """Append values."""
        import numpy as np

        try:
            self._parts.append(np.fromiter(values, np.float64, len(values)))
        except (TypeError, ValueError, OverflowError):
            self._parts.append(np.fromiter((_real(value) for value in values), np.float64, len(values)))

    def skip(self, count: int) -> None:
        """Append missing values."""
        import numpy as np

        self._parts.append(np.full(count, np.nan))

    def column(self) -> Array:
        """Return what was built."""
        return _joined(self._parts, "f8")

    def nullable(self) -> pd.api.extensions.ExtensionArray:
        """Return what was built as nullable floats: NaN is missing, infinity stays."""
        import numpy as np
        import pandas as pd

        data = self.column()
        return pd.arrays.FloatingArray(data, np.isnan(data))

    def moments(self) -> pd.DatetimeIndex:
        """Return what was built, seconds since the epoch, as UTC timestamps; what is no time is missing.

        Rounded as `datetime.fromtimestamp` does, so that a frame and a history entry agree to the microsecond.
        """
        import numpy as np
        import pandas as pd

        seconds = self.column()
        fits = (seconds >= _FIRST_S) & (seconds < _LAST_S)
        fraction, whole = np.modf(np.where(fits, seconds, 0.0))
        ticks = whole.astype(np.int64) * 1_000_000 + np.rint(fraction * 1e6).astype(np.int64)
        stamps = ticks.view("M8[us]")
        stamps[~fits] = np.datetime64("NaT", "us")
        return pd.DatetimeIndex(stamps).tz_localize("UTC")


def category(values: Collection[Any], known: Iterable[str] = ()) -> pd.Categorical:
    """Return a categorical column of text; None is missing. Categories: `known`, then the rest as they come.

    >>> category(["b", None, "b"], known=["a", "b"]).codes.tolist()
    [1, -1, 1]
    """
    build = Categories(known)
    build.add(values)
    return build.column()


def text(values: Sequence[str | None]) -> pd.api.extensions.ExtensionArray:
    """Return a text column; None is missing."""
    import numpy as np
    import pandas as pd

    safe = (value if value is None or value.isascii() else clean(value) for value in values)
    return pd.array(np.fromiter(safe, object, len(values)), dtype="string")


def integers(values: Collection[Any]) -> pd.api.extensions.ExtensionArray:
    """Return a column of nullable integers; what is no 64-bit integer is missing.

    >>> integers([1, None, 2**70])
    <IntegerArray>
    [1, <NA>, <NA>]
    Length: 3, dtype: Int64
    """
    build = Integers()
    build.add(values)
    return build.column()


def floats(values: Collection[Any]) -> Floats:
    """Return numbers, to be taken as `.column()`, `.nullable()` or `.moments()`.

    >>> str(floats([0.5, None]).moments()[0])
    '1970-01-01 00:00:00.500000+00:00'
    """
    build = Floats()
    build.add(values)
    return build


def booleans(values: Array, missing: Array | None = None) -> pd.arrays.BooleanArray:
    """Return a column of nullable booleans."""
    import numpy as np
    import pandas as pd

    return pd.arrays.BooleanArray(values, np.zeros(len(values), bool) if missing is None else missing)


def present(values: Collection[Any]) -> Array:
    """Return for each value whether it is there: not None."""
    import numpy as np

    return np.fromiter((value is not None for value in values), bool, len(values))


def clean(value: Any) -> str:
    r"""Return text that UTF-8 can carry: lone surrogates are replaced.

    >>> ascii(clean("a\ud800b"))
    "'a\\ufffdb'"
    """
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value if isinstance(value, str) else str(value))


def _joined(parts: list[Array], dtype: str) -> Array:
    import numpy as np

    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _whole(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -(2**63) <= number < 2**63 else None


def _real(value: Any) -> float:
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
