"""Repeats of goals become how much goals differ in difficulty, and with it pass@k and pass^k.

Where some goals are easy and some are hard, a second run of a goal that went well goes well more often than the first
one did. So k runs in a row succeed more often than p^k, and one of k runs less often than 1 - (1 - p)^k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import counted
from orchestration_kit.reliability.needs import scipy_part
from orchestration_kit.reliability.overdispersion import Tails, power_mean
from orchestration_kit.reliability.posterior import Estimate, check_level

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class Frailty:
    """How likely a goal succeeds, goals being different: a beta distribution of its probability, fitted to repeats.

    `mean` is the success of a goal picked at random, `correlation` that of two runs of one goal: 0 where all goals are
    alike, 1 where a goal succeeds always or never.

    >>> goals = beta_binomial(successes=[5, 5, 0, 1], trials=[5, 5, 5, 5])
    >>> round(goals.mean, 2), round(goals.correlation, 2)
    (0.6, 0.77)
    >>> print(goals.words)
    20 runs of 4 goals: goals differ in difficulty; success varies by 0.43 around 0.60 from goal to goal (p < 0.001).
    """

    mean: float
    correlation: float
    successes: tuple[int, ...]
    """Runs that succeeded, by goal."""
    trials: tuple[int, ...]
    """Runs, by goal."""
    log_likelihood_gain: float
    """How much more likely (log) the repeats are than if all goals were alike."""

    @property
    def alpha(self) -> float:
        """The first parameter of the beta distribution; infinite where goals do not differ."""
        return self.mean * (1 - self.correlation) / self.correlation if self.correlation else math.inf

    @property
    def beta(self) -> float:
        """Its second parameter."""
        return (1 - self.mean) * (1 - self.correlation) / self.correlation if self.correlation else math.inf

    @property
    def spread(self) -> float:
        """Standard deviation of the success of goals: sqrt(mean (1 - mean) correlation)."""
        return math.sqrt(self.mean * (1 - self.mean) * self.correlation)

    @property
    def statistic(self) -> float:
        """The likelihood ratio against goals that are all alike: twice the gain in log-likelihood."""
        return 2 * self.log_likelihood_gain

    @property
    def p_value(self) -> float:
        """How often goals that are all alike would look as different as this.

        No difference is at the edge of what is possible, so half of a chi-square distribution with one degree of
        freedom (Self and Liang, J. Am. Stat. Assoc. 82, 1987, case 5).
        """
        return math.erfc(math.sqrt(self.log_likelihood_gain)) / 2 if self.log_likelihood_gain > 0 else 1.0

    @property
    def is_informed(self) -> bool:
        """Whether the repeats can tell at all: of several goals, one ran twice, and not all runs came to the same."""
        return len(self.trials) > 1 < max(self.trials) and 0 < sum(self.successes) < sum(self.trials)

    def __repr__(self) -> str:
        return f"<Frailty: {self.words}>"

    @property
    def words(self) -> str:
        """What the repeats say, in a sentence or two."""
        runs = f"{counted(sum(self.trials), 'run')} of {counted(len(self.trials), 'goal')}"
        if max(self.trials) < 2:
            return f"{runs}: each goal ran once, so nothing tells whether goals differ. Repeat them to know pass^k."
        if len(self.trials) == 1:
            return f"{runs}: a single goal, so nothing tells whether goals differ."
        if not self.is_informed:
            how = "succeeded" if self.successes[0] else "failed"
            return f"{runs}: all {how}, so nothing tells whether goals differ."
        sure = "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.3f}"
        if not self.correlation:
            return f"{runs}: no sign that goals differ in difficulty ({sure}); they are taken to be alike."
        wide = f"success varies by {self.spread:.2f} around {self.mean:.2f} from goal to goal ({sure})"
        if self.p_value < 0.05:
            return f"{runs}: goals differ in difficulty; {wide}."
        return f"{runs}: goals may differ in difficulty, or by chance; {wide}."

    def pass_hat(self, k: int, *, level: float = 0.95) -> Estimate:
        """Return the probability that k runs of one goal all succeed: E[p^k] (tau-bench, arXiv:2406.12045).

        The interval is of the profile likelihood: it holds what follows from any mean and correlation that the repeats
        do not rule out. After no repeats it is wide, as it then allows for goals of every kind.

        Raises:
            ValueError: k is less than 1, or the level is none.

        >>> goals = beta_binomial([5, 5, 4, 0, 1, 5], [5, 5, 5, 5, 5, 5])
        >>> print(goals.pass_hat(3), round(goals.mean**3, 3))
        0.552 (95 %: 0.219 to 0.862) 0.3
        """
        check_k(k)
        ends = power_mean(*self._region(level), k)
        value = float(power_mean(self.mean, self.correlation, k))
        return Estimate(value, min(float(ends.min()), value), max(float(ends.max()), value), level)

    def pass_at(self, k: int, *, level: float = 0.95) -> Estimate:
        """Return the probability that at least one of k runs of one goal succeeds: 1 - E[(1 - p)^k] (arXiv:2107.03374).

        Raises:
            ValueError: k is less than 1, or the level is none.
        """
        check_k(k)
        means, correlations = self._region(level)
        ends = 1 - power_mean(1 - means, correlations, k)
        value = 1 - float(power_mean(1 - self.mean, self.correlation, k))
        return Estimate(value, min(float(ends.min()), value), max(float(ends.max()), value), level)

    def of_goal(self, successes: int, trials: int) -> float:
        """Return how likely a goal with these repeats succeeds: its own share, drawn towards the mean of all goals.

        >>> round(beta_binomial([5, 5, 4, 0, 1, 5], [5, 5, 5, 5, 5, 5]).of_goal(5, 5), 2)
        0.97
        """
        theta = self.correlation / (1 - self.correlation)
        return (self.mean + successes * theta) / (1 + trials * theta)

    def _region(self, level: float) -> tuple[Any, Any]:
        check_level(level)
        return _region(self, level)


def beta_binomial(successes: Sequence[int] | NDArray[np.int64], trials: Sequence[int] | NDArray[np.int64]) -> Frailty:
    """Fit how goals differ in difficulty, by maximum likelihood, to how often each was tried and succeeded.

    Goals may have been tried unequally often. Where nothing shows that goals differ, the fit is the binomial one:
    its correlation is 0, and pass^k is p^k.

    Raises:
        ValueError: lengths that differ, no goals, a goal without a trial, or with more successes than trials.

    >>> goals = beta_binomial([5, 5, 4, 0, 1, 5], [5, 5, 5, 5, 5, 5])
    >>> goals.words
    '30 runs of 6 goals: goals differ in difficulty; success varies by 0.38 around 0.67 from goal to goal (p < 0.001).'
    """
    good, of = tuple(map(int, successes)), tuple(map(int, trials))
    if len(good) != len(of) or not of:
        raise ValueError(
            f"A goal has a number of successes and one of trials; there are {len(good)} and {len(of)}. "
            "Give two sequences of one length, at least 1."
        )
    for at, (hits, tried) in enumerate(zip(good, of, strict=True)):
        if not 0 <= hits <= tried or tried < 1:
            raise ValueError(
                f"Goal {at} has {hits} successes in {tried} trials. Give at least one trial, and from 0 to that many "
                "successes; leave out goals that were never tried."
            )
    tails = Tails.of(good, of)
    mean, correlation = tails.best()
    alike = sum(good) / sum(of)
    if not correlation:
        return Frailty(alike, 0.0, good, of, 0.0)
    gain = float(tails.log_likelihood(mean, correlation) - tails.log_likelihood(alike, 0.0))
    return Frailty(mean, correlation, good, of, max(gain, 0.0))


@lru_cache(maxsize=64)
def _region(fit: Frailty, level: float) -> tuple[Any, Any]:
    """The edge of the region of the profile likelihood: for one figure at a time, so one degree of freedom."""
    depth = float(scipy_part("special").ndtri((1 + level) / 2)) ** 2 / 2
    return Tails.of(fit.successes, fit.trials).region((fit.mean, fit.correlation), depth)


def check_k(k: int) -> None:
    """Raise `ValueError` unless k is a number of runs."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k={k!r:.40} is no number of runs: give 1 or more.")


def observed_pass_hat(successes: Sequence[int], trials: Sequence[int], k: int) -> float:
    """Return the share of k repeats of a goal that all succeeded, over all choices of k: no fit, and unbiased.

    Goals with fewer than k repeats are left out; NaN where none has as many (tau-bench, arXiv:2406.12045, section 3).

    >>> observed_pass_hat([2, 1], [2, 2], 2)
    0.5
    """
    check_k(k)
    found = [math.comb(hits, k) / math.comb(of, k) for hits, of in zip(successes, trials, strict=True) if of >= k]
    return math.fsum(found) / len(found) if found else math.nan


def observed_pass_at(successes: Sequence[int], trials: Sequence[int], k: int) -> float:
    """Return the share of k repeats of a goal with a success among them, likewise (Chen et al., arXiv:2107.03374).

    >>> observed_pass_at([2, 1], [2, 2], 1)
    0.75
    """
    return 1 - observed_pass_hat([of - hits for hits, of in zip(successes, trials, strict=True)], trials, k)
