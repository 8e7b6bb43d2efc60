"""What a run may use. Past a limit it ends as failed, with the limit named; never silently."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Limits of one run.

    >>> RunLimits(max_steps=50).max_steps
    50

    Raises:
        ValueError: a limit is not a positive number.
    """

    max_steps: int = 1_000
    """Attempts in all."""
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


class Meter:
    """What a run has used so far, held against its limits. Counts what is on record, so a replay counts the same."""

    __slots__ = ("busy_s", "cost_usd", "limits", "tokens")

    def __init__(self, limits: RunLimits) -> None:
        self.limits = limits
        self.busy_s = 0.0
        """Seconds in attempts and in waits before retries."""
        self.tokens = 0
        self.cost_usd = 0.0

    def add(self, duration_s: float, retry_in_s: float | None, usage: Mapping[str, Any] | None) -> None:
        """Count an attempt."""
        self.busy_s += duration_s + (retry_in_s or 0.0)
        if usage is not None:
            self.tokens += usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
            self.cost_usd += usage.get("cost_usd", 0.0)

    def exceeded(self) -> tuple[str, str] | None:
        """Return the limit that was passed and what was used of it; None while all is within bounds."""
        limits = self.limits
        if limits.max_seconds is not None and self.busy_s >= limits.max_seconds:
            return "max_seconds", f"{limits.max_seconds:g} s; {self.busy_s:.3g} s were used"
        if limits.max_tokens is not None and self.tokens > limits.max_tokens:
            return "max_tokens", f"{limits.max_tokens:,} tokens; {self.tokens:,} were used"
        if limits.max_cost_usd is not None and self.cost_usd > limits.max_cost_usd:
            return "max_cost_usd", f"${limits.max_cost_usd:g}; ${self.cost_usd:g} were spent"
        return None
