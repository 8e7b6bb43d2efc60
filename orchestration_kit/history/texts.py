"""Any value becomes a short text for a person: never long to make, never an error, no control characters."""

from __future__ import annotations

import dataclasses
import re
import reprlib
from functools import cache
from typing import Any, cast

from pydantic import BaseModel

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
PLAIN = "mathjax_ignore tex2jax_ignore"
"""Classes of an element whose text JupyterLab does not take for mathematics: `$x$` of a worker stays as it is."""
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
_UNPRINTABLE = re.compile(r"[^ -~]")


def short_text(value: Any, limit: int = 120) -> str:
    """Return the repr of a value, cut short; a table is named by its shape.

    Text keeps its quotes, so that `'1'` and `1` differ. Addresses are left out: they differ from run to run.

    >>> short_text({"a": 1, "b": "x" * 500}, 30)
    "{'a': 1, 'b': 'xxxxxxxxxxxxxx…"
    >>> short_text(object())
    '<object object>'
    """
    if value is None or value is True or value is False or (type(value) is int and abs(value) < 10**18):
        return str(value)
    if type(value) is float:
        return repr(value)
    if type(value) is str:
        return shorten(repr(value if len(value) <= limit else value[:limit] + "…"), limit)
    return shorten(one_line(_short(limit).repr(value), 4 * limit), limit)


def one_line(text: str, limit: int = 500) -> str:
    r"""Return text with everything that does not print as an escape, and cut short.

    >>> one_line("two\nlines \u202e")
    'two\\nlines \\u202e'
    """
    cut = shorten(text, limit)
    return cut if cut.isprintable() else _UNPRINTABLE.sub(_escaped, cut)


def shorten(text: str, limit: int) -> str:
    """Return `text`, or its beginning and an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + ELLIPSIS


def size_of(value: Any) -> int | None:
    """Return the characters, entries, bytes or rows of a value; None for what has no length."""
    try:
        size = len(value)
    except Exception:  # noqa: BLE001 - a user's object may raise anything
        return None
    return size if size < 2**63 else None


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


class _Short(reprlib.Repr):
    """A repr that stops early. Tables and arrays are named, models and dataclasses shown by their fields."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.maxlevel = 5
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = self.maxdeque = 12
        self.maxstring = self.maxother = limit
        self.maxlong = 40
        self.fillvalue = ELLIPSIS

    def repr1(self, x: Any, level: int) -> str:
        """The repr of a value `level` levels above the end."""
        kind = cast("type[Any]", type(x))
        if kind is str:
            return self.repr_str(x, level)
        if kind is float or x is None or kind is bool:
            return repr(x)
        try:
            if (shape := _shape(x)) is not None:
                return f"{type(x).__name__} {shape}"
            if isinstance(x, BaseModel):
                return self._fields(x, list(type(x).model_fields), level)
            if dataclasses.is_dataclass(x) and not isinstance(x, type):
                return self._fields(x, [field.name for field in dataclasses.fields(x)], level)
            return _ADDRESS.sub("", super().repr1(x, level))
        except Exception as error:  # noqa: BLE001 - a broken repr of a user's object must not cost the whole frame
            return f"<{type(x).__name__}: {type(error).__name__} in repr()>"

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        """A dict in its own order, where reprlib sorts."""
        if level <= 0 and x:
            return "{" + self.fillvalue + "}"
        shown = [f"{self.repr1(k, level - 1)}: {self.repr1(x[k], level - 1)}" for k in list(x)[: self.maxdict]]
        return "{" + ", ".join([*shown, *([self.fillvalue] if len(x) > self.maxdict else [])]) + "}"

    def repr_str(self, x: str, level: int) -> str:  # noqa: ARG002 - reprlib's signature
        """The beginning of a text, where reprlib cuts out the middle."""
        return repr(x if len(x) <= self.maxstring else x[: self.maxstring] + self.fillvalue)

    def _fields(self, x: Any, names: list[str], level: int) -> str:
        if level <= 0:
            return f"{type(x).__name__}({self.fillvalue})"
        shown = (f"{name}={self.repr1(getattr(x, name, None), level - 1)}" for name in names[: self.maxdict])
        return f"{type(x).__name__}({', '.join(shown)})"


@cache
def _short(limit: int) -> _Short:
    return _Short(limit)


def _shape(x: Any) -> str | None:
    """`3 x 4` for a table, `3 x 4 float64` for an array; None for anything else."""
    if type(x).__module__.partition(".")[0] not in ("pandas", "numpy", "polars", "pyarrow", "torch"):
        return None
    shape: Any = getattr(x, "shape", None)
    if not isinstance(shape, tuple) or not shape:
        return None
    sizes = " x ".join(str(size) for size in cast("tuple[int, ...]", shape))
    dtype = getattr(x, "dtype", None)
    return sizes if dtype is None else f"{sizes} {dtype}"


def a_type_of(value: object) -> str:
    """Return the name of a value's type with its article.

    >>> a_type_of(1), a_type_of("x")
    ('an int', 'a str')
    """
    name = type(value).__name__
    return f"an {name}" if name[:1] in "AEIOaeio" else f"a {name}"
