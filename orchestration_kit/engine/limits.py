"""What a run may use. Past a limit it ends as failed, with the limit named; never silently."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.definition.budgets import Budget

if TYPE_CHECKING:
    from orchestration_kit.engine.plan import PlannedStep


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Limits of one run.

    >>> RunLimits(max_steps=50).max_steps
    50

    Raises:
        ValueError: a limit is not a positive number.
    """

    max_steps: int = 1_000
    """Attempts in the run's own thread of control, and in each branch by itself, so that no timing decides."""
    max_seconds: float | None = None
    max_cost_usd: float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name != "max_steps":
                continue
            is_count = field.name in ("max_steps", "max_tokens")
            kinds = int if is_count else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not value > 0 or math.isinf(value):
                number = "a whole number" if is_count else "a finite number"
                raise ValueError(f"{field.name}={value!r} is not a limit; give {number} above 0, or leave it out.")

    @property
    def needs_meter(self) -> bool:
        """Whether anything but the number of attempts is bounded."""
        return not (self.max_seconds is self.max_cost_usd is self.max_tokens is None)


class Spent(NamedTuple):
    """A limit that leaves no room."""

    limit: str
    value: str
    """How much there was, and how much of it is used."""
    is_step: bool
    """Whether it is the budget of the step, not of the run."""


class _Used:
    """What was used, and what is reserved for attempts under way."""

    __slots__ = ("busy_s", "cost_usd", "reserved_tokens", "reserved_usd", "tokens")

    def __init__(self) -> None:
        self.busy_s = self.cost_usd = self.reserved_usd = 0.0
        self.tokens = self.reserved_tokens = 0

    def add(self, busy_s: float, usage: Mapping[str, Any] | None) -> None:
        self.busy_s += busy_s
        if usage is not None:
            self.tokens += usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
            self.cost_usd += usage.get("cost_usd", 0.0)

    def reserve(self, budget: Budget, times: int) -> None:
        self.reserved_usd += times * budget.reserve_usd
        self.reserved_tokens += times * budget.reserve_tokens

    def spent(self, budget: Budget, wanted: Budget | None, *, is_strict: bool) -> tuple[str, str] | None:
        """Return the limit that leaves no room for what is wanted; with `is_strict` also one that is just met."""
        usd = self.cost_usd + self.reserved_usd + (0.0 if wanted is None else wanted.reserve_usd)
        tokens = self.tokens + self.reserved_tokens + (0 if wanted is None else wanted.reserve_tokens)
        most = budget.max_seconds
        if most is not None and self.busy_s >= most:
            return "max_seconds", f"{most:g} s; {self.busy_s:.3g} s were used"
        limit = budget.max_tokens
        if limit is not None and (tokens > limit or (is_strict and self.tokens >= limit)):
            reserve = "" if tokens == self.tokens else f", and {tokens - self.tokens:,} more are asked for"
            return "max_tokens", f"{limit:,} tokens; {self.tokens:,} were used{reserve}"
        most = budget.max_cost_usd
        if most is not None and (usd > most + 1e-9 or (is_strict and self.cost_usd >= most - 1e-9)):
            reserve = "" if usd == self.cost_usd else f", and ${usd - self.cost_usd:g} more are asked for"
            return "max_cost_usd", f"${most:g}; ${self.cost_usd:g} were spent{reserve}"
        return None


class Meter:
    """What a run has used so far, held against its limits. Counts what is on record, so a replay counts the same.

    Reserve, then settle: before an attempt its reserve is set aside, after it what it really used is counted.
    """

    __slots__ = ("_by_step", "_limits", "_own", "_run", "is_over_budget")

    def __init__(self, limits: RunLimits, budget: Budget | None) -> None:
        self.hold(limits)
        self._own = budget
        """The budget of the workflow."""
        self.is_over_budget = False
        """It was reached, and the run went where it leads then: it holds no longer."""
        self._run = _Used()
        self._by_step: dict[int, _Used] = {}

    def hold(self, limits: RunLimits) -> None:
        """Hold these limits from now on; what was used counts on."""
        self._limits = Budget(
            max_seconds=limits.max_seconds, max_tokens=limits.max_tokens, max_cost_usd=limits.max_cost_usd
        )

    @property
    def busy_s(self) -> float:
        """Seconds in attempts and in waits before retries."""
        return self._run.busy_s

    def add(
        self, duration_s: float, retry_in_s: float | None, usage: Mapping[str, Any] | None, step: PlannedStep | None
    ) -> None:
        """Count an attempt."""
        busy_s = duration_s + (retry_in_s or 0.0)
        self._run.add(busy_s, usage)
        if step is not None and step.budget is not None:
            self._of(step).add(busy_s, usage)

    def room(self, step: PlannedStep) -> Spent | None:
        """Return what leaves no room for an attempt of a step; None where it may be made."""
        if step.budget is not None and (spent := self._of(step).spent(step.budget, step.budget, is_strict=True)):
            return Spent(*spent, is_step=True)
        wanted = step.budget or self._own
        if self._own is not None and not self.is_over_budget:
            spent = self._run.spent(self._own, wanted, is_strict=True)
            if spent is not None:
                return Spent(f"budget {spent[0]}", spent[1], is_step=False)
        spent = self._run.spent(self._limits, wanted, is_strict=False)
        return None if spent is None else Spent(*spent, is_step=False)

    def has_reserved(self, step: PlannedStep) -> bool:
        """Whether something of a step's own budget is set aside for attempts under way."""
        used = self._of(step)
        return used.reserved_usd > 0 or used.reserved_tokens > 0

    def reserve(self, step: PlannedStep) -> None:
        """Set aside what an attempt may use."""
        self._reserve(step, 1)

    def release(self, step: PlannedStep) -> None:
        """Give back what was set aside."""
        self._reserve(step, -1)

    def left_of(self, limits: RunLimits) -> RunLimits:
        """Return what is left of limits, for a run within the run."""
        used = self._run
        seconds, cost, tokens = limits.max_seconds, limits.max_cost_usd, limits.max_tokens
        return RunLimits(
            max_steps=limits.max_steps,
            max_seconds=None if seconds is None else max(1e-9, seconds - used.busy_s),
            max_cost_usd=None if cost is None else max(1e-9, cost - used.cost_usd),
            max_tokens=None if tokens is None else max(1, tokens - used.tokens),
        )

    def exceeded(self) -> tuple[str, str] | None:
        """Return the limit of the run that was passed and what was used of it; None while all is within bounds."""
        return self._run.spent(self._limits, None, is_strict=False)

    def _reserve(self, step: PlannedStep, times: int) -> None:
        wanted = None if step.worker is None else step.budget or self._own
        if wanted is not None:
            self._run.reserve(wanted, times)
        if step.budget is not None:
            self._of(step).reserve(step.budget, times)

    def _of(self, step: PlannedStep) -> _Used:
        used = self._by_step.get(id(step))
        if used is None:
            used = self._by_step[id(step)] = _Used()
        return used
