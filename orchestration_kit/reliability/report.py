"""A chain becomes what people ask of a workflow: how likely it succeeds, what it costs, where runs are lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.reliability import findings, shown
from orchestration_kit.reliability.chain import COMPLETED, Chain
from orchestration_kit.reliability.changing import Change, changed_chain, changed_draws, changes_of
from orchestration_kit.reliability.counting import Counts
from orchestration_kit.reliability.fitting import Draws
from orchestration_kit.reliability.frailty import Frailty, beta_binomial, check_k
from orchestration_kit.reliability.posterior import Estimate, estimate_of
from orchestration_kit.reliability.rates import Rates
from orchestration_kit.reliability.sensitivity import sensitivity
from orchestration_kit.reliability.solving import Solved, solve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from orchestration_kit.reliability.fit import GoodnessOfFit
    from orchestration_kit.reliability.plots import Kind
    from orchestration_kit.visual.diagram import Diagram


@dataclass(frozen=True, eq=False, repr=False)
class Reliability:
    """How reliable a workflow is, by its chain. `reliability(...)` makes one.

    Figures of observed runs have credible intervals, which hold them with probability `level`; those of given rates are
    exact, and both ends are the figure itself.

    >>> from orchestration_kit.reliability import reliability
    >>> from orchestration_kit.templates import create_build_website_workflow
    >>> found = reliability(create_build_website_workflow(), {"product_manager": 0.99, "coder": 0.9, "reviewer": 0.8})
    >>> found
    <Reliability of 'build_website', by given rates>
      P(success)    0.9777
      steps         4.46
      runs lost at  implement_code 1.23 %, create_specs 1 %
    >>> found.lost()[["step", "lost"]].round(4).values.tolist()
    [['implement_code', 0.0123], ['create_specs', 0.01]]
    """

    chain: Chain
    """With the means of what is known, where runs were observed."""
    level: float = 0.95
    counts: Counts | None = None
    """What was observed; None where rates were given."""
    draws: Draws | None = None
    """Chains drawn from what is known; None where all is."""
    workflow: WorkflowDefinition | None = None
    """The definition, where it is known."""
    changed: Mapping[str, Change] = field(default_factory=lambda: MappingProxyType(dict[str, Change]()))
    """What `what_if` changed, by step."""

    # --- of a run

    @cached_property
    def solved(self) -> Solved:
        """The expected figures of the chain, as arrays."""
        return solve(self.chain)

    @cached_property
    def p_success(self) -> Estimate:
        """Probability that a run completes."""
        ends = [] if self.counts is None or self.changed else [path.end for path in self.counts.paths if path.end]
        low = 0.0 if ends and COMPLETED not in ends else None
        high = 1.0 if ends and set(ends) == {COMPLETED} else None
        return self.estimate(self.solved.p_success, self._drawn("solved", 0), low=low, high=high)

    @property
    def steps_expected(self) -> Estimate:
        """Visits of steps a run makes on average."""
        drawn = None if self.draws is None else self.draws.solved[1].sum(axis=1)
        return self.estimate(self.solved.steps_expected, drawn)

    @property
    def attempts_expected(self) -> Estimate:
        """Attempts a run makes on average, retries included."""
        drawn = None if self.draws is None else self.draws.attempts.sum(axis=1)
        return self.estimate(self.solved.attempts_expected, drawn)

    @property
    def time_s(self) -> Estimate | None:
        """Seconds a run is at work on average, waits before retries included; None where nobody told any."""
        return self._amount(0)

    @property
    def tokens(self) -> Estimate | None:
        """Tokens a run uses on average, what went in and what came out; None where nobody told any."""
        return self._amount(1)

    @property
    def cost_usd(self) -> Estimate | None:
        """USD a run costs on average; None where nobody told any."""
        return self._amount(2)

    @cached_property
    def told(self) -> tuple[bool, bool, bool]:
        """Whether seconds, tokens and USD are known: of runs, that an attempt told any; of rates, that one is not 0."""
        took = [one for step in self.chain.steps.values() for one in (step.on_success, step.on_failure)]
        given = tuple(any(getattr(one, name) for one in took) for name in ("time_s", "tokens", "cost_usd"))
        seen = (False,) * 3 if self.counts is None else self.counts.told
        return given[0] or seen[0], given[1] or seen[1], given[2] or seen[2]

    def estimate(self, value: float, drawn: Any, *, low: float | None = None, high: float | None = None) -> Estimate:
        """Return a figure with the interval that its draws give; without draws, with none."""
        if drawn is None:
            return Estimate(value, value, value, self.level)
        found = estimate_of(drawn, value=value, level=self.level, low=low, high=high)
        return replace(found, low=min(found.low, value), high=max(found.high, value))

    def _drawn(self, name: str, at: int) -> Any:
        return None if self.draws is None else getattr(self.draws, name)[at]

    def _amount(self, measure: int) -> Estimate | None:
        if not self.told[measure]:
            return None
        drawn = None if self.draws is None else self.draws.used[:, :, measure].sum(axis=1)
        return self.estimate(float(self.solved.took[:, measure].sum()), drawn)

    # --- as tables

    def summary(self) -> pd.DataFrame:
        """Return one row per measure: what a run comes to on average.

        Columns (dtype):
            measure (str): p_success, steps, attempts; time_s, tokens and cost_usd, where they are known.
            value, low, high (float64)
        """
        return findings.summary(self)

    def steps(self) -> pd.DataFrame:
        """Return one row per step, in the order of the workflow.

        Columns (dtype):
            step (str), worker (str): the worker's name, else its type; missing where neither is known.
            visits, visits_low, visits_high (float64): visits a run makes on average.
            attempts (Int64): observed; missing where rates were given. retries (int64): further ones a visit can make.
            success, success_low, success_high (float64): of one attempt; the interval is that of the step by itself.
            time_s, tokens, cost_usd (Float64): what a run takes there on average; missing where not known.
            time_share, cost_share (Float64): of what the whole run takes.
            lost (float64): share of runs that are lost there; see `lost()`.
        """
        return findings.steps(self)

    def transitions(self) -> pd.DataFrame:
        """Return one row per way on from a step, in the order of the workflow.

        Columns (dtype):
            source (str), outcome (str): success or failure, of the visit. target (str): a step, `[completed]` or
                `[failed]`.
            probability (float64): that a visit of the source goes that way; those of a source sum to 1.
            low, high (float64): the interval, that of the way by itself.
            count (Int64): visits observed to go that way; missing where rates were given.
        """
        return findings.transitions(self)

    def visits(self, step: str) -> pd.DataFrame:
        """Return how often runs come to a step: one row per number of visits.

        After the first visit, each further one is as likely as the one before (Kemeny and Snell, theorem 3.5.9).

        Args:
            step: A step's id; or the worker of one step, by name or type.

        Columns (dtype):
            visits (int64): 0, 1, 2, ..., until what is left is below 1e-9; that counts in the last row.
            probability (float64): they sum to 1.

        Raises:
            UnknownStep: there is no such step.
            ValueError: the worker has several.
        """
        return findings.visits(self, step)

    def lost(self) -> pd.DataFrame:
        """Return one row per step at which runs are lost, the one that loses most first.

        A run is lost at the last step from which it could have completed: where it failed, or went on to a step that
        leads to no good end, as one called `failed`.

        Columns (dtype):
            step (str)
            lost, low, high (float64): the share of all runs that are lost there.
            share (float64): of the runs that fail.
            count (Int64): runs observed to be lost there; missing where rates were given.
        """
        return findings.lost(self)

    def decay(self, most: int = 100) -> pd.DataFrame:
        """Return the reliability decay curve: how likely a run completes within so many attempts.

        Attempts are what `RunLimits(max_steps=...)` counts: retries are among them, and terminal steps.

        Args:
            most: Attempts up to which to tell.

        Columns (dtype):
            attempts (int64): 0, 1, ..., most.
            probability, low, high (float64)
        """
        return findings.decay(self, most)

    # --- several runs

    @cached_property
    def frailty(self) -> Frailty | None:
        """How much goals differ in difficulty, by their repeats; None where there are none, or rates are other ones."""
        if self.counts is None or self.changed:
            return None
        trials: dict[str, list[bool]] = {}
        for path in self.counts.paths:
            if path.end is not None and path.goal:
                trials.setdefault(path.goal, []).append(path.end == COMPLETED)
        if max(map(len, trials.values()), default=0) < 2:
            return None
        return beta_binomial([sum(one) for one in trials.values()], [len(one) for one in trials.values()])

    def pass_hat(self, k: int) -> Estimate:
        """Return the probability that k runs of a goal all complete (pass^k; tau-bench, arXiv:2406.12045).

        Where repeats of goals tell how much these differ in difficulty, from that: `frailty`. Else it is p^k, as if all
        goals were alike, which is too low where they are not.

        Raises:
            ValueError: k is less than 1.
        """
        if self.frailty is not None and self.frailty.is_informed:
            return self.frailty.pass_hat(k, level=self.level)
        check_k(k)
        p = self.p_success
        return Estimate(p.value**k, p.low**k, p.high**k, self.level)

    def pass_at(self, k: int) -> Estimate:
        """Return the probability that at least one of k runs of a goal completes (pass@k; arXiv:2107.03374).

        Where repeats of goals tell how much these differ in difficulty, from that: `frailty`. Else it is 1 - (1 - p)^k,
        as if all goals were alike, which is too high where they are not.

        Raises:
            ValueError: k is less than 1.
        """
        if self.frailty is not None and self.frailty.is_informed:
            return self.frailty.pass_at(k, level=self.level)
        check_k(k)
        value, low, high = (1 - (1 - p) ** k for p in (self.p_success.value, self.p_success.low, self.p_success.high))
        return Estimate(value, low, high, self.level)

    # --- other chains

    def sensitivity(self) -> pd.DataFrame:
        """Return what one more retry of each step, or an attempt that succeeds a point more often, would bring.

        The columns are told in `orchestration_kit.reliability.sensitivity.sensitivity`.
        """
        return sensitivity(self.chain)

    def what_if(self, rates: Rates | None = None, *, retries: Mapping[str, int] | None = None) -> Reliability:
        """Return the reliability with other figures; exact. What is not named stays as it is, and as uncertain.

        Args:
            rates: By step id, worker name or worker type: a probability of success, or a mapping with `success`,
                `time_s`, `tokens`, `cost_usd` (of one attempt), `to` and `to_after_failure` (where visits lead on).
            retries: Further attempts of a visit, likewise.

        >>> from orchestration_kit.reliability.estimating import reliability
        >>> from orchestration_kit.templates import create_build_website_workflow
        >>> rates = {"product_manager": 0.99, "coder": 0.9, "reviewer": 0.8}
        >>> found = reliability(create_build_website_workflow(), rates)
        >>> better = found.what_if({"coder": {"success": 0.95}}, retries={"review_code": 1})
        >>> round(found.p_success.value, 4), round(better.p_success.value, 4)
        (0.9777, 0.9874)

        Raises:
            ChainError: a step or worker that is not there, or a figure that is none.
        """
        changes = changes_of(self.chain, rates, retries=retries)
        chain = changed_chain(self.chain, changes)
        hopeful = solve(chain).completes_from > 0
        draws = None if self.draws is None else changed_draws(self.draws, changes, hopeful)
        merged = MappingProxyType({**self.changed, **changes})
        return replace(self, chain=chain, draws=draws, changed=merged)

    # --- whether to believe it

    @cached_property
    def _fit(self) -> GoodnessOfFit:
        from orchestration_kit.reliability.fit import goodness

        if self.counts is None or self.changed:
            what = "was changed by what_if" if self.counts is not None else "is of given rates"
            hint = "Ask the reliability of runs: reliability(runs).fit()."
            raise ValueError(f"The chain {what}, so there are no runs of it to hold it against. {hint}")
        return goodness(self.counts)

    @property
    def has_been_tested(self) -> bool:
        """Whether `fit()` has been asked for already."""
        return "_fit" in self.__dict__

    def fit(self) -> GoodnessOfFit:
        """Test whether the chain explains the runs: whether what comes next hangs on the step alone, and not the way.

        Raises:
            ValueError: no runs were observed.
            ChainError: none of them came to its end.
        """
        return self._fit

    # --- as pictures

    def diagram(self, **options: Any) -> Diagram:
        """Return the workflow drawn with how likely each way on is; it shows itself in a notebook.

        Args:
            **options: `theme`, `direction`, `detail`, `renderer`, as for `visualize`; `workflow`, where the definition
                is not known.
        """
        from orchestration_kit.reliability.drawing import diagram_of

        return diagram_of(self, **options)

    def plot(self, kind: Kind = "all", **options: Any) -> Figure:
        """Return a matplotlib figure: of the decay curve, several runs, losses, sensitivity, or all four.

        Args:
            kind: decay, repeats, lost, sensitivity, or all.
            **options: `theme`, and `most`, up to how many attempts, runs or rows.
        """
        from orchestration_kit.reliability.plots import plot

        return plot(self, kind, **options)

    # --- in a notebook

    def __repr__(self) -> str:
        return shown.text_of(self)

    def _repr_html_(self) -> str:
        return shown.html_of(self)
