"""How likely branches and items succeed by themselves becomes how likely their join does, and what all of it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from orchestration_kit.reliability.chain import Took


@dataclass(frozen=True, slots=True)
class Branched:
    """One branch by itself."""

    success: float
    """Probability that it completes, once it is activated."""
    took: Took
    """What it takes on average."""
    activated: float = 1.0
    """Probability that it is."""


def join_success(branches: list[Branched], join: Any, failure: str) -> float:
    """Return the probability that a join succeeds, where branches succeed independently of one another.

    That N of several succeed is a Poisson binomial distribution: each branch has a probability of its own.

    >>> three = [Branched(0.9, Took())] * 3
    >>> [round(join_success(three, join, "fail_fast"), 4) for join in ("all", 2, "any")]
    [0.729, 0.972, 0.999]

    Args:
        branches: The branches; or for each item of a map, the same.
        join: `all`, `any`, or how many have to succeed.
        failure: As the step has it: with `continue`, `all` is content with one that succeeds.
    """
    if join == "all" and failure != "continue":
        return math.prod(1 - one.activated * (1 - one.success) for one in branches)
    if join == "all":
        none_opened = math.prod(1 - one.activated for one in branches)
        return 1 - math.prod(1 - one.activated * one.success for one in branches) + none_opened
    need = 1 if join == "any" else int(join)
    counts = [1.0] + [0.0] * need
    """Probabilities that 0, 1, ... have succeeded; the last one: that at least as many as needed have."""
    for one in branches:
        p = one.activated * one.success
        counts[need] += counts[need - 1] * p
        for at in range(need - 1, 0, -1):
            counts[at] += (counts[at - 1] - counts[at]) * p
        counts[0] *= 1 - p
    return min(counts[need], 1.0)


def join_took(branches: list[Branched], join: Any, at_once: int | None) -> Took:
    """Return what branches and their join take on average.

    Tokens and USD are those of all of them, as if none was cancelled when the join was decided. The mean of the last of
    several times hangs on how they spread, which is not known: told is the longest of the means, where N have to
    succeed the N-th, and as many rounds of it as it takes with so many at once.
    """
    if not branches:
        return Took()
    times = sorted(one.took.time_s * one.activated for one in branches)
    need = len(times) if join == "all" else min(1 if join == "any" else int(join), len(times))
    rounds = 1 if at_once is None else math.ceil(len(branches) / at_once)
    return Took(
        time_s=times[need - 1] * rounds,
        tokens=sum(one.activated * one.took.tokens for one in branches),
        cost_usd=sum(one.activated * one.took.cost_usd for one in branches),
    )
