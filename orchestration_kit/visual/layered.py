"""The built-in layout: a diagram model is laid out in layers by Python alone. It must always work.

No `dot`, no extra, no recursion. `layers.py`, `lanes.py`, `ordering.py`, `coordinates.py` and `routing.py`
answer one question each and `placing.py` asks them in turn; here, clusters are laid out from the inside
to the outside, each as one box of the level around it.
"""

from __future__ import annotations

from orchestration_kit.visual.labels import place_labels
from orchestration_kit.visual.layout import (
    CLUSTER_HEADER,
    CLUSTER_PADDING,
    MARGIN,
    WORKER_SIZE,
    Layout,
    Point,
    Rect,
    Route,
    node_size,
)
from orchestration_kit.visual.levels import Level, inside_out, levels_of
from orchestration_kit.visual.model import DiagramCluster, DiagramModel
from orchestration_kit.visual.placing import Placed, place
from orchestration_kit.visual.routing import curve
from orchestration_kit.visual.text import width

MANY_EDGES = 300
"""Beyond, labels stay on their edges, in the gaps that the layers keep for them: to find better ones takes time."""


def layered_layout(model: DiagramModel) -> Layout:
    """Return the built-in layout of a (visible) model: no two boxes overlap, every edge has a route.

    >>> from orchestration_kit.visual.model import DiagramEdge, DiagramNode
    >>> nodes = (DiagramNode("a", "a"), DiagramNode("b", "b"))
    >>> layout = layered_layout(DiagramModel("two", nodes, (DiagramEdge("a", "b"),)))
    >>> layout.nodes["a"].bottom < layout.nodes["b"].top
    True
    """
    levels = levels_of(model)
    placed: dict[str, Placed] = {}
    clusters = {cluster.id: cluster for cluster in model.clusters}
    sizes = {node.id: node_size(node, model) for node in model.nodes}
    for name in inside_out(model):
        level = levels[name]
        placed[name] = place([sizes[member] for member in level.members], level.links, model.direction)
        if name:
            sizes[name] = _frame_size(clusters[name], placed[name])
    return _assembled(model, levels, placed)


def _frame_size(cluster: DiagramCluster, placed: Placed) -> tuple[float, float]:
    title = width(f"{cluster.title} \N{MIDDLE DOT} {cluster.kind}", WORKER_SIZE, bold=True) + 24
    wide = max(placed.width + 2 * CLUSTER_PADDING, min(title, 260.0))
    return wide, placed.height + CLUSTER_HEADER + CLUSTER_PADDING


def _assembled(model: DiagramModel, levels: dict[str, Level], placed_levels: dict[str, Placed]) -> Layout:
    """Move every level to where its frame stands, from the outside to the inside."""
    boxes: dict[str, Rect] = {}
    routes: dict[int, Route] = {}
    for name in reversed(inside_out(model)):
        placed = placed_levels[name]
        dx = dy = MARGIN
        if name:
            frame = boxes[name]
            dx, dy = frame.x - placed.width / 2, frame.top + CLUSTER_HEADER
        for member, box in zip(levels[name].members, placed.boxes, strict=True):
            boxes[member] = Rect(box.x + dx, box.y + dy, box.width, box.height)
        for number, route in placed.routes.items():
            routes[number] = _moved(route, dx, dy)
    for at, edge in enumerate(model.edges):
        routes[at] = _to_the_ends(routes.get(at), boxes[edge.source], boxes[edge.target], model)
    outer = placed_levels[""]
    far = max((x for route in routes.values() for x, _ in route.points), default=0.0)
    held = {cluster.id for cluster in model.clusters}
    layout = Layout(
        max(outer.width + 2 * MARGIN, far + MARGIN, 120.0),
        max(outer.height + 2 * MARGIN, 40.0),
        {name: box for name, box in boxes.items() if name not in held},
        tuple(routes[at] for at in range(len(model.edges))),
        {name: box for name, box in boxes.items() if name in held},
    )
    return place_labels(model, layout) if len(model.edges) <= MANY_EDGES else layout


def _moved(route: Route, dx: float, dy: float) -> Route:
    label = (route.label_at[0] + dx, route.label_at[1] + dy) if route.label_at else None
    return Route(tuple((x + dx, y + dy) for x, y in route.points), label)


def _to_the_ends(route: Route | None, source: Rect, target: Rect, model: DiagramModel) -> Route:
    """Lengthen a route that stops at the frame around an end; draw one where a frame holds the other end."""
    if route is None:
        return Route(curve([(source.x, source.top + CLUSTER_HEADER), (target.x, target.top)]))
    points = route.points
    if not _touches(source, points[0]):
        points = (*_joined(_near(source, points[0], model), points[0], model), *points[1:])
    if not _touches(target, points[-1]):
        points = (*points, *_joined(points[-1], _near(target, points[-1], model), model)[1:])
    return Route(points, route.label_at)


def _touches(box: Rect, point: Point) -> bool:
    x, y = point
    return box.left - 1 <= x <= box.right + 1 and box.top - 1 <= y <= box.bottom + 1


def _near(box: Rect, point: Point, model: DiagramModel) -> Point:
    """The middle of the side of a box (across the direction of the layout) that is nearer to a point."""
    if model.direction == "TB":
        return (box.x, box.top if point[1] < box.y else box.bottom)
    return (box.left if point[0] < box.x else box.right, box.y)


def _joined(start: Point, end: Point, model: DiagramModel) -> tuple[Point, ...]:
    if model.direction == "TB":
        return curve([start, end])
    return tuple((x, y) for y, x in curve([(start[1], start[0]), (end[1], end[0])]))
