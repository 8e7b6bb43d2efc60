"""The layout's second question: through which points does a long edge pass?

Every link becomes a chain of knots, one per layer it crosses, so that nothing is drawn across a node. Layers
are doubled: nodes stand in even ones, labels in odd ones. Links that lead to one target run together in a
lane: a thousand steps that fail into one terminal need one lane, not half a million knots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestration_kit.visual.layers import Link

NODE_GAP, KNOT_GAP = 17.0, 7.0
"""Free room on each side of a node and of a knot."""
LANE_WEIGHT = 4.0


@dataclass(slots=True)
class Grid:
    """Places and knots in layers, and the pieces of links between neighbouring layers.

    A vertex is a number: first the places, in their order, then the knots.
    """

    layers: list[list[int]]
    layer_of: list[int]
    before: list[float]
    """Room a vertex needs on its left (across the direction of the layout), gap included."""
    after: list[float]
    upper: list[list[tuple[int, float]]]
    """For each vertex, its neighbours in the layer above, with the weight of the piece."""
    lower: list[list[tuple[int, float]]]
    chains: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    """How each link (by its position) begins: its source, its own knot if it has one, then the knot of a lane
    or its target. From there on, `onward` leads to the target."""
    onward: dict[int, int] = field(default_factory=dict[int, int])
    """From each knot of a lane to the next one, or to the target."""
    labels: dict[int, int] = field(default_factory=dict[int, int])
    """The knot that holds the label of a link."""
    far: list[int] = field(default_factory=list[int])
    """Links too long for the budget of knots; they go around the outside."""
    band: list[float] = field(default_factory=list[float])
    """The thickness of each layer."""


def grid_of(
    sizes: Sequence[tuple[float, float, float]], links: Sequence[Link], layer: Sequence[int], turned: set[int]
) -> Grid:
    """Return the grid for places of these sizes (left half, right half, thickness) in these layers."""
    depth = 2 * max(layer, default=0) + 1
    grid = Grid(
        [[] for _ in range(depth)],
        [2 * one for one in layer],
        [left + NODE_GAP for left, _, _ in sizes],
        [right + NODE_GAP for _, right, _ in sizes],
        [[] for _ in sizes],
        [[] for _ in sizes],
        band=[0.0] * depth,
    )
    for place, (_, _, thickness) in enumerate(sizes):
        grid.band[2 * layer[place]] = max(grid.band[2 * layer[place]], thickness)
    straight = [at for at, link in enumerate(links) if link.source != link.target]
    for at in straight:
        link = links[at]
        if link.label[0]:
            gap = 2 * layer[link.source] + (-1 if at in turned else 1)
            grid.band[gap] = max(grid.band[gap], link.label[1])
    _weave(grid, links, straight, turned, budget=4_000 + 4 * len(sizes))
    return grid


def _weave(grid: Grid, links: Sequence[Link], straight: list[int], turned: set[int], *, budget: int) -> None:
    """Make the knots, short links first: a longer one follows its lane until it meets what is there already."""
    lanes: dict[tuple[int, str, bool, int], int] = {}
    spans = {at: abs(grid.layer_of[links[at].target] - grid.layer_of[links[at].source]) for at in straight}
    for at in sorted(straight, key=spans.__getitem__):
        link, is_turned = links[at], at in turned
        if spans[at] > 2 and len(grid.layer_of) > budget:
            grid.far.append(at)
            continue
        layer, target = grid.layer_of[link.source], grid.layer_of[link.target]
        step = -1 if is_turned else 1
        chain = [link.source]
        layer += step  # the gap beside the source
        if grid.band[layer]:
            chain.append(_knot(grid, layer, link.label[0]))
            if link.label[0]:
                grid.labels[at] = chain[-1]
            _join(grid, chain[-2:], link.weight, is_turned=is_turned)
        begins_at, previous = len(chain), chain[-1]
        while True:
            layer += step
            if layer % 2 and not grid.band[layer]:
                continue  # no labels there: nothing to keep clear of
            key = (link.target, link.lane, is_turned, layer)
            known = link.target if layer == target else lanes.get(key)
            knot = known if known is not None else lanes.setdefault(key, _knot(grid, layer, 0.0))
            in_lane = len(chain) > begins_at
            pull = link.weight * (LANE_WEIGHT if in_lane and layer != target else 1)
            _join(grid, [previous, knot], pull, is_turned=is_turned)
            if in_lane:
                grid.onward[previous] = knot
            else:
                chain.append(knot)
            if known is not None:
                break
            previous = knot
        grid.chains[at] = chain


def _join(grid: Grid, ends: list[int], weight: float, *, is_turned: bool) -> None:
    upper, lower = reversed(ends) if is_turned else ends
    grid.lower[upper].append((lower, weight))
    grid.upper[lower].append((upper, weight))


def _knot(grid: Grid, layer: int, wide: float) -> int:
    grid.layer_of.append(layer)
    grid.before.append(wide / 2 + KNOT_GAP)
    grid.after.append(wide / 2 + KNOT_GAP)
    grid.upper.append([])
    grid.lower.append([])
    return len(grid.layer_of) - 1
