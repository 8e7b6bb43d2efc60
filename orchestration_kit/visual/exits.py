"""Edges that leave a frame get a way out of it that keeps clear of what stands inside.

In each frame that an edge leaves, a point on the floor is one more place of that level, and the edge a link to it;
from there the edge goes on in the level around. Edges to one target that may share a lane share the exit, and all
that comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from orchestration_kit.visual.layers import Link, turned_links
from orchestration_kit.visual.levels import Level
from orchestration_kit.visual.model import DiagramEdge, DiagramModel, parents_of

Piece = tuple[str, int]
"""A part of an edge: the level it is in, and the number of the link there."""
_Key = tuple[str, str, str]
"""What an exit is for: the frame, the target, the lane."""


@dataclass(slots=True)
class Exits:
    """Which pieces edges are made of, where they are made of several."""

    pieces: dict[int, list[Piece]] = field(default_factory=dict[int, list[Piece]])
    """By the number of the edge, from the inside to the outside."""
    doors: dict[str, int] = field(default_factory=dict[str, int])
    """By the name of an exit: its place in the level it leads out of."""
    _links: dict[_Key, int] = field(default_factory=dict[_Key, int])
    """The first edge that used an exit: the others follow it from there on."""

    def name_of(self, key: _Key, level: Level) -> str:
        """Return the name of the exit for `key`, which is made where there is none."""
        name = "\0".join((*key, "exit"))
        if name not in self.doors:
            self.doors[name] = len(level.members)
            level.floor.add(len(level.members))
            level.members.append(name)
        return name

    def leader(self, key: _Key, number: int) -> int:
        """Return the edge whose way is followed behind an exit."""
        return self._links.setdefault(key, number)


def add_exits(model: DiagramModel, levels: dict[str, Level]) -> Exits:
    """Give edges that leave frames downwards their exits: places and links are added to `levels`."""
    exits = Exits()
    parent = parents_of(model)
    for name in list(levels) if parent else ():
        level = levels[name]
        turned = turned_links(len(level.members), level.links)
        kept: list[Link] = []
        for at, link in enumerate(level.links):
            edge = model.edges[link.number]
            frame = level.members[link.source]
            if frame == edge.source or link.target in level.floor or at in turned:
                kept.append(link)
                continue
            frames = [parent[edge.source]]
            while frames[-1] != frame:
                frames.append(parent[frames[-1]])
            last = _lead_out(edge, link, [(one, levels[one]) for one in frames], exits)
            leader = exits.leader((frame, edge.target, link.lane), link.number)
            exits.pieces[link.number].append((name, leader))
            if leader == link.number:
                kept.append(replace(link, label=(0.0, 0.0), door=last))
        level.links[:] = kept
    return exits


def _lead_out(edge: DiagramEdge, link: Link, frames: list[tuple[str, Level]], exits: Exits) -> str:
    """Lead an edge out of frames, from the inside to the outside; return the name of the last exit."""
    pieces = exits.pieces.setdefault(link.number, [])
    inner, door, following = edge.source, "", link.number
    for frame, level in frames:
        before = door
        door = exits.name_of((frame, edge.target, link.lane), level)
        source, target = level.members.index(inner), exits.doors[door]
        if following == link.number:
            room = (0.0, 0.0) if before else link.label
            level.links.append(Link(link.number, source, target, link.weight, link.lane, room, door=before))
        pieces.append((frame, following))
        following = exits.leader((frame, edge.target, link.lane), following)
        inner = frame
    return door
