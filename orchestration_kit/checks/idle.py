"""What is written down and has no effect: ignored ways on, retries that never happen, budgets that bound nothing."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.kinds import SubworkflowStep
from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.errors import listed

if TYPE_CHECKING:
    from orchestration_kit.definition.budgets import Budget
    from orchestration_kit.definition.workflow import WorkflowDefinition

_ALIKE = 0.9
"""How alike two names of errors are, of 1, when one is taken for the other misspelt."""
_ERRORS = {
    name: value.__name__
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
"""What errors of Python's are called, by all their names: an IOError is an OSError, and told as one."""


def ignored_transitions(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A terminal step ends the run: its `on_success` and its conditional ways on are never taken."""
    ignored = [s for s, step in workflow.steps.items() if step.is_terminal and (step.on_success or step.choices)]
    if ignored:
        yield Problem(
            "ignored-transition",
            tuple(ignored),
            f"Terminal, so that on_success and branches are never taken: {listed(ignored)}",
            "Remove them, or set is_terminal=False.",
            "warning",
        )


def idle_retry_policies(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A retry policy says how to retry; `max_retries` says how often, and by default that is never."""
    idle = [
        s
        for s, step in workflow.steps.items()
        if isinstance(step, WorkflowStep | SubworkflowStep) and step.retry is not None and step.max_retries == 0
    ]
    if idle:
        yield Problem(
            "idle-retry-policy",
            tuple(idle),
            f"With a retry policy but max_retries=0, so that nothing is retried: {listed(idle)}",
            "Set max_retries=..., or leave the policy out.",
            "warning",
        )


def misspelt_errors(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A retry policy names errors; one of Python's that is misspelt never comes."""
    for step_id, step in workflow.steps.items():
        policy = step.retry if isinstance(step, WorkflowStep | SubworkflowStep) else None
        for field in ("retry_on", "give_up_on"):
            for name in getattr(policy, field, ()):
                if not (near := _meant(name)):
                    continue
                yield Problem(
                    "misspelt-error",
                    (step_id,),
                    f"Step {step_id!r}: {field} of its retry policy names {name!r}, "
                    "and no error of Python's is called so",
                    f"Did you mean {near!r}? If it is a class of yours, all is well.",
                    "warning",
                )


@lru_cache
def _meant(name: str) -> str:
    """The error of Python's that is misspelt here; nothing where it is none, or well spelt."""
    near = get_close_matches(name, _ERRORS, n=1, cutoff=_ALIKE) if name not in _ERRORS else [name]
    called = _ERRORS[near[0]] if near else name
    return "" if called == name else called


def idle_budgets(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A budget without a `max_...` bounds nothing, and is never spent."""
    held: list[tuple[tuple[str, ...], str, Budget | None]] = [((), "The workflow's budget", workflow.budget)]
    held += [
        ((s,), f"Step {s!r}: its budget", step.budget)
        for s, step in workflow.steps.items()
        if isinstance(step, WorkflowStep)
    ]
    for steps, subject, budget in held:
        if budget is None or bounds_something(budget):
            continue
        never = f", so that on_budget={budget.on_budget!r} is never taken" if budget.on_budget else ""
        yield Problem(
            "idle-budget",
            steps,
            f"{subject} bounds nothing{never}",
            "Set max_cost_usd=..., max_tokens=... or max_seconds=..., or leave the budget out.",
            "warning",
        )


def bounds_something(budget: Budget) -> bool:
    """Whether the budget can be spent at all."""
    return any(most is not None for most in (budget.max_cost_usd, budget.max_tokens, budget.max_seconds))
