"""The layout's fourth question: where exactly across its layer does each vertex stand?

Every vertex wants to be at the weighted mean of its neighbours; within a layer the order and the distances must
hold. Per layer that is a least-squares problem with an exact answer in linear time: isotonic regression by
pooling adjacent violators (Barlow et al., "Statistical Inference under Order Restrictions", 1972).
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestration_kit.visual.lanes import Grid

ROUNDS = 8
LARGE = 1_500
STRAIGHT_FROM = 2.0
"""The weight from which a piece of an edge is drawn straight if at all possible."""


def coordinates(grid: Grid) -> list[float]:
    """Return the coordinate of each vertex across the layers; the smallest left side is at 0."""
    across = [0.0] * len(grid.layer_of)
    for layer in grid.layers:
        at = 0.0
        for vertex in layer:
            at += grid.before[vertex]
            across[vertex] = at
            at += grid.after[vertex]
        for vertex in layer:
            across[vertex] -= at / 2
    for _ in range(3 if len(across) > LARGE else ROUNDS):
        for layer in grid.layers:
            _settle(grid, layer, across, (grid.upper,))
        for layer in reversed(grid.layers):
            _settle(grid, layer, across, (grid.lower,))
    for layer in grid.layers:
        _settle(grid, layer, across, (grid.upper, grid.lower))
    for layer in grid.layers:
        _straighten(grid, layer, across)
    left = min((across[v] - grid.before[v] for v in range(len(across))), default=0.0)
    return [one - left for one in across]


def _settle(grid: Grid, layer: list[int], across: list[float], sides: Sequence[list[list[tuple[int, float]]]]) -> None:
    wanted: list[float] = []
    weights: list[float] = []
    for vertex in layer:
        total = weight = 0.0
        for side in sides:
            for other, pull in side[vertex]:
                total += across[other] * pull
                weight += pull
        wanted.append(total / weight if weight else across[vertex])
        weights.append(weight or 0.05)
    for vertex, at in zip(layer, spread(wanted, weights, _distances(grid, layer)), strict=True):
        across[vertex] = at


def _straighten(grid: Grid, layer: list[int], across: list[float]) -> None:
    """Put what continues a success path or a lane exactly below its heaviest neighbour, where there is room."""
    wanted = [across[vertex] for vertex in layer]
    weights = [1.0] * len(layer)
    for at, vertex in enumerate(layer):
        other, weight = max(grid.upper[vertex], key=lambda piece: piece[1], default=(vertex, 0.0))
        if weight >= STRAIGHT_FROM:
            wanted[at], weights[at] = across[other], 1e3 * weight**4
    for vertex, at in zip(layer, spread(wanted, weights, _distances(grid, layer)), strict=True):
        across[vertex] = at


def _distances(grid: Grid, layer: list[int]) -> list[float]:
    return [grid.after[layer[at]] + grid.before[layer[at + 1]] for at in range(len(layer) - 1)]


def spread(wanted: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Return the points nearest to `wanted` (weighted squares) that keep their order and distances.

    >>> spread([0.0, 0.0], [1.0, 1.0], [10.0])
    [-5.0, 5.0]
    """
    offset = 0.0
    offsets = [0.0]
    for distance in distances:
        offset += distance
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, members
    for at, want in enumerate(wanted):
        mean, weight, members = want - offsets[at], weights[at], 1
        while blocks and blocks[-1][0] > mean:
            other, other_weight, other_members = blocks.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight += other_weight
            members += other_members
        blocks.append((mean, weight, members))
    means = [mean for mean, _, members in blocks for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets[: len(means)], strict=True)]
