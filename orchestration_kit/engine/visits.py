"""What the machine works on: visits of steps, each within a scope, one sequential thread of control."""

from __future__ import annotations

from typing import Any

from orchestration_kit.definition.conditions import Evaluated, Facts
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.engine.plan import PlannedStep


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
        "attempt", "cached", "changes", "duration_s", "evaluated", "facts", "given", "input", "last_error", "number",
        "output", "scope", "started_at", "step", "usage", "wait_s",
    )  # fmt: skip

    def __init__(self, scope: Scope, step: PlannedStep, number: int, input_data: Any) -> None:
        self.scope = scope
        self.step = step
        self.number = number
        self.input = self.given = input_data
        self.attempt = 1
        self.started_at = self.duration_s = 0.0
        self.cached = False
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
    again.last_error = error
    return again
