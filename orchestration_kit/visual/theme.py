"""Themes: which colours and line styles a diagram is drawn with.

Every theme builds on the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), darkened or lightened
until text reaches a contrast of 4.5 on its fill (WCAG 2.2, 1.4.3). Colours have six digits, as old releases
of Graphviz read shorter ones as black. No meaning is carried by colour alone: marks and words say it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orchestration_kit.visual.overlay import StepState


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of one box: what fills it, what bounds it, and its text."""

    fill: str
    stroke: str
    text: str
    muted: str
    """Text of less weight: the worker, the description."""


@dataclass(frozen=True, slots=True)
class Theme:
    """All colours of a diagram.

    >>> THEMES["light"].background
    '#ffffff'
    """

    name: str
    background: str
    title: str
    step: Paint
    start: Paint
    completed: Paint
    failed: Paint
    problem: Paint
    cluster: Paint
    states: Mapping[StepState, Paint]
    edge: str
    edge_label: str
    failure: str
    """Failure edges and their labels."""
    branch: str
    idle: str
    """Edges that a run did not take."""
    aside: str
    """Edges for when time or a budget has run out, and their labels."""
    faint: str
    """Edges that only show what belongs together: to a join, to a step that undoes another."""


def _states(*paints: Paint) -> Mapping[StepState, Paint]:
    """Paints for not visited (skipped, cancelled), running, succeeded, failed, retrying, waiting; in this order."""
    names: tuple[StepState, ...] = ("not visited", "running", "succeeded", "failed", "retrying", "waiting")
    return MappingProxyType({**dict(zip(names, paints, strict=True)), "skipped": paints[0], "cancelled": paints[0]})


_INK, _SOFT = "#1c2530", "#56606c"
_LIGHT_STEP = Paint("#f6f8fa", "#8792a0", _INK, _SOFT)
_LIGHT_GOOD = Paint("#e5f5ef", "#00795a", _INK, "#3d5d52")
_LIGHT_BAD = Paint("#fdeee4", "#b34c00", _INK, "#75502f")
LIGHT = Theme(
    name="light",
    background="#ffffff",
    title=_INK,
    step=_LIGHT_STEP,
    start=Paint("#e7f1f9", "#0072b2", _INK, "#3f5a70"),
    completed=_LIGHT_GOOD,
    failed=_LIGHT_BAD,
    problem=Paint("#fff6d6", "#8a6100", _INK, "#6d4d00"),
    cluster=Paint("#fbfbfd", "#a9b1bc", _INK, _SOFT),
    states=_states(
        Paint("#fafafa", "#c3c9d1", "#626b76", "#6b7480"),
        Paint("#e2f0fb", "#0072b2", _INK, "#355468"),
        _LIGHT_GOOD,
        _LIGHT_BAD,
        Paint("#fff3d9", "#9a6700", _INK, "#6a5220"),
        Paint("#f8eaf3", "#a0477a", _INK, "#6d4a5e"),
    ),
    edge="#5f6b79",
    edge_label="#48525e",
    failure="#b34c00",
    branch="#00639b",
    idle="#c3c9d1",
    aside="#8a5c00",
    faint="#8792a0",
)

_SNOW, _MIST = "#e8edf3", "#a9b4c0"
_DARK_GOOD = Paint("#16362c", "#2fbf93", _SNOW, "#a5c9bc")
_DARK_BAD = Paint("#43240f", "#f08b4a", _SNOW, "#dcb69b")
DARK = Theme(
    name="dark",
    background="#14181d",
    title=_SNOW,
    step=Paint("#222932", "#6d7a89", _SNOW, _MIST),
    start=Paint("#16314a", "#56b4e9", _SNOW, "#a9c6da"),
    completed=_DARK_GOOD,
    failed=_DARK_BAD,
    problem=Paint("#3b3410", "#f0e442", _SNOW, "#e0d78a"),
    cluster=Paint("#1a1f26", "#4d5866", _SNOW, _MIST),
    states=_states(
        Paint("#1b2027", "#414b57", "#98a3af", "#8f9aa6"),
        Paint("#143550", "#56b4e9", _SNOW, "#a9c6da"),
        _DARK_GOOD,
        _DARK_BAD,
        Paint("#3d2d0c", "#e69f00", _SNOW, "#dec48d"),
        Paint("#3a2433", "#cc79a7", _SNOW, "#d8b3c8"),
    ),
    edge="#8d99a7",
    edge_label="#b6c0cb",
    failure="#f08b4a",
    branch="#6bbdec",
    idle="#4d5866",
    aside="#e6b24d",
    faint="#7f8b99",
)

_BLACK, _GREY = "#000000", "#3d3d3d"
_PAPER = Paint("#ffffff", "#000000", _BLACK, _GREY)
PRINT = Theme(
    name="print",
    background="#ffffff",
    title=_BLACK,
    step=_PAPER,
    start=_PAPER,
    completed=_PAPER,
    failed=Paint("#ebebeb", "#000000", _BLACK, _GREY),
    problem=_PAPER,
    cluster=Paint("#ffffff", "#7a7a7a", _BLACK, _GREY),
    states=_states(
        Paint("#ffffff", "#a6a6a6", "#5c5c5c", "#666666"),
        _PAPER,
        _PAPER,
        Paint("#dedede", "#000000", _BLACK, _GREY),
        Paint("#f2f2f2", "#000000", _BLACK, _GREY),
        Paint("#f2f2f2", "#000000", _BLACK, _GREY),
    ),
    edge="#000000",
    edge_label="#000000",
    failure="#000000",
    branch="#000000",
    idle="#a6a6a6",
    aside="#000000",
    faint="#7a7a7a",
)

THEMES: Mapping[str, Theme] = MappingProxyType({theme.name: theme for theme in (LIGHT, DARK, PRINT)})


def theme_named(theme: str | Theme) -> Theme:
    """Return the theme of that name; a `Theme` of your own passes through.

    Raises:
        ValueError: no such theme; it lists the ones there are.
    """
    if isinstance(theme, Theme):
        return theme
    if theme not in THEMES:
        raise ValueError(f"No theme {theme!r}. Themes: {', '.join(THEMES)}; or give a Theme of your own.")
    return THEMES[theme]


def contrast(first: str, second: str) -> float:
    """Return the contrast of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, relative luminance).

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return round((lighter + 0.05) / (darker + 0.05), 2)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
