"""The layout's first question: in which layer does each node stand?

Sugiyama, Tagawa and Toda's method ("Methods for Visual Understanding of Hierarchical System Structures", 1981):
turn the edges that close a circle, then put every node one layer below the lowest of those that lead to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Link:
    """An edge between two places of one layout, by their numbers."""

    number: int
    """Which edge of the model it is."""
    source: int
    target: int
    weight: float = 1.0
    lane: str = ""
    """Links to one target in one lane may run together."""
    label: tuple[float, float] = (0.0, 0.0)
    """Room for the label, across and along the direction of the layout."""
    door: str = ""
    """The exit of the frame `source` through which it comes, if it comes from inside; see `exits.py`."""
    leaves_at: float | None = None
    """Where it then leaves, across the direction of the layout, from the middle of `source`."""


def turned_links(count: int, links: Sequence[Link]) -> set[int]:
    """Return positions (in `links`) of the links that close a circle, seen from a depth-first walk.

    The walk begins at places that nothing leads to, takes heavy links first, and uses no recursion.

    >>> turned_links(2, [Link(0, 0, 1, 8), Link(1, 1, 0)])
    {1}
    """
    ways: list[list[int]] = [[] for _ in range(count)]
    led_to = [False] * count
    for at, link in enumerate(links):
        if link.source != link.target:
            ways[link.source].append(at)
            led_to[link.target] = True
    for way in ways:
        way.sort(key=lambda at: -links[at].weight)
    turned: set[int] = set()
    state = bytearray(count)  # 0 new, 1 on the way, 2 done
    for start in sorted(range(count), key=lambda place: led_to[place]):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(ways[start]))]
        while stack:
            place, rest = stack[-1]
            for at in rest:
                target = links[at].target
                if state[target] == 1:
                    turned.add(at)
                elif state[target] == 0:
                    state[target] = 1
                    stack.append((target, iter(ways[target])))
                    break
            else:
                state[place] = 2
                stack.pop()
    return turned


def layers_of(count: int, links: Sequence[Link], turned: set[int]) -> list[int]:
    """Return the layer of each place: the longest way to it, in links.

    >>> layers_of(3, [Link(0, 0, 1), Link(1, 1, 2), Link(2, 0, 2)], set())
    [0, 1, 2]
    """
    below: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for at, link in enumerate(links):
        if link.source == link.target:
            continue
        upper, lower = (link.target, link.source) if at in turned else (link.source, link.target)
        below[upper].append(lower)
        waiting[lower] += 1
    layer = [0] * count
    ready = [place for place in range(count) if not waiting[place]]
    for place in ready:  # grows while it is walked
        for lower in below[place]:
            layer[lower] = max(layer[lower], layer[place] + 1)
            waiting[lower] -= 1
            if not waiting[lower]:
                ready.append(lower)
    return layer
