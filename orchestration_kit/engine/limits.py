"""What a run may use. Past a limit it ends as failed, with the limit named; never silently."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


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
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0 or math.isinf(value):
                raise ValueError(
                    f"{field.name}={value!r} is not a limit; give a finite number above 0, or leave it out."
                )
