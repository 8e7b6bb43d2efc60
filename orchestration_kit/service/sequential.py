"""Outcomes, as they come, against the share of successes that is expected: a test that may be looked at after each.

A test that is looked at again and again errs sooner or later. An e-process does not: the chance that it ever reaches
1 / alpha while the share is where it should be is at most alpha, however often somebody looks (Ville 1939).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

EVERY = 5
"""Outcomes between two beginnings: a change is looked for from each of these on."""
MAX_STARTS = 2_000
"""Beginnings that are looked at: after so many, the oldest but the first is let go for each new one."""


class Evidence:
    """What outcomes say against a share of successes between `low` and `high`.

    For every moment at which the share may have changed there is a test of its own: Robbins' mixture over all shares
    (Ann. Math. Stat. 41, 1970, 1397-1409; Howard et al., Ann. Stat. 49, 2021, 1055-1080), a beta-binomial likelihood
    ratio against the nearest share of the range. Their weighted sum is an e-process, as the weights sum to 1.

    >>> evidence = Evidence(0.85, 0.95)
    >>> evidence.add([True] * 18 + [False] * 2)
    >>> evidence.value < 1
    True
    >>> evidence.add([False] * 8)
    >>> evidence.value > 100
    True
    """

    def __init__(self, low: float, high: float = 1.0) -> None:
        if not 0 <= low <= high <= 1:
            raise ValueError(f"a share of successes is from 0 to 1, the lower end first; got {low!r} and {high!r}")
        import numpy as np

        self.low, self.high = float(low), float(high)
        self.count = 0
        self.successes = 0
        self.largest = 0.0
        """The largest value so far: what is reached counts."""
        self._good: Array = np.zeros(0)
        self._bad: Array = np.zeros(0)
        self._mixed: Array = np.zeros(0)
        """By beginning: log of the mixture's likelihood, the beta function of successes + 1 and failures + 1."""
        self._weights: Array = np.zeros(0)
        self._begun = 0
        self.value = 0.0
        """The evidence now: 1 / alpha or more speaks against the range, with a chance of error of at most alpha."""

    def add(self, outcomes: Iterable[bool]) -> None:
        """Take further outcomes, in order."""
        for outcome in outcomes:
            self._add(bool(outcome))

    def _add(self, outcome: bool) -> None:  # noqa: FBT001 - what came of a run
        import numpy as np

        if self.count % EVERY == 0:
            self._begin()
        self.count += 1
        self.successes += outcome
        seen = self._good if outcome else self._bad
        # B(s + 1, f + 1) grows by this share where one more outcome is seen
        self._mixed += np.log((seen + 1.0) / (self._good + self._bad + 2.0))
        seen += 1.0
        self.value = float(np.dot(self._weights, np.exp(np.minimum(self._log_ratios(), 600.0))))
        self.largest = max(self.largest, self.value)

    def _begin(self) -> None:
        """Begin a test of its own."""
        import numpy as np

        self._begun += 1
        weight = 1.0 / (self._begun * (self._begun + 1))  # these sum to 1 over all beginnings
        keep = slice(None) if len(self._weights) < MAX_STARTS else np.arange(len(self._weights)) != 1
        for name, value in (("_good", 0.0), ("_bad", 0.0), ("_mixed", 0.0), ("_weights", weight)):
            setattr(self, name, np.append(getattr(self, name)[keep], value))

    def _log_ratios(self) -> Array:
        import numpy as np

        good, bad = self._good, self._bad
        nearest = np.clip(good / (good + bad), self.low, self.high)
        with np.errstate(divide="ignore", invalid="ignore"):
            likely = np.where(good > 0, good * np.log(nearest), 0.0) + np.where(bad > 0, bad * np.log1p(-nearest), 0.0)
        return np.where(np.isneginf(likely), np.inf, self._mixed - likely)


def evidence_of(outcomes: Sequence[bool], low: float, high: float = 1.0) -> Evidence:
    """Return what outcomes say against a range."""
    found = Evidence(low, high)
    found.add(outcomes)
    return found
