"""What a Mermaid flowchart says, as plain data: nodes, edges, groups. Texts are kept as written."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Literal

Stroke = Literal["solid", "dotted", "thick"]

_BREAK = re.compile(r"<br ?/?>|<hr ?/?>|\\n|\n", re.IGNORECASE)
_LOOKS = re.compile(r"</?(?:p|b|i|u|em|strong|small|code|sub|sup)>", re.IGNORECASE)
_ENTITY = re.compile(r"#(?:(\d{1,7})|([A-Za-z]{2,30}));")


@dataclass(slots=True)
class ChartNode:
    """A node, and the shape it is drawn in: what its text stands between, such as `([`."""

    name: str
    line: int
    shape: str = ""
    text: str | None = None
    classes: set[str] = field(default_factory=set[str])
    group: str | None = None


@dataclass(slots=True)
class ChartEdge:
    """An arrow from a node or group to another."""

    source: str
    target: str
    stroke: Stroke
    label: str | None
    line: int


@dataclass(slots=True)
class ChartGroup:
    """A subgraph."""

    name: str
    title: str
    line: int
    parent: str | None


@dataclass(slots=True)
class Chart:
    """A flowchart."""

    nodes: dict[str, ChartNode] = field(default_factory=dict[str, ChartNode])
    edges: list[ChartEdge] = field(default_factory=list[ChartEdge])
    groups: dict[str, ChartGroup] = field(default_factory=dict[str, ChartGroup])
    title: str = ""
    description: str = ""
    comments: list[str] = field(default_factory=list[str])
    ignored: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Statements that do something in a browser, which nothing here does: by line, their first word."""


def raw_lines(text: str) -> list[str]:
    """Return the lines of a text as written, without what only changes how it looks.

    >>> raw_lines("<b>Draft</b><br/>coder")
    ['Draft', 'coder']
    """
    inner = text.strip()
    if len(inner) > 1 and inner[0] == inner[-1] == "`":
        inner = inner[1:-1]
    return [line for part in _BREAK.split(_LOOKS.sub("", inner)) if (line := part.strip())]


def decoded(raw: str) -> str:
    """Return what a text says: entities of HTML, and those of Mermaid, are characters.

    >>> decoded("a#60;b &amp; c#34;")
    'a<b & c"'
    """
    return (
        _ENTITY.sub(_character, html.unescape(raw).replace("\xa0", " ")).strip()
        if "&" in raw
        else _ENTITY.sub(_character, raw)
    )


def encoded(text: str) -> str:
    r"""Return text in which no character means anything to Mermaid, HTML, or a reader of labels.

    >>> encoded('say "hi"\n')
    'say #34;hi#34;#10;'
    """
    safe = _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)
    return _EDGE_SPACE.sub(lambda found: "#32;" * len(found[0]), safe)


_SPECIAL = re.compile(r"[^\w .,()/+=\u00a1-\U0010ffff-]|[\u00b7\u2026\u2028\u2029\u3000]|[^\S ]", re.ASCII)
_EDGE_SPACE = re.compile(r"^ +| +$| {2,}")


def _character(found: re.Match[str]) -> str:
    if found[2] is not None:
        named = html.unescape(f"&{found[2]};")
        return found[0] if named.startswith("&") and len(named) > 1 else named
    code = int(found[1])
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else found[0]
