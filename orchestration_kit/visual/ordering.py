"""The layout's third question: in which order do vertices stand within a layer, so that few edges cross?

A depth-first walk gives the first order, with the heavy (success) edges first; sweeps by barycentre improve
it (Sugiyama et al., 1981). The best order found is kept, by its crossings.
"""

from __future__ import annotations

from bisect import bisect_right, insort

from orchestration_kit.visual.lanes import Grid

SWEEPS = 8
LARGE = 1_500
"""Vertices beyond which two sweeps must do."""


def order(grid: Grid) -> None:
    """Fill and order `grid.layers`."""
    for vertex in _walk(grid):
        grid.layers[grid.layer_of[vertex]].append(vertex)
    large = len(grid.layer_of) > LARGE
    best, fewest = [list(layer) for layer in grid.layers], _crossings(grid)
    for sweep in range(2 if large else SWEEPS):
        if fewest == 0:
            break
        _sweep(grid, downwards=sweep % 2 == 0)
        crossings = _crossings(grid)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in grid.layers], crossings
    grid.layers[:] = best


def _walk(grid: Grid) -> list[int]:
    """All vertices depth first from the top, by weight, then in the order of the model."""
    seen = bytearray(len(grid.layer_of))
    found: list[int] = []
    starts = sorted(range(len(grid.layer_of)), key=lambda vertex: (len(grid.upper[vertex]) > 0, vertex))
    for start in starts:
        stack = [start]
        while stack:
            vertex = stack.pop()
            if seen[vertex]:
                continue
            seen[vertex] = 1
            found.append(vertex)
            heavy_first = sorted(grid.lower[vertex], key=lambda piece: -piece[1])
            stack.extend(other for other, _ in reversed(heavy_first))
    return found


def _sweep(grid: Grid, *, downwards: bool) -> None:
    layers = grid.layers if downwards else grid.layers[::-1]
    neighbours = grid.upper if downwards else grid.lower
    place = [0] * len(grid.layer_of)
    for layer in layers:
        if len(layer) > 1:
            centres: dict[int, float] = {}
            for at, vertex in enumerate(layer):
                pieces = neighbours[vertex]
                centres[vertex] = sum([place[other] for other, _ in pieces]) / len(pieces) if pieces else at
            layer.sort(key=centres.__getitem__)
        for at, vertex in enumerate(layer):
            place[vertex] = at


def _crossings(grid: Grid) -> int:
    """Count pairs of pieces that cross; a piece may skip the empty layer between two node layers."""
    place = [0] * len(grid.layer_of)
    for layer in grid.layers:
        for at, vertex in enumerate(layer):
            place[vertex] = at
    total = 0
    for layer in grid.layers:
        ends: dict[int, list[int]] = {}
        for vertex in layer:
            for other, _ in sorted(grid.lower[vertex], key=lambda piece: place[piece[0]]):
                ends.setdefault(grid.layer_of[other], []).append(place[other])
        for targets in ends.values():
            if len(targets) < 2:
                continue
            passed: list[int] = []
            for target in targets:
                total += len(passed) - bisect_right(passed, target)
                insort(passed, target)
    return total
