"""The layout's last question: along which curve does each edge run?

Waypoints become curves that bend only between layers, and pass straight through a layer, where nodes stand.
All in the coordinates of a layout from top to bottom; `placing.py` turns them for the other direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from orchestration_kit.visual.layout import Point

PORT_INSET = 14.0
LOOP_REACH = 26.0
"""How far a loop leaves its node."""


def port(centre: float, half: float, towards: float) -> float:
    """Return where on a side of a node an edge begins: from the middle, moved towards where it goes."""
    room = max(half - PORT_INSET, 0.0)
    return centre + min(max((towards - centre) * 0.5, -room), room)


def curve(waypoints: Sequence[Point]) -> tuple[Point, ...]:
    """Return a chain of Bezier curves through waypoints that go steadily down (or up).

    Monotone cubic interpolation (Fritsch and Carlson, 1980) of x over y: smooth, vertical at both ends, straight
    where x stays, and never outside the waypoints, so that an edge keeps clear of what they keep clear of.

    >>> curve([(0, 0), (0, 5), (0, 9)])
    ((0, 0), (0.0, 3.0), (0.0, 6.0), (0, 9))
    """
    kept = [waypoints[0]]
    for x, y in waypoints[1:]:
        if abs(y - kept[-1][1]) < 0.05:
            continue
        if len(kept) > 1 and abs(kept[-1][0] - x) < 0.05 and abs(kept[-2][0] - x) < 0.05:
            kept.pop()
        kept.append((x, y))
    if len(kept) == 1:
        kept.append((waypoints[-1][0], kept[0][1] + 0.1))
    slopes = [(x1 - x0) / (y1 - y0) for (x0, y0), (x1, y1) in pairwise(kept)]
    tangents = [0.0]
    tangents += [2 * a * b / (a + b) if a * b > 0 else 0.0 for a, b in pairwise(slopes)]
    tangents.append(0.0)
    points: list[Point] = [kept[0]]
    for at in range(1, len(kept)):
        (x0, y0), (x1, y1) = kept[at - 1], kept[at]
        third = (y1 - y0) / 3
        points += [
            (x0 + tangents[at - 1] * third, y0 + third),
            (x1 - tangents[at] * third, y1 - third),
            (x1, y1),
        ]
    return tuple(points)


def loop(right: float, middle: float, half: float, reach: float) -> tuple[Point, ...]:
    """Return a curve from the right side of a node back to it."""
    rise = min(half * 0.45, 12.0)
    out = right + reach * 1.3
    return ((right, middle - rise), (out, middle - rise - 3), (out, middle + rise + 3), (right, middle + rise))


def detour(start: Point, end: Point, lanes: tuple[float, float, float]) -> tuple[Point, ...]:
    """Return a way around the outside: along a gap (its y), down or up a rail (its x), along another gap."""
    gap_out, rail, gap_in = lanes
    corners = [start, (start[0], gap_out), (rail, gap_out), (rail, gap_in), (end[0], gap_in), end]
    points: list[Point] = [start]
    for (x0, y0), (x1, y1) in pairwise(corners):
        points += [
            (x0 + (x1 - x0) / 3, y0 + (y1 - y0) / 3),
            (x0 + (x1 - x0) * 2 / 3, y0 + (y1 - y0) * 2 / 3),
            (x1, y1),
        ]
    return tuple(points)
