"""The rule for `sql_query`: one parameterised SELECT that only reads tables it may read.

What a query may be made of is listed (`sql_words.py`), what could be read in two ways is refused (`sql_text.py`), and
so are the shapes of injected conditions (`sql_shapes.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from orchestration_kit.errors import listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.errors import MissingRulesExtra
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.rules.sql_reading import read_sql
from orchestration_kit.governance.rules.sql_text import text_problem
from orchestration_kit.governance.rules.sql_words import OTHER_FUNCTIONS, STATEMENTS, SYSTEM_SCHEMAS, SYSTEM_TABLES
from orchestration_kit.governance.verdict import Violation

LITERALS = ("parameters", "numbers", "any")
MAX_CHARACTERS = 10_000
MAX_PARAMETERS = 1_000


@dataclass(frozen=True)
class SqlRule(Rule):
    """Lets queries happen that only read.

    `action_data` is `query`, and `parameters` (or `params`): a list, or a dict by name, of texts, numbers, true, false
    and null.

    >>> rule = SqlRule(tables=["orders"])
    >>> plan = {"action_type": "sql_query", "action_data": {"query": "SELECT * FROM users"}, "cost": 0.0}
    >>> print(rule.check(plan, Past())[0])
    sql: the query reads the table 'users'. Allowed: orders.
    """

    kind: ClassVar[str] = "sql"
    grants: ClassVar[bool] = True

    tables: tuple[str, ...] | None = None
    """Tables that may be used, as they are written, in any case. None: all but those of the database itself."""
    denied_tables: tuple[str, ...] = ()
    """Tables that may not, even where all may."""
    functions: tuple[str, ...] = ()
    """Functions that may be used besides those that only compute."""
    statements: tuple[str, ...] = ("select",)
    """Kinds of statement: `select`, `union` (also EXCEPT, INTERSECT), `insert`, `update`, `delete`. A UNION is the way
    from a table that may be seen to one that should not; name `tables` before you allow it."""
    literals: str = "numbers"
    """What may be written out where rows are chosen. `numbers` (which cannot be broken out of), `parameters`: not even
    those, `any`: texts, too. Texts come as parameters else: `WHERE name = ?`."""
    dialect: str = ""
    """The database's, as sqlglot names it; what reads differently in others is refused as far as it is not known."""
    max_characters: int = MAX_CHARACTERS
    extra_keys: tuple[str, ...] = ()
    """Further keys of `action_data` that may be there, unchecked."""
    action_types: tuple[str, ...] | None = field(default=("sql_query",), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("denied_tables", "functions", "statements", "extra_keys"):
            self.keep(name, self.texts(name))
        if self.tables is not None:
            self.keep("tables", self.texts("tables"))
        if self.literals not in LITERALS:
            raise self.invalid(f"literals is {shown(self.literals)}", f"It is one of {listed(LITERALS)}.")
        unknown = [one for one in self.statements if one not in STATEMENTS]
        if unknown or not self.statements:
            raise self.invalid(f"statements holds {shown(unknown)}", f"There are {listed(STATEMENTS)}.")
        writes = [one for one in self.statements if one not in ("select", "union")]
        if writes and self.tables is None:
            raise self.invalid(f"{listed(writes)} would be allowed on every table", "Name the tables.")
        if type(self.dialect) is not str:
            raise self.invalid(f"dialect is {shown(self.dialect)}", "It is a name such as 'postgres'.")
        self.number("max_characters", least=1)

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what is wrong with a query; the first thing is enough."""
        del past
        data = plan["action_data"]
        known = ("query", "parameters", "params", *self.extra_keys)
        if found := self.missing_or_extra(data, ("query",), known):
            return found
        query = data["query"]
        if type(query) is not str:
            return (self.violation(f"query is {type(query).__name__}", "It is a text."),)
        if len(query) > self.max_characters:
            reason = f"the query has {len(query):,} characters"
            return (self.violation(reason, f"At most {self.max_characters:,} are allowed."),)
        problem = text_problem(query, self.dialect, self.statements)
        if problem is not None:
            return (self.violation(*problem),)
        try:
            return self._judged(query, data)
        except MissingRulesExtra as error:
            return (self.violation("sqlglot is not installed, so that no query can be checked", str(error)),)

    def _judged(self, query: str, data: dict[str, Any]) -> list[Violation]:
        facts = read_sql(query, self.dialect)
        if facts.problem is not None:
            return [self.violation(*facts.problem)]
        if facts.statement not in self.statements:
            hint = f"Allowed: {listed(self.statements)}."
            return [self.violation(f"the query is {facts.statement.upper()}", hint)]
        allowed_nodes = frozenset[str]().union(*(STATEMENTS[one] for one in self.statements))
        if strange := [node for node in facts.nodes if node not in allowed_nodes]:
            return [self.violation(f"the query holds {strange[0]}, which a plain SELECT has not", "Leave it out.")]
        own = {name.lower() for name in self.functions}
        if strange := [name for name in facts.functions if name not in OTHER_FUNCTIONS and name not in own]:
            hint = 'If it is harmless, allow it: SqlRule(functions=["..."]).'
            return [self.violation(f"the query calls {shown(strange[0])}, which is not on the list", hint)]
        if facts.statement in ("update", "delete") and not facts.has_where:
            return [self.violation(f"the {facts.statement} is for all rows", "Say which, with WHERE.")]
        return [*self._tables(facts.tables), *self._values(facts, data)][:1]

    def _tables(self, tables: tuple[str, ...]) -> list[Violation]:
        allowed = None if self.tables is None else {name.lower() for name in self.tables}
        denied = {name.lower() for name in self.denied_tables}
        for name in tables:
            parts = name.split(".")
            named = allowed is not None and name in allowed
            if not named and (parts[-1].startswith(SYSTEM_TABLES) or SYSTEM_SCHEMAS.intersection(parts)):
                return [self.violation(f"the query reads {shown(name)}, a table of the database itself")]
            if name in denied or parts[-1] in denied:
                return [self.violation(f"the query reads the table {shown(name)}, which is denied")]
            if allowed is not None and not named:
                hint = f"Allowed: {listed(self.tables or ())}."
                return [self.violation(f"the query reads the table {shown(name)}", hint)]
        return []

    def _values(self, facts: Any, data: dict[str, Any]) -> list[Violation]:
        hint = "Pass it as a parameter: WHERE name = ?, with parameters=[...]."
        if facts.compares_texts and self.literals != "any":
            return [self.violation("the query chooses rows by a text that is written out", hint)]
        if facts.compares_numbers and self.literals == "parameters":
            return [self.violation("the query chooses rows by a number that is written out", hint)]
        for key in ("parameters", "params"):
            given: Any = data.get(key)
            if given is None:
                continue
            if type(given) not in (list, dict) or len(given) > MAX_PARAMETERS:
                return [self.violation(f"{key} is no list or dict of at most {MAX_PARAMETERS:,}")]
            values: list[Any] = [*(cast("dict[str, Any]", given).values() if type(given) is dict else given)]
            for value in values:
                if type(value) in (list, dict):
                    return [self.violation(f"{key} holds {type(value).__name__}", "Parameters are single values.")]
                if facts.has_like and type(value) is str and value and not value.strip("%_"):
                    return [self.violation("a parameter of LIKE matches everything", "Say what to look for.")]
        return []


__all__ = ["SqlRule"]
