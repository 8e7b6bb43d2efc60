"""Tools for agents that have no effect: a calculator that evaluates no code, the time, the length of a text."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from orchestration_kit.errors import OrchestrationError, listed

MAX_CHARS = 400
"""Characters of an expression."""
MAX_BITS = 4_096
"""Bits of a whole number: some 1,200 digits."""
MAX_DEPTH = 60
"""How deeply an expression may be nested."""

Number = int | float

_TOKENS = re.compile(
    r"(?:\s+|(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])|[A-Za-z]\w*|\*\*|//|[-+*/%(),])*", re.ASCII
)
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: operator.mod,
}
_CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "log10": math.log10,
    "max": max,
    "min": min,
    "round": round,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
_POSSIBLE = f"Possible are numbers, + - * / // % **, brackets, {listed(_CONSTANTS)} and {listed(_FUNCTIONS, 20)}."


class NotCalculable(OrchestrationError, ValueError):
    """An expression that the calculator does not know, or whose value is too large."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(expression, reason)
        self.expression, self.reason = expression, reason

    def __str__(self) -> str:
        shown = self.expression if len(self.expression) <= 80 else f"{self.expression[:77]}..."
        return f"{shown!r} cannot be calculated: {self.reason}. {_POSSIBLE}"


def calculate(expression: str) -> Number:
    """Calculate the value of an arithmetic expression, e.g. "3 * (2.5 + 4) ** 2" or "sqrt(2) / 2".

    Nothing is executed: the expression is taken apart, and a number is made of it, or an error.

    >>> calculate("3 * (2.5 + 4) ** 2"), calculate("max(2, 7) // 2")
    (126.75, 3)

    Raises:
        NotCalculable: it is no expression of numbers, or its value is too large.
    """
    expression = str(expression)
    if len(expression) > MAX_CHARS:
        raise NotCalculable(expression, f"it has {len(expression):,} characters, and {MAX_CHARS} are allowed")
    if (end := _known_until(expression)) < len(expression):
        hint = ", which is written ** here" if expression[end] == "^" else ""
        raise NotCalculable(expression, f"{expression[end : end + 12]!r} at character {end + 1} is not known{hint}")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        return _finite(expression, _value(expression, tree.body, MAX_DEPTH))
    except SyntaxError as error:
        raise NotCalculable(expression, f"it is not complete, or not in order ({error.msg})") from None
    except (ZeroDivisionError, OverflowError, ValueError, TypeError) as error:
        if isinstance(error, NotCalculable):
            raise
        raise NotCalculable(expression, str(error)) from None
    except (RecursionError, MemoryError):
        raise NotCalculable(expression, "it is nested too deeply") from None


def get_current_time(timezone: str = "UTC") -> str:
    """Return the date and the time now, in ISO 8601, in a time zone such as "UTC" or "Europe/Lisbon".

    >>> get_current_time().endswith("+00:00")
    True

    Raises:
        ValueError: no such time zone is known.
    """
    if timezone.upper() in ("UTC", "Z", "GMT"):
        return datetime.now(UTC).isoformat(timespec="seconds")
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(timezone)
    except (LookupError, ValueError, OSError):
        reason = f"The time zone {timezone[:60]!r} is not known. Name one such as 'UTC' or 'Europe/Lisbon'."
        raise ValueError(reason) from None
    return datetime.now(zone).isoformat(timespec="seconds")


def string_length(text: str) -> int:
    """Return how many characters (Unicode code points) a text has, spaces included.

    >>> string_length("Olá!")
    4
    """
    return len(text)


def _known_until(expression: str) -> int:
    """Return up to which character an expression is made of what may be in one."""
    found = _TOKENS.match(expression)
    return 0 if found is None else found.end()


def _value(expression: str, node: ast.expr, depth: int) -> Number:
    if depth == 0:
        raise NotCalculable(expression, f"it is nested more than {MAX_DEPTH} levels deep")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _finite(expression, number)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=inner):
            number = _value(expression, inner, depth - 1)
            return -number if isinstance(sign, ast.USub) else number
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _value(expression, left, depth - 1), _value(expression, right, depth - 1)
            return _finite(expression, _power(expression, base, exponent))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            numbers = _value(expression, left, depth - 1), _value(expression, right, depth - 1)
            return _finite(expression, _BINARY[type(op)](*numbers))
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _finite(expression, _FUNCTIONS[name](*[_value(expression, one, depth - 1) for one in args]))
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)):
            raise NotCalculable(expression, f"{name!r} is not known")
        case _:
            raise NotCalculable(expression, f"it holds {type(node).__name__}, which is no arithmetic")


def _power(expression: str, base: Number, exponent: Number) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
        raise NotCalculable(expression, "the power is too large")
    return base**exponent


def _finite(expression: str, value: Any) -> Number:
    if isinstance(value, complex):
        raise NotCalculable(expression, "its value is no real number")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise NotCalculable(expression, "its value is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise NotCalculable(expression, "its value is not finite")
    return value
