"""A chain becomes arrays: what leads where, apart from how likely that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.chain import COMPLETED, FAILED

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.chain import Chain
    from orchestration_kit.reliability.counts import Counts

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Structure:
    """The n steps of a chain and its m ways on, as arrays."""

    workflow: str
    steps: tuple[str, ...]
    initial: int
    retries: Array
    """(n,) further attempts of a visit."""
    retried: Array
    """(n,) share of failed attempts that are made again while retries are left."""
    source: Array
    """(m,) the step that a way leads from."""
    succeeded: Array
    """(m,) whether it is a way of visits that succeeded."""
    target: Array
    """(m,) the step it leads to; n is `COMPLETED`, n + 1 `FAILED`."""

    @property
    def places(self) -> dict[str, int]:
        """The number of each step, and of both ends."""
        return {step: at for at, step in enumerate((*self.steps, COMPLETED, FAILED))}

    def visits(self, success: Any) -> tuple[Array, Array, Array]:
        """Return what comes of visits: the probability of success, of failure, and the attempts they make on average.

        As `ChainStep.visit_success`, `visit_failure` and `attempts`, elementwise.

        Args:
            success: (..., n) probability that an attempt succeeds.
        """
        import numpy as np

        success = np.asarray(success, dtype=float)
        leaves = success + (1 - success) * (1 - self.retried)
        attempts = _powers(leaves, self.retries + 1)
        again = (1 - leaves) ** self.retries
        failure = (1 - success) * ((1 - self.retried) * _powers(leaves, self.retries) + again)
        return np.minimum(success * attempts, 1.0), failure, attempts

    def shares(self, success: Any, ways: Any) -> Array:
        """Return the probability that a visit of its source takes a way: (..., m).

        Args:
            success: (..., n) probability that an attempt succeeds.
            ways: (..., m) share of each way, of the visits of its source with that outcome.
        """
        import numpy as np

        good, bad, _ = self.visits(success)
        return np.where(self.succeeded, good[..., self.source], bad[..., self.source]) * ways


def _powers(leaves: Array, count: Array) -> Array:
    """Return the sum of (1 - leaves) ** k for k from 0 to `count` - 1, elementwise."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        found = -np.expm1(count * np.log1p(-leaves)) / leaves
    found = np.where(leaves >= 1, np.minimum(count, 1), found)
    return np.where((leaves <= 0) | (count <= 1), count, found)


def structure_of_counts(counts: Counts) -> Structure:
    """Return what leads where in runs that were counted, its ways in the order of `counts.ways`."""
    import numpy as np

    places = {step: at for at, step in enumerate((*counts.steps, COMPLETED, FAILED))}
    return Structure(
        workflow=counts.workflow,
        steps=counts.steps,
        initial=places[counts.initial],
        retries=np.array(counts.retries, np.int64),
        retried=np.array(counts.retried or np.ones(len(counts.steps)), float),
        source=np.array([places[way.source] for way in counts.ways], np.int64),
        succeeded=np.array([way.succeeded for way in counts.ways], bool),
        target=np.array([places[way.target] for way in counts.ways], np.int64),
    )


def structure_of(chain: Chain) -> tuple[Structure, Array, Array]:
    """Return what leads where in a chain; how likely an attempt succeeds, (n,); and the shares of its ways, (m,)."""
    import numpy as np

    places = {step: at for at, step in enumerate((*chain.steps, COMPLETED, FAILED))}
    ways = [
        (at, succeeded, places[target], share)
        for at, step in enumerate(chain.steps.values())
        for succeeded, shares in ((True, step.after_success), (False, step.after_failure))
        for target, share in shares.items()
        if share > 0
    ]
    source, outcome, target, share = (list(one) for one in zip(*ways, strict=True))
    steps = chain.steps.values()
    structure = Structure(
        workflow=chain.workflow,
        steps=tuple(chain.steps),
        initial=places[chain.initial],
        retries=np.array([step.retries for step in steps], np.int64),
        retried=np.array([step.retried for step in steps], float),
        source=np.array(source, np.int64),
        succeeded=np.array(outcome, bool),
        target=np.array(target, np.int64),
    )
    return structure, np.array([step.success for step in steps], float), np.array(share, float)
