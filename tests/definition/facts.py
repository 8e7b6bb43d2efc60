"""What a condition is evaluated on, and a short way to evaluate one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration_kit.definition.conditions import Evaluated, compile_condition


@dataclass
class Facts:
    """What a condition is evaluated on."""

    goal: str = "a goal"
    data: Mapping[str, Any] = field(default_factory=dict)
    visit: int = 1
    attempt: int = 1


def evaluate(text: Any, output: Any = None, **facts: Any) -> Evaluated:
    return compile_condition(text).evaluate("review", output, Facts(**facts))


def result(text: Any, output: Any = None, **facts: Any) -> bool:
    return evaluate(text, output, **facts).result
