"""Small signs for kinds of steps, made of boxes alone, so that they look the same in SVG, PNG and PDF.

A sign never stands alone: the second line of its box says the same in words.
"""

from __future__ import annotations

from orchestration_kit.visual.layout import Rect
from orchestration_kit.visual.model import NodeKind
from orchestration_kit.visual.primitives import Box
from orchestration_kit.visual.theme import Paint

_FROM_LEFT, _FROM_TOP = 17.0, 17.0


def icon(kind: NodeKind, box: Rect, paint: Paint) -> list[Box]:
    """Return the sign of a kind of step, in the upper left corner of its box; nothing where it has none.

    >>> from orchestration_kit.visual.theme import LIGHT
    >>> len(icon("wait", Rect(0, 0, 180, 66), LIGHT.step)), icon("step", Rect(0, 0, 180, 66), LIGHT.step)
    (3, [])
    """
    x, y = box.left + _FROM_LEFT, box.top + min(_FROM_TOP, box.height / 2)
    ink = paint.muted
    if kind == "approval":  # a person: head and shoulders
        return [_bar(Rect(x, y - 4.5, 7, 7), ink, 3.5), _bar(Rect(x, y + 4, 14, 7.5), ink, 3.7)]
    if kind == "wait":  # a clock
        face = Box(Rect(x, y, 15, 15), 7.5, paint.fill, ink, 1.5)
        return [face, _bar(Rect(x, y - 2.3, 1.5, 5.5), ink, 0.5), _bar(Rect(x + 1.7, y, 4.5, 1.5), ink, 0.5)]
    if kind == "workflow":  # a box with steps in it
        frame = Box(Rect(x, y, 16, 14), 2, paint.fill, ink, 1.4)
        return [
            frame,
            _bar(Rect(x, y - 3, 6, 3), ink, 1),
            _bar(Rect(x, y + 3, 6, 3), ink, 1),
            _bar(Rect(x, y, 1.2, 4), ink, 0),
        ]
    if kind == "parallel":  # bars side by side between a fork and a join
        ends = [_bar(Rect(x, y - 6.5, 16, 2), ink, 1), _bar(Rect(x, y + 6.5, 16, 2), ink, 1)]
        return [*ends, *(_bar(Rect(x + shift, y, 2.2, 8), ink, 0.5) for shift in (-5, 0, 5))]
    if kind == "map":  # a pile of the same
        return [Box(Rect(x + shift, y + shift, 11, 9), 2, paint.fill, ink, 1.3) for shift in (2.5, 0, -2.5)]
    return []


def _bar(at: Rect, ink: str, radius: float) -> Box:
    return Box(at, radius, ink, "none", 0)
