"""What CEL's operators and functions give, for plain data: nothing is turned into another kind unasked."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from orchestration_kit.definition.plain_cel_literals import UInt

_INT64 = (-(2**63), 2**63)
_UINT64 = (0, 2**64)
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_BROKEN = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE
)


def no_overload(name: str, *values: Any) -> TypeError:
    """Return the error for values that an operator or a function does not take."""
    kinds = " and ".join(kind_of(value) for value in values)
    return TypeError(f"{name} does not take {kinds}: CEL turns nothing into another kind unasked")


def kind_of(value: Any) -> str:
    """Return what CEL calls the kind of a value.

    >>> kind_of(UInt(3)), kind_of(True), kind_of({})
    ('uint', 'bool', 'map')
    """
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return type(value).__name__


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "bool"), (UInt, "uint"), (int, "int"), (float, "double"), (str, "string"), (bytes, "bytes"), (list, "list"),
    (dict, "map"), (type(None), "null"), (datetime, "timestamp"), (timedelta, "duration"),
)  # fmt: skip
_NUMBERS = frozenset({"int", "uint", "double"})
_ORDERED = frozenset({"string", "bytes", "bool", "timestamp", "duration"})


def truth(value: Any) -> bool:
    """Return a value that has to be true or false."""
    if value is True or value is False:
        return value
    raise no_overload("a condition", value)


def equals(one: Any, other: Any) -> bool:
    """Whether two values are equal; of different kinds only numbers can be.

    >>> equals(1, 1.0), equals(1, True), equals([1], [1.0])
    (True, False, True)
    """
    kind, against = kind_of(one), kind_of(other)
    if kind in _NUMBERS and against in _NUMBERS:
        return float(one) == float(other) if "double" in (kind, against) else one == other
    if kind != against:
        return False
    if kind == "list":
        return len(one) == len(other) and all(map(equals, one, other))
    if kind == "map":
        return one.keys() == other.keys() and all(equals(value, other[key]) for key, value in one.items())
    return bool(one == other)


def _compare(symbol: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(one: Any, other: Any) -> bool:
        kind, against = kind_of(one), kind_of(other)
        if kind in _NUMBERS and against in _NUMBERS:
            return compare(float(one), float(other)) if "double" in (kind, against) else compare(one, other)
        if kind != against or kind not in _ORDERED:
            raise no_overload(symbol, one, other)
        return compare(one, other)

    return ordered


def is_in(one: Any, other: Any) -> bool:
    """Whether a list holds a value, or a mapping a key."""
    if isinstance(other, list):
        return any(equals(one, found) for found in cast("list[Any]", other))
    if isinstance(other, dict) and isinstance(one, (str, int)):
        return isinstance(one, str) and one in other
    raise no_overload("in", one, other)


def item(value: Any, index: Any) -> Any:
    """Return an item of a list, or an entry of a mapping."""
    if isinstance(value, dict):
        if isinstance(index, (str, int)):
            return cast("dict[Any, Any]", value)[index if isinstance(index, str) else str(index)]
    elif isinstance(value, list) and isinstance(index, int) and not isinstance(index, bool):
        items = cast("list[Any]", value)
        if not 0 <= index < len(items):
            raise IndexError(f"index out of bounds: {index}")
        return items[index]
    raise no_overload("[...]", value, index)


def entry(value: Any, name: str) -> Any:
    """Return an entry of a mapping."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)[name]
    raise no_overload(f".{name}", value)


def negate(value: Any) -> Any:
    """Return the negative of a number; the library takes a truth too, so this does."""
    if isinstance(value, bool):
        return not value
    if kind_of(value) == "double":
        return -value
    if kind_of(value) == "int":
        return _fitting(-value, value)
    raise no_overload("-", value)


def _fitting(result: int, like: Any) -> int:
    least, end = _UINT64 if isinstance(like, UInt) else _INT64
    if not least <= result < end:
        raise OverflowError("the result is over 64 bits")
    return UInt(result) if isinstance(like, UInt) else result


def _arithmetic(symbol: str, work_out: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def calculate(one: Any, other: Any) -> Any:
        kind = kind_of(one)
        if kind != kind_of(other):
            raise no_overload(symbol, one, other)
        if kind in ("int", "uint"):
            return _fitting(work_out(int(one), int(other)), one)
        if kind == "double" and symbol != "%":
            return _divided(one, other) if symbol == "/" else work_out(one, other)
        if symbol == "+" and kind in ("string", "list", "bytes"):
            return one + other
        raise no_overload(symbol, one, other)

    return calculate


def _divided(one: float, other: float) -> float:
    if other:
        return one / other
    if not one or math.isnan(one) or math.isnan(other):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1.0, other)


def _quotient(one: int, other: int) -> int:
    """Towards zero, where Python goes down."""
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _rest(one: int, other: int) -> int:
    return one - other * _quotient(one, other)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": equals,
    "!=": lambda one, other: not equals(one, other),
    "in": is_in,
    "<": _compare("<", operator.lt),
    "<=": _compare("<=", operator.le),
    ">": _compare(">", operator.gt),
    ">=": _compare(">=", operator.ge),
    "+": _arithmetic("+", operator.add),
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", _quotient),
    "%": _arithmetic("%", _rest),
}


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())  # the library counts bytes
    if isinstance(value, (bytes, list, dict)):
        return len(cast("Any", value))
    raise no_overload("size", value)


def _to_whole(name: str, like: type[int]) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        kind = kind_of(value)
        if kind == "string" and not (_WHOLE.fullmatch(value) and (like is int or value[0] != "-")):
            raise ValueError(f"{name}: {value!r:.40} is no whole number")
        if kind not in ("int", "uint", "double", "string"):
            raise no_overload(name, value)
        if kind == "double" and not math.isfinite(value):
            raise OverflowError(f"{name}: {value} is no whole number")
        return _fitting(int(value), like())

    return convert


def _to_double(value: Any) -> float:
    kind = kind_of(value)
    if kind == "string" and not _BROKEN.fullmatch(value):
        raise ValueError(f"double: {value!r:.40} is no number")
    if kind not in ("int", "uint", "double", "string"):
        raise no_overload("double", value)
    return float(value)


def _to_string(value: Any) -> str:
    kind = kind_of(value)
    if kind == "double":
        if math.isfinite(value):
            return format(Decimal(repr(value)), "f").removesuffix(".0")
        return "NaN" if math.isnan(value) else str(value)
    if kind == "bytes":
        return cast("bytes", value).decode("utf-8", "replace")
    if kind not in ("int", "uint", "string"):
        raise no_overload("string", value)
    return str(value)


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    raise no_overload("bytes", value)


def _of_text(name: str, ask: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def asked(value: Any, part: Any) -> bool:
        if isinstance(value, str) and isinstance(part, str):
            return ask(value, part)
        raise no_overload(name, value, part)

    return asked


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "size": _size,
    "int": _to_whole("int", int),
    "uint": _to_whole("uint", UInt),
    "double": _to_double,
    "string": _to_string,
    "bytes": _to_bytes,
    "dyn": lambda value: value,
}
METHODS: dict[tuple[str, int], Callable[..., Any]] = {
    ("size", 0): _size,
    ("contains", 1): _of_text("contains", operator.contains),
    ("startsWith", 1): _of_text("startsWith", str.startswith),
    ("endsWith", 1): _of_text("endsWith", str.endswith),
}
"""By name, and how many arguments they take."""
