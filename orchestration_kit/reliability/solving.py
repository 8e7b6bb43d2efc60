"""A chain becomes what is to be expected of its runs: exactly, by linear algebra, one chain or a thousand at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import listed
from orchestration_kit.reliability.batches import batch
from orchestration_kit.reliability.elimination import eliminate
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.needs import scipy_part
from orchestration_kit.reliability.structure import Structure, structure_of

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.chain import Chain

    Array = np.ndarray[Any, Any]

__all__ = ["Solved", "batch", "expected", "fundamental", "losing", "solve"]

_SMALL = 40
"""Up to so many steps elimination is as fast as a sparse solver, and more exact."""
_LOOPS = 1e5
"""Where a step is visited more often than that, a solver that subtracts has lost too many digits."""
_MOST_DENSE = 3_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Solved:
    """What is to be expected of a run. Arrays have an entry a step, in the order of `steps`.

    >>> from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainStep
    >>> ask = ChainStep(success=0.8, after_success={COMPLETED: 1.0}, after_failure={"ask": 1.0})
    >>> solved = solve(Chain("demo", "ask", {"ask": ask}))
    >>> round(solved.p_success, 6), round(solved.attempts_expected, 6)
    (1.0, 1.25)
    """

    steps: tuple[str, ...]
    p_success: float
    """Probability that a run ends as completed."""
    p_failure: float
    visits: Array
    """(n,) expected visits a run."""
    attempts: Array
    """(n,) expected attempts a run."""
    took: Array
    """(n, 3) expected seconds, tokens and USD a run, by step."""
    completes_from: Array
    """(n,) probability that a run ends as completed, once it is at the step."""
    lost: Array
    """(n,) probability that a run is lost at the step: that it fails there, or goes on to where no way leads to a good
    end, as a step called `failed`. They sum to `p_failure`."""

    @property
    def steps_expected(self) -> float:
        """Expected visits of steps, all together."""
        return float(self.visits.sum())

    @property
    def attempts_expected(self) -> float:
        """Expected attempts, all together."""
        return float(self.attempts.sum())

    @property
    def time_s(self) -> float:
        """Expected seconds."""
        return float(self.took[:, 0].sum())

    @property
    def tokens(self) -> float:
        """Expected tokens."""
        return float(self.took[:, 1].sum())

    @property
    def cost_usd(self) -> float:
        """Expected USD."""
        return float(self.took[:, 2].sum())


def solve(chain: Chain) -> Solved:
    """Return what is to be expected of the runs of a chain.

    With Q the probabilities of going from step to step, N = (I - Q)^-1 holds the expected visits, and N R the chances
    of each end, where R are the probabilities of ending right after a step (Kemeny and Snell, Finite Markov Chains,
    1960, theorems 3.2.4 and 3.3.7; for the reliability of programs: Cheung, A user-oriented software reliability model,
    IEEE Transactions on Software Engineering SE-6, 1980).

    >>> from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep
    >>> review = ChainStep(success=0.8, after_success={COMPLETED: 1}, after_failure={"write": 1})
    >>> write = ChainStep(success=0.9, after_success={"review": 1}, after_failure={FAILED: 1})
    >>> found = solve(Chain("slogan", "write", {"write": write, "review": review}))
    >>> round(found.p_success, 4), found.visits.round(4).tolist()
    (0.878, [1.2195, 1.0976])

    Raises:
        ChainError: a run may come to a step from which no way leads to an end.
    """
    import numpy as np

    structure, success, ways = structure_of(chain)
    good, bad, tries = structure.visits(success)
    shares = np.where(structure.succeeded, good[structure.source], bad[structure.source]) * ways
    visits, chances = expected(structure, shares)
    steps = chain.steps.values()
    on_success, on_failure = (
        np.array([(one.time_s, one.tokens, one.cost_usd) for one in taken], dtype=float).reshape(len(chain.steps), 3)
        for taken in ([step.on_success for step in steps], [step.on_failure for step in steps])
    )
    p_success, p_failure = chances[structure.initial].tolist()
    lost = visits * losing(structure, shares, chances[:, 0] > 0)
    if not p_success:
        lost[structure.initial] = p_failure  # before it began
    return Solved(
        steps=structure.steps,
        p_success=min(p_success, 1.0),
        p_failure=min(p_failure, 1.0),
        visits=visits,
        attempts=visits * tries,
        took=visits[:, None] * (good[:, None] * on_success + (tries - good)[:, None] * on_failure),
        completes_from=np.minimum(chances[:, 0], 1.0),
        lost=lost,
    )


def losing(structure: Structure, shares: Array, hopeful: Array) -> Array:
    """Return the probability that a visit of a step loses the run: (..., n).

    Args:
        structure: What leads where.
        shares: (..., m) the probability that a visit takes a way.
        hopeful: (n,) whether a run can still complete from the step.
    """
    import numpy as np

    found = np.zeros((*shares.shape[:-1], len(structure.steps)))
    is_lost = np.append(~hopeful, [False, True])[structure.target] & hopeful[structure.source]
    for way in np.flatnonzero(is_lost).tolist():
        found[..., structure.source[way]] += shares[..., way]
    return found


def expected(structure: Structure, shares: Array) -> tuple[Array, Array]:
    """Return expected visits, (n,), and the chances of both ends from each step, (n, 2).

    Args:
        structure: What leads where.
        shares: (m,) the probability that a visit takes a way.

    Raises:
        ChainError: a run may come to a step from which no way leads to an end.
    """
    import numpy as np

    n = len(structure.steps)
    kept = _that_end(structure, shares > 0)
    places = np.full(n + 2, -1)
    places[kept] = np.arange(len(kept))
    target = structure.target
    ends = np.zeros((n, 2))
    for end in (0, 1):
        ending = target == n + end
        ends[:, end] = np.bincount(structure.source[ending], shares[ending], minlength=n)
    moving = (target < n) & (target != structure.source)
    moving &= (places[structure.source] >= 0) & (places[target] >= 0)
    rows, columns = places[structure.source[moving]], places[target[moving]]
    found = _solved(structure.workflow, rows, columns, shares[moving], ends[kept])
    visits, chances = np.zeros(n), np.zeros((n, 2))
    visits[kept], chances[kept] = found
    return visits, chances


def fundamental(structure: Structure, shares: Array) -> Array:
    """Return the fundamental matrix (I - Q)^-1, (n, n): expected visits of each step, from each step.

    Steps from which no way leads to an end have 0 all along.
    """
    import numpy as np

    n = len(structure.steps)
    kept = _that_end(structure, shares > 0)
    target, source = structure.target, structure.source
    moves = np.zeros((n, n))
    moving = (target < n) & (target != source)
    np.add.at(moves, (source[moving], target[moving]), shares[moving])
    leaves = moves.sum(axis=1) + np.bincount(source[target >= n], shares[target >= n], minlength=n)
    found = np.zeros((n, n))
    found[np.ix_(kept, kept)] = np.linalg.inv((np.diag(leaves) - moves)[np.ix_(kept, kept)])
    return found


def _that_end(structure: Structure, taken: Array) -> Array:
    """Return the steps from which some way leads to an end, the initial one first.

    Raises:
        ChainError: a run may come to one that is none of them.
    """
    import numpy as np

    n = len(structure.steps)
    onward: dict[int, list[int]] = {}
    back: dict[int, list[int]] = {}
    for source, target in zip(structure.source[taken].tolist(), structure.target[taken].tolist(), strict=True):
        onward.setdefault(source, []).append(target)
        back.setdefault(target, []).append(source)
    leads_out = _reached([n, n + 1], back)
    stuck = sorted(_reached([structure.initial], onward) - leads_out)
    if stuck:
        names = listed([repr(structure.steps[at]) for at in stuck], limit=5)
        it, them = ("it", "it") if len(stuck) == 1 else ("one of them", "them")
        reason = (
            f"no way leads from {names} to an end, so that a run that comes to {it} never ends. "
            f"Let {them} succeed, or fail, with some probability, and lead on from there."
        )
        raise ChainError(structure.workflow, reason)
    others = sorted(at for at in leads_out if at < n and at != structure.initial)
    return np.array([structure.initial, *others], np.int64)


def _reached(starts: list[int], neighbours: dict[int, list[int]]) -> set[int]:
    found, coming = set(starts), list(starts)
    while coming:
        for at in neighbours.get(coming.pop(), ()):
            if at not in found:
                found.add(at)
                coming.append(at)
    return found


def _solved(workflow: str, rows: Array, columns: Array, shares: Array, ends: Array) -> tuple[Array, Array]:
    """Return visits and chances; sparse where it is large, without any subtraction where that would not be exact."""
    import numpy as np

    n = len(ends)
    if n > _SMALL:
        visits, chances = _sparse(rows, columns, shares, ends)
        if np.isfinite(visits).all() and visits.max() < _LOOPS:
            return visits, chances
        if n > _MOST_DENSE:
            reason = (
                f"its loops are left so seldom ({visits.max():.1g} rounds) that {n:,} steps cannot be solved exactly. "
                "Let them be left more often."
            )
            raise ChainError(workflow, reason)
    moves = np.zeros((n, n))
    np.add.at(moves, (rows, columns), shares)
    return eliminate(moves, ends)


def _sparse(rows: Array, columns: Array, shares: Array, ends: Array) -> tuple[Array, Array]:
    """Solve by a sparse LU decomposition; 1 minus what stays is summed up from what leaves."""
    import numpy as np

    sparse, linalg = scipy_part("sparse"), scipy_part("sparse.linalg")
    n = len(ends)
    leaves = np.bincount(rows, shares, minlength=n) + ends.sum(axis=1)
    every = np.arange(n)
    entries = np.concatenate([leaves, -shares])
    where = np.concatenate([every, rows]), np.concatenate([every, columns])
    parts = linalg.splu(sparse.csc_matrix((entries, where), shape=(n, n)))
    begin = np.zeros(n)
    begin[0] = 1.0
    return parts.solve(begin, "T"), parts.solve(ends)
