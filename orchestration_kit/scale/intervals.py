"""Intervals of differences: of two shares, paired or not, and of two means. Pure, and without scipy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from orchestration_kit.evaluation.summary import wilson_interval


class Interval(NamedTuple):
    """A difference, and the 95 % interval around it; None where nothing can be said."""

    value: float | None
    low: float | None
    high: float | None


NOTHING = Interval(None, None, None)


def difference_of_shares(a: float, b: float, *, of_a: float, of_b: float, correlation: float = 0.0) -> Interval:
    """Return b less a, with the interval of Newcombe, Stat. Med. 17 (1998), 873-890 (method 10) and 2635-2650 (paired).

    The Wilson intervals of both make that of the difference; it stays within -1 and 1 and says something after 0
    failures too. With the correlation of pairs it is what Zou and Donner, Stat. Med. 27 (2008), 1693-1702, recover.

    >>> [round(part, 3) for part in difference_of_shares(48 / 80, 56 / 70, of_a=80, of_b=70)]
    [0.2, 0.052, 0.334]

    Args:
        a: A share, from 0 to 1.
        b: The other.
        of_a: How many trials it is of.
        of_b: How many the other is of.
        correlation: Of the pairs, from -1 to 1; 0 where they are independent.
    """
    low_a, high_a = wilson_interval(a, of_a)
    low_b, high_b = wilson_interval(b, of_b)
    down = _side(b - low_b, high_a - a, correlation)
    up = _side(high_b - b, a - low_a, correlation)
    return Interval(b - a, max(-1.0, b - a - down), min(1.0, b - a + up))


def _side(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def difference_of_means(a: Sequence[float], b: Sequence[float]) -> Interval:
    """Return the mean of b less that of a, with Welch's interval (Biometrika 34 (1947), 28-35).

    >>> difference_of_means([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).value
    1.0
    """
    if not a or not b:
        return NOTHING
    value = math.fsum(b) / len(b) - math.fsum(a) / len(a)
    if len(a) < 2 or len(b) < 2:
        return Interval(value, None, None)
    parts = [(_variance(one) / len(one), len(one) - 1) for one in (a, b)]
    spread = sum(part for part, _ in parts)
    if spread == 0:
        return Interval(value, value, value)
    freedom = spread**2 / sum(part**2 / df for part, df in parts)
    half = student_t(freedom) * math.sqrt(spread)
    return Interval(value, value - half, value + half)


def mean_of_differences(differences: Sequence[float]) -> Interval:
    """Return the mean of paired differences with Student's interval."""
    if not differences:
        return NOTHING
    value = math.fsum(differences) / len(differences)
    if len(differences) < 2:
        return Interval(value, None, None)
    half = student_t(len(differences) - 1) * math.sqrt(_variance(differences) / len(differences))
    return Interval(value, value - half, value + half)


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Return Pearson's correlation of pairs; 0 where one of them does not vary."""
    mean_a, mean_b = math.fsum(a) / len(a), math.fsum(b) / len(b)
    spread = math.sqrt(math.fsum((x - mean_a) ** 2 for x in a) * math.fsum((y - mean_b) ** 2 for y in b))
    if spread == 0:
        return 0.0
    found = math.fsum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True)) / spread
    return max(-1.0, min(1.0, found))


def student_t(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t: Hill, Comm. ACM 13 (1970), 619 (algorithm 396).

    >>> [round(student_t(df), 2) for df in (1, 2, 10, 1e9)]
    [12.71, 4.3, 2.23, 1.96]
    """
    p = 0.05
    if freedom <= 1:
        return math.cos(p * math.pi / 2) / math.sin(p * math.pi / 2)
    if freedom == 2:
        return math.sqrt(2 / (p * (2 - p)) - 2)
    a = 1 / (freedom - 0.5)
    b = 48 / (a * a)
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * freedom
    x = d * p
    y = x ** (2 / freedom)
    if y > 0.05 + a:
        x = -1.9599639845400545
        y = x * x
        if freedom < 5:
            c += 0.3 * (freedom - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = (
            (1 / (((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3) + 0.5 / (freedom + 4)) * y
            - 1
        ) * (freedom + 1) / (freedom + 2) + 1 / y
    return math.sqrt(freedom * y)


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
