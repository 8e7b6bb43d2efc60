"""Chains and runs become curves: the share of runs that have completed, and that have failed, within d attempts.

Of a chain it is exact, of runs it is what was observed; for many chains, or many sets of runs, at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.needs import scipy_part
from orchestration_kit.reliability.structure import Structure

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def curves(structure: Structure, success: Any, ways: Any, *, most: int) -> Array:
    """Return how likely a run has completed, and has failed, within d attempts: (draws, 2, most + 1).

    The first row of a chain is its reliability decay curve: the distribution of the time of first passage to the end,
    which is I - Q^d times the chances of that end, one step of the chain at a time (Kemeny and Snell, Finite Markov
    Chains, 1960, chapter 3; TraceToChain, arXiv:2604.24579). A state is an attempt: the first of a visit, the second...

    Args:
        structure: What leads where.
        success: (draws, n) probability that an attempt succeeds.
        ways: (draws, m) share of each way, of the visits of its source with that outcome.
        most: Attempts up to which to count.

    >>> import numpy as np
    >>> from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep
    >>> from orchestration_kit.reliability.structure import structure_of
    >>> step = ChainStep(success=0.5, after_success={COMPLETED: 1}, after_failure={FAILED: 1}, retries=1)
    >>> known, success, ways = structure_of(Chain("demo", "a", {"a": step}))
    >>> curves(known, [success], [ways], most=3)[0].tolist()
    [[0.0, 0.5, 0.75, 0.75], [0.0, 0.0, 0.25, 0.25]]
    """
    import numpy as np

    sparse = scipy_part("sparse")
    n = len(structure.steps)
    good, shares = np.asarray(success, float).T, np.asarray(ways, float).T
    tries = structure.retries + 1
    first = np.concatenate([[0], np.cumsum(tries)[:-1]])
    owner = np.repeat(np.arange(n), tries)
    is_last = np.zeros(len(owner), bool)
    is_last[first + tries - 1] = True
    again = np.where(is_last, 0.0, structure.retried[owner])[:, None]
    into = sparse.csr_matrix(
        (np.ones(len(structure.target)), (structure.target, np.arange(len(structure.target)))),
        shape=(n + 2, len(structure.target)),
    )
    at = np.zeros((len(owner), good.shape[1]))
    at[first[structure.initial]] = 1.0
    found = np.zeros((most + 1, 2, good.shape[1]))
    for d in range(1, most + 1):
        succeeded = at * good[owner]
        failed = at - succeeded
        stays = failed * again
        out_good, out_bad = (np.add.reduceat(one, first, axis=0) for one in (succeeded, failed - stays))
        flow = np.where(structure.succeeded[:, None], out_good[structure.source], out_bad[structure.source]) * shares
        arrived = into @ flow
        at = np.zeros_like(at)
        at[1:] = stays[:-1]
        at[first] += arrived[:n]
        found[d] = found[d - 1] + arrived[n:]
    return found.transpose(2, 1, 0)


def observed_curves(attempts: Any, ends: Any, group: Any, *, groups: int, most: int) -> Array:
    """Return the share of runs that had completed, and had failed, within d attempts: (groups, 2, most + 1).

    A run that was cut off counts as long as it went on (Aalen and Johansen, Scandinavian Journal of Statistics 5,
    1978); where none was, these are plain shares.

    Args:
        attempts: (runs,) how many attempts each run made.
        ends: (runs,) 0 where it completed, 1 where it failed, 2 where it was cut off.
        group: (runs,) which set of runs it is of, from 0.
        groups: How many sets there are.
        most: Attempts up to which to count.

    >>> observed_curves([1, 2, 2, 1], [0, 0, 1, 2], [0, 0, 0, 0], groups=1, most=2).round(3).tolist()
    [[[0.0, 0.25, 0.625], [0.0, 0.0, 0.375]]]
    """
    import numpy as np

    length, end, which = (np.asarray(one, np.int64) for one in (attempts, ends, group))
    size = (groups, 3, most + 2)
    cells = np.ravel_multi_index((which, end, np.minimum(length, most + 1)), size)
    counts = np.bincount(cells, minlength=int(np.prod(size))).reshape(size).astype(float)
    gone = counts.sum(axis=1)
    at_risk = gone.sum(axis=1, keepdims=True) - np.cumsum(gone, axis=1) + gone
    hazards = counts[:, :2] / np.maximum(at_risk, 1)[:, None]
    left: Array = 1 - hazards.sum(axis=1)
    stay: Array = np.cumprod(left, axis=1)
    before = np.concatenate([np.ones((groups, 1)), stay[:, :-1]], axis=1)
    return np.cumsum(before[:, None] * hazards, axis=2)[:, :, : most + 1]
