"""Counts become the chain under test, and sets of runs drawn from it: what chance alone does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.errors import listed
from orchestration_kit.reliability.chain import Chain
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.posterior import concentrations
from orchestration_kit.reliability.resampling import CUT_OFF, Visits, resampled
from orchestration_kit.reliability.structure import structure_of, structure_of_counts

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.counting import Counts

    Array = np.ndarray[Any, Any]

SAMPLES = 199
"""Sets of runs that are drawn from the chain; the least p value is then 1 / 200."""
_MOST_VISITS = 3_000_000
"""In all these sets together. Where more runs than that allows for were observed, smaller sets are drawn."""
_LONGEST = 10_000
"""Visits after which a run that was drawn is cut off."""


class NullModel:
    """The chain under test, and how it is fitted anew to runs drawn from it."""

    def __init__(self, counts: Counts, against: Chain | None) -> None:
        import numpy as np

        self.names = counts.steps
        self.is_fitted = against is None
        if against is None:
            known = concentrations(counts)
            self.structure = structure_of_counts(counts)
            self.success, self.ways = known.means
            self.groups = known.groups
            taken = np.array([way.count for way in counts.ways], float)
            self.prior = known.success - counts.success, known.failure - counts.failure, known.ways - taken
            return
        if set(against.steps) != set(counts.steps):
            strange = sorted(set(against.steps) ^ set(counts.steps))
            reason = f"the chain to hold its runs against has other steps; they differ in {listed(strange)}."
            raise ChainError(counts.workflow, reason)
        ordered = Chain(against.workflow, against.initial, {step: against.steps[step] for step in counts.steps})
        self.structure, self.success, self.ways = structure_of(ordered)

    def refitted(self, drawn: Drawn) -> tuple[Array, Array]:
        """Return success (samples, n) and ways (samples, m), fitted to each set of runs; or those of the chain."""
        import numpy as np

        if not self.is_fitted:
            return self.success[None], self.ways[None]
        visits, n = drawn.visits, len(self.names)
        cell = drawn.which[visits.run] * n + visits.step

        def by_step(weights: Array) -> Array:
            return np.bincount(cell, weights, minlength=SAMPLES * n).reshape(SAMPLES, n)

        good = by_step(visits.succeeded.astype(float))
        bad = by_step(visits.attempts - visits.succeeded) + self.prior[1]
        good = good + self.prior[0]
        m, width = len(self.ways), n + 2
        number = np.full(2 * n * width, m)
        number[(self.structure.source * 2 + self.structure.succeeded) * width + self.structure.target] = np.arange(m)
        way = number[(visits.step * 2 + visits.succeeded) * width + visits.target]
        way = np.where(visits.known, way, m)
        taken = np.bincount(drawn.which[visits.run] * (m + 1) + way, minlength=SAMPLES * (m + 1))
        ways = taken.reshape(SAMPLES, m + 1)[:, :m] + self.prior[2]
        totals = np.zeros((SAMPLES, int(self.groups.max(initial=-1)) + 1))
        np.add.at(totals.T, self.groups, ways.T)
        return good / (good + bad), ways / totals[:, self.groups]


class Drawn(NamedTuple):
    """Sets of runs drawn from the chain."""

    visits: Visits
    which: Array
    """(runs,) the set of each run."""
    scale: float
    """By how much distances are greater than those of as many runs as were observed."""


def drawn_from(model: NullModel, observed: Visits, seed: int) -> Drawn:
    """Draw sets of runs, each as large as the one observed unless that is very large; cut off as those were."""
    import numpy as np

    runs = len(observed.run_end)
    visits_of_run = np.bincount(observed.run, minlength=runs)
    size = min(runs, max(50, int(_MOST_VISITS / SAMPLES / max(visits_of_run.mean(), 1))))
    cuts = np.where(observed.run_end == CUT_OFF, visits_of_run, 0)
    random = np.random.default_rng(seed)
    cut_after = np.concatenate([random.permutation(cuts)[:size] for _ in range(SAMPLES)])
    visits = resampled(
        model.structure, model.success, model.ways, cut_after=cut_after, seed=seed + 1, most_visits=_LONGEST
    )
    return Drawn(visits, np.repeat(np.arange(SAMPLES), size), (runs / size) ** 0.5)
