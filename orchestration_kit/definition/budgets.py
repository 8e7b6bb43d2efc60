"""What a step or a run may use, and how often a step may be attempted."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from orchestration_kit.definition.base import Model
from orchestration_kit.definition.ids import StepId

_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_RATE = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*/\s*(s|min|h|d)\s*", re.ASCII)
_PERIODS = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}


class Budget(Model):
    """What may be used: money, tokens, busy seconds. Reserved before an attempt, settled after it.

    An attempt is made only if what was used, what others in flight have reserved, and its own reserve fit. So nothing
    is overspent as long as no attempt uses more than its reserve.

    >>> Budget(max_cost_usd=1.0, reserve_usd=0.05, on_budget="summarise").on_budget
    'summarise'
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    max_cost_usd: _Amount | None = None
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    max_seconds: _Amount | None = None
    """Busy time: attempts, and waits before retries."""
    reserve_usd: _Amount = 0.0
    """What one attempt may cost at most."""
    reserve_tokens: Annotated[int, Field(ge=0)] = 0
    """What one attempt may take at most, in and out together."""
    on_budget: StepId | None = None
    """Where to go when it is spent; without it, that is a failure."""

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        for name, limit, reserve in (
            ("usd", self.max_cost_usd, self.reserve_usd),
            ("tokens", self.max_tokens, self.reserve_tokens),
        ):
            if limit is not None and reserve > limit:
                raise ValueError(
                    f"reserve_{name}={reserve:g} is more than the whole budget of {limit:g}, so that nothing could run"
                )
        return self


def rate_of(text: str) -> tuple[float, float]:
    """Return how many attempts a rate allows, and in how many seconds.

    >>> rate_of("90/min")
    (90.0, 60.0)
    """
    match = _RATE.fullmatch(text)
    if match is None or not float(match[1]) > 0:
        raise ValueError(f"a rate is a number a time, such as 10/s, 90/min, 1000/h or 5/d, not {text!r:.40}")
    return float(match[1]), _PERIODS[match[2]]


def _check_rate(value: Any) -> Any:
    if isinstance(value, str):
        rate_of(value)
    return value


Rate = Annotated[str, BeforeValidator(_check_rate)]
