"""`RunLine`: one run in the table of a monitor, and how it grows by what happens in the run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.engine.summary import Totals
from orchestration_kit.journal.glances import Attempt, Mark, Over, Seen, Wait

_PLACES = re.compile(r"#\d+(\[[\d.-]+\])?")
"""Visit numbers and items in a scope."""
CANCELLED = "BranchCancelled"
OVER = (WorkflowState.COMPLETED, WorkflowState.FAILED, WorkflowState.CANCELLED)


@dataclass(slots=True)
class RunLine:
    """What is known of a run by now."""

    run_id: str
    workflow: str
    started_at: float
    """Seconds since the epoch, as all moments here."""
    parent: str | None = None
    forked_at: str | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])
    state: str = WorkflowState.IN_PROGRESS.value
    reason: str | None = None
    finished_at: float | None = None
    driver: str = ""
    """The process that drives it; empty where nobody does."""
    driver_is: str = ""
    """`alive`, `dead` or `unknown`; empty where nobody drives it."""
    at: str = ""
    """The step it stands at, or ended with."""
    planned: int = 0
    """Steps of its workflow; 0 where that is not known."""
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    attempts: int = 0
    failures: int = 0
    retries: int = 0
    cached: int = 0
    busy_s: float = 0.0
    """In attempts, and in waits for retries."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    steps: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Different steps that were visited."""
    steps_told: int = 0
    """How many there were, where the run's end alone was read."""
    error: str = ""
    """Of the last attempt that failed."""
    last_at: float = 0.0
    """When something happened last."""
    waits: dict[str, Wait] = field(default_factory=dict[str, Wait])
    """By position: what it waits for."""
    version: int = 0
    """Goes up with every change."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state in OVER

    @property
    def visited(self) -> int:
        """Different steps that were visited."""
        return max(len(self.steps), self.steps_told)

    @property
    def tokens(self) -> int | None:
        """Tokens in and out; None where no attempt told any."""
        told = [one for one in (self.input_tokens, self.output_tokens) if one is not None]
        return sum(told) if told else None

    @property
    def totals(self) -> Totals:
        """The sums, as a list of runs has them."""
        return Totals(
            self.attempts, self.visited, self.failures, self.retries, self.cached, self.busy_s,
            self.input_tokens, self.output_tokens, self.cost_usd,
        )  # fmt: skip

    def take_totals(self, totals: Totals) -> None:
        """Take over sums that were put on record."""
        self.attempts, self.steps_told, self.failures, self.retries, self.cached, self.busy_s, *_ = totals
        self.input_tokens, self.output_tokens, self.cost_usd = totals[-3:]

    def begin_anew(self) -> None:
        """Forget what was counted."""
        self.take_totals(Totals())
        self.steps, self.waits = set(), {}
        self.at = self.error = ""

    def take(self, seen: Iterable[Seen]) -> None:
        """Count what happened."""
        for one in seen:
            if isinstance(one, Attempt):
                self._take_attempt(one)
            elif isinstance(one, Wait):
                self.waits[one.path] = one
                self._is_at(one.path, one.asked_at)
            elif isinstance(one, Over):
                self.waits.pop(one.path, None)
                self.last_at = max(self.last_at, one.at)
            elif isinstance(one, Mark) and one.at is not None:
                self.last_at = max(self.last_at, one.at)

    def _take_attempt(self, one: Attempt) -> None:
        self.attempts += 1
        self.steps.add((_PLACES.sub("", one.scope) if one.scope else "", one.step))
        self.busy_s += one.duration_s
        self.cached += one.cached
        if one.error is not None:
            self.failures += one.error[0] != CANCELLED
            if one.error[0] != CANCELLED:
                self.error = f"{one.step}: {one.error[1]}" if one.error[1] else f"{one.step}: {one.error[0]}"
        if one.retry_in_s is not None:
            self.retries += 1
            self.busy_s += one.retry_in_s
        if one.usage is not None:
            for name in ("input_tokens", "output_tokens", "cost_usd"):
                told = one.usage.get(name)
                if isinstance(told, (int, float)):
                    setattr(self, name, (getattr(self, name) or 0) + told)
        self.last_at = max(self.last_at, one.started_at + one.duration_s)
        over = one.path
        if self.waits and one.retry_in_s is None:
            self.waits = {path: w for path, w in self.waits.items() if path != over and not path.startswith(f"{over}[")}
        if not one.scope:
            self.at = one.step if one.next_step is None else one.next_step
        elif not self.at:
            self.at = one.scope.partition("#")[0]

    def _is_at(self, path: str, moment: float) -> None:
        self.last_at = max(self.last_at, moment)
        self.at = path.partition("#")[0]
