"""Parse a query into the facts that rules are about. Nothing of it is executed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from orchestration_kit.governance.rules.errors import MissingRulesExtra
from orchestration_kit.governance.rules.sql_shapes import shape_problem
from orchestration_kit.governance.rules.sql_text import with_marks
from orchestration_kit.governance.rules.sql_words import FUNCTIONS, SELECT, TAKES_WORDS, words

_NAME = re.compile(r"[^\W\d]\w*", re.ASCII)
_TYPES = frozenset(
    [
        "INT",
        "BIGINT",
        "SMALLINT",
        "TINYINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "TEXT",
        "VARCHAR",
        "CHAR",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
        "TIMESTAMPTZ",
        "TIMESTAMPLTZ",
        "DATETIME",
        "TIME",
        "INTERVAL",
        "NCHAR",
        "NVARCHAR",
        "UINT",
        "UBIGINT",
    ]
)
_KINDS = {
    "Select": "select", "Union": "union", "Except": "union", "Intersect": "union", "Subquery": "select",
    "Insert": "insert", "Update": "update", "Delete": "delete",
}  # fmt: skip


class SqlFacts(NamedTuple):
    """What is in one query."""

    problem: tuple[str, str] | None = None
    """Why it is refused whatever the rule allows, and what to do."""
    statement: str = ""
    """`select`, `union`, `insert`, `update`, `delete`, or what else it is."""
    tables: tuple[str, ...] = ()
    """As written, in lower case, without those that the query itself defines (WITH)."""
    functions: tuple[str, ...] = ()
    """Those that are not known to be harmless, in lower case."""
    nodes: tuple[str, ...] = ()
    """What is not part of every SELECT."""
    compares_texts: bool = False
    """A text is written out where rows are chosen."""
    compares_numbers: bool = False
    has_like: bool = False
    has_where: bool = False


@lru_cache(maxsize=512)
def read_sql(query: str, dialect: str) -> SqlFacts:
    """Return the facts of a query whose text was looked at.

    >>> facts = read_sql("SELECT name FROM shop.users WHERE id = ?", "")
    >>> facts.statement, facts.tables, facts.problem
    ('select', ('shop.users',), None)

    Raises:
        MissingRulesExtra: sqlglot is not installed.
    """
    try:
        import sqlglot
        from sqlglot import errors
    except ImportError:
        raise MissingRulesExtra from None
    parse: Any = sqlglot.parse
    try:
        parsed = [tree for tree in parse(with_marks(query), dialect=dialect or None) if tree is not None]
    except (errors.SqlglotError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return SqlFacts((f"the query does not parse ({first[:100]})", "Write one plain SELECT."))
    if len(parsed) != 1:
        return SqlFacts((f"the query is {len(parsed)} statements", "Ask for one at a time."))
    return _facts(parsed[0])


def _facts(tree: Any) -> SqlFacts:
    kind = type(tree).__name__
    look = _Look(tree)
    for node in tree.walk():
        look.at(node)
    if look.tables_named > MAX_TABLES:
        look.refuse(f"the query joins over {MAX_TABLES} tables", "Ask for less at a time.")
    return SqlFacts(
        look.problem,
        _KINDS.get(kind, kind.lower()),
        tuple(look.tables),
        tuple(look.functions),
        tuple(look.nodes),
        look.texts,
        look.numbers,
        look.has_like,
        tree.args.get("where") is not None,
    )


class _Look:
    """One pass over the nodes of a query."""

    def __init__(self, tree: Any) -> None:
        self.tree, self.defined = tree, _defined(tree)
        self.problem = shape_problem(tree)
        self.tables: dict[str, None] = {}
        self.functions: dict[str, None] = {}
        self.nodes: dict[str, None] = {}
        self.texts = self.numbers = self.has_like = False
        self.tables_named = 0

    def refuse(self, reason: str, hint: str) -> None:
        """Keep the first reason."""
        self.problem = self.problem or (reason, hint)

    def at(self, node: Any) -> None:
        """Note what a node says."""
        name = type(node).__name__
        if node.comments:
            self.refuse("the query holds a comment", "Leave comments out.")
        self._kind(node, name)
        if name in ("Table", "Column", "Alias", "TableAlias", "CTE"):
            self._name(node, name)
        elif name == "Literal" and _chooses(node):
            self.texts, self.numbers = self.texts or bool(node.is_string), self.numbers or not node.is_string
        elif name in ("Like", "ILike"):
            self.has_like = True
        else:
            self._shape(node, name)

    def _kind(self, node: Any, name: str) -> None:
        if name in SELECT or name in FUNCTIONS:
            return
        from sqlglot import exp

        if isinstance(node, exp.Func):
            self.functions[_function(node)] = None
        else:
            self.nodes[name] = None

    def _name(self, node: Any, name: str) -> None:
        if (problem := _name_problem(node)) is not None:
            self.refuse(*problem)
        if name == "Table":
            self.tables_named += 1
            written = ".".join(part.name for part in node.parts).lower()
            if not _is_defined(node, written, self.defined):
                self.tables[written] = None
        elif name == "Column" and node.name.lower() in _KEYWORDS:
            self.functions[node.name.lower()] = None

    def _shape(self, node: Any, name: str) -> None:
        if name == "DataType" and node.this.name not in _TYPES:
            self.refuse(f"the query casts to {node.this.name}", "Cast to plain numbers, texts and dates.")
        elif name == "With" and node.parent is not self.tree:
            self.refuse("the query has a WITH within it", "Put it at the beginning.")
        elif name == "With" and node.args.get("recursive"):
            self.refuse("the query recurses (WITH RECURSIVE), which may not end", "Write it without.")
        elif name == "Select" and not node.expressions:
            self.refuse("the query selects nothing", "Name columns, or *.")


MAX_TABLES = 10
_KEYWORDS = frozenset({"current_user", "session_user", "system_user", "user", "current_role", "current_catalog"})
"""Functions that are written without brackets, so that they may parse as columns."""
_CHOOSING = words(
    "Where Having Join Qualify And Or Not In Between Like ILike Is EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ "
    "Exists If Case"
)


def _chooses(literal: Any) -> bool:
    """Whether a literal stands where rows are chosen. What a CASE gives is none, its conditions are."""
    child, parent = literal, literal.parent
    if type(parent).__name__ in TAKES_WORDS:
        return False
    while parent is not None:
        name = type(parent).__name__
        gives = (name == "If" and child is not parent.this) or (name == "Case" and child is not parent.this)
        if name in _CHOOSING and not gives:
            return True
        if name in ("Limit", "Offset", "Fetch"):
            return False
        child, parent = parent, parent.parent
    return False


def _defined(tree: Any) -> list[Any]:
    """Return what the query defines itself, in order (`WITH a AS (...), b AS (...)`)."""
    ways: Any = tree.args.get("with_") or tree.args.get("with")
    return [] if ways is None else list(ways.expressions)


def _is_defined(table: Any, written: str, defined: list[Any]) -> bool:
    """Whether a name means what the query defines: not within that, and not before it, where it is a real table."""
    names = [one.alias.lower() for one in defined]
    if written not in names:
        return False
    within = table
    while within is not None and not any(within is one for one in defined):
        within = within.parent
    before = len(defined) if within is None else next(n for n, one in enumerate(defined) if one is within)
    return written in names[:before]


def _function(node: Any) -> str:
    written = node.name if type(node).__name__.startswith("Anonymous") else node.sql_name()
    return str(written or type(node).__name__).lower()


def _name_problem(node: Any) -> tuple[str, str] | None:
    is_dotted = type(node).__name__ in ("Table", "Column")
    for part in node.parts if is_dotted else (node.args.get("alias"),):
        if type(part).__name__ == "Identifier" and not _NAME.fullmatch(str(part.name)):
            hint = "Names are letters, digits and underscores: no files, no addresses."
            return f"the query names {str(part.name)[:40]!r}", hint
    return None
