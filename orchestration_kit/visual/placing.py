"""One level of the built-in layout: places with sizes and links between them get positions and curves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from orchestration_kit.visual.coordinates import coordinates
from orchestration_kit.visual.lanes import Grid, grid_of
from orchestration_kit.visual.layers import Link, layers_of, turned_links
from orchestration_kit.visual.layout import Point, Rect, Route
from orchestration_kit.visual.model import Direction
from orchestration_kit.visual.ordering import order
from orchestration_kit.visual.routing import LOOP_REACH, curve, detour, loop, port

GAP, LABEL_GAP = 40.0, 17.0
"""Between two layers: without labels, and on each side of a layer of labels."""
RAIL_GAP = 14.0
ABOVE = 14.0
"""More room across for a label that does not stand on its edge."""


@dataclass(slots=True)
class Placed:
    """Boxes by place, routes by the number of the edge, and the size of it all."""

    boxes: list[Rect]
    routes: dict[int, Route]
    width: float
    height: float


@dataclass(slots=True)
class _Loops:
    """The links from a place to itself, and the room they need beside it."""

    links: list[Link] = field(default_factory=list[Link])
    room: float = 0.0

    def add(self, link: Link) -> None:
        self.links.append(link)
        self.room += LOOP_REACH + (link.label[0] + 4 if link.label[0] else 4)


def place(
    sizes: Sequence[tuple[float, float]], links: Sequence[Link], direction: Direction, floor: Collection[int] = ()
) -> Placed:
    """Lay out places of these sizes (width, height); links must come in the sense of `direction`.

    Labels are given as width and height too. Everything is reckoned from top to bottom and, for "LR", mirrored
    at the diagonal at the end. Places in `floor` come last, below all others.
    """
    if not sizes:
        return Placed([], {}, 0.0, 0.0)
    turned_round = direction == "LR"
    if turned_round:
        sizes = [(height, width) for width, height in sizes]
        links = [replace(link, label=_turned(link)) for link in links]
    loops: dict[int, _Loops] = {}
    for link in links:
        if link.source == link.target:
            loops.setdefault(link.source, _Loops()).add(link)
    turned = turned_links(len(sizes), links)
    layer = layers_of(len(sizes), links, turned)
    lowest = max((one for at, one in enumerate(layer) if at not in floor), default=0)
    for at in floor:
        layer[at] = lowest + 1
    rooms = [
        (wide / 2, wide / 2 + (loops[at].room if at in loops else 0.0), high) for at, (wide, high) in enumerate(sizes)
    ]
    grid = grid_of(rooms, links, layer, turned)
    order(grid)
    across = coordinates(grid)
    tops = _tops(grid, across)
    boxes = [
        Rect(across[at], tops[2 * layer[at]] + grid.band[2 * layer[at]] / 2, wide, high)
        for at, (wide, high) in enumerate(sizes)
    ]
    placed = Placed(boxes, {}, 0.0, tops[-1] + grid.band[-1])
    placed.width = max(across[v] + grid.after[v] for v in range(len(across)))
    _routes(placed, grid, across, tops, links)
    for at in grid.far:
        _around(placed, links[at], layer, tops, grid)
    for at, one in loops.items():
        _loop(placed, boxes[at], one)
    return _mirrored(placed) if turned_round else placed


def _turned(link: Link) -> tuple[float, float]:
    """The room of a label, across and along a layout from left to right: there it stands above or below its edge."""
    wide, high = link.label
    return (high + ABOVE, wide) if wide and link.source != link.target else (high, wide)


def _tops(grid: Grid, across: list[float]) -> list[float]:
    """The upper side of each layer. A gap in which edges go far sideways is made a little higher."""
    reach = [0.0] * len(grid.band)
    for vertex, pieces in enumerate(grid.lower):
        for other, _ in pieces:
            at = grid.layer_of[vertex]
            reach[at] = max(reach[at], abs(across[vertex] - across[other]))
    tops = [0.0]
    for at in range(1, len(grid.band)):
        more = min(reach[at - 1] * 0.05, 24.0)
        if at % 2 and not grid.band[at]:
            tops.append(tops[-1] + grid.band[at - 1] + GAP / 2 + more)
        else:
            label_layer = grid.band[at if at % 2 else at - 1] > 0
            tops.append(tops[-1] + grid.band[at - 1] + (LABEL_GAP if label_layer else GAP / 2) + more)
    return tops


def _routes(placed: Placed, grid: Grid, across: list[float], tops: list[float], links: Sequence[Link]) -> None:
    runs = _runs(grid, across)
    bottoms = [top + thickness for top, thickness in zip(tops, grid.band, strict=True)]
    for at, chain in grid.chains.items():
        link = links[at]
        source, target = placed.boxes[link.source], placed.boxes[link.target]
        down = grid.layer_of[link.source] < grid.layer_of[link.target]
        enter, leave = (tops, bottoms) if down else (bottoms, tops)
        points: list[Point] = []
        label = None
        knot = chain[1]
        if knot in grid.onward or knot == link.target:
            first = across[knot]
        else:  # a knot of its own, in a gap: the edge may bend there
            first = across[knot]
            layer = grid.layer_of[knot]
            points.append((first, (tops[layer] + bottoms[layer]) / 2))
            label = points[0] if at in grid.labels else None
            knot = chain[2]
        while knot != link.target:  # along the lane, one straight run after the other
            end = runs[knot]
            points += [(across[knot], enter[grid.layer_of[knot]]), (across[knot], leave[grid.layer_of[end]])]
            knot = grid.onward[end]
        last = points[-1][0] if points else source.x
        leaves = link.leaves_at
        x0 = port(source.x, source.width / 2, first) if leaves is None else source.x + leaves
        x1 = port(target.x, target.width / 2, last)
        start, end_layer = grid.layer_of[link.source], grid.layer_of[link.target]
        points[:0] = [(x0, source.bottom if down else source.top), (x0, leave[start])]
        points += [(x1, enter[end_layer]), (x1, target.top if down else target.bottom)]
        placed.routes[link.number] = Route(curve(points), label)


def _runs(grid: Grid, across: list[float]) -> dict[int, int]:
    """For each knot of a lane, the last one of the straight run that begins there."""
    runs: dict[int, int] = {}
    for knot in grid.onward:
        stretch = [knot]
        while stretch[-1] not in runs:
            after = grid.onward[stretch[-1]]
            if after not in grid.onward or abs(across[after] - across[stretch[-1]]) > 0.05:
                runs[stretch[-1]] = stretch[-1]
                break
            stretch.append(after)
        end = runs[stretch[-1]]
        for one in stretch:
            runs[one] = end
    return runs


def _around(placed: Placed, link: Link, layer: Sequence[int], tops: list[float], grid: Grid) -> None:
    """Take a very long link around the right of everything, through the gaps between layers."""
    source, target = placed.boxes[link.source], placed.boxes[link.target]
    under, over = 2 * layer[link.source], 2 * layer[link.target]
    gap_out = tops[under] + grid.band[under] + LABEL_GAP / 2
    gap_in = tops[over] - LABEL_GAP / 2
    rail = placed.width + RAIL_GAP * (1 + link.target % 6)
    start, end = ((source.x + source.width / 4, source.bottom), (target.x + target.width / 4, target.top))
    placed.routes[link.number] = Route(detour(start, end, (gap_out, rail, gap_in)), (rail, (gap_out + gap_in) / 2))


def _loop(placed: Placed, box: Rect, loops: _Loops) -> None:
    right = box.right
    reach = 0.0
    for link in loops.links:
        points = loop(right, box.y, box.height / 2, reach + LOOP_REACH - 4)
        reach += LOOP_REACH
        label = None
        if link.label[0]:
            label = (right + reach + link.label[0] / 2, box.y)
            reach += link.label[0] + 4
        placed.routes[link.number] = Route(points, label)


def _mirrored(placed: Placed) -> Placed:
    return Placed(
        [Rect(box.y, box.x, box.height, box.width) for box in placed.boxes],
        {
            number: Route(
                tuple((y, x) for x, y in route.points),
                route.label_at and (route.label_at[1], route.label_at[0]),
            )
            for number, route in placed.routes.items()
        },
        placed.height,
        placed.width,
    )
