"""Where everything goes: sizes from the model, positions from a layout. Both layouts give this same form.

Coordinates are points, x to the right, y down, the top left corner of the picture at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from orchestration_kit.visual.model import DiagramCluster, DiagramEdge, DiagramModel, DiagramNode
from orchestration_kit.visual.text import fit, width, wrap

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

TITLE_SIZE, WORKER_SIZE, NOTE_SIZE, LABEL_SIZE = 13.0, 11.0, 10.0, 10.5
"""Font sizes, in points."""
NODE_PADDING = 14.0
LABEL_LIMIT = 150.0
"""The widest label of an edge; the full text is in its tooltip."""
_COUNT = 99
"""A count up to this has its room beside the label."""
TITLE_LIMIT = 250.0
CLUSTER_PADDING, CLUSTER_HEADER, HEADER_LINE = 16.0, 24.0, 15.0
MARGIN = 18.0
ENTRY_RADIUS = 7.0
BAR_LENGTH, BAR_WIDTH = 58.0, 6.0
"""Of a fork."""
ICON_ROOM = 22.0
"""Beside the title of a node with an icon, on each side."""
ICONS = frozenset({"approval", "wait", "parallel", "map", "workflow"})
"""Kinds of nodes with an icon."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A box by its centre and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """The x of the left side."""
        return self.x - self.width / 2

    @property
    def top(self) -> float:
        """The y of the upper side."""
        return self.y - self.height / 2

    @property
    def right(self) -> float:
        """The x of the right side."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The y of the lower side."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge: a chain of cubic Bezier curves (1 + 3n points) that ends at the arrow's tip."""

    points: tuple[Point, ...]
    label_at: Point | None = None
    """The centre of the label, or of its left or right side: see `label_anchor`."""
    label_anchor: Anchor = "middle"
    """What of the label stays at `label_at` when a count makes it longer: its left side, centre, or right side."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A laid-out model: a box per node and cluster, a route per edge (in the order of the model's edges)."""

    width: float
    height: float
    nodes: dict[str, Rect]
    routes: tuple[Route, ...]
    clusters: dict[str, Rect] = field(default_factory=dict[str, Rect])
    drawn_by: str = "builtin"


def node_size(node: DiagramNode, model: DiagramModel) -> tuple[float, float]:
    """Return width and height of a node, with the room that the overlay of a run will need."""
    if node.kind == "entry" and node.problem:
        return (round(width(entry_text(node), LABEL_SIZE, bold=True) + 2 * NODE_PADDING), 28.0)
    if node.kind == "entry":
        return (2 * ENTRY_RADIUS, 2 * ENTRY_RADIUS)
    if node.kind == "fork":
        return (BAR_LENGTH, BAR_WIDTH) if model.direction == "TB" else (BAR_WIDTH, BAR_LENGTH)
    if node.kind == "join":
        return (round(min(width(node.title, NOTE_SIZE), TITLE_LIMIT) + 22), 21.0)
    title = min(width(title_text(node), TITLE_SIZE, bold=True), TITLE_LIMIT) + 2 * NODE_PADDING
    title += 2 * ICON_ROOM if node.kind in ICONS else 0
    if model.detail == "compact":
        return (round(max(title + 34, 96)), 34.0)
    worker = min(width(node.worker, WORKER_SIZE), TITLE_LIMIT) + 2 * NODE_PADDING
    return (round(max(title + 18, worker, 176)), 66.0)


def title_text(node: DiagramNode) -> str:
    """Return the first line of a node: its title, with a mark where it starts or ends the run or is wrong."""
    if node.kind == "missing":
        mark = "?"
    elif node.problem:
        mark = "\N{WARNING SIGN}"
    elif node.outcome:
        mark = "\N{CHECK MARK}" if node.outcome == "completed" else "\N{BALLOT X}"
    elif node.kind == "group":
        mark = "\N{SQUARED PLUS}"
    else:
        return node.title
    return f"{mark} {node.title}"


def entry_text(node: DiagramNode) -> str:
    """Return what stands in the place of the entry dot where something is wrong with it."""
    return f"\N{WARNING SIGN} {node.problem}"


def note_lines(node: DiagramNode, room: float) -> list[str]:
    """Return the small text below the worker: the problem if there is one, else limits and the description."""
    if node.problem:
        return wrap(node.problem, room, NOTE_SIZE, lines=2)
    marks = [fit(node.marks, room, NOTE_SIZE)] if node.marks else []
    return marks + wrap(node.note, room, NOTE_SIZE, lines=2 - len(marks))


def header_height(cluster: DiagramCluster, model: DiagramModel) -> float:
    """Return the room for the title of a frame, and for what its step does or did."""
    has_line = cluster.is_step and model.detail == "full"
    return CLUSTER_HEADER + (HEADER_LINE if has_line else 0)


def header_width(cluster: DiagramCluster, model: DiagramModel) -> float:
    """Return how wide a frame has to be for its header."""
    title = width(cluster_title(cluster), WORKER_SIZE, bold=True)
    if cluster.is_step and model.detail == "full":
        title = max(title, width(cluster.subtitle, NOTE_SIZE), 150.0)
    return min(title, TITLE_LIMIT) + 24


def frame_word(cluster: DiagramCluster) -> str:
    """Return what a frame is, in a word."""
    return "spawned" if cluster.kind == "spawn" else cluster.kind


def cluster_title(cluster: DiagramCluster) -> str:
    """Return the first line of a frame: its title, with what it is where no second line says so."""
    if cluster.problem:
        return f"\N{WARNING SIGN} {cluster.title}"
    return cluster.title if cluster.is_step else f"{cluster.title} \N{MIDDLE DOT} {frame_word(cluster)}"


def label_text(edge: DiagramEdge) -> str:
    """Return the label of an edge as drawn, shortened to `LABEL_LIMIT`."""
    return fit(edge.label, LABEL_LIMIT, LABEL_SIZE)


def counted_text(edge: DiagramEdge, taken: int) -> str:
    """Return the label of an edge with how often it was taken, where there is more to say than once.

    >>> from orchestration_kit.visual.model import DiagramEdge
    >>> counted_text(DiagramEdge("a", "b", label="else"), 4), counted_text(DiagramEdge("a", "b"), 1)
    ('else ×4', '')
    >>> counted_text(DiagramEdge("a", "a", "retry", "retry ×2"), 2)  # the limit, and what became of it
    'retry ×2 · taken 2×'
    """
    text = label_text(edge)
    if edge.kind == "join":
        return text
    if edge.kind == "retry" and taken:
        return f"{text} \N{MIDDLE DOT} taken {taken}\N{MULTIPLICATION SIGN}"
    return f"{text} \N{MULTIPLICATION SIGN}{taken}".strip() if taken > 1 else text


def label_size(edge: DiagramEdge) -> tuple[float, float]:
    """Return width and height of an edge's label, with room for a count; (0, 0) without a label."""
    return label_room(edge) if edge.label else (0.0, 0.0)


def label_room(edge: DiagramEdge) -> tuple[float, float]:
    """Return the room that an edge's label takes once a run is drawn: a label of its own, a count, or both."""
    if edge.kind in ("entry", "join") and not edge.label:
        return (0.0, 0.0)
    return (round(width(counted_text(edge, _COUNT), LABEL_SIZE) + 8), 16.0)
