"""A node, an edge or a cluster becomes a group of shapes: its colours, its lines of text, its arrow head."""

from __future__ import annotations

import math
from collections.abc import Iterator

from orchestration_kit.visual.facts import run_lines, spoken
from orchestration_kit.visual.layout import (
    CLUSTER_HEADER,
    ENTRY_RADIUS,
    LABEL_SIZE,
    NODE_PADDING,
    NOTE_SIZE,
    TITLE_SIZE,
    WORKER_SIZE,
    Point,
    Rect,
    Route,
    counted_text,
    entry_text,
    label_text,
    note_lines,
    title_text,
)
from orchestration_kit.visual.model import ENTRY_ID, Detail, DiagramCluster, DiagramEdge, DiagramNode
from orchestration_kit.visual.overlay import StepOverlay
from orchestration_kit.visual.primitives import Box, Curve, Group, Item, Words
from orchestration_kit.visual.text import TOOLTIP_LIMIT, fit, width
from orchestration_kit.visual.theme import Paint, Theme

ARROW = 8.0
"""The length of an arrow head."""


def node_group(node: DiagramNode, box: Rect, theme: Theme, detail: Detail, seen: StepOverlay | None) -> Group:
    """Return how a node is drawn, and what happened there if a run is shown."""
    if node.kind == "entry":
        return _entry(node, box, theme)
    paint = _paint(node, theme, seen)
    classes = (
        f"ok-node ok-{node.kind}" + (" ok-start" if node.is_start else "") + (" ok-problem" if node.problem else "")
    )
    data = {"step": node.id}
    if seen is not None:
        data["state"] = seen.state
        classes += f" ok-state-{seen.state.replace(' ', '-')}"
    items: list[Item] = [*_boxes(node, box, paint, theme, seen), *_lines(node, box, paint, detail, seen)]
    return Group(items, _said(node.tooltip or node.title, spoken(seen)), classes, data)


def _entry(node: DiagramNode, box: Rect, theme: Theme) -> Group:
    if not node.problem:
        disc = Box(
            Rect(box.x, box.y, 2 * ENTRY_RADIUS - 2, 2 * ENTRY_RADIUS - 2),
            ENTRY_RADIUS - 1,
            theme.edge,
            theme.edge,
        )
        return Group([disc], node.tooltip, "ok-node ok-entry")
    paint = theme.problem
    words = Words(box.x, box.y + 4, entry_text(node), LABEL_SIZE, paint.text, bold=True)
    frame = Box(box, box.height / 2, paint.fill, paint.stroke, 1.6, dashed=True)
    return Group([frame, words], node.tooltip, "ok-node ok-entry ok-problem")


def _paint(node: DiagramNode, theme: Theme, seen: StepOverlay | None) -> Paint:
    if node.problem or node.kind == "missing":
        return theme.problem
    if seen is not None:
        return theme.step if seen.ended == "unknown" else theme.states[seen.state]
    if node.outcome:
        return theme.completed if node.outcome == "completed" else theme.failed
    return theme.start if node.is_start else theme.step


def _boxes(node: DiagramNode, box: Rect, paint: Paint, theme: Theme, seen: StepOverlay | None) -> Iterator[Box]:
    missing = node.kind == "missing"
    radius = min(18.0, box.height / 2) if node.outcome else 8.0
    loud = node.is_start or (seen is not None and seen.state in ("running", "retrying", "waiting"))
    dashed = missing or bool(node.problem) or (seen is not None and seen.state in ("skipped", "not visited"))
    if node.kind == "group":
        yield Box(Rect(box.x + 2, box.y + 2, box.width - 4, box.height - 4), radius, theme.cluster.fill, paint.stroke)
        box = Rect(box.x - 2, box.y - 2, box.width - 4, box.height - 4)
    yield Box(box, radius, theme.background if missing else paint.fill, paint.stroke, 2.2 if loud else 1.3, dashed)
    if node.outcome:
        inner = Rect(box.x, box.y, box.width - 7, box.height - 7)
        yield Box(inner, radius - 3.5, "none", paint.stroke, 1.0)


def _lines(node: DiagramNode, box: Rect, paint: Paint, detail: Detail, seen: StepOverlay | None) -> Iterator[Words]:
    room = box.width - 2 * NODE_PADDING + 8
    title = title_text(node)
    if detail == "compact":
        if seen is not None and not node.problem:
            visits = f" {seen.visits}\N{MULTIPLICATION SIGN}" if seen.visits > 1 else ""
            title = f"{seen.mark} {fit(node.title, room - 34, TITLE_SIZE, bold=True)}{visits}"
        yield Words(box.x, box.y + 4.5, fit(title, room, TITLE_SIZE, bold=True), TITLE_SIZE, paint.text, bold=True)
        return
    lines = [(fit(title, room, TITLE_SIZE, bold=True), TITLE_SIZE, paint.text, 16.0)]
    if node.worker:
        lines.append((fit(node.worker, room, WORKER_SIZE), WORKER_SIZE, paint.muted, 14.5))
    small = run_lines(seen, room) if seen is not None and not node.problem else note_lines(node, room)
    ink = paint.text if seen is not None or node.problem else paint.muted
    lines.extend((line, NOTE_SIZE, ink, 12.5) for line in small)
    y = box.y - sum(step for *_, step in lines) / 2 - 1
    for at, (text, size, fill, step) in enumerate(lines):
        y += step
        yield Words(box.x, y - 1.5, text, size, fill, bold=at == 0)


def edge_group(edge: DiagramEdge, route: Route, theme: Theme, taken: int | None, ground: str) -> Group:
    """Return how an edge is drawn: the more often it was `taken`, the thicker; `ground` is behind its label."""
    failing = edge.kind in ("failure", "retry")
    stroke = theme.failure if failing else theme.branch if edge.kind == "branch" else theme.edge
    ink = theme.failure if failing else theme.branch if edge.kind == "branch" else theme.edge_label
    thickness = 1.4
    text = label_text(edge)
    data = {"kind": edge.kind, "source": edge.source, "target": edge.target}
    if ENTRY_ID in (edge.source, edge.target):
        del data["source"]
    if taken is not None:
        thickness = min(1.4 + 0.9 * math.log2(max(taken, 1)), 5.0) + (0.5 if taken else -0.3)
        if not taken:
            stroke, ink = theme.idle, theme.states["not visited"].muted
        data["traversals"] = str(taken)
        text = counted_text(edge, taken)
    points, head = _with_head(route.points, ARROW + thickness)
    items: list[Item] = [Curve(points, stroke, thickness, edge.is_dashed, head)]
    if text:
        x, y = route.label_at or _middle(route.points)
        wide = width(text, LABEL_SIZE) + 6
        x += {"start": wide / 2, "middle": 0.0, "end": -wide / 2}[route.label_anchor]
        items.append(Box(Rect(x, y, wide, 15), 4, ground, "none", 0))
        items.append(Words(x, y + 3.6, text, LABEL_SIZE, ink))
    count = f"taken {taken} times" if taken is not None else ""
    named = "" if edge.kind == "entry" else f"{edge.source} \N{RIGHTWARDS ARROW} {edge.target}"
    said = _said(named, edge.tooltip or edge.kind, edge.label if edge.kind == "branch" else "", edge.problem, count)
    return Group(items, said, f"ok-edge ok-{edge.kind}", data)


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


def cluster_group(cluster: DiagramCluster, box: Rect, theme: Theme) -> Group:
    """Return how the frame of a cluster is drawn."""
    paint = theme.cluster
    room = box.width - 16
    title = fit(f"{cluster.title} \N{MIDDLE DOT} {cluster.kind}", room, WORKER_SIZE, bold=True)
    items: list[Item] = [
        Box(box, 10, paint.fill, paint.stroke, 1.1, dashed=cluster.kind == "map"),
        Words(box.x, box.top + CLUSTER_HEADER - 8, title, WORKER_SIZE, paint.muted, bold=True),
    ]
    said = _said(cluster.title, cluster.kind, cluster.note, cluster.tooltip)
    return Group(items, said, f"ok-cluster ok-{cluster.kind}", {"step": cluster.id})


def _said(*parts: str) -> str:
    return "\n".join([part for part in parts if part])[:TOOLTIP_LIMIT]
