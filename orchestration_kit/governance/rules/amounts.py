"""Rules that count: what actions cost, and how many there are in a time. They allow nothing by themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule


@dataclass(frozen=True)
class CostRule(Rule):
    """Caps what one action, and all of a run together, may cost, in USD.

    >>> rule = CostRule(max_cost=1.0, max_total=1.5)
    >>> plan = {"action_type": "api_call", "action_data": {}, "cost": 0.8}
    >>> rule.check(plan, Past())
    ()
    >>> print(rule.check(plan, Past([{"cost": 0.8}]))[0].message)
    it costs 0.8 USD, which makes 1.6 USD in all, over 1.5 USD
    """

    kind: ClassVar[str] = "cost"

    max_cost: float | None = None
    """For one action."""
    max_total: float | None = None
    """For all actions of a run, this one included. Branches do not see one another's actions, as those hang on timing:
    in them it holds for each, with what came before. `RunLimits(max_cost_usd=...)` bounds what a run spends in all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.number("max_cost")
        self.number("max_total")

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what is too dear."""
        cost = plan["cost"]
        if self.max_cost is not None and not cost <= self.max_cost:
            return (self.violation(f"it costs {cost:g} USD, over {self.max_cost:g} USD", "Do less at a time."),)
        if self.max_total is not None:
            total = cost + sum(_cost(entry) for entry in _of(past.history, self.action_types))
            if not total <= self.max_total + 1e-9:
                reason = f"it costs {cost:g} USD, which makes {total:g} USD in all, over {self.max_total:g} USD"
                return (self.violation(reason, "Nothing more can be spent."),)
        return ()


@dataclass(frozen=True)
class RateRule(Rule):
    """Caps how many actions there may be within some seconds; those of its action types count.

    >>> rule = RateRule(most=2, within_s=60, action_types=["send_email"])
    >>> history = [{"action_type": "send_email", "at": 100.0}, {"action_type": "send_email", "at": 130.0}]
    >>> plan = {"action_type": "send_email", "action_data": {}, "cost": 0.0}
    >>> len(rule.check(plan, Past(history, 159.0))), len(rule.check(plan, Past(history, 161.0)))
    (1, 0)
    """

    kind: ClassVar[str] = "rate"

    most: int = 60
    within_s: float = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.number("most")
        self.number("within_s")
        if type(self.most) is not int or not self.within_s:
            raise self.invalid("most is a whole number, and within_s more than 0", "RateRule(most=10, within_s=60).")

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return whether there are too many."""
        del plan
        since = past.now - self.within_s
        count, types = 0, self.action_types
        for entry in past.history:
            if not entry["at"] <= since and (types is None or entry["action_type"] in types):
                count += 1
        if count < self.most:
            return ()
        reason = f"there were {count} such actions in the last {self.within_s:g} s; at most {self.most} are allowed"
        return (self.violation(reason, "Wait, or do less."),)


def _of(history: Iterable[Mapping[str, Any]], action_types: tuple[str, ...] | None) -> Iterable[Mapping[str, Any]]:
    if action_types is None:
        return history
    return [entry for entry in history if entry["action_type"] in action_types]


def _cost(entry: Mapping[str, Any]) -> float:
    """Return what an action cost.

    Raises:
        ValueError: the history says nothing that can be added up; the plan is denied then.
    """
    cost = float(entry.get("cost") or 0.0)
    if not cost >= 0 or cost == math.inf:
        raise ValueError(f"an action on record cost {cost} USD")
    return cost
