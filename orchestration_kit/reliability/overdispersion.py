"""Successes of goals become the likelihood that goals differ in difficulty, its maximum, and all that is not ruled out.

A goal succeeds with a probability of its own, drawn from a beta distribution. It is written by its mean and by theta =
1 / (alpha + beta), so that theta = 0, where goals do not differ, is a point like any other: after s successes and f
failures the likelihood is the product of (mean + i theta) for i < s and (1 - mean + j theta) for j < f over that of
(1 + l theta) for l < s + f (Griffiths, Biometrics 29, 1973; Smith, Algorithm AS 189, Applied Statistics 32, 1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.needs import scipy_part

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_MOST_ALIKE = 1 - 1e-9
"""The intra-class correlation up to which is searched: at 1 a goal succeeds always or never."""
_HALVINGS = 40
_RAYS = 240


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """What the likelihood needs: how many goals have more than i successes, failures, trials, for i = 0, 1, ..."""

    successes: Array
    failures: Array
    trials: Array

    @classmethod
    def of(cls, successes: Sequence[int], trials: Sequence[int]) -> Tails:
        """Count them."""
        import numpy as np

        good, of = np.asarray(successes, dtype=np.int64), np.asarray(trials, dtype=np.int64)

        def above(numbers: Array) -> Array:
            return (len(numbers) - np.cumsum(np.bincount(numbers, minlength=int(of.max()) + 1))[:-1]).astype(float)

        return cls(above(good), above(of - good), above(of))

    def log_likelihood(self, mean: Any, correlation: Any) -> Any:
        """Return the log-likelihood, but for what only counts orders; elementwise over points of the parameters."""
        import numpy as np

        log = scipy_part("special").xlogy
        mean, theta = _column(mean), _theta(_column(correlation))
        at = np.arange(len(self.trials))
        each = log(self.successes, mean + at * theta) + log(self.failures, 1 - mean + at * theta)
        return (each - log(self.trials, 1 + at * theta)).sum(axis=-1)

    def best_mean(self, correlation: Array) -> Array:
        """Return the mean of greatest likelihood for each correlation: the likelihood is concave in it."""
        import numpy as np

        theta, at = _theta(_column(correlation)), np.arange(len(self.trials))
        low: Array = np.zeros(theta.shape)
        high: Array = np.ones(theta.shape)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                more = np.where(self.successes > 0, self.successes / (middle + at * theta), 0)
                less = np.where(self.failures > 0, self.failures / (1 - middle + at * theta), 0)
            rises = (more - less).sum(axis=-1, keepdims=True) > 0
            low, high = np.where(rises, middle, low), np.where(rises, high, middle)
        mean: Array = ((low + high) / 2)[..., 0]
        return mean if self.failures[0] and self.successes[0] else np.full_like(mean, float(self.successes[0] > 0))

    def best(self) -> tuple[float, float]:
        """Return the mean and the correlation of greatest likelihood. The correlation is 0 unless another is better."""
        import numpy as np

        optimize = scipy_part("optimize")

        def lost(root: Any) -> Any:
            correlation = np.square(np.atleast_1d(root)) * _MOST_ALIKE
            return -self.log_likelihood(self.best_mean(correlation), correlation)

        roots = np.linspace(0, 1, 101)
        losses = lost(roots)
        at = int(np.argmin(losses))
        around = (float(roots[max(at - 1, 0)]), float(roots[min(at + 1, 100)]))

        def loss(root: float) -> float:
            return float(lost(root)[0])

        found: Any = optimize.minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-9})
        root = min((float(roots[at]), float(found.x)), key=loss)
        better = losses[0] - loss(root) > 1e-9  # else rounding alone would find a difference
        correlation = root * root * _MOST_ALIKE if better else 0.0
        return float(self.best_mean(np.array([correlation]))[0]), correlation

    def region(self, best: tuple[float, float], depth: float) -> tuple[Array, Array]:
        """Return points on the edge of what the data do not rule out: means and correlations.

        The log-likelihood within is at most `depth` below that at `best`. From there rays are followed outwards, in
        coordinates in which the region is about round: the angle whose squared sine is the mean, and the correlation.
        """
        import numpy as np

        centre = np.array([np.arcsin(np.sqrt(best[0])), best[1]])
        most = np.array([np.pi / 2, _MOST_ALIKE])
        floor = float(self.log_likelihood(best[0], best[1])) - depth

        def followed(ways: Array) -> Array:
            """How far each way stays in the region and in range: (rays,)."""
            with np.errstate(divide="ignore", invalid="ignore"):
                limits = np.where(ways > 0, (most - centre) / ways, np.where(ways < 0, -centre / ways, np.inf))
            low: Array = np.zeros(len(ways))
            high: Array = limits.min(axis=1)
            within = self._at(centre + high[:, None] * ways) >= floor
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                inside = self._at(centre + middle[:, None] * ways) >= floor
                low, high = np.where(inside, middle, low), np.where(inside, high, middle)
            return np.where(within, limits.min(axis=1), low)

        axes = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        reach = np.maximum(followed(axes).reshape(2, 2).max(axis=1), 1e-9)
        turns = np.arange(_RAYS) * (2 * np.pi / _RAYS)
        ways = np.column_stack([np.cos(turns), np.sin(turns)]).round(15) * reach
        points = np.clip(centre + followed(ways)[:, None] * ways, 0, most)
        return np.sin(points[:, 0]) ** 2, points[:, 1]

    def _at(self, points: Array) -> Array:
        import numpy as np

        points = np.clip(points, 0, [np.pi / 2, _MOST_ALIKE])
        return self.log_likelihood(np.sin(points[:, 0]) ** 2, points[:, 1])


def power_mean(mean: Any, correlation: Any, k: int) -> Any:
    """Return E[p^k] of a beta distribution: the product of (mean + i theta) / (1 + i theta) for i < k; elementwise.

    >>> float(power_mean(0.5, 0.0, 3)), float(power_mean(0.5, 1 / 3, 3))  # goals alike; any p as likely as any
    (0.125, 0.25)
    """
    import numpy as np

    mean, theta, at = _column(mean), _theta(_column(correlation)), np.arange(k)
    return ((mean + at * theta) / (1 + at * theta)).prod(axis=-1)


def _theta(correlation: Any) -> Any:
    return correlation / (1 - correlation)


def _column(values: Any) -> Any:
    import numpy as np

    return np.asarray(values, dtype=float)[..., None]
