"""Parse a query into the facts that rules are about. Nothing of it is executed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from orchestration_kit.governance.rules.errors import MissingRulesExtra
from orchestration_kit.governance.rules.sql_shapes import shape_problem
from orchestration_kit.governance.rules.sql_text import with_marks
from orchestration_kit.governance.rules.sql_words import FUNCTIONS, SELECT, TAKES_WORDS

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
    from sqlglot import exp

    kind = type(tree).__name__
    tables: dict[str, None] = {}
    functions: dict[str, None] = {}
    nodes: dict[str, None] = {}
    defined = _defined(tree)
    texts = numbers = has_like = False
    problem = shape_problem(tree)
    for node in tree.walk():
        name = type(node).__name__
        if name in ("Table", "Column", "Alias", "TableAlias", "CTE"):
            problem = problem or _name_problem(node)
        if name == "Table":
            written = _table(node).lower()
            if not _is_defined(node, written, defined):
                tables[written] = None
        elif name == "Literal" and _chooses(node):
            texts, numbers = texts or bool(node.is_string), numbers or not node.is_string
        elif name == "DataType" and node.this.name not in _TYPES:
            problem = problem or (f"the query casts to {node.this.name}", "Cast to plain numbers, texts and dates.")
        elif name in ("Like", "ILike"):
            has_like = True
        elif name == "Column" and node.name.lower() in _KEYWORDS:
            functions[node.name.lower()] = None
        if name not in SELECT and name not in FUNCTIONS:
            if isinstance(node, exp.Func):
                functions[_function(node)] = None
            else:
                nodes[name] = None
        if node.comments:
            problem = problem or ("the query holds a comment", "Leave comments out.")
        if name == "With" and node.parent is not tree:
            problem = problem or ("the query has a WITH within it", "Put it at the beginning.")
        if name == "With" and node.args.get("recursive"):
            problem = problem or ("the query recurses (WITH RECURSIVE), which may not end", "Write it without.")
        if name == "Select" and not node.expressions:
            problem = problem or ("the query selects nothing", "Name columns, or *.")
    if sum(1 for _ in tree.find_all(exp.Table)) > MAX_TABLES:
        problem = problem or (f"the query joins over {MAX_TABLES} tables", "Ask for less at a time.")
    return SqlFacts(
        problem,
        _KINDS.get(kind, kind.lower()),
        tuple(tables),
        tuple(functions),
        tuple(nodes),
        texts,
        numbers,
        has_like,
        tree.args.get("where") is not None,
    )


MAX_TABLES = 10
_KEYWORDS = frozenset({"current_user", "session_user", "system_user", "user", "current_role", "current_catalog"})
"""Functions that are written without brackets, so that they may parse as columns."""
_CHOOSING = frozenset(
    {"Where", "Having", "Join", "Qualify", "And", "Or", "Not", "In", "Between", "Like", "ILike", "Is"}
)
_CHOOSING |= frozenset({"EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ", "Exists", "If", "Case"})


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


def _table(node: Any) -> str:
    return ".".join(part.name for part in node.parts)


def _name_problem(node: Any) -> tuple[str, str] | None:
    from sqlglot import exp

    for part in node.parts if isinstance(node, (exp.Table, exp.Column)) else (node.args.get("alias"),):
        name = part.name if isinstance(part, exp.Expression) else part
        if isinstance(part, exp.Identifier) and not _NAME.fullmatch(name):
            return (
                f"the query names {name[:40]!r}",
                "Names are letters, digits and underscores: no files, no addresses.",
            )
    return None
