"""Rules on the order of actions: labels say what a run has come to know, and what it may do no more after that.

"No outbound call after a secret was read" cuts the lethal trifecta (Simon Willison, 2025; OWASP LLM02: Sensitive
Information Disclosure): whatever a model was talked into, it cannot carry out what it has read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, ClassVar, cast

from orchestration_kit.errors import listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.rules.sensitive import NAMES, found_in

_ALIKE = 0.8
"""How alike two labels are, of 1, when one is taken for the other misspelt."""


@dataclass(frozen=True)
class LabelRule(Rule):
    """Labels a run when an action of some kind was carried out. It denies nothing.

    >>> rule = LabelRule("secret", where={"path": "*/payroll/*"}, action_types=["file_operation"])
    >>> data = {"operation": "read", "path": "/srv/work/payroll/may.csv"}
    >>> rule.labels({"action_type": "file_operation", "action_data": data, "cost": 0.0}, None)
    ('secret',)

    Args:
        label: What the run is labelled with.
        where: By key of `action_data`, patterns (`*`, `?`), of which one has to match, in any case; a list matches with
            any of its parts. All keys have to match. Nothing: every action of its types.
        tables: For `sql_query`: tables of which the query uses one. The dialect is that of `dialect`.
        results: What has to be in the result: `keys`, `email`, `phone`, `iban`, `card`, `ssn`.
    """

    kind: ClassVar[str] = "label"

    label: str = ""
    where: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tables: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    dialect: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.label) is not str or not self.label:
            raise self.invalid(f"the label is {shown(self.label)}", "Give a word, such as 'secret'.")
        for name in ("tables", "results"):
            self.keep(name, self.texts(name))
        if bad := [one for one in self.results if one not in NAMES]:
            raise self.invalid(f"results holds {shown(bad[0])}", f"There are {listed(NAMES)}.")
        given: Any = self.where
        if not isinstance(given, Mapping):
            raise self.invalid(f"where is {shown(given)}", 'Write {"path": "*/secrets/*"}.')
        kept: dict[str, list[str]] = {}
        for key, patterns in cast("Mapping[Any, Any]", given).items():
            several: Any = [patterns] if isinstance(patterns, str) else patterns
            if type(key) is not str or not isinstance(several, (list, tuple)) or not several:
                raise self.invalid(f"where holds {shown(key)}: {shown(patterns)}", "Give patterns by key.")
            texts = list(cast("list[Any]", several))
            if not all(type(one) is str for one in texts):
                raise self.invalid(f"where holds {shown(key)}: {shown(patterns)}", "Patterns are texts.")
            kept[key] = texts
        self.keep("where", kept)

    def __hash__(self) -> int:
        return hash((self.name, self.label))

    def labels(self, plan: Plan, result: Any) -> Sequence[str]:
        """Return the label if the action is of this kind."""
        data = plan["action_data"]
        if not all(_matches(key, data.get(key), patterns) for key, patterns in self.where.items()):
            return ()
        if self.tables and not self._uses_table(data.get("query")):
            return ()
        if self.results and not found_in(result, self.results):
            return ()
        return (self.label,)

    def _uses_table(self, query: Any) -> bool:
        if type(query) is not str:
            return False
        from orchestration_kit.governance.rules.sql_reading import read_sql

        wanted = {name.lower() for name in self.tables}
        facts = read_sql(query, self.dialect)
        return facts.problem is not None or any(
            table in wanted or table.rpartition(".")[2] in wanted for table in facts.tables
        )


@dataclass(frozen=True)
class SequenceRule(Rule):
    """Denies actions of some types once the run is labelled.

    >>> rule = SequenceRule("secret", deny=["send_email"])
    >>> plan = {"action_type": "send_email", "action_data": {}, "cost": 0.0}
    >>> rule.check(plan, Past([{"labels": ["secret"]}]))[0].message
    "it comes after an action that is labelled 'secret'"

    Args:
        after: The label.
        deny: The types of action that are denied then; those that leave the machine, by default.
    """

    kind: ClassVar[str] = "sequence"

    after: str = ""
    deny: tuple[str, ...] = ("api_call", "send_email", "shell_command", "tool_call")

    def __post_init__(self) -> None:
        self.keep("deny", self.texts("deny"))
        self.keep("action_types", self.deny)
        super().__post_init__()
        if type(self.after) is not str or not self.after:
            raise self.invalid(f"after is {shown(self.after)}", "Give a label, such as 'secret'.")

    def data(self) -> dict[str, Any]:
        """Return the rule as a file has it."""
        return {key: value for key, value in super().data().items() if key != "action_types"}

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return whether the run is labelled."""
        del plan
        for entry in past.history:
            if self.after in entry.get("labels", ()):
                hint = "It would have to come before, or in another run."
                return (self.violation(f"it comes after an action that is labelled {shown(self.after)}", hint),)
        return ()


def check_labels(rules: Sequence[Rule]) -> None:
    """Look for rules that come after a label that is misspelt: they would never deny anything.

    A label that nothing here resembles may be in a history from elsewhere.

    Raises:
        InvalidRule: one does.
    """
    labels = {one.label for one in rules if isinstance(one, LabelRule)}
    for one in rules:
        if isinstance(one, SequenceRule) and one.after not in labels:
            for near in get_close_matches(one.after, labels, n=1, cutoff=_ALIKE):
                given = f"Did you mean {shown(near)}? The labels that rules give: {listed(sorted(labels))}."
                raise one.invalid(f"after is {shown(one.after)}, a label that no rule gives", given)


def _matches(key: str, value: Any, patterns: Sequence[str]) -> bool:
    if type(value) is list:
        return any(_matches(key, one, patterns) for one in cast("list[Any]", value))
    text = str(value).casefold() if value is not None else ""
    if key == "path":
        text = os.path.normpath(text)
    return any(_one(text, pattern.casefold(), is_path=key == "path") for pattern in patterns)


def _one(text: str, pattern: str, *, is_path: bool) -> bool:
    return fnmatchcase(text, pattern) or (is_path and fnmatchcase(text, f"*/{pattern}"))
