"""Are two values the same data, and where do they part? Never raises, whatever the values are.

Unlike `==`: NaN equals NaN, `1` differs from `True` and from `1.0` (the types differ), arrays and tables are
compared as a whole, and an object whose `==` raises or gives no truth counts as different.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple, cast

from pydantic import BaseModel

from orchestration_kit.engine.values import ATOMS
from orchestration_kit.history.texts import ELLIPSIS, short_text

_MAX_DEPTH = 220
"""A little over the depth that a value on record may have."""
_WINDOW = 60
"""Characters shown around the place where two long texts part."""
_ABSENT: Any = object()

Place = tuple[Any, ...]
"""The keys that lead to a part."""
Parting = tuple[Place, Any, Any]
"""A place, and what is there in A and in B."""


class Difference(NamedTuple):
    """One place where two values part.

    >>> print(Difference("output['items'][3]", "'pear'", "absent"))
    output['items'][3]: 'pear' | absent
    """

    where: str
    """For example `output['items'][3]`."""
    a: str
    """Short text of what is there in A; "absent" where nothing is."""
    b: str

    def __str__(self) -> str:
        return f"{self.where}: {self.a} | {self.b}"


def same_value(a: Any, b: Any) -> bool:
    """Whether two values are the same data.

    >>> same_value({"x": [float("nan")]}, {"x": [float("nan")]}), same_value(1, True)
    (True, False)
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) is str or type(a) is int:
        return a == b
    return not differences("", a, b, limit=1)


def differences(where: str, a: Any, b: Any, *, limit: int = 5) -> list[Difference]:
    """Return the first `limit` places where two values part.

    >>> differences("output", {"ok": True, "n": [1, 2]}, {"ok": False, "n": [1, 3]})
    [Difference(where="output['ok']", a='True', b='False'), Difference(where="output['n'][1]", a='2', b='3')]
    """
    try:
        found = list(islice(_Walk().partings((), a, b), limit))
    except Exception:  # noqa: BLE001 - a user's mapping, key or attribute may raise anything: then they differ
        found = [((), a, b)]
    return [Difference(where + "".join(map(_part, place)), *_texts(one, other)) for place, one, other in found]


class _Field(str):
    """The name of a field, as opposed to a key."""

    __slots__ = ()


class _Walk:
    """One comparison. Remembers the pairs it has met, so that objects that hold one another come to an end."""

    __slots__ = ("met",)

    def __init__(self) -> None:
        self.met: set[tuple[int, int]] = set()

    def partings(self, place: Place, a: Any, b: Any) -> Iterator[Parting]:
        """Yield each place where `a` and `b` part."""
        if a is b:
            return
        if type(a) is not type(b) or len(place) > _MAX_DEPTH:
            yield place, a, b
        elif type(a) in ATOMS:
            if not _equal(a, b):
                yield place, a, b
        elif (id(a), id(b)) not in self.met:
            self.met.add((id(a), id(b)))
            parts = _parts(a)
            if parts is not None:
                yield from self.of_parts(place, parts, _parts(b) or {})
            elif not _equal(a, b):
                yield place, a, b

    def of_parts(self, place: Place, a: dict[Any, Any], b: dict[Any, Any]) -> Iterator[Parting]:
        """Yield each place where the parts of two values part."""
        for key, one in a.items():
            other = b.get(key, _ABSENT)
            if one is not other and not (type(one) is str is type(other) and one == other):
                yield from self.partings((*place, key), one, other)
        for key, other in b.items():
            if key not in a:
                yield (*place, key), _ABSENT, other


def _parts(value: Any) -> dict[Any, Any] | None:
    """The parts of a container, a model, a dataclass or an object without an `==` of its own, by key."""
    kind = cast("type[Any]", type(value))
    if kind is dict:
        return cast("dict[Any, Any]", value)
    if isinstance(value, (list, tuple, deque)):
        return dict(enumerate(cast("list[Any]", value)))
    if isinstance(value, BaseModel):
        return _fields(vars(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields({field.name: getattr(value, field.name, _ABSENT) for field in dataclasses.fields(value)})
    if isinstance(value, dict):
        return dict(cast("dict[Any, Any]", value).items())
    if kind.__eq__ is object.__eq__:
        return _fields(getattr(value, "__dict__", None) or {}) or None
    return None


def _fields(values: dict[str, Any]) -> dict[Any, Any]:
    return {_Field(name): part for name, part in values.items()}


def _part(key: Any) -> str:
    return f".{key}" if isinstance(key, _Field) else f"[{short_text(key, 60)}]"


def _equal(a: Any, b: Any) -> bool:
    """Whether two values of one type say that they are equal, in whichever way they can."""
    try:
        home = type(a).__module__.partition(".")[0]
        if home == "pandas" and hasattr(a, "equals"):
            return bool(a.equals(b)) and str(getattr(a, "dtypes", "")) == str(getattr(b, "dtypes", ""))
        if home == "numpy" and hasattr(a, "dtype"):
            return _same_array(a, b)
        answer = a == b
        if answer is False:
            return bool(a != a and b != b)  # noqa: PLR0124 - NaN
        return answer is True or bool(answer.all())
    except Exception:  # noqa: BLE001 - what cannot say that it is equal is not
        return False


def _same_array(a: Any, b: Any) -> bool:
    import numpy as np

    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind == "O":
        return all(same_value(one, other) for one, other in zip(a.ravel(), b.ravel(), strict=True))
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM"))


def _texts(a: Any, b: Any) -> tuple[str, str]:
    if type(a) is str is type(b) and max(len(a), len(b)) > _WINDOW:
        pairs = enumerate(zip(a, b, strict=False))
        at = next((i for i, (one, other) in pairs if one != other), min(len(a), len(b)))
        return _window(a, at), _window(b, at)
    one, other = _text(a), _text(b)
    if one != other:
        return one, other
    if type(a) is not type(b):
        return f"{one} ({type(a).__qualname__})", f"{other} ({type(b).__qualname__})"
    return one, f"{other} (not equal)"


def _text(value: Any) -> str:
    return "absent" if value is _ABSENT else short_text(value)


def _window(text: str, at: int) -> str:
    """The part of a long text around the place where it parts from another."""
    start = max(0, at - _WINDOW // 3)
    before, after = (ELLIPSIS if start else ""), (ELLIPSIS if start + _WINDOW < len(text) else "")
    return f"{before}{text[start : start + _WINDOW]!r}{after}"
