"""Compile a condition's CEL text in plain Python, for where the CEL library cannot be had, as in a browser.

Text becomes closures over the values it names. It gives what the library gives, or refuses: what it does not know
(times, durations, types) is an error when the text is compiled. https://github.com/google/cel-spec, langdef.md
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from orchestration_kit.definition.condition_text import MACROS, tokens_of
from orchestration_kit.definition.plain_cel_literals import number_of, text_of
from orchestration_kit.definition.plain_cel_macros import macro_of
from orchestration_kit.definition.plain_cel_values import (
    FUNCTIONS,
    METHODS,
    OPERATORS,
    entry,
    item,
    negate,
    no_overload,
    truth,
)

Value = Callable[[dict[str, Any]], Any]
"""Gives a value from those of the names."""
_LEVELS = (frozenset({"<", "<=", ">", ">=", "==", "!=", "in"}), frozenset({"+", "-"}), frozenset({"*", "/", "%"}))
_MOST_WAYS = 95
"""As many as the library takes."""
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


class PlainProgram:
    """Compiled text, to be executed as the library's programs are.

    >>> PlainProgram("output.score > 0.5 && visits < 3").execute({"output": {"score": 0.7}, "visits": 1})
    True

    Raises:
        ValueError: the text does not parse, or holds what is not known here.
    """

    def __init__(self, text: str) -> None:
        try:
            self._value = _Parser(text).whole()
        except RecursionError:
            raise ValueError("it is nested too deeply") from None

    def execute(self, variables: dict[str, Any]) -> Any:
        """Return what the text gives for these values."""
        return self._value(variables)


class _Parser:
    """Recursive descent, but for chains, which are loops: a long text is no deep stack."""

    def __init__(self, text: str) -> None:
        self.tokens = [*tokens_of(text), ("end", "")]
        self.at = 0

    def whole(self) -> Value:
        value = self.expression()
        if self.kind != "end":
            self.refuse()
        return value

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def symbol(self) -> str:
        """The mark or the name that comes next; nothing where it is a literal."""
        kind, symbol = self.tokens[self.at]
        return symbol if kind in ("mark", "name") else ""

    def refuse(self) -> NoReturn:
        found = self.tokens[self.at][1]
        raise ValueError("it breaks off" if self.kind == "end" else f"{found!r:.60} is not expected there")

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def takes(self, symbol: str) -> bool:
        found = self.symbol == symbol
        self.at += found
        return found

    def expect(self, symbol: str) -> None:
        if not self.takes(symbol):
            self.refuse()

    def expression(self) -> Value:
        ways: list[tuple[Value, Value]] = []
        last = self.either()
        while self.takes("?"):
            then = self.either()
            self.expect(":")
            ways.append((last, then))
            if len(ways) > _MOST_WAYS:
                raise ValueError(f"more than {_MOST_WAYS} choices follow one another")
            last = self.either()
        return _chosen(ways, last) if ways else last

    def either(self) -> Value:
        parts = [self.both()]
        while self.takes("||"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else _logic(parts, decides=True)

    def both(self) -> Value:
        parts = [self.chain(0)]
        while self.takes("&&"):
            parts.append(self.chain(0))
        return parts[0] if len(parts) == 1 else _logic(parts, decides=False)

    def chain(self, level: int) -> Value:
        if level == len(_LEVELS):
            return self.unary()
        first, rest = self.chain(level + 1), list[tuple[Callable[[Any, Any], Any], Value]]()
        while self.symbol in _LEVELS[level]:
            rest.append((OPERATORS[self.next()], self.chain(level + 1)))
        return _chained(first, rest) if rest else first

    def unary(self) -> Value:
        mark, count = self.symbol, 0
        while mark in ("!", "-") and self.symbol == mark:
            self.at += 1
            count += 1
        found = self.tokens[self.at]
        if mark == "-" and count % 2 and found[0] == "number" and found[1][-1] not in "uU":
            return self.member(_constant(number_of("-" + self.next())))
        value = self.member(self.primary())
        if count % 2 == 0:
            return value
        return _negated(value) if mark == "-" else _inverted(value)

    def primary(self) -> Value:
        kind = self.kind
        if kind == "number":
            return _constant(number_of(self.next()))
        if kind == "string":
            return _constant(text_of(self.next()))
        if kind == "name":
            return self.named(self.next())
        if self.takes("("):
            value = self.expression()
            self.expect(")")
            return value
        if self.takes("["):
            return _listed(self.several("]"))
        if self.takes("{"):
            return self.mapping()
        return self.refuse()

    def named(self, name: str) -> Value:
        if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        if not self.takes("("):
            if name == "in":
                self.refuse()
            return lambda names: names[name]
        if name == "has":
            return self.has()
        arguments = self.several(")")
        function = FUNCTIONS.get(name)
        if function is None or len(arguments) != 1:
            raise ValueError(f"{name}(...) with {len(arguments)} arguments is not known without the CEL library")
        return _called(function, arguments)

    def has(self) -> Value:
        begun = self.at
        self.member(self.primary())
        if self.tokens[self.at - 1][0] != "name" or self.tokens[self.at - 2][1] != ".":
            raise ValueError("has(...) takes a path, such as has(output.score)")
        end, kept = self.at, self.tokens
        self.tokens = [*kept[begun : end - 2], ("end", "")]
        self.at = 0
        holder = self.whole()  # read again, without its last part
        self.tokens, self.at = kept, end
        self.expect(")")
        name = kept[end - 1][1]

        def is_there(names: dict[str, Any]) -> bool:
            value = holder(names)
            if not isinstance(value, dict):
                raise no_overload("has", value)
            return name in value

        return is_there

    def several(self, closing: str) -> list[Value]:
        values: list[Value] = []
        while not self.takes(closing):
            values.append(self.expression())
            if not self.takes(","):
                self.expect(closing)
                break
            if closing == ")" and self.symbol == closing:
                self.refuse()
        return values

    def mapping(self) -> Value:
        pairs: list[tuple[Value, Value]] = []
        while not self.takes("}"):
            key = self.expression()
            self.expect(":")
            pairs.append((key, self.expression()))
            if not self.takes(","):
                self.expect("}")
                break
        return _mapped(pairs)

    def member(self, value: Value) -> Value:
        steps: list[Callable[[Any, dict[str, Any]], Any]] = []
        while True:
            if self.takes("["):
                steps.append(_item_step(self.expression()))
                self.expect("]")
            elif self.takes("."):
                if self.kind != "name":
                    self.refuse()
                name = self.next()
                steps.append(self.method(name) if self.takes("(") else _entry_step(name))
            else:
                return _walked(value, steps) if steps else value

    def method(self, name: str) -> Callable[[Any, dict[str, Any]], Any]:
        if name in MACROS:
            variable = self.symbol
            if self.kind != "name" or variable in _CONSTANTS:
                self.refuse()
            self.at += 1
            self.expect(",")
            return macro_of(name, variable, self.several(")"))
        arguments = self.several(")")
        function = METHODS.get((name, len(arguments)))
        if function is None:
            raise ValueError(f".{name}(...) with {len(arguments)} arguments is not known without the CEL library")
        return lambda value, names: function(value, *(argument(names) for argument in arguments))


def _constant(value: Any) -> Value:
    return lambda _: value


def _negated(value: Value) -> Value:
    return lambda names: negate(value(names))


def _inverted(value: Value) -> Value:
    return lambda names: not truth(value(names))


def _called(function: Callable[..., Any], arguments: list[Value]) -> Value:
    return lambda names: function(*(argument(names) for argument in arguments))


def _listed(values: list[Value]) -> Value:
    return lambda names: [value(names) for value in values]


def _entry_step(name: str) -> Callable[[Any, dict[str, Any]], Any]:
    return lambda value, _: entry(value, name)


def _item_step(index: Value) -> Callable[[Any, dict[str, Any]], Any]:
    return lambda value, names: item(value, index(names))


def _mapped(pairs: list[tuple[Value, Value]]) -> Value:
    def build(names: dict[str, Any]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key, value in pairs:
            name = key(names)
            if not isinstance(name, str):
                raise TypeError(f"without the CEL library the keys of a mapping are text, not {name!r:.40}")
            built[name] = value(names)
        return built

    return build


def _walked(value: Value, steps: list[Callable[[Any, dict[str, Any]], Any]]) -> Value:
    def walk(names: dict[str, Any]) -> Any:
        found = value(names)
        for step in steps:
            found = step(found, names)
        return found

    return walk


def _chosen(ways: list[tuple[Value, Value]], last: Value) -> Value:
    def choose(names: dict[str, Any]) -> Any:
        for condition, value in ways:
            if truth(condition(names)):
                return value(names)
        return last(names)

    return choose


def _chained(first: Value, rest: list[tuple[Callable[[Any, Any], Any], Value]]) -> Value:
    def work_out(names: dict[str, Any]) -> Any:
        value = first(names)
        for operator, following in rest:
            value = operator(value, following(names))
        return value

    return work_out


def _logic(parts: list[Value], *, decides: bool) -> Value:
    """`||` where True decides, `&&` where False does: one part that decides outweighs an error in another."""

    def weigh(names: dict[str, Any]) -> bool:
        trouble: Exception | None = None
        for part in parts:
            try:
                if truth(part(names)) is decides:
                    return decides
            except Exception as error:  # noqa: BLE001 - raised below, unless another part decides
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return not decides

    return weigh
