"""Visits of runs become a test of memory: does what happens at a step depend on more than on the step?

Two things it may depend on are looked at: where the run came from (the second-order chain), and how often it had been
there (a loop that gives up after three rounds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from orchestration_kit.reliability.needs import scipy_part

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.resampling import Visits

    Array = np.ndarray[Any, Any]

Kind = Literal["came from", "visit"]
MOST_VISITS = 4
"""The visit from which on all count as one: the 4th and later ones."""


def contexts(visits: Visits, kind: Kind, *, steps: int) -> Array:
    """Return what each visit may depend on, as a number.

    "came from": twice the step before, plus 1 if it succeeded; 2 n at the start of a run. "visit": the number of
    the visit of this step in this run, up to `MOST_VISITS`.
    """
    import numpy as np

    if kind == "came from":
        token = np.concatenate([[0], visits.step[:-1] * 2 + visits.succeeded[:-1]])
        return np.where(np.diff(visits.run, prepend=-1) != 0, 2 * steps, token)
    key = visits.run * steps + visits.step
    order = np.argsort(key, kind="stable")
    starts = np.diff(key[order], prepend=-1) != 0
    place = np.arange(len(key))
    number = np.empty(len(key), np.int64)
    number[order] = place - np.maximum.accumulate(np.where(starts, place, 0)) + 1
    return np.minimum(number, MOST_VISITS)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ratio:
    """Likelihood ratios of a chain with memory against one without, for several sets of runs at once."""

    statistic: Array
    """(sets, n) by step: twice the difference in log-likelihood."""
    freedom: Array
    """(n,) degrees of freedom, by the contexts and the ways that were seen: (contexts - 1) (ways - 1)."""
    log_likelihood: Array
    """(sets, 2): without memory, with it."""
    parameters: tuple[int, int]
    """Likewise: free probabilities."""


def ratio(visits: Visits, kind: Kind, *, steps: int, which: Array, sets: int) -> Ratio:
    """Return the likelihood ratios of what visits came to: whether they succeeded, and where they led.

    Given the step alone, or given what it may depend on as well: for "came from" this is the ratio of Anderson and
    Goodman (Statistical inference about Markov chains, Annals of Mathematical Statistics 28, 1957, section 3.4).

    Args:
        visits: Of all sets.
        kind: What a visit may depend on.
        steps: How many steps there are.
        which: (runs,) the set of each run.
        sets: How many sets there are.
    """
    import numpy as np
    import pandas as pd

    known = visits.known
    step, of_set = visits.step[known], which[visits.run[known]]
    came = visits.succeeded[known] * (steps + 2) + visits.target[known]
    context = contexts(visits, kind, steps=steps)[known]
    xlogy = scipy_part("special").xlogy

    def summed(*parts: tuple[Array, int]) -> tuple[Array, Array]:
        """Sums of x log x by step, (sets, n), and how many values each step has, over all sets: (n,)."""
        key = step.astype(np.int64)
        for part, size in parts:
            key = key * size + part
        code, found = pd.factorize(key)
        whose = np.asarray(found)
        for _, size in reversed(parts):
            whose = whose // size
        counts = np.bincount(of_set * len(found) + code, minlength=sets * len(found)).reshape(sets, len(found))
        sums = np.zeros((steps, sets))
        np.add.at(sums, whose, xlogy(counts, counts).T)
        return sums.T, np.bincount(whose, minlength=steps)

    way, where = (came, 2 * (steps + 2)), (context, 2 * steps + 1 + MOST_VISITS)
    both, _ = summed(where, way)
    by_context, contexts_seen = summed(where)
    by_way, ways_seen = summed(way)
    alone, _ = summed()
    free = np.maximum(ways_seen - 1, 0)
    return Ratio(
        statistic=np.maximum(2 * (both - by_context - by_way + alone), 0.0),
        freedom=np.maximum(contexts_seen - 1, 0) * free,
        log_likelihood=np.stack([(by_way - alone).sum(axis=1), (both - by_context).sum(axis=1)], axis=1),
        parameters=(int(free.sum()), int((contexts_seen * free).sum())),
    )
