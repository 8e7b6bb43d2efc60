"""A cluster becomes a group of shapes: a frame with a header, which says what its step does and how it fared."""

from __future__ import annotations

from orchestration_kit.visual.facts import run_lines, spoken
from orchestration_kit.visual.layout import CLUSTER_HEADER, HEADER_LINE, NOTE_SIZE, WORKER_SIZE, Rect, cluster_title
from orchestration_kit.visual.model import Detail, DiagramCluster
from orchestration_kit.visual.overlay import StepOverlay
from orchestration_kit.visual.primitives import Box, Group, Item, Words, said
from orchestration_kit.visual.text import fit
from orchestration_kit.visual.theme import Theme

_PILE = 3.5
"""How far the frame behind the frame of a map looks out."""


def cluster_group(cluster: DiagramCluster, box: Rect, theme: Theme, detail: Detail, seen: StepOverlay | None) -> Group:
    """Return how the frame of a cluster is drawn, and what became of its step if a run is shown."""
    paint = theme.cluster
    room = box.width - 16
    title, line = cluster_title(cluster), cluster.problem or cluster.subtitle
    stroke, thickness = paint.stroke, 2.0 if cluster.is_start else 1.1
    data = {"step": cluster.id}
    classes = f"ok-cluster ok-{cluster.kind}" + (" ok-problem" if cluster.problem else "")
    if cluster.problem:
        stroke = theme.problem.stroke
    if seen is not None and cluster.is_step:
        data["state"] = seen.state
        classes += f" ok-state-{seen.state.replace(' ', '-')}"
        if not cluster.problem:
            stroke, thickness = theme.states[seen.state].stroke, 1.6
            line = run_lines(seen, room, one=True)[0]
            title = f"{seen.mark} {cluster.title}" if detail == "compact" else title
    items: list[Item] = []
    if cluster.kind == "map":
        behind = Rect(box.x + _PILE, box.y + _PILE, box.width, box.height)
        items.append(Box(behind, 10, paint.fill, stroke, 1.0))
    items.append(Box(box, 10, paint.fill, stroke, thickness, dashed=bool(cluster.problem)))
    if cluster.outcome:
        items.append(Box(Rect(box.x, box.y, box.width - 7, box.height - 7), 6.5, "none", stroke, 1.0))
    y = box.top + CLUSTER_HEADER - 8
    items.append(Words(box.x, y, fit(title, room, WORKER_SIZE, bold=True), WORKER_SIZE, paint.text, bold=True))
    if cluster.is_step and detail == "full":
        items.append(Words(box.x, y + HEADER_LINE - 1, fit(line, room, NOTE_SIZE), NOTE_SIZE, paint.muted))
    about = said(cluster.title, cluster.subtitle or cluster.kind, cluster.note, cluster.tooltip)
    return Group(items, said(about, spoken(seen) if cluster.is_step else ""), classes, data)
