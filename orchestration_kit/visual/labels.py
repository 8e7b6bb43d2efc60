"""The labels of a laid-out model find their places: beside the middle of their edge, clear of boxes and of each other.

Every place on trial has the size of the label with a count in it (`label_room`), so that a run drawn over the
picture later moves nothing and covers nothing. Greedy: short edges, which have the least choice, choose first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from orchestration_kit.visual.layout import (
    Anchor,
    Layout,
    Point,
    Rect,
    Route,
    header_height,
    header_width,
    label_room,
)
from orchestration_kit.visual.model import DiagramModel

SIDE_GAP = 4.0
"""Between an edge and the label beside it."""
_LOOP_GAP = 7.0
"""Between a loop and its label: a loop that was taken is thicker, and its arrow head pushes it outwards."""
_ALONG = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
"""Where along an edge places are tried; the middle first."""
_STEP, _CELL = 5.0, 48.0
_CLOSE = 6.0
"""Nearer than this to another edge, a label could be taken for that edge's."""
_ON_A_BOX, _ON_A_LABEL, _ON_AN_EDGE, _CLOSE_TO_AN_EDGE = 10_000.0, 5_000.0, 40.0, 12.0
"""What a place costs, in points of distance: more than any distance, or so much of it."""
_HEAD = 2
"""Samples at the tip of an edge that the arrow head hides."""


def place_labels(model: DiagramModel, layout: Layout) -> Layout:
    """Return the layout with every label, and the place for a count where there is none, beside its edge.

    A label for which there is no free place stays where the layout put it.
    """
    crowd = _Crowd(layout.width, layout.height)
    for box in layout.nodes.values():
        crowd.add(box, _ON_A_BOX)
    for number, cluster in enumerate(model.clusters, 1):
        if (frame := layout.clusters.get(cluster.id)) is not None:
            high = header_height(cluster, model)
            crowd.add_way(-number, _outline(frame))
            crowd.add(Rect(frame.x, frame.top + high / 2, header_width(cluster, model), high), _ON_A_BOX)
    ways = [_sampled(route.points) for route in layout.routes]
    for number, way in enumerate(ways):
        crowd.add_way(number, way)
    routes = list(layout.routes)
    rooms = [label_room(edge) for edge in model.edges]
    loops = [edge.source == edge.target for edge in model.edges]
    for at in sorted((at for at, (wide, _) in enumerate(rooms) if wide), key=lambda at: (not loops[at], len(ways[at]))):
        if loops[at]:
            routes[at], taken = _beside_loop(routes[at], ways[at], rooms[at], model)
        else:
            routes[at], taken = _beside(routes[at], at, ways[at], rooms[at], crowd)
        if taken is not None:
            crowd.add(taken, _ON_A_LABEL)
    return replace(layout, routes=tuple(routes))


@dataclass(slots=True)
class _Crowd:
    """What labels must keep clear of, by cells of a grid."""

    width: float
    height: float
    boxes: dict[tuple[int, int], list[tuple[Rect, float]]] = field(
        default_factory=dict[tuple[int, int], list[tuple[Rect, float]]]
    )
    ways: dict[tuple[int, int], list[tuple[float, float, int]]] = field(
        default_factory=dict[tuple[int, int], list[tuple[float, float, int]]]
    )

    def add(self, box: Rect, cost: float) -> None:
        for cell in _cells(box):
            self.boxes.setdefault(cell, []).append((box, cost))

    def add_way(self, number: int, way: list[Point]) -> None:
        for x, y in way:
            self.ways.setdefault((int(x // _CELL), int(y // _CELL)), []).append((x, y, number))

    def cost(self, place: Rect, number: int, way: list[Point], limit: float) -> float:
        """What it costs to put the label of an edge there; hiding a part of its own edge costs as well.

        Where boxes and other labels alone cost `limit`, nothing more is looked at.
        """
        if place.left < 2 or place.top < 2 or place.right > self.width - 2 or place.bottom > self.height - 2:
            return _ON_A_BOX
        cells = list(_cells(place))
        cost = self._cost_of_boxes(place, cells)
        return cost if cost >= limit else cost + self._cost_of_ways(place, cells, number, len(way))

    def _cost_of_boxes(self, place: Rect, cells: list[tuple[int, int]]) -> float:
        cost = 0.0
        for cell in cells:
            for box, price in self.boxes.get(cell, ()):
                apart_x = abs(box.x - place.x) - (box.width + place.width) / 2
                apart_y = abs(box.y - place.y) - (box.height + place.height) / 2
                if apart_x < 1 and apart_y < 1:
                    cost += price
        return cost

    def _cost_of_ways(self, place: Rect, cells: list[tuple[int, int]], number: int, samples: int) -> float:
        hidden = 0
        crossed: set[int] = set()
        close: set[int] = set()
        at_x, at_y, half_width, half_height = place.x, place.y, place.width / 2, place.height / 2
        near_x, near_y = half_width + _CLOSE, half_height + _CLOSE
        for cell in cells:
            for x, y, whose in self.ways.get(cell, ()):
                if (far_x := abs(x - at_x)) >= near_x or (far_y := abs(y - at_y)) >= near_y:
                    continue
                covers = far_x < half_width and far_y < half_height
                if whose != number:
                    (crossed if covers else close).add(whose)
                elif covers:
                    hidden += 1
        return _ON_AN_EDGE * len(crossed) + _CLOSE_TO_AN_EDGE * len(close - crossed) + 80 * hidden / samples


def _cells(box: Rect) -> Iterator[tuple[int, int]]:
    for column in range(int((box.left - _CLOSE) // _CELL), int((box.right + _CLOSE) // _CELL) + 1):
        for row in range(int((box.top - _CLOSE) // _CELL), int((box.bottom + _CLOSE) // _CELL) + 1):
            yield column, row


def _beside(
    route: Route, number: int, way: list[Point], room: tuple[float, float], crowd: _Crowd
) -> tuple[Route, Rect | None]:
    best: tuple[float, Rect, Route] | None = None
    for along in _ALONG:
        far = abs(along - 0.5) * 40
        if best is not None and best[0] <= far:
            break
        for offset, place, anchor in _places(way, int(along * max(len(way) - 1 - _HEAD, 1)), room):
            cost = far + offset
            if best is not None and cost >= best[0]:
                continue
            cost += crowd.cost(place, number, way, _ON_A_BOX if best is None else best[0] - cost)
            if best is None or cost < best[0]:
                x = {"start": place.left, "middle": place.x, "end": place.right}[anchor]
                best = (cost, place, Route(route.points, (x, place.y), anchor))
    if best is None or best[0] >= _ON_A_LABEL:
        return route, None if route.label_at is None else Rect(*route.label_at, *room)
    return best[2], best[1]


def _places(way: list[Point], at: int, room: tuple[float, float]) -> Iterator[tuple[float, Rect, Anchor]]:
    """The places at one point of an edge, each with its distance from there and the end that stays in place.

    Beside the edge: to the right, to the left, above, below; and, where nothing else is free, on it.
    """
    x, y = way[at]
    wide, high = room
    level = _around(way, at, 1, high / 2 + 1)
    right, left = max(px for px, _ in level) + SIDE_GAP, min(px for px, _ in level) - SIDE_GAP
    yield right - x, Rect(right + wide / 2, y, wide, high), "start"
    yield x - left + 1, Rect(left - wide / 2, y, wide, high), "end"
    under = _around(way, at, 0, wide / 2 + 1)
    top, bottom = min(py for _, py in under) - SIDE_GAP, max(py for _, py in under) + SIDE_GAP
    yield y - top + 2, Rect(x, top - high / 2, wide, high), "middle"
    yield bottom - y + 3, Rect(x, bottom + high / 2, wide, high), "middle"
    yield 10.0, Rect(x, y, wide, high), "middle"


def _around(way: list[Point], at: int, axis: int, reach: float) -> list[Point]:
    """The stretch of an edge around one of its points that stays within `reach` of it on an axis."""
    first = last = at
    while first > 0 and abs(way[first - 1][axis] - way[at][axis]) <= reach:
        first -= 1
    while last < len(way) - 1 and abs(way[last + 1][axis] - way[at][axis]) <= reach:
        last += 1
    return way[first : last + 1]


def _beside_loop(
    route: Route, way: list[Point], room: tuple[float, float], model: DiagramModel
) -> tuple[Route, Rect | None]:
    """Beside a loop, the side towards the loop stays in place: its label grows a lot with a count."""
    if route.label_at is None:
        return route, None
    if model.direction == "LR":
        x, y = route.label_at
        high = room[1] / 2 + _LOOP_GAP - 1  # the box of a label is a little lower than its room
        over, under = min(py for _, py in way) - high, max(py for _, py in way) + high
        y = over if y < route.points[0][1] else under
        return replace(route, label_at=(x, y)), Rect(x, y, *room)
    left, y = max(x for x, _ in way) + _LOOP_GAP, route.label_at[1]
    return Route(route.points, (left, y), "start"), Rect(left + room[0] / 2, y, *room)


def _outline(frame: Rect) -> list[Point]:
    """Points on the sides of a frame: a label should not stand on them."""
    corners = [(frame.left, frame.top), (frame.right, frame.top), (frame.right, frame.bottom)]
    corners += [(frame.left, frame.bottom), (frame.left, frame.top)]
    found: list[Point] = []
    for (x0, y0), (x1, y1) in pairwise(corners):
        count = int(math.dist((x0, y0), (x1, y1)) / _STEP) + 1
        found += [(x0 + (x1 - x0) * at / count, y0 + (y1 - y0) * at / count) for at in range(count)]
    return found


def _sampled(points: tuple[Point, ...]) -> list[Point]:
    """Points on a chain of curves, about `_STEP` apart."""
    fine = [points[0]]
    for start in range(0, len(points) - 3, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[start : start + 4]
        count = max(2, int(math.dist((x0, y0), (x3, y3)) / _STEP * 1.3) + 1)
        for at in range(1, count + 1):
            t = at / count
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            fine.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    even = [fine[0]]
    left = _STEP
    for (x0, y0), (x1, y1) in pairwise(fine):
        length = math.dist((x0, y0), (x1, y1))
        while left <= length:
            even.append((x0 + (x1 - x0) * left / length, y0 + (y1 - y0) * left / length))
            left += _STEP
        left -= length
    even.append(fine[-1])
    return even
