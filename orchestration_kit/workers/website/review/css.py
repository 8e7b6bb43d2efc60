"""Reads the part of CSS that colours need: rules, their selectors, declarations and lines.

A selector that this reader does not understand is taken to match more, never less, so that a doubtful
pair of colours is checked rather than overlooked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_SIMPLE = re.compile(r"::?[\w-]+(?:\([^)]*\))?|[.#]?[\w-]+|\*|\[[^\]]*\]")
_COMBINATOR = re.compile(r"\s*([>+~])\s*|\s+")
_STATES = frozenset({":hover", ":focus", ":focus-visible", ":focus-within", ":active", ":visited"})
_COLOURED = frozenset({"color", "background", "background-color", "background-image"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """`name: value`, with the file and line it stands on."""

    name: str
    value: str
    important: bool
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Compound:
    """What one element must be: `a.button[aria-current]`."""

    tag: str = ""
    ident: str = ""
    classes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """Compounds from left to right, and how each is joined to the one before it."""

    compounds: tuple[Compound, ...]
    joins: tuple[str, ...]
    specificity: tuple[int, int, int]
    state: bool
    """Whether it speaks of a passing state such as `:hover`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One selector with the declarations about colours that it carries."""

    selector: Selector
    declarations: tuple[Declaration, ...]
    dark: bool
    """Whether it stands in a media query for the dark colour scheme."""


def read_stylesheet(file: str, text: str) -> list[Rule]:
    """Return the rules of a stylesheet that set colours or custom properties, in order."""
    bare = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), text)
    return list(_rules(file, bare, 0, len(bare), dark=False))


def _rules(file: str, text: str, start: int, end: int, *, dark: bool) -> Iterator[Rule]:
    while (opening := text.find("{", start, end)) >= 0:
        closing = _closing(text, opening, end)
        # Statements such as @import end with ';' and may stand before a selector.
        prelude = text[start:opening].rsplit(";", 1)[-1].strip()
        if prelude.startswith("@"):
            if prelude.startswith(("@media", "@supports", "@layer")) and "print" not in prelude:
                nested = dark or re.search(r"prefers-color-scheme:\s*dark", prelude) is not None
                yield from _rules(file, text, opening + 1, closing, dark=nested)
        else:
            declared = tuple(_declarations(file, text, opening + 1, closing))
            if declared:
                for part in _split(prelude):
                    selector = read_selector(part)
                    if selector:
                        yield Rule(selector, declared, dark)
        start = closing + 1


def _closing(text: str, opening: int, end: int) -> int:
    depth = 0
    for at in range(opening, end):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    return end


def _declarations(file: str, text: str, start: int, end: int) -> Iterator[Declaration]:
    at = start
    for part in text[start:end].split(";"):
        name, colon, value = part.partition(":")
        plain = name.strip() if name.strip().startswith("--") else name.strip().lower()
        if colon and (plain.startswith("--") or plain in _COLOURED):
            line = text.count("\n", 0, at + len(part) - len(part.lstrip())) + 1
            strong = "!important" in value
            yield Declaration(plain, value.replace("!important", "").strip(), strong, file, line)
        at += len(part) + 1


def read_inline(file: str, line: int, style: str) -> tuple[Declaration, ...]:
    """Return the declarations of a `style` attribute."""
    found = _declarations(file, style, 0, len(style))
    return tuple(Declaration(one.name, one.value, one.important, file, line) for one in found)


def _split(prelude: str) -> list[str]:
    """Split a selector list at its commas, but not inside parentheses."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", prelude) if part.strip()]


def read_selector(text: str) -> Selector | None:
    """Return the selector, or None if it is about a pseudo-element, which holds no text of a page."""
    if "::" in text:
        return None
    pieces = [piece for piece in _COMBINATOR.split(text.strip()) if piece != ""]
    compounds: list[Compound] = []
    joins: list[str] = []
    join = ""
    for piece in pieces:
        if piece is None:
            join = " "
        elif piece in {">", "+", "~"}:
            join = piece
        else:
            joins.append(join)
            compounds.append(_compound(piece))
    state = any(name in _STATES for name in re.findall(r":[\w-]+", text))
    pseudo_classes = len(re.findall(r":[\w-]", text))
    weight = (
        sum(bool(one.ident) for one in compounds),
        sum(len(one.classes) + len(one.attributes) for one in compounds) + pseudo_classes,
        sum(bool(one.tag) for one in compounds),
    )
    return Selector(tuple(compounds), tuple(joins), weight, state)


def _compound(text: str) -> Compound:
    tag, ident = "", ""
    classes: list[str] = []
    attributes: list[tuple[str, str | None]] = []
    for simple in _SIMPLE.findall(text):
        match simple[0]:
            case ".":
                classes.append(simple[1:])
            case "#":
                ident = simple[1:]
            case "[":
                name, equals, value = simple[1:-1].partition("=")
                exact = equals and name[-1:].isalnum()
                attributes.append((name.rstrip("~|^$*").lower(), value.strip("\"' ") if exact else None))
            case ":" if simple == ":root":
                tag = "html"
            case ":" | "*":
                continue
            case _:
                tag = simple.lower()
    return Compound(tag, ident, tuple(classes), tuple(attributes))
