"""A chain becomes runs of it, a million at a time: all of them go from visit to visit together, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import counted
from orchestration_kit.reliability.chain import Chain
from orchestration_kit.reliability.posterior import Estimate
from orchestration_kit.reliability.structure import Structure, structure_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_MOST = 100_000_000
_BELOW_1 = 1 - 1e-12
"""Keeps a sum with a number below 1 from being rounded up to the next whole one."""
_CHUNK = 1 << 16
"""Runs that go together: few enough for their arrays to stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Simulation:
    """Runs of a chain that were drawn. Arrays have an entry a run.

    >>> from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainStep, simulate
    >>> step = ChainStep(success=0.8, after_success={COMPLETED: 1.0}, after_failure={FAILED: 1.0})
    >>> drawn = simulate(Chain("demo", "ask", {"ask": step}), n=1_000, seed=7)
    >>> drawn.p_success.value, drawn.frame()["success"].value_counts().to_dict()
    (0.803, {True: 803, False: 197})
    """

    workflow: str
    names: tuple[str, ...]
    """The steps; `ended_at` numbers them."""
    success: Array
    """(runs,) bool: it ended as completed."""
    cut_off: Array
    """(runs,) bool: it had not ended after `max_steps` visits, and counts neither as completed nor as failed."""
    steps: Array
    """(runs,) visits of steps."""
    attempts: Array
    """(runs,) attempts, retries included."""
    time_s: Array
    tokens: Array
    cost_usd: Array
    ended_at: Array
    """(runs,) the step it ended at, as its place in `names`."""
    visits: Array
    """(n,) visits of each step, all runs together."""
    max_steps: int
    seed: int

    @property
    def p_success(self) -> Estimate:
        """The share of runs that completed, with a normal interval of 1.96 standard errors.

        It holds the exact value in 95 of 100 simulations. Where runs were cut off, that is a lower bound.
        """
        share = float(self.success.mean())
        half = 1.959964 * self.standard_error
        return Estimate(share, max(0.0, share - half), min(1.0, share + half))

    @property
    def standard_error(self) -> float:
        """The Monte-Carlo standard error of `p_success`: sqrt(p (1 - p) / runs)."""
        share = float(self.success.mean())
        return (share * (1 - share) / len(self.success)) ** 0.5

    def frame(self) -> pd.DataFrame:
        """Return one row per run.

        Columns (dtype):
            success, cut_off (bool)
            steps, attempts (int64)
            time_s, tokens, cost_usd (float64): what the attempts of the run take on average, by how they went.
            ended_at (category): the last step.
        """
        import pandas as pd

        codes: Any = self.ended_at
        at: Any = pd.Categorical.from_codes(codes, pd.Index(list(self.names)))
        columns = ("success", "cut_off", "steps", "attempts", "time_s", "tokens", "cost_usd")
        return pd.DataFrame({name: getattr(self, name) for name in columns} | {"ended_at": at})

    def __repr__(self) -> str:
        p = self.p_success
        cut = int(self.cut_off.sum())
        more = f", {cut:,} cut off after {counted(self.max_steps, 'step')}" if cut else ""
        return (
            f"<Simulation of {self.workflow!r}: {counted(len(self.success), 'run')}, "
            f"P(success) {p.value:.4f} +- {self.standard_error:.4f}, {self.steps.mean():.2f} steps a run{more}>"
        )


def simulate(chain: Any, rates: Any = None, n: int = 10_000, *, seed: int = 0, max_steps: int = 10_000) -> Simulation:
    """Draw runs of a chain.

    What `solve` tells exactly, this tells within a Monte-Carlo error, and besides how much runs differ: the share of
    runs that take more than a minute, say. Attempts take what they take on average.

    Args:
        chain: A `Chain`, a `Reliability`, or a workflow with the `rates` of its workers.
        rates: As for `chain_of`; of a chain, what is other than it has it, as for `what_if`.
        n: How many runs.
        seed: The same seed draws the same runs.
        max_steps: Visits after which a run that has not ended is cut off, and counted in `Simulation.cut_off`.

    >>> from orchestration_kit.templates import create_build_website_workflow
    >>> rates = {"product_manager": 0.99, "coder": 0.9, "reviewer": 0.8}
    >>> simulate(create_build_website_workflow(), rates, 100_000, seed=1)
    <Simulation of 'build_website': 100,000 runs, P(success) 0.9785 +- 0.0005, 4.46 steps a run>

    Raises:
        ChainError: rates that make no sense.
        ValueError: numbers that make none.
    """
    import numpy as np

    made = _chain(chain, rates)
    for name, value, most in (("n", n, _MOST), ("max_steps", max_steps, _MOST)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name}={value!r:.80}: give a whole number from 1 to {most:,}.")
    runs = _Runs(made)
    parts = [
        runs.draw(min(_CHUNK, n - start), np.random.default_rng([seed, number]), max_steps)
        for number, start in enumerate(range(0, n, _CHUNK))
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != "visits"}
    visits = np.sum([part["visits"] for part in parts], axis=0)
    return Simulation(
        workflow=made.workflow, names=tuple(made.steps), visits=visits, max_steps=max_steps, seed=seed, **columns
    )


def _chain(source: Any, rates: Any) -> Chain:
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.reliability.changing import changed_chain, changes_of
    from orchestration_kit.reliability.given import chain_of

    if isinstance(source, WorkflowDefinition):
        return chain_of(source, rates)
    chain = source if isinstance(source, Chain) else getattr(source, "chain", None)
    if not isinstance(chain, Chain):
        raise TypeError(
            f"simulate takes a Chain, a Reliability, or a workflow with rates, not {type(source).__name__}. "
            "Of runs, give reliability(runs)."
        )
    return chain if rates is None else changed_chain(chain, changes_of(chain, rates))


class _Runs:
    """Draws runs of one chain."""

    def __init__(self, chain: Chain) -> None:
        import numpy as np

        structure, success, ways = structure_of(chain)
        self.structure, self.success = structure, success
        self.n = len(structure.steps)
        self.leaves = success + (1 - success) * (1 - structure.retried)
        """Probability that no attempt follows one, retries left."""
        with np.errstate(divide="ignore", invalid="ignore"):
            self.log_again = np.log1p(-self.leaves)
            self.share_good = np.where(self.leaves > 0, success / self.leaves, 0.0)
        self.upto, self.target = _ways(structure, ways)
        steps = list(chain.steps.values())
        self.good_takes, self.bad_takes = (
            np.array([(one.time_s, one.tokens, one.cost_usd) for one in taken]).T
            for taken in ([step.on_success for step in steps], [step.on_failure for step in steps])
        )

    def draw(self, count: int, random: np.random.Generator, max_steps: int) -> dict[str, Array]:
        """Draw some runs; return the columns of a `Simulation`."""
        import numpy as np

        n = self.n
        run, at = np.arange(count), np.full(count, self.structure.initial)
        ended, ended_at = np.full(count, -1), np.zeros(count, np.int64)
        steps, attempts = np.zeros(count, np.int64), np.zeros(count, np.int64)
        took = np.zeros((3, count))
        visits = np.zeros(n, np.int64)
        matters = [measure for measure in range(3) if self.good_takes[measure].any() or self.bad_takes[measure].any()]
        done = 0
        while len(run) and done < max_steps:
            done += 1
            visits += np.bincount(at, minlength=n)
            tries, good = self._visit(at, random)
            attempts[run] += tries
            for measure in matters:
                bad = tries - good
                took[measure, run] += good * self.good_takes[measure, at] + bad * self.bad_takes[measure, at]
            where = 2 * at + good + random.random(len(at)) * _BELOW_1
            to = self.target[np.searchsorted(self.upto, where, side="right")]
            over = to >= n if done < max_steps else np.ones(len(to), bool)
            if over.any():
                gone = run[over]
                ended[gone], ended_at[gone], steps[gone] = to[over] - n, at[over], done
                stay = ~over
                run, to = run[stay], to[stay]
            at = to
        return {
            "success": ended == 0, "cut_off": ended < 0, "steps": steps, "attempts": attempts,
            "time_s": took[0], "tokens": took[1], "cost_usd": took[2], "ended_at": ended_at, "visits": visits,
        }  # fmt: skip

    def _visit(self, at: Array, random: np.random.Generator) -> tuple[Array, Array]:
        """Return how many attempts visits make, and whether they succeed.

        How many attempts it takes until none follows is geometric, cut off where retries are used up.
        """
        import numpy as np

        good = random.random(len(at))
        retries = self.structure.retries[at]
        if not retries.any():
            return np.ones(len(at), np.int64), (good < self.success[at]).astype(np.int64)
        with np.errstate(divide="ignore", invalid="ignore"):
            waits = np.log1p(-random.random(len(at))) / self.log_again[at]
        left_early = waits < retries  # False where it is not a number: nothing ever leaves
        tries = np.where(left_early, np.floor(np.where(left_early, waits, 0)), retries).astype(np.int64) + 1
        chance = np.where(left_early, self.share_good[at], self.success[at])
        return tries, (good < chance).astype(np.int64)


def _ways(structure: Structure, ways: Array) -> tuple[Array, Array]:
    """Lay the ways of step i side by side: after failures from 2 i to 2 i + 1, after successes to 2 i + 2.

    Returns:
        The upper ends of the stretches, ascending, and where each leads.
    """
    import numpy as np

    group = 2 * structure.source + structure.succeeded
    order = np.argsort(group, kind="stable")
    group, share, target = group[order], ways[order], structure.target[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    total = np.cumsum(share)
    before = np.concatenate([[0.0], total])[first]
    sizes = np.diff(np.append(first, len(group)))
    upto = group + (total - np.repeat(before, sizes))
    last = np.append(first[1:], len(group)) - 1
    upto[last] = group[last] + 1.0
    return upto, target
