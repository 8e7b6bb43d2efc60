"""Nodes that lead to several at once get a step with branches and a join, where what they open comes together.

A definition opens branches at one step and joins them there; graphs elsewhere begin several nodes at once and let edges
meet anywhere. The join is the nearest node that every way comes through: the nearest common post-dominator of what is
opened (Ferrante, Ottenstein, Warren: "The Program Dependence Graph and Its Use in Optimization", 1987).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from orchestration_kit.errors import listed
from orchestration_kit.interchange.shape import END, ROUTE, Shape, Way, literal

_AFTER_SUCCESS = ("on", "choice", "each")


@dataclass(frozen=True, slots=True)
class FanOut:
    """Branches that were found: the step that opens them, where they join, and the nodes of each."""

    step_id: str
    join: str
    regions: dict[str, frozenset[str]]
    """By the node each begins at."""


class _Tangled(Exception):
    """Why branches cannot be told apart; always caught."""


def open_fan_outs(shape: Shape, route: str = ROUTE) -> list[FanOut]:
    """Give each node that leads to several at once a step with branches. Changes the shape.

    Args:
        shape: what is changed; what cannot be said with branches becomes a choice, with a note.
        route: where a worker says which way to go, for those choices.

    >>> shape = Shape("w", {"a": {}, "b": {}, "c": {}, "d": {}}, starts=["a"])
    >>> shape.ways = [Way("a", "b"), Way("a", "c"), Way("b", "d"), Way("c", "d")]
    >>> [(one.step_id, one.join) for one in open_fan_outs(shape)]
    [('a.branches', 'd')]
    """
    found: list[FanOut] = []
    if len(shape.starts) > 1:
        first = shape.add("start", {"worker_type": "start", "description": "Passes on what the run was given."})
        shape.nodes = {first: shape.nodes.pop(first), **shape.nodes}
        shape.ways += [Way(first, target) for target in shape.starts]
        shape.starts = [first]
    opener = _Opener(shape)
    candidates = {way.source for way in shape.ways if way.kind == "each" or way.condition} | _repeated(shape)
    for source in reversed(_from_the_start(shape)):  # from the inside to the outside
        if source not in candidates:
            continue
        ways = [way for way in opener.leading[source] if way.kind == "on"]
        each = [way for way in opener.leading[source] if way.kind == "each"]
        if len({way.target for way in ways}) < 2 and not each and not any(way.condition for way in ways):
            continue
        try:
            found.append(opener.mapped(each[0], ways) if each else opener.parallel(source, ways))
        except _Tangled as reason:
            _choose_instead(shape, source, [*each, *ways], str(reason), route)
        except _InARow:
            pass
        else:
            opener = _Opener(shape)
            continue
        opener.leading[source] = shape.leading(source)
    return found


class _InARow(Exception):
    """It was no fan-out after all; always caught."""


class _Opener:
    """Opens branches in a shape, and remembers what leads where until the first of them is opened."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.leading: dict[str, list[Way]] = defaultdict(list)
        for way in shape.ways:
            self.leading[way.source].append(way)

    @cached_property
    def above(self) -> dict[str, str | None]:
        """For each node the next one that every way from it comes through."""
        import networkx as nx

        back: nx.DiGraph[str] = nx.DiGraph()
        leading: set[str] = set()
        for way in self.shape.ways:
            if way.kind in _AFTER_SUCCESS:
                back.add_edge(way.target, way.source)
                leading.add(way.source)
        back.add_edges_from((END, node) for node in self.shape.nodes if node not in leading)
        return cast("dict[str, str | None]", dict(nx.immediate_dominators(back, END))) if END in back else {}

    def parallel(self, source: str, ways: list[Way]) -> FanOut:
        shape = self.shape
        targets = list(dict.fromkeys(way.target for way in ways if way.target != END))
        join = self._join(targets)
        opened = [target for target in targets if target != join]
        regions = self._regions(source, opened, join)
        if len(opened) < 2 and not any(way.condition for way in ways):
            _go_on_in_a_row(shape, source, ways, (opened or [join])[0])
            raise _InARow
        names = {way.target: way for way in reversed(ways)}
        step_id = shape.add(f"{source}.branches", {"kind": "parallel"}, after=source)
        bodies = [Way(step_id, one, "body", names[one].condition, names[one].label or one) for one in opened]
        _put_in_place(shape, step_id, ways, bodies, join)
        _cut(shape, regions, join)
        return FanOut(step_id, join, regions)

    def mapped(self, each: Way, ways: list[Way]) -> FanOut:
        shape = self.shape
        join = self._join([each.target], strictly=True)
        regions = self._regions(each.source, [each.target], join)
        if any(way.target not in (END, join) for way in ways):
            raise _Tangled("besides the branch for each item, it leads elsewhere")
        fields = {"kind": "map", "over": each.condition or "output"}
        step_id = shape.add(f"{each.source}.each", fields, after=each.source)
        _put_in_place(shape, step_id, [each, *ways], [Way(step_id, each.target, "body", "", "each")], join)
        _cut(shape, regions, join)
        return FanOut(step_id, join, regions)

    def _join(self, targets: list[str], *, strictly: bool = False) -> str:
        """Return the nearest node that every way from the targets comes through; `END` where that is the end."""
        chains: list[dict[str, None]] = []
        for target in targets:
            if target not in self.above:
                raise _Tangled(f"what begins at {target!r} never ends")
            chain = {target: None}
            at: str | None = target
            while (at := self.above.get(at or END)) is not None and at not in chain:
                chain[at] = None
            if strictly:
                del chain[target]
            chains.append(chain)
        return next((one for one in chains[0] if all(one in chain for chain in chains)), END)

    def _regions(self, source: str, targets: list[str], join: str) -> dict[str, frozenset[str]]:
        regions: dict[str, frozenset[str]] = {}
        owner: dict[str, str] = {}
        for target in targets:
            inside = self._reached(target, {join, END})
            if source in inside:
                raise _Tangled(f"a branch that begins at {target!r} leads back to it")
            for node in inside:
                if node in owner:
                    raise _Tangled(
                        f"the branches that begin at {owner[node]!r} and {target!r} meet at {node!r} half-way"
                    )
                owner[node] = target
            regions[target] = frozenset(inside)
        for way in self.shape.ways:
            here = owner.get(way.target)
            is_opening = way.source == source and way.target in regions
            if here is not None and not is_opening and owner.get(way.source) != here:
                raise _Tangled(f"{way.source!r}, which is no part of a branch, leads into it at {way.target!r}")
        if any(start in owner for start in self.shape.starts):
            raise _Tangled("the run begins within a branch of it")
        return regions

    def _reached(self, start: str, closed: Iterable[str]) -> dict[str, None]:
        """Return the nodes of a branch. An end that is come to after a failure alone may be shared by all."""
        shut, seen, stack = set(closed), {start: None}, [start]
        while stack:
            for way in self.leading.get(stack.pop(), ()):
                is_shared_end = way.kind not in (*_AFTER_SUCCESS, "body") and not self.leading.get(way.target)
                if way.inner is None and way.target not in shut and way.target not in seen and not is_shared_end:
                    seen[way.target] = None
                    stack.append(way.target)
        return seen


def _go_on_in_a_row(shape: Shape, source: str, ways: list[Way], only: str) -> None:
    dropped = [way for way in ways if way.target != only]
    shape.ways = [way for way in shape.ways if way not in dropped]
    if later := [way.target for way in dropped if way.target != END]:
        shape.note(
            "fan-out",
            (source, *later),
            f"{source!r} leads to {only!r} and to {later[0]!r}, where that comes to as well",
            f"Here {later[0]!r} comes once, after {only!r}.",
        )


def _put_in_place(shape: Shape, step_id: str, ways: list[Way], bodies: list[Way], join: str) -> None:
    """Lead to the new step instead, and on from it to the join."""
    place = shape.ways.index(ways[0])
    gone = {id(way) for way in ways}
    shape.ways = [way for way in shape.ways if id(way) not in gone]
    leads_on = [Way(step_id, join)] if join != END else []
    shape.ways[place:place] = [Way(ways[0].source, step_id), *bodies, *leads_on]


def _cut(shape: Shape, regions: dict[str, frozenset[str]], join: str) -> None:
    """End the branches where they come to the join: what led there leads nowhere, or to an end of the branch."""
    choosing = {way.source for way in shape.ways if way.kind == "choice"} | _repeated(shape)
    owner = {node: start for start, inside in regions.items() for node in inside}
    stops: dict[str, str] = {}
    kept: list[Way] = []
    for way in shape.ways:
        start = owner.get(way.source)
        if start is None or way.inner is not None or way.target not in (join, END):
            kept.append(way)
        elif way.kind != "on" or way.source in choosing:
            if start not in stops:
                fields = {"worker_type": "end", "is_terminal": True}
                stops[start] = shape.add(f"{start}.end", fields, after=start)
            way.target = stops[start]
            kept.append(way)
    shape.ways = kept


def _choose_instead(shape: Shape, source: str, ways: list[Way], reason: str, route: str) -> None:
    for way in ways:
        way.kind, way.condition = "choice", way.condition or f"{route} == {literal(way.target or 'end')}"
    shape.note(
        "fan-out",
        source,
        f"{source!r} begins {listed([repr(way.target or 'the end') for way in ways])} at once, and {reason}",
        "A ParallelStep needs branches that come together; here one of them is chosen. Lead them to one join to open "
        "them at once.",
    )
    ways[-1].kind, ways[-1].condition = "on", ""


def _repeated(shape: Shape) -> set[str]:
    counts = Counter(way.source for way in shape.ways if way.kind == "on")
    return {source for source, count in counts.items() if count > 1}


def _from_the_start(shape: Shape) -> list[str]:
    """Return the nodes as a run comes to them."""
    leading: dict[str, list[str]] = {}
    for way in shape.ways:
        leading.setdefault(way.source, []).append(way.target)
    seen = dict.fromkeys(shape.starts)
    queue = list(seen)
    for node in queue:
        for target in leading.get(node, ()):
            if target != END and target not in seen:
                seen[target] = None
                queue.append(target)
    return [*seen, *(node for node in shape.nodes if node not in seen)]
