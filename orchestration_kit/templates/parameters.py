"""A template's parameters, checked: what was wrong, what is possible, what to write."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from orchestration_kit.definition.conditions import compile_condition
from orchestration_kit.errors import did_you_mean


def whole(parameter: str, value: Any, *, least: int = 1) -> int:
    """Return a whole number that is large enough.

    Raises:
        ValueError: it is too small.
        TypeError: it is no whole number.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{parameter} is a whole number, not {value!r:.60}.")
    if value < least:
        raise ValueError(f"{parameter}={value}: at least {least} is needed.")
    return value


def number(parameter: str, value: Any, *, least: float = -math.inf, most: float = math.inf) -> float:
    """Return a finite number within bounds.

    Raises:
        ValueError: it is out of bounds, or not finite.
        TypeError: it is no number.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{parameter} is a number, not {value!r:.60}.")
    if not (math.isfinite(value) and least <= value <= most):
        bounds = "a finite number" if math.isinf(least) and math.isinf(most) else f"from {least:g} to {most:g}"
        raise ValueError(f"{parameter}={value!r:.60}: it is {bounds}.")
    return value


def choice(parameter: str, value: object, options: Iterable[str]) -> None:
    """See that a value is one of the options.

    Raises:
        ValueError: it is none of them; the nearest is named.
    """
    known = list(options)
    if value not in known:
        near = did_you_mean(value, known) if isinstance(value, str) else ""
        raise ValueError(f"{parameter} is one of {', '.join(map(repr, known))}, not {value!r:.60}.{near}")


def votes(parameter: str, value: Any, n: int) -> int:
    """Return how many of `n` votes are meant: a whole number counts them, a fraction is a share, rounded up.

    >>> votes("threshold", 3, 5), votes("threshold", 0.5, 5), votes("threshold", 1.0, 5)
    (3, 3, 5)

    Raises:
        ValueError: more votes than there are, or none.
    """
    if isinstance(value, float):
        share = number(parameter, value, least=0, most=1)
        if share == 0:
            raise ValueError(f"{parameter}=0.0: a share is over 0, up to 1.0 for all.")
        return math.ceil(share * n - 1e-9)
    if whole(parameter, value) > n:
        raise ValueError(
            f"{parameter}={value}: there are only {n} votes. A whole number counts votes; a share of them is a "
            f"fraction, e.g. {parameter}=0.6."
        )
    return value


def condition(parameter: str, value: Any) -> Any:
    """Return a condition: CEL text that parses, or a callable.

    Raises:
        ConditionSyntaxError: (a ValueError) the text is no condition.
        TypeError: it is neither text nor callable.
    """
    if not isinstance(value, str) and not callable(value):
        raise TypeError(
            f"{parameter} is a condition, not {value!r:.60}. Write CEL, e.g. 'output.score >= 0.8', or a callable "
            "(output, context) -> bool."
        )
    compile_condition(value)
    return value


def quoted(text: str) -> str:
    r"""Return text as a literal for a condition.

    >>> quoted('say "hi"')
    '"say \\"hi\\""'
    """
    return json.dumps(text, ensure_ascii=False)
