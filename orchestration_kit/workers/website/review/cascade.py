"""Works out which colours each element of a page ends up with: matching, cascade and inheritance.

Follows https://www.w3.org/TR/css-cascade-4/ for the properties `color`, `background` and `--*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration_kit.workers.website.review.css import read_inline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orchestration_kit.workers.website.review.css import (
        Compound,
        Declaration,
        Rule,
        Selector,
    )
    from orchestration_kit.workers.website.review.document import Element

_VAR = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,\s*([^()]*))?\)")
_FURTHEST_REFERENCE = 8
_INLINE_WEIGHT = (1_000, 0, 0)
_SEE_THROUGH = frozenset({"transparent", "none", "inherit", "initial", "unset"})


@dataclass(frozen=True, slots=True)
class Painted:
    """An element, its colour and the background behind it, as values with the variables resolved."""

    element: Element
    colour: str
    background: str
    source: Declaration | None
    """Where the colour is declared; None for the browser's default."""
    custom: Mapping[str, Declaration]


_Weighed = tuple[tuple[bool, tuple[int, int, int], int], "Declaration"]


def paint(root: Element, rules: Sequence[Rule], *, file: str) -> Iterator[Painted]:
    """Yield every element below `root` with its colours, parents before children.

    `rules` are those that apply: the caller leaves out other colour schemes and states.
    """
    index = _index(rules)
    canvas = Painted(root, "#000000", "#ffffff", None, {})
    waiting = [(child, canvas) for child in reversed(root.children)]
    while waiting:
        element, parent = waiting.pop()
        painted = _painted(element, parent, _matching(element, index, file))
        yield painted
        waiting += [(child, painted) for child in reversed(element.children)]


def _painted(element: Element, parent: Painted, declared: list[Declaration]) -> Painted:
    own = {one.name: one for one in declared if one.name.startswith("--")}
    custom = {**parent.custom, **own} if own else parent.custom
    colour, source, background = parent.colour, parent.source, parent.background
    for one in declared:
        value = resolve(one.value, custom)
        if one.name == "color" and value not in {"inherit", "currentcolor", "unset"}:
            colour, source = value, one
        elif one.name in {"background", "background-color"}:
            background = parent.background if value in _SEE_THROUGH else value
        elif one.name == "background-image" and value not in _SEE_THROUGH:
            background = value
    return Painted(element, colour, background, source, custom)


def resolve(value: str, custom: Mapping[str, Declaration]) -> str:
    """Return a value in lower case with its `var()` references replaced; unknown ones stay."""
    for _ in range(_FURTHEST_REFERENCE):
        match = _VAR.search(value)
        if not match:
            break
        declared = custom.get(match[1])
        found = declared.value if declared else match[2]
        if found is None:
            break
        value = value[: match.start()] + found.strip() + value[match.end() :]
    return value.strip().lower()


def _index(rules: Sequence[Rule]) -> dict[str, list[tuple[int, Rule]]]:
    """Group rules by what their last compound needs, so that few are tried for each element."""
    index: dict[str, list[tuple[int, Rule]]] = {}
    for order, rule in enumerate(rules):
        last = rule.selector.compounds[-1]
        if last.ident:
            key = f"#{last.ident}"
        elif last.classes:
            key = f".{last.classes[0]}"
        else:
            key = last.tag or "*"
        index.setdefault(key, []).append((order, rule))
    return index


def _matching(element: Element, index: Mapping[str, list[tuple[int, Rule]]], file: str) -> list[Declaration]:
    """Return the declarations for an element, the strongest last."""
    keys = ["*", element.tag, f"#{element.attributes.get('id', '')}"]
    keys += [f".{name}" for name in element.classes]
    weighed: list[_Weighed] = [
        ((one.important, rule.selector.specificity, order), one)
        for key in keys
        for order, rule in index.get(key, ())
        if matches(element, rule.selector)
        for one in rule.declarations
    ]
    style = element.attributes.get("style")
    if style:
        weighed += [((one.important, _INLINE_WEIGHT, 0), one) for one in read_inline(file, element.line, style)]
    return [one for _, one in sorted(weighed, key=lambda pair: pair[0])]


def matches(element: Element, selector: Selector) -> bool:
    """Whether an element is one that the selector means. Siblings (`+`, `~`) are taken as any sibling."""
    return _matches_at(element, selector, len(selector.compounds) - 1)


def _matches_at(element: Element, selector: Selector, at: int) -> bool:
    if not _is(element, selector.compounds[at]):
        return False
    if at == 0:
        return True
    match selector.joins[at]:
        case ">":
            candidates = [element.parent] if element.parent else []
        case "+" | "~":
            candidates = element.parent.children if element.parent else []
        case _:
            candidates = list(element.above())
    return any(_matches_at(candidate, selector, at - 1) for candidate in candidates)


def _is(element: Element, compound: Compound) -> bool:
    if compound.tag and element.tag != compound.tag:
        return False
    if compound.ident and element.attributes.get("id") != compound.ident:
        return False
    if compound.classes and not set(compound.classes) <= set(element.classes):
        return False
    return all(
        name in element.attributes and value in {None, element.attributes[name]} for name, value in compound.attributes
    )
