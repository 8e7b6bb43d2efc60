"""A gate for tests: it refuses what it is told to, and marks runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestration_kit.engine.values import isolate


@dataclass(frozen=True)
class No:
    rule: str
    message: str
    hint: str = "Do something else."


@dataclass(frozen=True)
class Says:
    plan: Any
    violations: tuple[No, ...] = ()
    on_violation: str = "retry"

    @property
    def approved(self) -> bool:
        return not self.violations


@dataclass
class FakeGate:
    """Refuses action types: `{"type": "retry" | "ask" | "fail"}`; and outcomes; marks with labels."""

    refuses: dict[str, str] = field(default_factory=dict)
    keeps_back: dict[str, str] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    after: dict[str, set[str]] = field(default_factory=dict)
    """By label: action types that are refused once it is there."""
    seen: list[Any] = field(default_factory=list)

    def validate_plan(self, plan, *, history=(), now=None):
        self.seen.append((isolate(plan), [one["action_type"] for one in history], now))
        kind = plan["action_type"]
        if kind in self.refuses:
            return Says(plan, (No("fake", f"no {kind} here"),), self.refuses[kind])
        held = {label for one in history for label in one["labels"]}
        if any(kind in self.after.get(label, ()) for label in held):
            return Says(plan, (No("sequence", f"no {kind} after that"),), "fail")
        return Says(isolate(plan))

    def labels_of(self, plan, result):
        return self.labels.get(plan["action_type"], [])

    def check_outcome(self, plan, result, *, history=()):
        kind = plan["action_type"]
        return (
            Says(plan, (No("outcome", "not for you"),), self.keeps_back[kind])
            if kind in self.keeps_back
            else Says(plan)
        )
