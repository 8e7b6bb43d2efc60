"""A node becomes a group of shapes: its box, its icon, its lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration_kit.visual.facts import run_lines, spoken
from orchestration_kit.visual.icons import icon
from orchestration_kit.visual.layout import (
    BAR_WIDTH,
    ENTRY_RADIUS,
    ICON_ROOM,
    ICONS,
    LABEL_SIZE,
    NODE_PADDING,
    NOTE_SIZE,
    TITLE_SIZE,
    WORKER_SIZE,
    Rect,
    entry_text,
    note_lines,
    title_text,
)
from orchestration_kit.visual.model import Detail, DiagramNode
from orchestration_kit.visual.overlay import StepOverlay
from orchestration_kit.visual.primitives import Box, Group, Item, Words, said
from orchestration_kit.visual.text import fit
from orchestration_kit.visual.theme import Paint, Theme


def node_group(node: DiagramNode, box: Rect, theme: Theme, detail: Detail, seen: StepOverlay | None) -> Group:
    """Return how a node is drawn, and what happened there if a run is shown."""
    if node.kind == "entry":
        return _entry(node, box, theme)
    if not node.is_step:
        return _fence(node, box, theme)
    paint = _paint(node, theme, seen)
    classes = (
        f"ok-node ok-{node.kind}" + (" ok-start" if node.is_start else "") + (" ok-problem" if node.problem else "")
    )
    data = {"step": node.id}
    if seen is not None:
        data["state"] = seen.state
        classes += f" ok-state-{seen.state.replace(' ', '-')}"
    items: list[Item] = [*_boxes(node, box, paint, theme, seen), *icon(node.kind, box, paint)]
    items += _lines(node, box, paint, detail, seen)
    return Group(items, said(node.tooltip or node.title, spoken(seen)), classes, data)


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


def _fence(node: DiagramNode, box: Rect, theme: Theme) -> Group:
    """A fork is a bar; a join is a pill that says what it waits for."""
    classes = f"ok-node ok-{node.kind}"
    if node.kind == "fork":
        return Group([Box(box, BAR_WIDTH / 2, theme.edge, theme.edge)], node.tooltip, classes)
    text = fit(node.title, box.width - 12, NOTE_SIZE)
    paint = theme.step
    frame = Box(box, box.height / 2, paint.fill, theme.edge, 1.6)
    return Group([frame, Words(box.x, box.y + 3.5, text, NOTE_SIZE, paint.text)], node.tooltip, classes)


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
    idle = seen is not None and seen.state in ("skipped", "not visited", "cancelled")
    dashed = missing or bool(node.problem) or idle
    if node.kind == "group":
        yield Box(Rect(box.x + 2, box.y + 2, box.width - 4, box.height - 4), radius, theme.cluster.fill, paint.stroke)
        box = Rect(box.x - 2, box.y - 2, box.width - 4, box.height - 4)
    yield Box(box, radius, theme.background if missing else paint.fill, paint.stroke, 2.2 if loud else 1.3, dashed)
    if node.outcome:
        inner = Rect(box.x, box.y, box.width - 7, box.height - 7)
        yield Box(inner, radius - 3.5, "none", paint.stroke, 1.0)


def _lines(node: DiagramNode, box: Rect, paint: Paint, detail: Detail, seen: StepOverlay | None) -> Iterator[Words]:
    room = box.width - 2 * NODE_PADDING + 8
    beside = room - 2 * ICON_ROOM if node.kind in ICONS else room
    title = title_text(node)
    if detail == "compact":
        if seen is not None and not node.problem:
            visits = f" {seen.visits}\N{MULTIPLICATION SIGN}" if seen.visits > 1 else ""
            title = f"{seen.mark} {fit(node.title, beside - 34, TITLE_SIZE, bold=True)}{visits}"
        yield Words(box.x, box.y + 4.5, fit(title, beside, TITLE_SIZE, bold=True), TITLE_SIZE, paint.text, bold=True)
        return
    lines = [(fit(title, beside, TITLE_SIZE, bold=True), TITLE_SIZE, paint.text, 16.0)]
    if node.worker:
        lines.append((fit(node.worker, room, WORKER_SIZE), WORKER_SIZE, paint.muted, 14.5))
    small = run_lines(seen, room) if seen is not None and not node.problem else note_lines(node, room)
    ink = paint.text if seen is not None or node.problem else paint.muted
    lines.extend((line, NOTE_SIZE, ink, 12.5) for line in small)
    y = box.y - sum(step for *_, step in lines) / 2 - 1
    for at, (text, size, fill, step) in enumerate(lines):
        y += step
        yield Words(box.x, y - 1.5, text, size, fill, bold=at == 0)
