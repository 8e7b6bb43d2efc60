"""What the machine works on: visits of steps, each within a scope, one sequential thread of control."""

from __future__ import annotations

import random
from typing import Any

from orchestration_kit.definition.conditions import Evaluated, Facts
from orchestration_kit.definition.steps import RetryPolicy
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.engine.plan import PlannedStep
from orchestration_kit.engine.values import isolate

INTERRUPTS = frozenset({"KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError", "RunCancelled"})
"""Errors that say nothing of a worker: somebody stopped it."""


class Scope:
    """A sequential thread of control: its prefix in positions, its data bus, its visit counts."""

    __slots__ = ("data", "prefix", "visits")

    def __init__(self, prefix: str, data: dict[str, Any]) -> None:
        self.prefix = prefix
        self.data = data
        self.visits: dict[str, int] = {}


class Visit:
    """One arrival at a step, and the working notes of its present attempt.

    A driver writes `given`, `started_at` and `duration_s` before it settles, and of the others what applies.
    """

    __slots__ = (
        "attempt", "cached", "changes", "duration_s", "evaluated", "facts", "given", "input", "interrupted",
        "last_error", "number", "output", "scope", "started_at", "step", "usage", "wait_s",
    )  # fmt: skip

    def __init__(self, scope: Scope, step: PlannedStep, number: int, input_data: Any) -> None:
        self.scope = scope
        self.step = step
        self.number = number
        self.input = self.given = input_data
        self.attempt = 1
        self.started_at = self.duration_s = 0.0
        self.cached = False
        self.interrupted = 0
        """Attempts before this one that somebody stopped: they use up no retry."""
        self.evaluated: tuple[Evaluated, ...] = ()
        self.last_error: ErrorInfo | None = None
        self.changes: Changes | None = None
        self.usage: dict[str, Any] | None = None
        self.wait_s: float | None = None
        """Seconds to wait before the attempt."""
        self.facts: Facts | None = None
        """What conditions see of the run; set, with `output`, where the step has branches."""
        self.output: Any = None

    @property
    def path(self) -> str:
        """Position in the graph and visit number, e.g. `review_code#2`."""
        return f"{self.scope.prefix}{self.step.step_id}#{self.number}"


def another_attempt(visit: Visit, error: ErrorInfo | None) -> Visit:
    """Return a visit of its own for the next attempt: a worker that outlived its time limit keeps the old one."""
    again = Visit(visit.scope, visit.step, visit.number, visit.input)
    again.attempt = visit.attempt + 1
    was_interrupted = error is not None and error.type in INTERRUPTS
    again.interrupted = visit.interrupted + was_interrupted
    again.last_error = visit.last_error if was_interrupted else error
    return again


def choose_edge(visit: Visit, output: Any) -> str | None:
    """Return the target of the first branch that holds, else `on_success`; note all that was evaluated.

    Raises:
        ConditionError: a condition failed to evaluate.
    """
    step = visit.step
    for branch in step.branches:
        seen = isolate(output) if branch.when.calls_code else output
        evaluated = branch.when.evaluate(step.step_id, seen, visit.facts)
        visit.evaluated = (*visit.evaluated, evaluated)
        if evaluated.result:
            return branch.to
    return step.on_success


def may_retry(visit: Visit, error_types: tuple[str, ...] | None) -> bool:
    """Whether an attempt that failed is made again; None for its types where that cannot help."""
    step = visit.step
    if error_types is None or visit.attempt - visit.interrupted > step.max_retries or step.worker is None:
        return False
    return step.retry is None or step.retry.allows(error_types)


def wait_s(visit: Visit, policy: RetryPolicy, seed: int | str) -> float:
    """Return the seconds to wait before the next attempt; jitter comes from the seed, so it is no chance."""
    draw = random.Random(f"{seed}|{visit.path}|{visit.attempt}|retry")  # noqa: S311 - no secret
    return policy.wait_s(visit.attempt, spread=draw.uniform(-1, 1))
