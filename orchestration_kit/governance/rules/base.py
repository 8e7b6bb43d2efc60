"""What a rule is: small, named, pure; it says what it objects to, and which kinds of action it answers for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.governance.rules.errors import InvalidRule
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.verdict import WAYS, OnViolation, Violation

Plan = dict[str, Any]
"""`{"action_type": ..., "action_data": {...}, "cost": USD}`, in plain data."""
Findings = Sequence[Violation]
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Past:
    """What was carried out before, and when "now" is.

    >>> Past([{"action_type": "api_call", "action_data": {}, "cost": 0.5, "at": 100.0, "labels": []}], 160.0).now
    160.0
    """

    history: Sequence[Mapping[str, Any]] = ()
    """One mapping an action: `action_type`, `action_data`, `cost`, `at` (seconds since 1970), `labels`."""
    given_now: float | None = None

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() if self.given_now is None else self.given_now


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Base of all rules. A kind of rule adds its own fields, and overrides the methods that it needs.

    Rules are compared by their fields, and can be pickled.

    >>> from orchestration_kit import ConstraintEngine
    >>> class OfficeHours(Rule):
    ...     kind = "office_hours"
    ...     grants = True
    ...
    ...     def check(self, plan, past):
    ...         is_late = past.now % 86_400 > 18 * 3_600
    ...         return [self.violation("it is after six", "Do it tomorrow.")] if is_late else []
    >>> engine = ConstraintEngine([OfficeHours(action_types=("email",))])
    >>> engine.validate_plan({"action_type": "email", "action_data": {}, "cost": 0.0}, now=20 * 3_600.0)
    Verdict(denied, retry: office_hours: it is after six. Do it tomorrow.)
    """

    kind: ClassVar[str] = "rule"
    """What it is called in files."""
    grants: ClassVar[bool] = False
    """Whether an action of its types may happen because of it, if nothing objects."""

    name: str = ""
    """Under which its violations are reported; the kind where it is not given."""
    on_violation: OnViolation | None = None
    """What follows from a violation; None is what the engine says."""
    action_types: tuple[str, ...] | None = None
    """The types of action it looks at; None is all."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.kind)
        if type(self.name) is not str or len(self.name) > MAX_NAME:
            raise InvalidRule(shown(self.name), "its name is no short text", "Give it a name such as 'sql'.")
        if self.on_violation is not None and self.on_violation not in WAYS:
            raise self.invalid(f"on_violation is {shown(self.on_violation)}", f"It is one of {listed(WAYS)}.")
        if self.action_types is not None:
            self.keep("action_types", self.texts("action_types"))

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what it objects to in a plan. It changes nothing; where it raises, the plan is denied."""
        del plan, past
        return ()

    def settled(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return `action_data` as it has to be carried out, e.g. with a path resolved; the very same where it stays."""
        return data

    def check_outcome(self, plan: Plan, result: Any, past: Past) -> Findings:
        """Return what it objects to in what came of a plan."""
        del plan, result, past
        return ()

    def labels(self, plan: Plan, result: Any) -> Sequence[str]:
        """Return the labels that carrying out a plan puts on the run."""
        del plan, result
        return ()

    def violation(self, message: str, hint: str = "") -> Violation:
        """Return a violation of this rule."""
        return Violation(self.name, message, hint, self.on_violation)

    def missing_or_extra(self, data: dict[str, Any], needed: Sequence[str], known: Sequence[str]) -> list[Violation]:
        """Return what is wrong with the keys of `action_data`: what nobody looks at is not let through.

        Args:
            data: The `action_data`.
            needed: Keys that have to be there.
            known: All keys that may be.
        """
        for key in needed:
            if key not in data:
                near = did_you_mean(next((one[:100] for one in data if one not in known), ""), (key,))
                return [self.violation(f"action_data has no {key}", f"Give {listed(needed)}.{near}")]
        for key in data:
            if key not in known:
                hint = f"No rule looks at it. Known: {listed(known)}.{did_you_mean(key[:100], known)}"
                return [self.violation(f"action_data has the unknown key {shown(key)}", hint)]
        return []

    def invalid(self, reason: str, hint: str) -> InvalidRule:
        """Return the error of a rule that is written wrongly."""
        return InvalidRule(self.name, reason, hint)

    def keep(self, field: str, value: Any) -> None:
        """Set a field while the rule is made."""
        object.__setattr__(self, field, value)

    def texts(self, field: str) -> tuple[str, ...]:
        """Return a field that holds texts, one text or several.

        Raises:
            InvalidRule: it holds something else.
        """
        value: Any = getattr(self, field)
        given: list[Any] = []
        if isinstance(value, str):
            given = [value]
        elif isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping)):
            given = [*cast("Iterable[Any]", value)]
        elif value is not None:
            raise self.invalid(f"{field} is {shown(value)}", "Give a list of texts.")
        if not all(isinstance(one, str) and one for one in given):
            raise self.invalid(f"{field} holds what is no text: {shown(given)}", "Give a list of texts.")
        return tuple(dict.fromkeys(str(one) for one in given))

    def number(self, field: str, *, least: float = 0.0) -> None:
        """See that a field is a finite number, or None.

        Raises:
            InvalidRule: it is not.
        """
        value: Any = getattr(self, field)
        if value is None:
            return
        if type(value) not in (int, float) or not least <= value < float("inf"):
            raise self.invalid(f"{field} is {shown(value)}", f"Give a number of at least {least:g}.")

    def data(self) -> dict[str, Any]:
        """Return the rule as a file has it: its kind, and each field that differs from its default.

        Raises:
            InvalidRule: it holds code.
        """
        written: dict[str, Any] = {"kind": self.kind}
        blank: Any = {field.name: field.default for field in fields(self) if field.init}
        for key, default in blank.items():
            value: Any = getattr(self, key)
            if key == "name" and value == self.kind:
                continue
            if value != default:
                written[key] = [*cast("tuple[Any, ...]", value)] if isinstance(value, tuple) else value
        return written
