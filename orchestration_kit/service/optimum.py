"""A chain and the candidates at its steps become the best choice of workers and retries, with a proof that it is.

The steps with a choice (`options.py`), and what each choice leads to, make a Markov decision process (`choices.py`).
What a policy takes under prices is least by policy iteration (`policies.py`), which bounds from below what can be had
within limits (`bounds.py`); branch and bound closes the rest (`branching.py`), or, where no step is come to from two
others, the front of all choices that are worth anything (`series.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal, get_args

from orchestration_kit.errors import listed
from orchestration_kit.reliability.solving import solve
from orchestration_kit.service.choices import choices_of
from orchestration_kit.service.options import Action, Option, actions_of, check_options, undominated
from orchestration_kit.service.stages import Limits, Stages

if TYPE_CHECKING:
    from orchestration_kit.reliability.chain import Chain

__all__ = ["Chosen", "Objective", "Optimum", "Option", "optimise"]

Objective = Literal["cost", "success", "value", "time"]
MAX_NODES = 200_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who works at a step, and how often it tries again."""

    worker: str
    retries: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Optimum:
    """The best choice."""

    choice: Mapping[str, Chosen]
    """By step that had options."""
    chain: Chain
    """The chain with the choice in it."""
    p_success: float
    """Probability that a run of it succeeds."""
    cost_usd: float
    """Expected USD a run."""
    time_s: float
    """Expected seconds a run."""
    is_proven: bool
    """Whether nothing is better; False where `max_nodes` were looked at before that was known."""
    gap: float
    """By how much something could be better at most, in the unit of the objective: 0 where it is proven."""
    nodes: int
    """Parts of the problem that were looked at."""
    considered: int
    """How many choices there are."""

    @property
    def cost_per_success_usd(self) -> float:
        """Expected USD for each run that succeeds: failed ones are paid for too."""
        return self.cost_usd / self.p_success if self.p_success else float("inf")


def optimise(  # noqa: PLR0913 - what is wanted of a choice
    chain: Chain,
    options: Mapping[str, Sequence[Option]],
    *,
    max_retries: int | Mapping[str, Sequence[int]] = 3,
    target_success: float | None = None,
    budget_usd: float | None = None,
    objective: Objective = "cost",
    max_nodes: int = MAX_NODES,
) -> Optimum:
    """Choose a worker and retries for each step that has options, so that the whole workflow is best.

    - `cost`: the least expected cost of a run, with P(success) and cost within their limits.
    - `time`: the least expected time, likewise; then the cheapest.
    - `success`: the highest P(success), likewise; then the cheapest.
    - `value`: the least expected cost for each run that succeeds, cost / P(success), likewise; then the least time for
      each, then the highest P(success).

    Of choices that come to the same after that, none is returned where a single step could do with fewer retries, or
    with an option given earlier. The order of steps and of mappings changes nothing. A limit counts as kept where it is
    passed by no more than rounding: 1e-9 of P(success), and 1e-9 of the budget. The objective is the least there is but
    for a share of 1e-9.

    >>> from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep, Took
    >>> step = ChainStep(success=0.5, after_success={COMPLETED: 1}, after_failure={FAILED: 1})
    >>> cheap, dear = Took(cost_usd=0.01), Took(cost_usd=0.05)
    >>> workers = [Option("junior", 0.7, cheap, cheap), Option("senior", 0.95, dear, dear)]
    >>> best = optimise(Chain("write", "write", {"write": step}), {"write": workers}, target_success=0.9)
    >>> best.choice["write"], best.considered
    (Chosen(worker='junior', retries=1), 8)

    Args:
        chain: The structure: where each step leads after a success and a failure. Steps without options stay as they
            are, their retries too.
        options: By step, who could work there.
        max_retries: The highest number of retries to consider; or by step the numbers, where steps that are not named
            keep theirs.
        target_success: The least P(success).
        budget_usd: The highest expected cost of a run.
        objective: What is to be best.
        max_nodes: After so many parts of the problem the search stops, and the result is not proven to be the best.

    Raises:
        NoChoice: nothing keeps both limits, or nothing that does was found in `max_nodes`.
        ChainError: whatever is chosen, a run may come to where it never ends.
        ValueError: an argument makes no sense.
    """
    _check(target_success, budget_usd, objective)
    if max_nodes < 1:
        raise ValueError(f"max_nodes is a number, 1 or more, not {max_nodes!r:.80}")
    if isinstance(max_retries, Mapping) and not set(max_retries) <= set(options):
        strange = min(set(max_retries) - set(options))
        raise ValueError(f"max_retries is for {strange!r}, which has no options. There are for: {listed(options)}")
    check_options(chain, options)
    counts = {step: _retries(chain, step, max_retries) for step in options}
    timed = objective in {"time", "value"}
    actions: dict[str, list[Action]] = {
        step: undominated(actions_of(chain.steps[step], given, counts[step]), timed=timed)
        for step, given in sorted(options.items())
    }
    choices = choices_of(chain, actions)
    stages = Stages(chain.workflow, choices, Limits(target_success, budget_usd), max_nodes=max_nodes)
    policy = stages.best(objective)
    taken = dict(choices.fixed)
    taken |= {step: choices.actions[at][policy[at]] for at, step in enumerate(choices.steps)}
    made = chain.with_steps({step: action.made for step, action in taken.items()})
    solved = solve(made)
    return Optimum(
        choice={step: Chosen(str(taken[step].made.worker), taken[step].made.retries) for step in options},
        chain=made,
        p_success=solved.p_success,
        cost_usd=solved.cost_usd,
        time_s=solved.time_s,
        is_proven=stages.is_proven,
        gap=stages.gap,
        nodes=stages.nodes,
        considered=prod(len(given) * len(counts[step]) for step, given in options.items()),
    )


def _retries(chain: Chain, step: str, max_retries: int | Mapping[str, Sequence[int]]) -> list[int]:
    if isinstance(max_retries, Mapping):
        found = sorted(set(max_retries.get(step, [chain.steps[step].retries])))
    else:
        found = list(range(max_retries + 1))
    if not found or any(isinstance(count, bool) or count < 0 for count in found):
        raise ValueError(f"max_retries is a number, 0 or more, or by step a list of numbers; got {max_retries!r:.200}")
    return found


def _check(target_success: float | None, budget_usd: float | None, objective: str) -> None:
    if target_success is not None and not 0 <= target_success <= 1:
        raise ValueError(f"target_success is a probability, from 0 to 1, not {target_success!r:.80}")
    if budget_usd is not None and not budget_usd >= 0:
        raise ValueError(f"budget_usd is an amount in USD, 0 or more, not {budget_usd!r:.80}")
    if objective not in get_args(Objective):
        raise ValueError(f"objective is one of {', '.join(get_args(Objective))}; not {objective!r:.80}")
