"""What a test of fit found: figures, a table, and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration_kit.errors import counted
from orchestration_kit.reliability.memory import Kind
from orchestration_kit.reliability.memory_told import Differs, frame_of, told

if TYPE_CHECKING:
    import pandas as pd

_FEW_RUNS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPassage:
    """How far the runs are from the chain in how many attempts it takes to an end."""

    ks: float
    """Largest distance between the shares of runs that have completed, or failed, within d attempts, as observed and
    as of the chain: the statistic of Kolmogorov and Smirnov."""
    p_value: float
    """How often runs of the chain itself are as far from the chain that is fitted to them."""
    attempts: int
    """The d at which it is largest."""
    end: str
    """Of runs that have "completed", or "failed"."""
    observed: float
    """Their share within d attempts."""
    expected: float
    """Their share as of the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Whether what happens at steps depends on one thing more than the step."""

    kind: Kind
    statistic: float
    """The likelihood ratio: twice the difference in log-likelihood, over all steps."""
    freedom: int
    """Its degrees of freedom, by the contexts and the ways that were seen."""
    p_value: float
    """How often runs of a chain without memory have as large a ratio: counted in sets of runs drawn from the chain,
    as the chi-square distribution is far off where counts are small."""
    p_chi_square: float
    """What the chi-square distribution would say."""
    aic: tuple[float, float]
    """Akaike's criterion, without memory and with it; the lower one is to be preferred."""
    bic: tuple[float, float]
    """Schwarz's criterion, likewise."""
    contexts: tuple[Differs, ...]
    """What differs most, by step and context."""
    worst: Differs | None
    """Where it shows most; None where it cannot show, as each step was visited in one context."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GoodnessOfFit:
    """Does the first-order chain explain the runs it was fitted to? `holds` and `words` say so.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> from orchestration_kit.reliability import reliability
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("say", "generic", "")]))
    >>> runs = [hub.execute_workflow("say", "hello", verbose=False) for _ in range(3)]
    >>> fit = reliability(runs).fit()
    >>> fit.holds, fit.runs, fit.visits
    (True, 3, 3)
    """

    runs: int
    visits: int
    first_passage: FirstPassage
    came_from: Memory
    """The second-order chain: whether it matters where a run came from."""
    visit: Memory
    """Whether it matters how often a run had been at the step."""
    p_value: float
    """Of all three together: how often runs of the chain have as small a p value in any of them."""
    level: float = 0.05

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the chain, at the `level` of error."""
        return self.p_value > self.level

    @property
    def frame(self) -> pd.DataFrame:
        """What steps depend on: one row per step and context in which runs were at it.

        Columns (dtype):
            step (str)
            depends_on (str): "came from" or "visit".
            context (str): such as "after draft failed", "3rd visits".
            visits (int64): in this context.
            succeeded, succeeded_of_all (float64): the share of these visits that succeeded, and of all of the step.
            way (str): what happens more, or less, often than usual.
            share, share_of_all (float64): of these visits, and of all of the step.
            excess (float64): by how many standard errors the two differ.
        """
        return frame_of([*self.came_from.contexts, *self.visit.contexts])

    @property
    def words(self) -> str:
        """The answer for a person, in a few sentences."""
        of = f"{counted(self.runs, 'run')}, {counted(self.visits, 'visit')}"
        if self.holds:
            few = " So few runs would show gross differences only." if self.runs < _FEW_RUNS else ""
            return f"The first-order chain explains these runs ({of}; p = {self.p_value:.2f}).{few}"
        lines = [f"The first-order chain does not explain these runs ({of}; p = {self.p_value:.3f})."]
        found = [one.worst for one in (self.came_from, self.visit) if one.worst and one.p_value <= self.level]
        said = {one.step: one for one in sorted(found, key=lambda one: abs(one.excess))}  # of one step, the clearest
        lines += [told(one) for one in reversed(said.values())]
        passage = self.first_passage
        if passage.p_value <= self.level:
            lines.append(
                f"Within {counted(passage.attempts, 'attempt')}, {100 * passage.observed:.1f} % of the runs have "
                f"{passage.end}; the chain says {100 * passage.expected:.1f} %."
            )
        return " ".join(lines)

    def __str__(self) -> str:
        return self.words

    def __repr__(self) -> str:
        return f"<GoodnessOfFit: {self.words}>"
