"""Read a condition's text before the CEL library does: what it names, and whether it is within the caps.

The library evaluates; this file decides what it gets to see. It is a tokenizer, not a parser: it finds the
paths a condition names (`output.approved`, `data.items`), so that only these are handed over, and counts
what can make an evaluation slow.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from orchestration_kit.errors import ConditionSyntaxError, did_you_mean, listed

MAX_CHARACTERS = 2_000
MAX_BRACKETS = 32
MAX_MACRO_NESTING = 1
MAX_PATH = 64
ROOTS = ("output", "data", "goal", "visits", "attempt")
FUNCTIONS = frozenset({
    "size", "has", "int", "uint", "double", "string", "bytes", "type", "dyn", "contains", "startsWith", "endsWith",
    "timestamp", "duration", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getHours", "getMinutes", "getSeconds", "getMilliseconds",
})  # fmt: skip
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_BUILDING_MACROS = frozenset({"map", "filter"})
PYTHON_WORDS = {
    "and": "&&", "or": "||", "not": "!", "None": "null", "True": "true", "False": "false", "is": "==",
    "len": "size(...)", "str": "string(...)", "float": "double(...)", "any": "list.exists(x, ...)",
}  # fmt: skip
"""What somebody who thinks in Python writes, and what it is called here."""
_WORDS = frozenset({"true", "false", "null", "in"})
_ESCAPE = r"\\(?:[abfnrtv\"'\\?`]|[0-3][0-7]{2}|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n\f]+|//[^\n]*)
      | (?P<string>[bB]?(?:[rR](?:\"\"\".*?\"\"\"|'''.*?'''|"[^"\n\r]*"|'[^'\n\r]*')
                        |\"\"\"(?:{_ESCAPE}|[^\\])*?\"\"\"|'''(?:{_ESCAPE}|[^\\])*?'''
                        |"(?:{_ESCAPE}|[^"\\\n\r])*"|'(?:{_ESCAPE}|[^'\\\n\r])*'))
      | (?P<number>0x[0-9a-fA-F]+[uU]?|\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<mark>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{{}}])
      | (?P<unknown>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""The tokens of CEL, exactly: where this and the library part, text could pass unseen. Anything else is refused.
https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax"""


class Named(NamedTuple):
    """What a condition names, and what makes it costly."""

    paths: tuple[tuple[str, ...], ...]
    """Root first: `("output", "approved")`. No path is the beginning of another."""
    mentions: int
    """How often a root is mentioned."""
    mentions_in_macros: int
    macros: int
    building_macros: int
    """`map` and `filter`, which the library builds in quadratic time."""
    literals: int
    """Values written out."""
    literals_in_macros: int
    mentions_in_maps: int
    growth: int
    """How many times as large as what goes in the result of all `map`s together can be."""


def read_condition(text: str) -> Named:
    """Return what a condition names.

    >>> read_condition("output.score > 0.5 && visits < 3").paths
    (('output', 'score'), ('visits',))

    Raises:
        ConditionSyntaxError: the text is over a cap, or names something a condition cannot have.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConditionSyntaxError(
            text, f"it has {len(text):,} characters", f"At most {MAX_CHARACTERS:,} are allowed; compute it in a step."
        )
    if not text.strip():
        raise ConditionSyntaxError(text, "it is empty", "Write for example: output.approved == true")
    return _Reader(text).read()


def read_path(text: str) -> tuple[str, ...]:
    """Return the parts of a path, the root first.

    >>> read_path('data["line items"].price')
    ('data', 'line items', 'price')

    Raises:
        ConditionSyntaxError: the text is more than one path, or its root is not `output`, `data` or `goal`.
    """
    paths = read_condition(text).paths
    joined = "".join(symbol for _, symbol in tokens_of(text))
    if len(paths) == 1 and paths[0][0] in ("output", "data", "goal"):
        dotted = re.escape(paths[0][0]) + "".join(
            rf"(?:\.{re.escape(key)}|\[[\"']{re.escape(key)}[\"']\])" for key in paths[0][1:]
        )
        if re.fullmatch(dotted, joined):
            return paths[0]
    raise ConditionSyntaxError(
        text, "a path is wanted", "Write for example data.items or output.rows; work it out in a step where it is more."
    )


def spans_of(text: str) -> list[tuple[str, int, int]]:
    """Return the text of each token with where it begins and ends; blanks and comments are none."""
    found = _TOKEN.finditer(text)
    return [(match.group(), match.start(), match.end()) for match in found if match.lastgroup != "space"]


def tokens_of(text: str) -> list[tuple[str, str]]:
    """Return the kind and the text of each token; blanks and comments are none."""
    return [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(text) if match.lastgroup != "space"]


class _Reader:
    """One pass over the tokens, with a stack of open brackets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.brackets: list[str | None] = []
        """For each open bracket the variable its macro binds ("" where it is one without), else None."""
        self.paths: dict[tuple[str, ...], None] = {}
        self.mentions = self.mentions_in_macros = self.macros = self.building_macros = 0
        self.literals = self.literals_in_macros = self.mentions_in_maps = 0
        self.growth = 1
        self.macro = ""
        """The macro that is open: there is one at most."""
        self.put_in = 0
        """How many values the open macro puts into each item of what it builds."""

    def read(self) -> Named:
        at = 0
        while at < len(self.tokens):
            at = self._token(at)
        return Named(
            paths=_without_extensions(self.paths),
            mentions=self.mentions,
            mentions_in_macros=self.mentions_in_macros,
            macros=self.macros,
            building_macros=self.building_macros,
            literals=self.literals,
            literals_in_macros=self.literals_in_macros,
            mentions_in_maps=self.mentions_in_maps,
            growth=self.growth,
        )

    def _peek(self, at: int) -> str:
        return self.tokens[at][1] if at < len(self.tokens) else ""

    def _refuse(self, reason: str, hint: str) -> ConditionSyntaxError:
        return ConditionSyntaxError(self.text, reason, hint)

    def _token(self, at: int) -> int:
        kind, symbol = self.tokens[at]
        if kind == "name":
            return self._member(at) if at > 0 and self._peek(at - 1) == "." else self._word(at)
        if kind == "unknown":
            raise self._refuse(
                f"it holds {symbol!r}",
                "Text goes into quotes; == and >= compare, && is and, || is or, ! is not.",
            )
        if kind != "mark":
            self._literal()
        elif symbol in "([{":
            self.put_in += symbol != "(" and not self._ends_a_value(at - 1)  # a list or a mapping, not an index
            self._open(None)
        elif symbol in ")]}" and self.brackets:
            self._close()
        elif symbol == "." and not self._ends_a_value(at - 1):
            raise self._refuse("a name begins with a dot", "Leave the dot out, for example output.approved")
        return at + 1

    def _ends_a_value(self, at: int) -> bool:
        return at >= 0 and self.tokens[at][1] != "in" and (self.tokens[at][0] != "mark" or self.tokens[at][1] in ")]}")

    def _literal(self) -> None:
        self.literals += 1
        self.literals_in_macros += bool(self.macro)
        self.put_in += 1

    def _open(self, bound: str | None) -> None:
        self.brackets.append(bound)
        if len(self.brackets) > MAX_BRACKETS:
            raise self._refuse(f"more than {MAX_BRACKETS} brackets are open at once", "Write it flatter.")

    def _close(self) -> None:
        if self.brackets.pop() is not None:
            if self.macro == "map":
                self.growth *= max(1, self.put_in)
            self.macro = ""

    def _member(self, at: int) -> int:
        name = self.tokens[at][1]
        self._no_message(at + 1)
        if self._peek(at + 1) != "(":
            return at + 1
        if name not in MACROS:
            self._known_function(name)
            return at + 1
        self.macros += 1
        self.building_macros += name in _BUILDING_MACROS
        if sum(bound is not None for bound in self.brackets) >= MAX_MACRO_NESTING:
            raise self._refuse(f"{name}(...) stands inside another macro", "Nest no macros; compute it in a step.")
        variable = self._peek(at + 2)
        is_name = at + 2 < len(self.tokens) and self.tokens[at + 2][0] == "name" and self._peek(at + 3) == ","
        if is_name and variable in ROOTS:
            raise self._refuse(f"{name}(...) binds the name {variable!r}", "Choose another name, for example x.")
        self._open(variable if is_name else "")
        self.macro, self.put_in = name, 0
        return at + (4 if is_name else 2)

    def _word(self, at: int) -> int:
        name = self.tokens[at][1]
        following = self._peek(at + 1)
        if name in self.brackets:
            self._no_message(at + 1)
            self.put_in += 1
            return at + 1
        if name in _WORDS:
            if name != "in":
                self._literal()
            return at + 1
        if following == "(" and name in MACROS:
            raise self._refuse(f"{name}(...) stands alone", f"Call it on a list: output.items.{name}(x, x > 1)")
        if following == "(":
            self._known_function(name)
            return at + 1
        if name in PYTHON_WORDS:
            raise self._refuse(f"it holds {name!r}, which is Python", f"In CEL that is {PYTHON_WORDS[name]}")
        if name not in ROOTS:
            raise self._refuse(
                f"it names {name!r}",
                f"A condition can name {', '.join(ROOTS)}.{did_you_mean(name, ROOTS)} Text goes into quotes.",
            )
        self.mentions += 1
        self.mentions_in_macros += bool(self.macro)
        self.mentions_in_maps += self.macro == "map"
        return self._path(at)

    def _no_message(self, at: int) -> None:
        """In CEL a name before a brace makes a protocol buffer, of which conditions have none."""
        if self._peek(at) == "{":
            there = f"a brace follows {self.tokens[at - 1][1][:60]}"
            raise self._refuse(there, "A mapping stands by itself, as in output == {'score': 1}")

    def _known_function(self, name: str) -> None:
        if name in PYTHON_WORDS:
            raise self._refuse(f"it calls {name!r}, which is Python", f"In CEL that is {PYTHON_WORDS[name]}")
        if name not in FUNCTIONS:
            known = sorted(FUNCTIONS | MACROS)
            raise self._refuse(
                f"there is no function {name!r}", f"Known are {listed(known, 40)}.{did_you_mean(name, known)}"
            )

    def _path(self, at: int) -> int:
        path = [self.tokens[at][1]]
        at += 1
        while True:
            if self._peek(at) == "." and at + 1 < len(self.tokens) and self.tokens[at + 1][0] == "name":
                if self._peek(at + 2) == "(":
                    break
                path.append(self.tokens[at + 1][1])
                at += 2
            elif (
                self._peek(at) == "["
                and self._peek(at + 2) == "]"
                and self.tokens[at + 1][0] == "string"
                and (key := plain_string(self._peek(at + 1))) is not None
            ):
                path.append(key)
                at += 3
            else:
                break
        self._no_message(at)
        if path == ["data"]:
            raise self._refuse("it asks for the whole data bus", "Name the entry, for example data.items")
        if len(path) > MAX_PATH:
            raise self._refuse(f"it names a path of {len(path):,} parts", f"At most {MAX_PATH} are allowed.")
        self.paths[tuple(path)] = None
        return at


def plain_string(text: str) -> str | None:
    """Return what a token between simple quotes says, None for any other token."""
    if text[0] in "\"'" and "\\" not in text and text[:3] not in ('"""', "'''"):
        return text[1:-1]
    return None


def _without_extensions(paths: dict[tuple[str, ...], None]) -> tuple[tuple[str, ...], ...]:
    return tuple(path for path in paths if not any(path[:n] in paths for n in range(1, len(path))))
