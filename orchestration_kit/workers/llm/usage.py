"""What an agent's run used becomes what an attempt used: tokens, USD, the model that answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def used(usage: Any, messages: Sequence[Any]) -> dict[str, Any]:
    """Return what goes on record, also of a run that failed half way.

    A model that pydantic-ai knows no price of costs 0.0: local ones, mostly.

    >>> from pydantic_ai.usage import RunUsage
    >>> used(RunUsage(input_tokens=12, output_tokens=3), [])
    {'input_tokens': 12, 'output_tokens': 3, 'cost_usd': 0.0, 'model': None}
    """
    answers = [message for message in messages if getattr(message, "kind", "") == "response"]
    names = [message.model_name for message in answers if message.model_name]
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": float(usage.cost or 0.0),
        "model": names[-1] if names else None,
    }
