"""A chain becomes many sets of runs, as large as the one observed: what chance alone does to a test of fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.chain import COMPLETED, FAILED
from orchestration_kit.reliability.structure import Structure

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.counting import Counts

    Array = np.ndarray[Any, Any]

CUT_OFF = 2
"""The end of a run that came to none; 0 is completed, 1 failed."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Visits:
    """The visits of runs, one after the other, run by run; and how each run ended."""

    run: Array
    """(visits,) which run, from 0, in order."""
    step: Array
    """(visits,)"""
    succeeded: Array
    """(visits,) bool."""
    target: Array
    """(visits,) where it led: a step, n for completed, n + 1 for failed, -1 where the run was cut off."""
    known: Array
    """(visits,) bool: whether it counts; not where it is another run's as well, which does."""
    attempts: Array
    """(visits,) of the visit; 0 where only those of the run are known."""
    run_attempts: Array
    """(runs,)"""
    run_end: Array
    """(runs,) 0 completed, 1 failed, 2 cut off."""


def visits_of(counts: Counts) -> Visits:
    """Return the visits of runs as they were observed."""
    import numpy as np

    lengths = np.array([len(path.visits) for path in counts.paths], np.int64)
    pairs = [visit for path in counts.paths for visit in path.visits]
    step = np.array([at for at, _ in pairs], np.int64)
    n = len(counts.steps)
    codes = {COMPLETED: n, FAILED: n + 1, None: -1}
    target = np.append(step[1:], -1)
    last = np.cumsum(lengths) - 1
    target[last[lengths > 0]] = [codes[path.end] for path in counts.paths if path.visits]
    shared = np.array([path.shared for path in counts.paths], np.int64)
    run = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(step)) - np.repeat(last - lengths + 1, lengths)
    return Visits(
        run=run,
        step=step,
        succeeded=np.array([succeeded for _, succeeded in pairs], bool),
        target=target,
        known=(target >= 0) & (place >= shared[run]),
        attempts=np.zeros(len(step), np.int64),
        run_attempts=np.array([path.attempts for path in counts.paths], np.int64),
        run_end=np.array([{COMPLETED: 0, FAILED: 1, None: CUT_OFF}[path.end] for path in counts.paths], np.int64),
    )


def resampled(  # noqa: PLR0913 - a chain is four of them
    structure: Structure,
    success: Array,
    ways: Array,
    *,
    cut_after: Array,
    seed: int,
    most_visits: int,
) -> Visits:
    """Draw runs of a chain.

    Args:
        structure: What leads where.
        success: (n,) probability that an attempt succeeds.
        ways: (m,) share of each way.
        cut_after: (runs,) visits after which each run is cut off; 0 where it is let go on.
        seed: The same seed draws the same.
        most_visits: Visits after which every run is cut off.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    pick = _Ways(structure, ways)
    leaves = success + (1 - success) * (1 - structure.retried)
    limit = np.where(cut_after > 0, np.minimum(cut_after, most_visits), most_visits)
    run = np.arange(len(cut_after))
    at = np.full(len(run), structure.initial)
    n = len(structure.steps)
    parts: list[tuple[Array, ...]] = []
    run_attempts, run_end = np.zeros(len(run), np.int64), np.full(len(run), CUT_OFF)
    done = 0
    while len(run):
        done += 1
        tries = structure.retries[at] + 1
        with np.errstate(divide="ignore"):
            waits = np.floor(np.log(random.random(len(at))) / np.log1p(-leaves[at])) + 1
        attempts = np.minimum(np.where(leaves[at] > 0, waits, tries), tries).astype(np.int64)
        chance = np.where(attempts < tries, success[at] / np.maximum(leaves[at], 1e-300), success[at])
        succeeded = random.random(len(at)) < chance
        target = pick(at, succeeded, random.random(len(at)))
        cut = (limit[run] <= done) & (target < n)
        parts.append((run, at, succeeded, np.where(cut, -1, target), attempts))
        run_attempts[run] += attempts
        over = target >= n
        run_end[run[over]] = target[over] - n
        goes_on = ~over & ~cut
        run, at = run[goes_on], target[goes_on]
    runs, step, outcome, target, attempts = (np.concatenate(one) for one in zip(*parts, strict=True))
    order = np.argsort(runs, kind="stable")
    return Visits(
        run=runs[order],
        step=step[order],
        succeeded=outcome[order],
        target=target[order],
        known=target[order] >= 0,
        attempts=attempts[order],
        run_attempts=run_attempts,
        run_end=run_end,
    )


class _Ways:
    """Picks a way on: the ways of each step and outcome lie side by side on the unit line."""

    def __init__(self, structure: Structure, ways: Array) -> None:
        import numpy as np

        group = structure.source * 2 + structure.succeeded
        self.order = np.argsort(group, kind="stable")
        sizes = np.bincount(group, minlength=2 * len(structure.steps))
        self.last = np.cumsum(sizes) - 1
        self.first = self.last - sizes + 1
        self.sizes = sizes
        self.target = structure.target[self.order]
        ordered = np.cumsum(ways[self.order])
        begin = np.concatenate([[0.0], ordered])[self.first]
        self.upto = ordered - np.repeat(begin, sizes) + np.repeat(np.arange(len(sizes)), sizes)
        """Ascending: those of group g lie between g and g + 1."""
        self.failed = len(structure.steps) + 1

    def __call__(self, at: Array, succeeded: Array, where: Array) -> Array:
        """Return where visits lead: of an outcome that has no way on, to the end as failed."""
        import numpy as np

        group = at * 2 + succeeded
        found = np.searchsorted(self.upto, group + where, side="right")
        found = np.clip(found, self.first[group], np.maximum(self.last[group], self.first[group]))
        found = np.minimum(found, len(self.target) - 1)
        return np.where(self.sizes[group] > 0, self.target[found], self.failed)
