"""A history without its definition becomes a diagram model: what was run, and which way it went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration_kit.visual.model import (
    ENTRY_ID,
    FORK,
    JOIN,
    ClusterKind,
    Detail,
    DiagramCluster,
    DiagramEdge,
    DiagramModel,
    DiagramNode,
    Direction,
    EdgeKind,
)
from orchestration_kit.visual.places import EACH, SPAWN, UNDO, Places, is_item, opener_of, scope_of, undone_by
from orchestration_kit.visual.tallies import branch_ends
from orchestration_kit.visual.text import one_line, tooltip
from orchestration_kit.visual.told import left_for_budget


def model_of_history(
    history: Iterable[Mapping[str, Any]],
    *,
    name: str = "history",
    detail: Detail = "full",
    direction: Direction = "TB",
) -> DiagramModel:
    """Return a model of the steps and transitions that a history shows. What did not happen is not in it.

    >>> model = model_of_history([{"step": "a", "worker": "Ann", "success": True, "next_step": "b"}])
    >>> [node.title for node in model.nodes], [(e.source, e.target) for e in model.edges][1:]
    (['start', 'a', 'b'], [('a', 'b')])
    """
    seen = _Seen()
    for entry in history:
        seen.add(entry)
    seen.end_branches()
    nodes, ways = seen.nodes(), list(seen.edges.values())
    if seen.workers:
        ways.insert(0, DiagramEdge(ENTRY_ID, next(iter(seen.workers)), "entry"))
    problem = "" if nodes else "no steps were run"
    nodes.insert(0, DiagramNode(ENTRY_ID, "start", kind="entry", problem=problem, tooltip="The run started here."))
    about = "Drawn from the history alone: steps and transitions that did not happen are not shown."
    return DiagramModel(
        one_line(name, 200), tuple(nodes), tuple(ways), tuple(seen.clusters()), about, (), detail, direction
    )


@dataclass(slots=True)
class _Seen:
    """What was met so far."""

    places: Places = field(default_factory=Places)
    workers: dict[str, str] = field(default_factory=dict[str, str])
    """Every step in the order in which a run comes there, with who did it."""
    titles: dict[str, str] = field(default_factory=dict[str, str])
    edges: dict[tuple[str, str, str], DiagramEdge] = field(default_factory=dict[tuple[str, str, str], DiagramEdge])
    frames: dict[str, str] = field(default_factory=dict[str, str])
    """The frame each step stands in."""
    kinds: dict[str, ClusterKind] = field(default_factory=dict[str, ClusterKind])
    """What each frame is."""
    last: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def add(self, entry: Mapping[str, Any]) -> None:
        scope, where = scope_of(entry), self.places.where(entry)
        key = self._step(where, entry.get("step", ""))
        if (undone := undone_by(entry)) is not None:
            self._edge(self._step(where, undone.rpartition("]/")[2].rpartition("#")[0]), key, "compensate", "undone by")
        elif scope and scope not in self.last:
            self._begin(scope, key)
        if not scope and left_for_budget(self.last.get(scope), entry, ()):
            self._edge(ENTRY_ID, key, "budget", "run's budget spent")
        worker = one_line(entry.get("worker") or entry.get("worker_type") or "", 60)
        self.workers[key] = self.workers[key] or worker
        if branch_ends(entry):
            self.kinds[key] = "map" if entry.get("worker_type") == "map" else "parallel"
        failed = entry.get("success") is False
        target = entry.get("next_step")
        if isinstance(target, str):
            kind = "failure" if failed else "success"
            self._edge(key, self._step(where, target), kind, "\N{BALLOT X} fails" if failed else "")
        before = self.last.get(scope)
        again = before is not None and before.get("step") == entry.get("step")
        if again and isinstance(attempt := entry.get("attempt"), int) and attempt > 1 and not entry.get("detail"):
            self._edge(key, key, "retry", "retry")
        self.last[scope] = entry

    def end_branches(self) -> None:
        """Lead what came last in each branch back to where the branch was opened."""
        for scope, entry in self.last.items():
            found = opener_of(scope)
            if found is None or found[2] == UNDO or entry.get("next_step") is not None:
                continue
            opener = self.places.opener(scope)
            if found[2] == SPAWN:
                self._edge(f"{opener}[{SPAWN}]", opener, "join", "")
            else:
                self._edge(self.places.step(scope, str(entry.get("step", ""))), opener + JOIN, "join", "")

    def nodes(self) -> list[DiagramNode]:
        """Return the nodes, with a fork and a join for each step that opened branches."""
        found: list[DiagramNode] = []
        first = next(iter(self.workers), "")
        for key, worker in self.workers.items():
            if key in self.kinds:
                found.append(DiagramNode(key + FORK, "fork", kind="fork"))
                found.append(DiagramNode(key + JOIN, "join", kind="join"))
            else:
                title = one_line(self.titles[key], 200)
                found.append(
                    DiagramNode(key, title, worker=worker, is_start=key == first, tooltip=tooltip(key, worker))
                )
        return found

    def clusters(self) -> list[DiagramCluster]:
        """Return the frames."""
        found: list[DiagramCluster] = []
        for frame, kind in self.kinds.items():
            inside = [key for key, one in self.frames.items() if one == frame]
            fences = [frame + FORK, frame + JOIN] if kind != "spawn" else []
            nodes = (*fences, *(key for key in inside if key not in self.kinds))
            clusters = tuple(key for key in inside if key in self.kinds)
            title = one_line(self.titles.get(frame, "workflow"), 200)
            subtitle = "" if kind == "spawn" else kind
            is_start = frame == next(iter(self.workers))
            found.append(DiagramCluster(frame, title, nodes, clusters, kind, subtitle=subtitle, is_start=is_start))
        return found

    def _step(self, scope: str, step: object) -> str:
        key = self.places.step(scope, str(step))
        if key not in self.workers:
            if frame := self._frame_of(scope):  # which takes note of what opened it, before what stands in it
                self.frames[key] = frame
            self.workers[key], self.titles[key] = "", str(step)
        return key

    def _frame_of(self, scope: str) -> str:
        """The frame that the steps of a scope stand in."""
        found = opener_of(scope)
        if found is None:
            return ""
        if found[2] == UNDO:
            return ""
        opener = self._step(found[0], found[1])
        if found[2] != SPAWN:
            self.kinds.setdefault(opener, "map" if is_item(found[2]) else "parallel")
            return opener
        frame = f"{opener}[{SPAWN}]"
        if frame not in self.kinds:
            self.kinds[frame] = "spawn"
            if above := self._frame_of(found[0]):
                self.frames[frame] = above
        return frame

    def _begin(self, scope: str, first: str) -> None:
        found = opener_of(scope)
        opener = self.places.opener(scope)
        if found is None or found[2] == UNDO or opener == first:
            return
        if found[2] == SPAWN:
            self._edge(opener, f"{opener}[{SPAWN}]", "body", "spawns")
        else:
            label = EACH if self.kinds.get(opener) == "map" else found[2]
            self._edge(opener + FORK, first, "body", one_line(label, 60))

    def _edge(self, source: str, target: str, kind: EdgeKind, label: str) -> None:
        self.edges.setdefault((source, target, kind), DiagramEdge(source, target, kind, label))
