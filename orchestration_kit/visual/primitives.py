"""What a picture is made of: boxes, curves and lines of text, in groups that mean a node, an edge or a cluster."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestration_kit.visual.layout import Point, Rect
from orchestration_kit.visual.model import Line
from orchestration_kit.visual.text import TOOLTIP_LIMIT


@dataclass(slots=True)
class Box:
    """A rectangle with round corners."""

    at: Rect
    radius: float
    fill: str
    stroke: str
    thickness: float = 1.3
    dashed: bool = False


@dataclass(slots=True)
class Curve:
    """A chain of cubic Bezier curves, with an arrow head at its end."""

    points: tuple[Point, ...]
    stroke: str
    thickness: float
    line: Line
    head: tuple[Point, Point, Point]


@dataclass(slots=True)
class Words:
    """One line of text, centred on a point (its x; y is the baseline)."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    bold: bool = False


Item = Box | Curve | Words


@dataclass(slots=True)
class Group:
    """What belongs to one node, edge or cluster, and what assistive technology and scripts know of it."""

    items: list[Item]
    tooltip: str = ""
    classes: str = ""
    data: dict[str, str] = field(default_factory=dict[str, str])


def said(*parts: str) -> str:
    """Return the parts of a tooltip as lines."""
    return "\n".join([part for part in parts if part])[:TOOLTIP_LIMIT]
