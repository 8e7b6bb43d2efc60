"""Make a rule of a plain function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, cast

from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.errors import InvalidRule
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.verdict import OnViolation, Violation

MAX_FINDINGS = 100
_HINT = "Write def my_rule(plan): ... that returns None, a text, a Violation, or several."


@dataclass(frozen=True)
class FunctionRule(Rule):
    """Asks a function. It gets the plan, which it cannot change, and what came before if it takes two arguments.

    >>> def no_fridays(plan):
    ...     return "it is for a Friday" if plan["action_data"].get("day") == "Friday" else None
    >>> FunctionRule(no_fridays).check({"action_type": "book", "action_data": {"day": "Friday"}}, Past())
    [Violation(rule='no_fridays', message='it is for a Friday', hint='', on_violation=None)]
    """

    kind: ClassVar[str] = "function"

    function: Callable[..., Any] = field(default=print)
    covers: tuple[str, ...] = ()
    """Types of action that may happen because of it, if nothing objects."""
    _takes_past: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        function: Any = self.function
        self.keep("name", self.name or str(getattr(function, "__name__", "function"))[:100])
        super().__post_init__()
        if not callable(function):
            raise self.invalid(f"{shown(function)} cannot be called", _HINT)
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise self.invalid("it is async, and rules are asked in between", _HINT)
        self.keep("covers", self.texts("covers"))
        if self.covers and self.action_types is not None:
            self.keep("action_types", tuple(dict.fromkeys((*self.action_types, *self.covers))))
        elif self.covers:
            self.keep("action_types", self.covers)
        self.keep("_takes_past", self._wants_past())

    def _wants_past(self) -> bool:
        try:
            parameters = inspect.signature(self.function).parameters.values()
        except (TypeError, ValueError):
            return False
        needed = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        if len(needed) > 2 or any(p.kind is p.KEYWORD_ONLY for p in needed):
            raise self.invalid(f"it needs {len(needed)} arguments", "It gets the plan, and what came before.")
        return len(needed) == 2

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what the function objects to.

        Raises:
            TypeError: it gave something else than a rule gives.
        """
        found = self.function(plan, past) if self._takes_past else self.function(plan)
        if found is None:
            return ()
        if type(found) in (str, Violation):
            return [self._as_violation(found)]
        if isinstance(found, Iterable) and not isinstance(found, (str, bytes)):
            return [self._as_violation(one) for one in islice(cast("Iterable[Any]", found), MAX_FINDINGS)]
        raise TypeError(f"it gave {type(found).__name__}, where a rule gives None, a text, a Violation, or several")

    def _as_violation(self, found: Any) -> Violation:
        if isinstance(found, Violation):
            return found
        if type(found) is str:
            return self.violation(found.rstrip(".") or "it objects, and does not say why")
        raise TypeError(f"it gave {type(found).__name__}, where a rule gives a text or a Violation")

    def data(self) -> dict[str, Any]:
        """Raise, as code cannot be written to a file.

        Raises:
            InvalidRule: always.
        """
        raise self.invalid("it is a function, and code cannot be written to a file", "Add it again where you load.")


def rule(
    name: str = "",
    *,
    covers: str | Iterable[str] = (),
    action_types: str | Iterable[str] | None = None,
    on_violation: OnViolation | None = None,
) -> Callable[[Callable[..., Any]], FunctionRule]:
    """Make a rule of a function.

    >>> @rule("office hours", covers=["open_door"])
    ... def by_day(plan, past):
    ...     hour = plan["action_data"]["hour"]
    ...     return None if 9 <= hour < 17 else "the door stays shut"
    >>> by_day.name, by_day.covers
    ('office hours', ('open_door',))

    Args:
        name: Under which its violations are reported; the function's name by default.
        covers: Types of action that may happen because of it, if nothing objects. Without, it only objects.
        action_types: The types it looks at, besides those; all where neither is given.
        on_violation: What follows from a violation: `retry`, `ask` or `fail`.

    Raises:
        InvalidRule: it is written without brackets.
    """
    if not isinstance(cast("Any", name), str):
        called = getattr(cast("Any", name), "__name__", "function")
        raise InvalidRule(called, "@rule stands there without brackets", "Write @rule(), or @rule(covers=[...]).")

    def make(function: Callable[..., Any]) -> FunctionRule:
        # As they are: a single text is one type here, as it is in every other rule, and not one type a letter.
        given: Any = (covers, action_types)
        return FunctionRule(function, given[0], name=name, action_types=given[1], on_violation=on_violation)

    return make


__all__ = ["FunctionRule", "rule"]
