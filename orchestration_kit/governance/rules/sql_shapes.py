"""Recognise conditions that hold for every row: the shapes that injected text takes (CWE-89).

`OR 1=1`, `OR 'a'='a'`, `OR true`, `OR id = id`, `OR x IS NULL OR x IS NOT NULL`, `OR name LIKE '%'`, and those that
compare parameters with each other. That a condition chooses few rows cannot be proven; name the tables that may be
read, and cap what comes back (`OutcomeRule`).
"""

from __future__ import annotations

from typing import Any

from orchestration_kit.governance.rules.sql_words import words

_COMPARISONS = words("EQ NEQ GT GTE LT LTE Is In Between Like ILike NullSafeEQ NullSafeNEQ")
_OPPOSITES = {"EQ": "NEQ", "NEQ": "EQ", "GT": "LTE", "LTE": "GT", "LT": "GTE", "GTE": "LT"}
_HINT = "Compare a column with a parameter."


def shape_problem(tree: Any) -> tuple[str, str] | None:
    """Return the first condition that holds always, or never, and what to do; None where there is none."""
    for node in tree.walk():
        name = type(node).__name__
        found: str | None = None
        if name in _COMPARISONS:
            found = _comparison(node)
        elif name in ("And", "Or", "Xor"):
            found = _operand(node.this) or _operand(node.expression)
            if found is None and name == "Or" and type(node.parent).__name__ != "Or":
                found = _complements(node)
        elif name in ("Where", "Having", "Not", "Qualify") or (name == "If" and _chooses_rows(node)):
            found = _operand(node.this)
        elif name == "Case" and node.this is not None and _chooses_rows(node):
            found = next((f for one in node.args["ifs"] if (f := _with_itself(node.this, one.this)) is not None), None)
        elif name == "Join":
            found = _operand(node.args.get("on"))
        elif name == "Exists" and not _touches(node, "Table"):
            found = "asks whether there is something where nothing is looked up"
        if found is not None:
            return f"the query {found} ({node.sql()[:60]})", _HINT
    return None


def _bare(node: Any) -> Any:
    while type(node).__name__ in ("Paren", "Subquery") and node.args.get("this") is not None:
        if type(node).__name__ == "Subquery" and type(node.this).__name__ in ("Select", "Union"):
            return node
        node = node.this
    return node


def _touches(node: Any, kind: str) -> bool:
    return any(type(one).__name__ == kind for one in node.walk())


def _columns(node: Any) -> set[tuple[str, str]]:
    return {(one.table.lower(), one.name.lower()) for one in node.walk() if type(one).__name__ == "Column"}


def _chooses_rows(node: Any) -> bool:
    return any(node.find_ancestor(kind) is not None for kind in _row_choosers())


def _row_choosers() -> tuple[Any, ...]:
    from sqlglot import exp

    return (exp.Where, exp.Having, exp.Join)


def _operand(node: Any) -> str | None:
    """Say what is wrong with something that stands where true or false is wanted."""
    node = _bare(node)
    if node is None or type(node).__name__ in _COMPARISONS or type(node).__name__ in ("And", "Or", "Not", "Exists"):
        return None
    if type(node).__name__ == "Subquery":
        return "takes a query for a condition"
    if type(node).__name__ == "DPipe":
        return "joins conditions with ||, which is OR in one database and a text in another"
    if not _columns(node):
        return "has a condition that is the same for every row"
    return None


def _comparison(node: Any) -> str | None:
    if not _columns(node) and not any(_touches(node, kind) for kind in ("Table", "Count", "Sum", "Avg", "Min", "Max")):
        return "compares what is the same for every row"
    if any(type(one).__name__ == "DPipe" for one in (_bare(node.this), _bare(node.args.get("expression")))):
        return "compares with ||, which is OR in one database and joins texts in another"
    if type(node).__name__ in ("Like", "ILike"):
        pattern = _bare(node.expression)
        if type(pattern).__name__ == "Literal" and not str(pattern.this).strip("%_"):
            return "has a pattern that everything matches"
    left, right = node.this, node.args.get("expression")
    if right is None:
        both = [*(node.args.get("expressions") or ()), node.args.get("low"), node.args.get("high")]
        return next((f for one in both if one is not None and (f := _with_itself(left, one)) is not None), None)
    return _with_itself(left, right)


def _with_itself(left: Any, right: Any) -> str | None:
    ours, theirs = _columns(left), _columns(right)
    if len(ours) != 1 or len(theirs) != 1 or _touches(right, "Select") or _touches(left, "Select"):
        return None
    (table, name), (other_table, other_name) = *ours, *theirs
    if name == other_name and (table == other_table or not table or not other_table):
        return "compares a column with itself"
    return None


def _complements(node: Any) -> str | None:
    seen: set[tuple[str, str]] = set()
    parts = [_bare(one) for one in node.flatten()]
    for one in parts:
        others = {name for other in parts if other is not one for _, name in _columns(other)}
        if type(one).__name__ == "Column" and one.name.lower() in others:
            return "has a condition that holds wherever the column is there"
    for one in parts:
        bare = _bare(one)
        negated = type(bare).__name__ == "Not"
        inner = _bare(bare.this) if negated else bare
        name, text = type(inner).__name__, inner.sql().lower()
        if name in _OPPOSITES:
            name = _OPPOSITES[name] if negated else name
            text = f"{inner.this.sql()} ? {inner.expression.sql()}".lower()
            opposite = (_OPPOSITES[name], text)
        else:
            name = "no" if negated else "yes"
            opposite = ("yes" if negated else "no", text)
        if opposite in seen:
            return "has a condition or its opposite"
        seen.add((name, text))
    return None
