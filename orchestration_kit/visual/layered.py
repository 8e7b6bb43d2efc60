"""The built-in layout: a diagram model is laid out in layers by Python alone. It must always work.

No `dot`, no extra, no recursion. `layers.py`, `lanes.py`, `ordering.py`, `coordinates.py` and `routing.py`
answer one question each and `placing.py` asks them in turn; here, clusters are laid out from the inside
to the outside, each as one box of the level around it.
"""

from __future__ import annotations

from orchestration_kit.visual.exits import Exits, Piece, add_exits
from orchestration_kit.visual.labels import place_labels
from orchestration_kit.visual.layout import (
    CLUSTER_HEADER,
    CLUSTER_PADDING,
    MARGIN,
    Layout,
    Point,
    Rect,
    Route,
    header_height,
    header_width,
    node_size,
)
from orchestration_kit.visual.levels import Level, inside_out, levels_of
from orchestration_kit.visual.model import DiagramCluster, DiagramModel
from orchestration_kit.visual.placing import Placed, place
from orchestration_kit.visual.routing import curve

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
    exits = add_exits(model, levels)
    placed: dict[str, Placed] = {}
    clusters = {cluster.id: cluster for cluster in model.clusters}
    sizes = {node.id: node_size(node, model) for node in model.nodes} | dict.fromkeys(exits.doors, (1.0, 1.0))
    for name in inside_out(model):
        level = levels[name]
        for link in level.links:
            if link.door:
                frame = level.members[link.source]
                door = placed[frame].boxes[exits.doors[link.door]]
                header = header_height(clusters[frame], model)
                across = (door.x - placed[frame].width / 2, door.y + header - sizes[frame][1] / 2)
                link.leaves_at = across[0 if model.direction == "TB" else 1]
        placed[name] = place([sizes[member] for member in level.members], level.links, model.direction, level.floor)
        if name:
            sizes[name] = _frame_size(clusters[name], placed[name], model)
    return _assembled(model, levels, placed, exits)


def _frame_size(cluster: DiagramCluster, placed: Placed, model: DiagramModel) -> tuple[float, float]:
    wide = max(placed.width + 2 * CLUSTER_PADDING, header_width(cluster, model))
    return wide, placed.height + header_height(cluster, model) + CLUSTER_PADDING


def _assembled(model: DiagramModel, levels: dict[str, Level], placed_levels: dict[str, Placed], exits: Exits) -> Layout:
    """Move every level to where its frame stands, from the outside to the inside."""
    boxes: dict[str, Rect] = {}
    parts: dict[Piece, Route] = {}
    pieces = {link.number: [(name, link.number)] for name, level in levels.items() for link in level.links}
    pieces |= exits.pieces
    held = {cluster.id: cluster for cluster in model.clusters}
    for name in reversed(inside_out(model)):
        placed = placed_levels[name]
        dx = dy = MARGIN
        if name:
            frame = boxes[name]
            dx, dy = frame.x - placed.width / 2, frame.top + header_height(held[name], model)
        for member, box in zip(levels[name].members, placed.boxes, strict=True):
            boxes[member] = Rect(box.x + dx, box.y + dy, box.width, box.height)
        for number, route in placed.routes.items():
            parts[name, number] = _moved(route, dx, dy)
    routes: list[Route] = []
    for at, edge in enumerate(model.edges):
        route = _in_one([parts[piece] for piece in pieces.get(at, ())])
        routes.append(_to_the_ends(route, boxes[edge.source], boxes[edge.target], model))
    outer = placed_levels[""]
    far = max((x for route in routes for x, _ in route.points), default=0.0)
    layout = Layout(
        max(outer.width + 2 * MARGIN, far + MARGIN, 120.0),
        max(outer.height + 2 * MARGIN, 40.0),
        {node.id: boxes[node.id] for node in model.nodes},
        tuple(routes),
        {name: boxes[name] for name in held},
    )
    return place_labels(model, layout) if len(model.edges) <= MANY_EDGES else layout


def _in_one(parts: list[Route]) -> Route | None:
    """Tie the parts of an edge together, from the inside to the outside."""
    if not parts:
        return None
    points = parts[0].points
    for part in parts[1:]:
        (x0, y0), (x1, y1) = points[-1], part.points[0]
        between = [(x0 + (x1 - x0) * third / 3, y0 + (y1 - y0) * third / 3) for third in (1, 2)]
        points = (*points, *between, *part.points)
    return Route(points, parts[0].label_at)


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
