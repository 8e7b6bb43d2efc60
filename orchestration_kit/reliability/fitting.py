"""Counts become a chain, and draws from what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.batches import batch_of_shares
from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep, Took
from orchestration_kit.reliability.counting import MEASURES, Counts, Way
from orchestration_kit.reliability.posterior import concentrations, draw
from orchestration_kit.reliability.solving import losing
from orchestration_kit.reliability.structure import Structure, structure_of_counts

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Draws:
    """Chains drawn from their posterior, as arrays with an entry a draw."""

    structure: Structure
    success: Array
    """(draws, n) probability that an attempt succeeds."""
    ways: Array
    """(draws, m) share of each way."""
    took: Array
    """(draws, n, 2, 3) what an attempt that fails (0), or succeeds (1), takes, by `MEASURES`."""
    hopeful: Array
    """(n,) whether a run can still complete from the step."""

    @cached_property
    def shares(self) -> Array:
        """(draws, m) the probability that a visit takes a way."""
        return self.structure.shares(self.success, self.ways)

    @cached_property
    def solved(self) -> tuple[Array, Array]:
        """P(success), (draws,), and expected visits, (draws, n)."""
        return batch_of_shares(self.structure, self.shares)

    @cached_property
    def attempts(self) -> Array:
        """(draws, n) expected attempts."""
        return self.solved[1] * self.structure.visits(self.success)[2]

    @cached_property
    def used(self) -> Array:
        """(draws, n, 3) expected seconds, tokens and USD, by step."""
        good, _, tries = self.structure.visits(self.success)
        each = good[..., None] * self.took[:, :, 1] + (tries - good)[..., None] * self.took[:, :, 0]
        return self.solved[1][..., None] * each

    @cached_property
    def lost(self) -> Array:
        """(draws, n) probability that a run is lost at the step."""
        return self.solved[1] * losing(self.structure, self.shares, self.hopeful)


def with_all_ways(counts: Counts) -> Counts:
    """Return counts in which every step leads on after a success and after a failure.

    Where nobody saw or declared a way, it is taken to lead to an end: after a success to a good one, else to a bad one.
    """
    known = {(way.source, way.succeeded) for way in counts.ways}
    more = [
        Way(step, succeeded, COMPLETED if succeeded else FAILED, 0)
        for step in counts.steps
        for succeeded in (True, False)
        if (step, succeeded) not in known
    ]
    return replace(counts, ways=(*counts.ways, *more)) if more else counts


def chain_of_counts(counts: Counts) -> Chain:
    """Return the chain of runs that were counted: the means of the posterior, and of what attempts took.

    >>> from orchestration_kit.reliability.counting import counts_of
    >>> counts = counts_of([[{"step": "ask"}], [{"step": "ask", "success": False}]])
    >>> chain_of_counts(with_all_ways(counts)).steps["ask"].success
    0.5
    """
    success, shares = concentrations(counts).means
    ways: dict[tuple[str, bool], dict[str, float]] = {}
    for way, share in zip(counts.ways, shares.tolist(), strict=True):
        ways.setdefault((way.source, way.succeeded), {})[way.target] = share
    steps = {
        step: ChainStep(
            success=1.0 if counts.certain[at] else float(success[at]),
            after_success=ways[step, True],
            after_failure=ways[step, False],
            retries=counts.retries[at],
            retried=counts.retried[at] if counts.retried else 1.0,
            on_success=_took(counts, at, 1),
            on_failure=_took(counts, at, 0),
            worker=counts.workers[at],
            worker_type=counts.worker_types[at],
        )
        for at, step in enumerate(counts.steps)
    }
    return Chain(counts.workflow, counts.initial, steps)


def _took(counts: Counts, step: int, outcome: int) -> Took:
    return Took(**dict(zip(MEASURES, counts.took[step, outcome].tolist(), strict=True)))


def draws_of(counts: Counts, hopeful: Array, *, draws: int, seed: int) -> Draws:
    """Draw chains: probabilities from their posterior, means of what attempts took from around those observed.

    Args:
        counts: With all ways.
        hopeful: (n,) whether a run can still complete from the step.
        draws: How many.
        seed: The same seed draws the same.
    """
    import numpy as np

    success, ways = draw(counts, draws, seed=seed)
    success[:, list(counts.certain)] = 1.0
    spread = np.random.default_rng([seed, 1]).standard_normal((draws, *counts.took.shape))
    took = np.maximum(counts.took + spread * counts.took_error, 0.0)
    return Draws(structure_of_counts(counts), success, ways, took, hopeful)
