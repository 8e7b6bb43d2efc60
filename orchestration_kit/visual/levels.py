"""A model with clusters becomes levels: what stands directly in each frame, and the links between these things.

An edge belongs to the innermost level that holds both its ends; there, a frame stands for what is inside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestration_kit.visual.layers import Link, layers_of, turned_links
from orchestration_kit.visual.layout import label_size
from orchestration_kit.visual.model import DiagramModel, EdgeKind, parents_of

_WEIGHTS: dict[EdgeKind, float] = {
    "entry": 8.0, "success": 8.0, "body": 1.5, "join": 1.0, "branch": 2.0, "failure": 0.5, "retry": 0.5,
    "timeout": 0.5, "budget": 0.5, "compensate": 0.3,
}  # fmt: skip
_LANES: dict[EdgeKind, str] = {"success": "", "failure": "failing", "retry": "failing"}
"""Edges of these kinds with one target may run together; the others keep to themselves."""


@dataclass(slots=True)
class Level:
    """What stands directly in one cluster (or in none), and the edges that join these things."""

    members: list[str] = field(default_factory=list[str])
    links: list[Link] = field(default_factory=list[Link])
    floor: set[int] = field(default_factory=set[int])
    """Members that have to stand below all others."""


def levels_of(model: DiagramModel) -> dict[str, Level]:
    """Return the levels by the id of their cluster; the outermost one is under ""."""
    parent = parents_of(model)
    levels = {"": Level()} | {cluster.id: Level() for cluster in model.clusters}
    number: dict[str, int] = {}
    for name in (*(node.id for node in model.nodes), *(cluster.id for cluster in model.clusters)):
        members = levels[parent.get(name, "")].members
        number[name] = len(members)
        members.append(name)
    for at, edge in enumerate(model.edges):
        meeting = _meeting(edge.source, edge.target, parent)
        if meeting is None:
            continue
        level, source, target = meeting
        lane = _LANES.get(edge.kind, f"{at}")
        levels[level].links.append(
            Link(at, number[source], number[target], _WEIGHTS[edge.kind], lane, label_size(edge))
        )
    return levels


def _meeting(source: str, target: str, parent: dict[str, str]) -> tuple[str, str, str] | None:
    """The innermost level that holds both ends, and what represents each of them there.

    None where one end is a frame around the other.
    """
    if not parent:
        return "", source, target
    chain = [source]
    while chain[-1] in parent:
        chain.append(parent[chain[-1]])
    above = {parent.get(name, ""): name for name in chain}
    name = target
    while parent.get(name, "") not in above:
        name = parent[name]
    level = parent.get(name, "")
    if above[level] == name and source != target:
        return None
    return level, above[level], name


def ends_of(model: DiagramModel, levels: dict[str, Level]) -> dict[str, tuple[str, str]]:
    """Return, for each frame, the node at its top and the one at its bottom: where edges of the frame are tied to."""
    found: dict[str, tuple[str, str]] = {}
    for name in inside_out(model)[:-1]:
        level = levels[name]
        count = len(level.members)
        layer = layers_of(count, level.links, turned_links(count, level.links))
        first, last = (pick(range(count), key=layer.__getitem__) for pick in (min, max))
        top, bottom = level.members[first], level.members[last]
        found[name] = (found.get(top, (top, ""))[0], found.get(bottom, ("", bottom))[1])
    return found


def inside_out(model: DiagramModel) -> list[str]:
    """Return the ids of all levels, each after those inside it; "" comes last."""
    inner = {cluster.id: cluster.clusters for cluster in model.clusters}
    held = {child for children in inner.values() for child in children}
    found = [name for name in inner if name not in held]
    for name in found:  # grows while it is walked
        found.extend(inner[name])
    return [*reversed(found), ""]


def turned_edges(levels: dict[str, Level]) -> set[int]:
    """Return the numbers of the edges that close a circle, on all levels."""
    return {level.links[at].number for level in levels.values() for at in turned_links(len(level.members), level.links)}


def total_span(levels: dict[str, Level]) -> int:
    """Return how many layers the edges cross, all together: what makes a layout slow."""
    total = 0
    for level in levels.values():
        count, links = len(level.members), level.links
        layer = layers_of(count, links, turned_links(count, links))
        total += sum(abs(layer[link.target] - layer[link.source]) for link in links)
    return total
