"""An edge becomes a group of shapes: its line, its arrow head, its label with how often it was taken."""

from __future__ import annotations

import math

from orchestration_kit.visual.layout import LABEL_SIZE, Point, Rect, Route, counted_text, label_text
from orchestration_kit.visual.model import ENTRY_ID, DiagramEdge, step_of
from orchestration_kit.visual.primitives import Box, Curve, Group, Item, Words, said
from orchestration_kit.visual.text import width
from orchestration_kit.visual.theme import Theme

ARROW = 8.0
"""The length of an arrow head."""
_THICK = {"body": 1.9, "join": 1.5, "compensate": 1.2}


def edge_group(edge: DiagramEdge, route: Route, theme: Theme, taken: int | None, ground: str) -> Group:
    """Return how an edge is drawn: the more often it was `taken`, the thicker; `ground` is behind its label."""
    stroke, ink = edge_colours(edge, theme)
    thickness = _THICK.get(edge.kind, 1.4)
    text = label_text(edge)
    source, target = step_of(edge.source), step_of(edge.target)
    data = {"kind": edge.kind, "source": source, "target": target}
    if edge.source == ENTRY_ID:
        del data["source"]
    if taken is not None:
        times = 1 if edge.kind == "join" else max(taken, 1)
        thickness = min(thickness + 0.9 * math.log2(times), 5.0) + (0.5 if taken else -0.3)
        if not taken:
            stroke, ink = theme.idle, theme.states["not visited"].muted
        data["traversals"] = str(taken)
        text = counted_text(edge, taken)
    points, head = _with_head(route.points, ARROW + thickness)
    items: list[Item] = [Curve(points, stroke, thickness, edge.line, head)]
    if text:
        x, y = route.label_at or _middle(route.points)
        wide = width(text, LABEL_SIZE) + 6
        x += {"start": wide / 2, "middle": 0.0, "end": -wide / 2}[route.label_anchor]
        items.append(Box(Rect(x, y, wide, 15), 4, ground, "none", 0))
        items.append(Words(x, y + 3.6, text, LABEL_SIZE, ink))
    count = f"taken {taken} times" if taken is not None else ""
    named = "" if edge.source == ENTRY_ID else f"{source} \N{RIGHTWARDS ARROW} {target}"
    label = edge.label if edge.kind in ("branch", "timeout", "budget") else ""
    about = said(named, edge.tooltip or edge.kind, label, edge.problem, count)
    return Group(items, about, f"ok-edge ok-{edge.kind}", data)


def edge_colours(edge: DiagramEdge, theme: Theme) -> tuple[str, str]:
    """Return the colour of an edge's line, and that of its label."""
    if edge.is_dashed:
        return theme.failure, theme.failure
    if edge.kind == "branch":
        return theme.branch, theme.branch
    if edge.kind in ("timeout", "budget"):
        return theme.aside, theme.aside
    return theme.faint if edge.kind in ("join", "compensate") else theme.edge, theme.edge_label


def _with_head(points: tuple[Point, ...], length: float) -> tuple[tuple[Point, ...], tuple[Point, Point, Point]]:
    """Cut the end off a curve and put an arrow head there."""
    tip_x, tip_y = points[-1]
    dx = dy = distance = 0.0
    for x, y in reversed(points[:-1]):
        dx, dy = tip_x - x, tip_y - y
        distance = math.hypot(dx, dy)
        if distance > 1.0:
            break
    if distance == 0.0:
        return points, (points[-1], points[-1], points[-1])
    dx, dy = dx / distance, dy / distance
    base_x, base_y, half = tip_x - dx * length, tip_y - dy * length, length * 0.38
    head = ((base_x - dy * half, base_y + dx * half), (tip_x, tip_y), (base_x + dy * half, base_y - dx * half))
    shift_x, shift_y = dx * length * 0.85, dy * length * 0.85
    (control_x, control_y) = points[-2]
    cut = (*points[:-2], (control_x - shift_x, control_y - shift_y), (tip_x - shift_x, tip_y - shift_y))
    return cut, head


def _middle(points: tuple[Point, ...]) -> Point:
    """The middle of the longest piece of a chain of curves: where a label without a place of its own goes."""
    starts = range(0, len(points) - 3, 3)
    start = max(starts, key=lambda at: math.dist(points[at], points[at + 3]), default=0)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[start : start + 4]
    return ((x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8)
