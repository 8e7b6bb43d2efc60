"""Keep the history of actions for use outside of runs, so that rates, costs and sequences are counted.

An action counts from the moment it is approved, so that two threads cannot both spend the last dollar.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestration_kit.governance.rules.errors import PlanRefused
from orchestration_kit.governance.rules.plain import plain
from orchestration_kit.governance.verdict import Verdict

if TYPE_CHECKING:
    from orchestration_kit.governance.constraints import ConstraintEngine


@dataclass(frozen=True, slots=True)
class Reserved:
    """An action that may be carried out, and counts already."""

    plan: dict[str, Any]
    """What is to be carried out."""
    entry: dict[str, Any] = field(repr=False)
    """What stands in the history."""


class ConstraintSession:
    """An engine with a history of its own. May be used by several threads at once.

    >>> from orchestration_kit.governance.constraints import create_default_engine
    >>> session = create_default_engine(max_cost=1.0, max_total_cost=1.0).session()
    >>> ask = {"action_type": "sql_query", "action_data": {"query": "SELECT name FROM users"}, "cost": 0.6}
    >>> session.carry_out(ask, lambda data: ["ann"])
    ['ann']
    >>> session.validate_plan(ask).approved
    False
    """

    def __init__(self, engine: ConstraintEngine, *, clock: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._history: list[dict[str, Any]] = []

    @property
    def history(self) -> list[dict[str, Any]]:
        """What was carried out, and what is on its way, oldest first."""
        with self._lock:
            return [dict(entry) for entry in self._history]

    def validate_plan(self, plan: Any) -> Verdict:
        """Judge a plan after what happened so far. It does not count."""
        with self._lock:
            return self.engine.validate_plan(plan, history=self._history, now=self._clock())

    def reserve(self, plan: Any) -> Reserved:
        """Judge a plan, and have it count.

        Raises:
            PlanRefused: it may not be carried out.
        """
        with self._lock:
            now = self._clock()
            allowed = self.engine.checked(plan, history=self._history, now=now)
            labels = self.engine.labels_of(allowed, None)
            entry = {**plain(allowed), "at": now, "labels": labels}
            self._history.append(entry)
            return Reserved(allowed, entry)

    def settle(self, reserved: Reserved, result: Any) -> Verdict:
        """Say what came of an action; return the verdict on that."""
        labels = self.engine.labels_of(reserved.plan, result)
        with self._lock:
            reserved.entry["labels"] = list(dict.fromkeys([*reserved.entry["labels"], *labels]))
            history = list(self._history)
        return self.engine.check_outcome(reserved.plan, result, history=history)

    def release(self, reserved: Reserved) -> None:
        """Say that an action did not happen at all: it counts no more."""
        with self._lock:
            self._history = [entry for entry in self._history if entry is not reserved.entry]

    def carry_out(self, plan: Any, handler: Callable[[dict[str, Any]], Any]) -> Any:
        """Judge a plan, carry it out, judge the result, and return it.

        What raises counts nevertheless, as it may have happened in part.

        Args:
            plan: The plan.
            handler: Gets the `action_data` as it was judged.

        Raises:
            PlanRefused: it may not be carried out, or what came of it may not be used.
        """
        reserved = self.reserve(plan)
        verdict = self.settle(reserved, result := handler(reserved.plan["action_data"]))
        if not verdict.approved:
            raise PlanRefused(verdict)
        return result
