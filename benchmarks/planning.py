"""The best choice of workers and retries for ten steps: 20^10 choices, found and proven, not searched through.

Nobody else chooses workers by the chain of the whole workflow, so there is no peer to run against. Before any time
counts, the same is asked of three steps, where every choice can be tried.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, quiet_collector
from benchmarks.table import Row
from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainStep, Took, solve
from orchestration_kit.service.optimum import Optimum, Option, optimise

STEPS, WORKERS, RETRIES, TRIED_STEPS = 10, 5, 3, 3
TARGET, BUDGET_A_STEP_USD = 0.95, 0.05
LIMIT_S = 1.0
SLACK = 1e-8
Case = tuple[Chain, dict[str, list[Option]]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a workflow."""

    title: str
    kind: str
    objective: str
    best: Callable[[Any], float]
    """What is to be least, of an optimum or a solved chain."""
    limits: tuple[bool, bool]
    """Whether there is a target, and a budget."""

    def wanted(self, steps: int) -> dict[str, Any]:
        """Return it as it is asked of so many steps."""
        target, budget = self.limits
        return {
            "objective": self.objective,
            "target_success": TARGET if target else None,
            "budget_usd": BUDGET_A_STEP_USD * steps if budget else None,
        }


def cost(found: Any) -> float:
    """Return USD a run."""
    return found.cost_usd


def failure(found: Any) -> float:
    """Return how likely a run fails."""
    return 1 - found.p_success


def value(found: Any) -> float:
    """Return USD a success."""
    return found.cost_usd / found.p_success


def time(found: Any) -> float:
    """Return seconds a run."""
    return found.time_s


QUESTIONS = (
    Question("least cost, in a row", "row", "cost", cost, (True, False)),
    Question("least cost, with loops", "loops", "cost", cost, (True, False)),
    Question("least cost, the same workers everywhere", "alike", "cost", cost, (True, False)),
    Question("most success, with loops", "loops", "success", failure, (False, True)),
    Question("best value, with loops", "loops", "value", value, (False, True)),
    Question("least time, with loops", "loops", "time", time, (True, True)),
)


def rows(*, steps: int = STEPS, tried_steps: int = TRIED_STEPS, repeats: int = 3) -> list[Row]:
    """Measure, and return the rows of the table."""
    found: list[Row] = []
    for question in QUESTIONS:
        agrees(question, made(tried_steps, question.kind, workers=3))
        case = made(steps, question.kind)
        seconds, considered = _seconds(lambda q=question, c=case: proven(q, c), repeats)
        title = f"{question.title}: {steps} steps, {considered:.1e} choices"
        found.append(Row(title, figure=f"{seconds:.3f} s", goal=f"<= {LIMIT_S:g} s", met=seconds <= LIMIT_S))
    return found


def made(steps: int, kind: str, *, workers: int = WORKERS) -> Case:
    """Return a workflow and who could work at each of its steps.

    Args:
        steps: How many.
        kind: `row`: a failure ends the run; `loops`: some failures, and the last one, lead back; `alike`: likewise, and
            every step has the same workers, so that very many choices are nearly as good.
        workers: How many could work at each step.
    """
    dice = random.Random(8)
    pool = _pool(dice, workers)
    made: dict[str, ChainStep] = {}
    options: dict[str, list[Option]] = {}
    for at in range(steps):
        onward = f"step_{at + 1}" if at + 1 < steps else COMPLETED
        back = {FAILED: 1.0}
        if kind != "row" and at + 1 == steps:
            back = {"step_0": 1.0}
        elif kind != "row" and at % 3 == 2:
            back = {f"step_{at - 2}": 0.5, FAILED: 0.5}
        made[f"step_{at}"] = ChainStep(success=0.5, after_success={onward: 1.0}, after_failure=back)
        options[f"step_{at}"] = pool if kind == "alike" else _pool(dice, workers)
    return Chain("planned", "step_0", made), options


def proven(question: Question, case: Case) -> Optimum:
    """Return the best choice.

    Raises:
        WrongResult: it is not proven, or the chain with the choice in it does not keep what was asked for.
    """
    found = optimise(*case, max_retries=RETRIES, **question.wanted(len(case[1])))
    solved = solve(found.chain)
    if not found.is_proven:
        raise WrongResult(f"{question.title}: not proven after {found.nodes:,} nodes")
    if not _kept(question, solved, len(found.choice)) or abs(question.best(solved) - question.best(found)) > SLACK:
        raise WrongResult(f"{question.title}: P(success) {solved.p_success}, {solved.cost_usd} USD")
    return found


def agrees(question: Question, case: Case) -> float:
    """Return what is least, where trying every choice finds the same.

    Raises:
        WrongResult: it finds something else.
    """
    chain, options = case
    best = float("inf")
    for choice in product(*(product(given, range(RETRIES + 1)) for given in options.values())):
        steps = {
            step: replace(
                chain.steps[step],
                success=option.success,
                retries=count,
                on_success=option.on_success,
                on_failure=option.on_failure,
            )
            for step, (option, count) in zip(options, choice, strict=True)
        }
        solved = solve(chain.with_steps(steps))
        if _kept(question, solved, len(options)):
            best = min(best, question.best(solved))
    found = question.best(optimise(chain, options, max_retries=RETRIES, **question.wanted(len(options))))
    if not abs(found - best) <= SLACK:
        raise WrongResult(f"{question.title}: {found}, and trying every choice finds {best}")
    return best


def _pool(dice: random.Random, workers: int) -> list[Option]:
    found: list[Option] = []
    for at in range(workers):
        success = dice.uniform(0.6, 0.98)
        took = Took(time_s=dice.uniform(1, 5), cost_usd=0.01 * dice.uniform(0.5, 1) / (1.02 - success))
        found.append(Option(f"worker_{at}", success, took, took))
    return found


def _kept(question: Question, found: Any, steps: int) -> bool:
    wanted = question.wanted(steps)
    target, budget = wanted["target_success"], wanted["budget_usd"]
    reached = target is None or found.p_success >= target - SLACK
    return reached and (budget is None or found.cost_usd <= budget + SLACK)


def _seconds(work: Callable[[], Optimum], repeats: int) -> tuple[float, int]:
    times: list[float] = []
    considered = 0
    for _ in range(repeats):
        with quiet_collector():
            began = perf_counter()
            considered = work().considered
            times.append(perf_counter() - began)
    return median(times), considered


if __name__ == "__main__":
    from benchmarks.table import print_plain

    raise SystemExit(print_plain(rows()))
