"""Counts become what is known of the probabilities behind them: a posterior, draws from it, and intervals.

Attempts that succeed or fail have a beta posterior, ways on a Dirichlet posterior. The prior adds half a failure to a
whole workflow, as Jeffreys' prior does to one step, and not to each step of it: a hundred steps that never failed would
otherwise be told to have failed fifty times. See `concentrations`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.needs import scipy_part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from orchestration_kit.reliability.counting import Counts

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the interval that holds it with probability `level`.

    >>> print(Estimate(0.8312, 0.79, 0.87))
    0.831 (95 %: 0.79 to 0.87)
    """

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        if self.low == self.value == self.high:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} ({100 * self.level:g} %: {self.low:.3g} to {self.high:.3g})"

    def __float__(self) -> float:
        return self.value


def estimate_of(
    draws: ArrayLike,
    *,
    value: float | None = None,
    level: float = 0.95,
    low: float | None = None,
    high: float | None = None,
) -> Estimate:
    """Return a figure with the interval that leaves as many draws below it as above it.

    Args:
        draws: The figure in each draw from the posterior; at least one.
        value: The figure itself; without it, the mean of the draws.
        level: Probability that the interval holds the figure.
        low: The lower end, where it is known: 0 where nothing ever succeeded.
        high: The upper end, where it is known: 1 where nothing ever failed.

    Raises:
        ValueError: no draws, or a level that is none.

    >>> estimate_of(range(101), level=0.9)
    Estimate(value=50.0, low=5.0, high=95.0, level=0.9)
    """
    import numpy as np

    drawn = np.asarray(draws, dtype=float)
    check_level(level)
    if not drawn.size:
        raise ValueError("There are no draws to make an interval of. Give at least one, better a thousand.")
    with np.errstate(invalid="ignore"):  # an infinite figure has an infinite interval
        ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    middle = float(drawn.mean()) if value is None else float(value)
    return Estimate(middle, float(ends[0]) if low is None else low, float(ends[1]) if high is None else high, level)


def check_level(level: float) -> None:
    """Raise `ValueError` unless a level is between 0 and 1."""
    if isinstance(level, bool) or not 0 < level < 1:
        raise ValueError(f"level={level!r:.40} is none: give the probability of the interval, such as 0.95.")


def interval_of_share(hits: ArrayLike, misses: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Return the intervals of shares, each by itself: those of Jeffreys' prior, elementwise.

    After no hit the lower end is 0, and after no miss the upper end is 1 (Brown, Cai and DasGupta, Interval estimation
    for a binomial proportion, Statistical Science 16, 2001, section 4.1.2).

    >>> low, high = interval_of_share([8, 10], [2, 0])
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.5, 0.78], [0.96, 1.0])

    Raises:
        ValueError: a level that is none.
    """
    import numpy as np

    check_level(level)
    good, bad = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(misses, dtype=float))
    inverse = scipy_part("special").betaincinv
    low = np.where(good > 0, inverse(good + 0.5, bad + 0.5, (1 - level) / 2), 0.0)
    high = np.where(bad > 0, inverse(good + 0.5, bad + 0.5, (1 + level) / 2), 1.0)
    return low, high


@dataclass(frozen=True, slots=True, eq=False)
class Concentrations:
    """Counts with what the prior adds to them: all there is to know of the posterior."""

    success: Array
    """(steps,) attempts that succeeded."""
    failure: Array
    """(steps,) attempts that failed; 0 of a step that cannot fail."""
    ways: Array
    """(ways,) visits that went on that way."""
    groups: Array
    """(ways,) which ways exclude one another: those of one step after one outcome have one number, from 0."""

    @property
    def means(self) -> tuple[Array, Array]:
        """The posterior means: (steps,) success of an attempt, (ways,) share of a way."""
        import numpy as np

        totals = np.bincount(self.groups, weights=self.ways) if self.ways.size else self.ways
        return self.success / (self.success + self.failure), self.ways / totals[self.groups]


def concentrations(counts: Counts) -> Concentrations:
    """Return the posterior of the probabilities of a chain.

    What a chain chooses are the outcome of an attempt at each step, and the way on of a visit where there are several.
    Each choice that runs came to gets 1/K of a visit, spread evenly over what may be chosen, with K such choices: for
    a workflow of one step this is Jeffreys' prior, and for m ways alone the 1/m of Berger, Bernardo and Sun (Overall
    objective priors, Bayesian Analysis 10, 2015). Choices that no run came to get a whole visit: what is known of them
    is nothing. Where failures are rare, the failures of a run are about Poisson with a gamma posterior of concentration
    F + 1/2 after F failures, whatever the number of steps, and that is Jeffreys' posterior of a Poisson mean.
    """
    import numpy as np

    success, failure = np.asarray(counts.success, dtype=float), np.asarray(counts.failure, dtype=float)
    order: dict[tuple[str, bool], int] = {}
    groups = np.array(
        [order.setdefault((way.source, way.succeeded), len(order)) for way in counts.ways], dtype=np.int64
    )
    ways = np.array([way.count for way in counts.ways], dtype=float)
    size, seen = np.bincount(groups), np.bincount(groups, weights=ways)
    certain = np.array(counts.certain, dtype=bool) & (failure == 0)
    tried = (success + failure > 0) & ~certain
    chosen = (seen > 0) & (size > 1)
    shared = 1 / max(int(tried.sum() + chosen.sum()), 1)
    more = np.where(certain, 0.0, np.where(tried, shared, 1.0) / 2)
    more_ways = np.where(chosen, shared, 1.0) / np.maximum(size, 1)
    success = success + np.where(certain, 1.0, more)
    return Concentrations(success, failure + more, ways + more_ways[groups], groups)


def draw(counts: Counts, n: int = 1000, *, seed: int = 0) -> tuple[Array, Array]:
    """Draw probabilities from their posterior.

    Args:
        counts: What was observed.
        n: How many draws; 1,000 of a chain of 100 steps and 300 ways take some hundredths of a second.
        seed: The same seed draws the same.

    Returns:
        The success of an attempt, (n, steps), and the share of each way, (n, ways): those of one step after one
        outcome sum to 1 in each draw. Columns are in the order of `counts.steps` and `counts.ways`.
    """
    import numpy as np

    known = concentrations(counts)
    random = np.random.default_rng(seed)
    open_ = known.failure > 0
    success = np.ones((n, len(known.success)))
    success[:, open_] = random.beta(known.success[open_], known.failure[open_], size=(n, int(open_.sum())))
    if not known.groups.size:
        return success, np.zeros((n, 0))
    order = np.argsort(known.groups, kind="stable")
    first = np.flatnonzero(np.diff(known.groups[order], prepend=-1))
    weights = random.standard_gamma(known.ways[order], size=(n, len(order)))
    totals = np.add.reduceat(weights, first, axis=1)[:, known.groups[order]]
    ways = np.empty_like(weights)
    ways[:, order] = weights / np.maximum(totals, math.ulp(0.0))
    return success, ways
