"""A scene is painted as SVG, from six elements and a fixed set of attributes.

The picture is written by us from numbers and theme colours; text from data enters in three places only
(character data, `<title>`, `data-*` values), always cleaned and escaped. There is no script, no style sheet,
no link and no reference to anything outside. `ALLOWED` states the promise; the tests hold the painter to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from orchestration_kit.visual.model import Line
from orchestration_kit.visual.primitives import Box, Curve, Group, Words
from orchestration_kit.visual.scene import Key, Scene
from orchestration_kit.visual.text import clean

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
ROOT_STYLE = "max-width:100%;height:auto"
"""The only style in the picture: wide diagrams shrink to the page."""
_DASHES: dict[Line, str] = {"dashed": "6 4", "dotted": "1.5 3.5", "dash-dot": "9 3 2 3"}

_BOX = {"x", "y", "width", "height", "rx", "fill", "stroke", "stroke-width", "stroke-dasharray"}
_PATH = {"d", "fill", "stroke", "stroke-width", "stroke-dasharray"}
_GROUP = {
    "id",
    "class",
    "data-step",
    "data-state",
    "data-kind",
    "data-source",
    "data-target",
    "data-traversals",
}
ALLOWED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "svg": frozenset(
            {"xmlns", "width", "height", "viewBox", "role", "aria-labelledby", "class", "style", "font-family"}
            | {"text-anchor"}
        ),
        "title": frozenset({"id"}),
        "desc": frozenset({"id"}),
        "g": frozenset(_GROUP),
        "rect": frozenset(_BOX),
        "path": frozenset(_PATH),
        "text": frozenset({"x", "y", "font-size", "font-weight", "fill"}),
    }
)
"""Every element the painter writes, with every attribute it may carry."""


@dataclass(slots=True)
class Memory:
    """What was painted of one drawing in one theme: groups come out of it as long as nothing happened there."""

    prefix: str = ""
    """What all ids begin with."""
    painted: dict[Key, str] = field(default_factory=dict[Key, str])


def paint_svg(scene: Scene, memory: Memory | None = None, *, widest: float | None = None) -> str:
    """Return the scene as one `<svg>` element.

    The same scene gives the same bytes. Ids begin with a hash of what the workflow is, so that several diagrams
    fit into one page and ids stay the same from overlay to overlay. A `memory` must belong to one drawing.
    What is wider than `widest` pixels asks to be shown that wide, in proportion.
    """
    memory = memory if memory is not None else Memory()
    groups = paint_groups(scene, memory)
    prefix = memory.prefix
    wide, high = f"{scene.layout.width:.0f}", f"{scene.layout.height:.0f}"
    scale = 1.0 if widest is None else min(widest / scene.layout.width, 1.0)
    shown = f'width="{scene.layout.width * scale:.0f}" height="{scene.layout.height * scale:.0f}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {shown} viewBox="0 0 {wide} {high}" '
        f'role="img" aria-labelledby="{prefix}-title {prefix}-desc" '
        f'class="ok-diagram" style="{ROOT_STYLE}" font-family="{FONT}" text-anchor="middle">\n'
        f'<title id="{prefix}-title">{escape(scene.title)}</title>\n'
        f'<desc id="{prefix}-desc">{escape(scene.description)}</desc>\n'
        f'<rect x="0" y="0" width="{wide}" height="{high}" rx="6" fill="{scene.theme.background}"/>\n'
    )
    return "".join([head, *groups.values(), "</svg>\n"])


def paint_groups(scene: Scene, memory: Memory) -> dict[str, str]:
    """Return the groups of the picture by id, in the order in which they are painted, each as its `<g>` element.

    Ids stay the same from overlay to overlay, so that a live picture can put one group in the place of another.
    """
    prefix = memory.prefix = memory.prefix or _prefix(scene)
    painted = memory.painted
    keys = scene.in_order()
    if len(painted) > 20 * len(keys) + 1_000:
        painted.clear()  # a monitor that watches for days must not fill the memory
    groups: dict[str, str] = {}
    for key in keys:
        name = f"{prefix}-{key[0][0]}{key[1]}"
        text = painted.get(key)
        if text is None:
            text = painted[key] = _group(scene.group(key), name)
        groups[name] = text
    return groups


def escape(text: str) -> str:
    """Return text as XML character data that is also safe between double quotes."""
    return (
        clean(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&#39;")
    )


def _group(group: Group, name: str) -> str:
    data = "".join([f' data-{name}="{escape(value)}"' for name, value in group.data.items()])
    parts = [f'<g id="{name}" class="{group.classes}"{data}>']
    if group.tooltip:
        parts.append(f"<title>{escape(group.tooltip)}</title>")
    for item in group.items:
        if type(item) is Box:
            parts.append(_box(item))
        elif type(item) is Words:
            weight = ' font-weight="bold"' if item.bold else ""
            parts.append(
                f'<text x="{item.x:.1f}" y="{item.y:.1f}" font-size="{item.size:g}"{weight} '
                f'fill="{item.fill}">{escape(item.text)}</text>'
            )
        elif type(item) is Curve:
            parts.append(_curve(item))
    parts.append("</g>\n")
    return "".join(parts)


def _box(box: Box) -> str:
    at = box.at
    line = ""
    if box.stroke != "none":
        dash = ' stroke-dasharray="5 3"' if box.dashed else ""
        line = f' stroke="{box.stroke}" stroke-width="{box.thickness:g}"{dash}'
    return (
        f'<rect x="{at.left:.1f}" y="{at.top:.1f}" width="{at.width:.1f}" height="{at.height:.1f}" '
        f'rx="{box.radius:g}" fill="{box.fill}"{line}/>'
    )


def _curve(curve: Curve) -> str:
    # Dashes are counted from the tip: those of edges that share their last stretch then fall together.
    (x, y), *rest = curve.points if curve.line == "solid" else reversed(curve.points)
    way = " ".join([f"{a:.1f},{b:.1f}" for a, b in rest])
    head = " ".join([f"{a:.1f},{b:.1f}" for a, b in curve.head])
    dash = "" if curve.line == "solid" else f' stroke-dasharray="{_DASHES[curve.line]}"'
    return (
        f'<path d="M{x:.1f},{y:.1f}C{way}" fill="none" stroke="{curve.stroke}" '
        f'stroke-width="{curve.thickness:.1f}"{dash}/><path d="M{head}Z" fill="{curve.stroke}"/>'
    )


def _prefix(scene: Scene) -> str:
    model = scene.model
    told = hashlib.blake2b(model.name.encode("utf-8", "replace"), digest_size=5)
    told.update(f"{model.direction}{model.detail}{scene.layout.drawn_by}{scene.theme.name}".encode("utf-8", "replace"))
    told.update("\0".join([node.id for node in model.nodes]).encode("utf-8", "replace"))
    told.update("\0".join([f"{e.source}\1{e.target}\1{e.label}" for e in model.edges]).encode("utf-8", "replace"))
    return f"ok-{told.hexdigest()}"
