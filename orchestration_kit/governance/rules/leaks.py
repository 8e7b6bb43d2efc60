"""Rules that look for what should not leave in what an action sends, and at what comes of an action."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, ClassVar

from orchestration_kit.errors import listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.sensitive import NAMES, found_in, texts_of
from orchestration_kit.governance.rules.tools import schema_problem
from orchestration_kit.governance.verdict import Violation

_ADDRESSED = ("to", "cc", "bcc", "reply_to")
"""Who gets it is no leak."""
OUTBOUND = ("api_call", "send_email")


def _kinds(rule: Rule) -> tuple[str, ...]:
    found = rule.texts("find")
    if bad := [one for one in found if one not in NAMES]:
        raise rule.invalid(f"find holds {bad[0]!r:.40}", f"There are {listed(NAMES)}.")
    return found


@dataclass(frozen=True)
class LeakRule(Rule):
    """Denies actions that carry out what should stay: keys, or personal data.

    >>> rule = LeakRule(find=["keys", "card"])
    >>> data = {"to": "ann@example.com", "subject": "Card", "body": "It is 4111 1111 1111 1111."}
    >>> print(rule.check({"action_type": "send_email", "action_data": data, "cost": 0.0}, Past())[0].message)
    it carries a payment card's number
    """

    kind: ClassVar[str] = "leak"

    find: tuple[str, ...] = ("keys",)
    """`keys` (shapes of keys, and the values of environment variables that name secrets), `email`, `phone`, `iban`,
    `card`, `ssn`."""
    action_types: tuple[str, ...] | None = OUTBOUND

    def __post_init__(self) -> None:
        super().__post_init__()
        self.keep("find", _kinds(self))

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what it carries."""
        del past
        data = {key: value for key, value in plan["action_data"].items() if key not in _ADDRESSED}
        hint = "Leave it out; whoever carries the action out adds the keys it needs."
        return [self.violation(f"it carries {NAMES[kind]}", hint) for kind in found_in(data, self.find)]


@dataclass(frozen=True)
class OutcomeRule(Rule):
    """Holds what came of an action against limits, before its worker gets it.

    >>> rule = OutcomeRule(max_rows=2)
    >>> rule.check_outcome({"action_type": "sql_query", "action_data": {}}, [1, 2, 3], Past())[0].message
    'it gave 3 rows, over 2'
    """

    kind: ClassVar[str] = "outcome"

    max_rows: int | None = None
    """Rows of a table, items of a list."""
    max_bytes: int | None = None
    """All texts and numbers in it together, as UTF-8."""
    find: tuple[str, ...] = ()
    """What must not be in it: see `LeakRule`."""
    schema: Any = None
    """A JSON Schema that it has to fit."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.number("max_rows")
        self.number("max_bytes")
        self.keep("find", _kinds(self))
        if self.schema is not None:
            from orchestration_kit.definition.schemas import as_json_schema

            try:
                self.keep("schema", as_json_schema(self.schema))
            except ValueError as error:
                raise self.invalid(f"the schema: {error}", "Give a JSON Schema.") from None

    def __hash__(self) -> int:
        return hash((self.name, self.max_rows, self.max_bytes, self.find))

    def check_outcome(self, plan: Plan, result: Any, past: Past) -> Findings:
        """Return what is wrong with a result."""
        del plan, past
        found: list[Violation] = []
        if self.max_rows is not None and _rows(result) > self.max_rows:
            found.append(self.violation(f"it gave {_rows(result):,} rows, over {self.max_rows:,}", "Ask for less."))
        if self.max_bytes is not None and (size := _bytes(result, self.max_bytes)) > self.max_bytes:
            reason = f"it gave over {self.max_bytes:,} bytes" if size > self.max_bytes else ""
            found.append(self.violation(reason, "Ask for less."))
        found += [
            self.violation(f"it gave {NAMES[kind]}", "Ask for something else.") for kind in found_in(result, self.find)
        ]
        if (problem := schema_problem(self.schema, result)) is not None:
            found.append(self.violation(f"what it gave: they {problem}", "It has to fit the schema of the rule."))
        return found


def _rows(result: Any) -> int:
    if isinstance(result, (str, bytes, dict)) or not isinstance(result, Sized):
        return 1
    return len(result)


def _bytes(result: Any, limit: int) -> int:
    if isinstance(result, (bytes, bytearray)):
        return len(result)
    size = 0
    for text in texts_of(result):
        size += len(text.encode("utf-8", "replace"))
        if size > limit:
            break
    return size
