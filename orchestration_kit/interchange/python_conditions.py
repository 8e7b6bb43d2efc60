"""A condition of Burr becomes CEL text on the data bus, where it says what it looks at. None is evaluated."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple, cast

from orchestration_kit.definition.condition_text import read_condition
from orchestration_kit.errors import ConditionSyntaxError
from orchestration_kit.interchange.shape import entry, literal

_MOST = 2_000
"""Characters; more would not fit into a condition."""
_COMPARES: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "==",
    ast.IsNot: "!=", ast.In: "in",
}  # fmt: skip
_SUMS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_BOOLEAN = (ast.Compare, ast.BoolOp)


class Untold(Exception):
    """A condition that does not say what it looks at."""


class Told(NamedTuple):
    """A condition as CEL text, and whether it holds exactly where the original does."""

    text: str
    is_exact: bool


def always_holds(condition: Any) -> bool:
    """Whether it is Burr's `default`."""
    return getattr(condition, "name", None) == "default" and not getattr(condition, "_keys", ())


def condition_text(condition: Any) -> Told:
    """Return a condition of Burr as CEL text.

    Raises:
        Untold: it is a lambda, or something that CEL has no words for.
    """
    told = _told(condition, 0)
    try:
        read_condition(told.text)
    except ConditionSyntaxError as error:
        raise Untold(str(error)) from None
    return told


def expression_text(text: str, names: frozenset[str] | None = None) -> Told:
    """Return a Python expression on entries of the state as CEL text.

    >>> expression_text("n < 10 and kind in ['a', 'b'] and not done")
    Told(text='data.n < 10 && data.kind in ["a", "b"] && !(data.done == true)', is_exact=False)
    >>> expression_text("len(items) > 2").text
    'size(data.items) > 2'

    Raises:
        Untold: it is no expression, or says more than CEL can.
    """
    if len(text) > _MOST:
        raise Untold("too long")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Untold("no expression") from None
    return _Writer(names).written(tree.body)


def _told(condition: Any, depth: int) -> Told:
    """Look into the closures of Burr's own conditions; where they are others, at the name."""
    held = _closure(getattr(condition, "_resolver", None))
    if depth > 20:
        raise Untold("too deep")
    if "tree" in held and isinstance(held["tree"], ast.Expression):
        return _Writer(None).written(held["tree"].body)
    if "parsed" in held:
        return _all_of(held["parsed"])
    if "self" in held and "other" in held:
        left, right = held["self"], held["other"]
        mark = {f"{left.name} | {right.name}": "||", f"{left.name} & {right.name}": "&&"}.get(condition.name)
        if mark is None:
            raise Untold("another operator")
        parts = [_told(left, depth + 1), _told(right, depth + 1)]
        return Told(f" {mark} ".join(f"({part.text})" for part in parts), all(part.is_exact for part in parts))
    if "self" in held and str(condition.name).startswith("~"):
        inner = _told(held["self"], depth + 1)
        return Told(f"!({inner.text})", inner.is_exact)
    names = frozenset(cast("list[str]", getattr(condition, "_keys", ())))
    if not names or held:
        raise Untold("a lambda")
    return expression_text(str(getattr(condition, "name", "")), names)


def _closure(function: Any) -> dict[str, Any]:
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    if not str(getattr(function, "__module__", "")).startswith("burr."):
        return {"": None} if function is not None else {}  # somebody's own code
    return {name: cell.cell_contents for name, cell in zip(getattr(code, "co_freevars", ()), cells, strict=False)}


def _all_of(parsed: Any) -> Told:
    """Return what `when(...)` asks for: each of its parts is (key, sign, function, value, explicit)."""
    texts: list[str] = []
    for key, sign, _, value, *_rest in parsed:
        try:
            path, other = entry(str(key)), literal(value)
        except ValueError as error:
            raise Untold(str(error)) from None
        written = {"in": f"{path} in {other}", "not in": f"!({path} in {other})", "contains": f"{other} in {path}"}
        signs = {"=": "==", "is": "==", "is not": "!="}
        if sign not in written and signs.get(sign, sign) not in ("==", "!=", "<", "<=", ">", ">="):
            raise Untold(f"the operator {sign}")
        texts.append(written.get(sign) or f"{path} {signs.get(sign, sign)} {other}")
    if not texts:
        raise Untold("it asks for nothing")
    return Told(" && ".join(texts), is_exact=True)


class _Writer:
    """Writes the nodes of an expression as CEL, and remembers where that is not quite the same."""

    def __init__(self, names: frozenset[str] | None) -> None:
        self.names = names
        self.is_exact = True

    def written(self, node: ast.expr) -> Told:
        try:
            return Told(self._truth(node), self.is_exact)
        except (ValueError, RecursionError) as error:
            raise Untold(str(error)) from None

    def _truth(self, node: ast.expr) -> str:
        """Write what decides: CEL takes true and false alone."""
        if isinstance(node, ast.BoolOp):
            mark = " && " if isinstance(node.op, ast.And) else " || "
            return mark.join(self._within(value) for value in node.values)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"!({self._truth(node.operand)})"
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return literal(node.value)
        self.is_exact = False
        return f"{self._value(node)} == true"

    def _within(self, node: ast.expr) -> str:
        text = self._truth(node)
        return f"({text})" if isinstance(node, ast.BoolOp) else text

    def _compared(self, node: ast.Compare) -> str:
        parts: list[str] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.NotIn):
                parts.append(f"!({self._value(left)} in {self._value(right)})")
            else:
                parts.append(f"{self._value(left)} {_COMPARES[type(operator)]} {self._value(right)}")
            left = right
        return " && ".join(parts)

    def _value(self, node: ast.expr) -> str:
        match node:
            case ast.Constant():
                return literal(node.value)
            case ast.Name() if self.names is None or node.id in self.names:
                return entry(node.id)
            case ast.Subscript(slice=ast.Constant(value=str() | int() as key)):
                return f"{self._value(node.value)}[{literal(key)}]"
            case ast.List() | ast.Tuple():
                return f"[{', '.join(self._value(one) for one in node.elts)}]"
            case ast.Call(func=ast.Name(id="len"), args=[one], keywords=[]):
                return f"size({self._value(one)})"
            case ast.UnaryOp(op=ast.USub()):
                return f"-{self._value(node.operand)}"
            case ast.BinOp() if type(node.op) in _SUMS:
                return f"({self._value(node.left)} {_SUMS[type(node.op)]} {self._value(node.right)})"
            case _ if isinstance(node, _BOOLEAN):
                return f"({self._truth(node)})"
            case _:
                raise Untold(ast.dump(node)[:80])
