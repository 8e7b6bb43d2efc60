"""The steps of a workflow become nodes, edges and frames; a workflow inside another becomes a frame within.

The id of a step inside an inline workflow begins with where that stands: `review[law]/check`. A frame has the id of
its step, so that ways in and out of the step begin and end at the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration_kit.visual.bodies import owners, reached_from, thread
from orchestration_kit.visual.findings import findings_of, told_inside
from orchestration_kit.visual.model import (
    ENTRY_ID,
    FORK,
    JOIN,
    ClusterKind,
    DiagramCluster,
    DiagramEdge,
    DiagramNode,
)
from orchestration_kit.visual.step_text import KINDS, join_text, marks_text, note_text, step_tooltip, worker_text
from orchestration_kit.visual.text import one_line, tooltip
from orchestration_kit.visual.ways import opened_by, ways_of

OPEN_DEPTH = 2
"""Workflows within workflows up to this depth are drawn open; those below are folded."""
MOST_DEPTH, MOST_NODES = 12, 4_000
"""Beyond, a workflow within another is one box that cannot be unfolded."""
MOST_BRANCHES = 24
"""A step with more branches than this is folded: its picture would be too wide to read."""


@dataclass(slots=True)
class Drawn:
    """What was drawn so far."""

    nodes: list[DiagramNode] = field(default_factory=list[DiagramNode])
    edges: list[DiagramEdge] = field(default_factory=list[DiagramEdge])
    clusters: list[DiagramCluster] = field(default_factory=list[DiagramCluster])
    problems: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Inside:
    """What stands directly in a frame."""

    nodes: list[str] = field(default_factory=list[str])
    clusters: list[str] = field(default_factory=list[str])


def draw_steps(drawn: Drawn, workflow: Any, prefix: str = "", depth: int = 0, *, is_known: bool = False) -> Inside:
    """Draw the steps of a workflow, and return what stands in none of their frames.

    What is wrong with them is marked; it is also put into words, unless it `is_known` from the workflow around them.
    """
    sheet = _Sheet(drawn, workflow, prefix, depth)
    if not is_known:
        drawn.problems += dict.fromkeys(text for texts in sheet.findings.values() for _, text in texts)
    return sheet.draw()


def draw_inline(drawn: Drawn, workflow: Any, name: str, depth: int, *, kind: ClusterKind = "workflow") -> None:
    """Draw a workflow as a frame with the id `name`: a body, or what a worker spawned."""
    steps: Mapping[Any, Any] = getattr(workflow, "steps", None) or {}
    held, note = Inside(), ""
    title = one_line(getattr(workflow, "name", "") or "workflow", 200)
    problem = "" if isinstance(getattr(workflow, "initial_step", None), str) else "no initial step"
    at = len(drawn.clusters)
    if depth <= MOST_DEPTH and len(drawn.nodes) + len(steps) <= MOST_NODES:
        held = draw_steps(drawn, workflow, f"{name}/", depth, is_known=kind == "workflow")
    else:
        note = f"{len(steps):,} step{'' if len(steps) == 1 else 's'}"
    about = tooltip(f"workflow {title}", getattr(workflow, "goal", ""), getattr(workflow, "description", ""))
    frame = DiagramCluster(
        name, title, tuple(held.nodes), tuple(held.clusters), kind, note, about, depth > OPEN_DEPTH, problem=problem
    )
    drawn.clusters.insert(at, frame)


class _Sheet:
    """One workflow on its way into the picture."""

    def __init__(self, drawn: Drawn, workflow: Any, prefix: str, depth: int) -> None:
        self.drawn, self.prefix, self.depth = drawn, prefix, depth
        self.steps: dict[str, Any] = dict(getattr(workflow, "steps", None) or {})
        self.initial = getattr(workflow, "initial_step", None)
        self.findings = findings_of(workflow, is_body=bool(prefix))
        self.ways = {key: ways_of(key, step) for key, step in self.steps.items()}
        spent = getattr(getattr(workflow, "budget", None), "on_budget", None)
        self.on_budget = str(spent) if spent is not None and isinstance(self.initial, str) else None
        starts = [one for one in (self.initial, self.on_budget) if isinstance(one, str)]
        self.reached = reached_from(starts, self.ways)
        self.main = thread(starts, self.ways)
        self.ghosts = self._missing()
        self.owner = owners([*self.steps, *self.ghosts], self.ways, starts)
        self.opened = {key: opened_by(step) for key, step in self.steps.items()}
        inline = {key for key, ones in self.opened.items() if any(not isinstance(one.target, str) for one in ones)}
        self.framed = inline | set(self.owner.values())
        self.inside: dict[str, Inside] = {key: Inside() for key in self.framed} | {"": Inside()}

    def draw(self) -> Inside:
        if self.on_budget is not None and not self.prefix:
            tip = "where the budget of the run is spent"
            self.drawn.edges.append(DiagramEdge(ENTRY_ID, self.on_budget, "budget", "run's budget spent", tip))
        at = len(self.drawn.clusters)
        order = sorted(self.steps, key=lambda key: self.reached.get(key, len(self.reached)))
        for key in order:
            self._draw_step(key, self.steps[key])
        for target in self.ghosts:
            self._hold(target, DiagramNode(self.prefix + target, **self._ghost(target)))
        frames = [self._frame(key, self.steps[key]) for key in order if key in self.framed]
        self.drawn.clusters[at:at] = frames
        return self.inside[""]

    def _missing(self) -> list[str]:
        named = [way.target for ones in self.ways.values() for way in ones]
        if isinstance(self.initial, str):
            named.insert(0, self.initial)
        if self.on_budget is not None:
            named.append(self.on_budget)
        return list(dict.fromkeys(name for name in named if name not in self.steps))

    def _hold(self, key: str, node: DiagramNode) -> None:
        self.drawn.nodes.append(node)
        self.inside[self.owner.get(key, "")].nodes.append(node.id)

    def _draw_step(self, key: str, step: Any) -> None:
        name = self.prefix + key
        if key in self.framed:
            self.inside[self.owner.get(key, "")].clusters.append(name)
            fork = DiagramNode(name + FORK, "fork", kind="fork", tooltip=f"The branches of {one_line(key, 60)} begin.")
            self._fence(key, fork)
            self._draw_bodies(key, name)
            joined = join_text(step)
            tip = f"The branches of {one_line(key, 60)} end here; {joined}."
            self._fence(key, DiagramNode(name + JOIN, joined, kind="join", tooltip=tip))
        else:
            kind = str(getattr(step, "kind", "step"))
            worker = worker_text(step) or KINDS.get(kind, "")
            looks = self._looks(key, step, worker)
            is_terminal = bool(getattr(step, "is_terminal", False))
            self._hold(
                key,
                DiagramNode(
                    name, worker=worker, note=note_text(step), marks=marks_text(step),
                    kind=KINDS.get(kind) or ("terminal" if is_terminal else "step"), **looks,
                ),
            )  # fmt: skip
        self.drawn.edges += self._edges(key, name)
        self.drawn.edges += self._returns(key, name)

    def _fence(self, key: str, node: DiagramNode) -> None:
        self.drawn.nodes.append(node)
        self.inside[key].nodes.append(node.id)

    def _draw_bodies(self, key: str, name: str) -> None:
        for one in self.opened[key]:
            if isinstance(one.target, str):
                continue
            body = f"{name}[{one.name}]"
            self.inside[key].clusters.append(body)
            self.drawn.edges.append(DiagramEdge(name + FORK, body, "body", one.label, one.tooltip, told=one.name))
            draw_inline(self.drawn, one.target, body, self.depth + 1)
            self.drawn.edges.append(DiagramEdge(body, name + JOIN, "join", tooltip="the branch ends"))

    def _edges(self, key: str, name: str) -> Iterator[DiagramEdge]:
        for way in self.ways[key]:
            source = name + FORK if way.kind == "body" and self.owner.get(way.target) == key else name
            yield DiagramEdge(source, self.prefix + way.target, way.kind, way.label, way.tooltip, told=way.told)

    def _returns(self, key: str, name: str) -> Iterator[DiagramEdge]:
        """From where the branches end, back to the step that opened them."""
        starts = [way.target for way in self.ways[key] if way.kind == "body"]
        for step in thread(starts, self.ways) if starts else ():
            if step not in self.steps or any(way.kind == "success" for way in self.ways[step]):
                continue
            if self.owner.get(step) == key:
                yield DiagramEdge(self.prefix + step, name + JOIN, "join", tooltip="the branch ends")
            elif step not in self.main and step != key:
                yield DiagramEdge(self.prefix + step, name, "join", tooltip="the branch ends")

    def _looks(self, key: str, step: Any, worker: str) -> dict[str, Any]:
        found = self.findings.get(key, [])
        if self.depth < OPEN_DEPTH:  # marked inside, where it is
            found = [one for one in found if not told_inside(one[1], step)]
        problems = [code for code, _ in found]
        unreachable = key not in self.reached and self.initial in self.steps
        if unreachable and not any("unreach" in code for code in problems):
            problems.append("unreachable step")
        outcome = "failed" if getattr(step, "outcome", "completed") == "failed" else "completed"
        is_inside = bool(self.prefix) or key in self.owner
        return {
            "title": one_line(key, 200),
            "is_start": key == self.initial,
            "outcome": outcome if bool(getattr(step, "is_terminal", False)) else "",
            "problem": "; ".join(problems),
            "tooltip": step_tooltip(
                key, step, worker, *(text for _, text in found), ends="its branch" if is_inside else "the run"
            ),
        }

    def _frame(self, key: str, step: Any) -> DiagramCluster:
        kind: ClusterKind = "map" if getattr(step, "kind", "") == "map" else "parallel"
        words = worker_text(step) or kind
        held, marks = self.inside[key], marks_text(step)
        return DiagramCluster(
            self.prefix + key, nodes=tuple(held.nodes), clusters=tuple(held.clusters), kind=kind, note=note_text(step),
            subtitle=f"{words} \N{MIDDLE DOT} {marks}" if marks else words,
            folded=len(self.opened[key]) > MOST_BRANCHES, **self._looks(key, step, words),
        )  # fmt: skip

    def _ghost(self, target: str) -> dict[str, Any]:
        by = [key for key, ones in self.ways.items() for way in ones if way.target == target]
        named_by = ", ".join(dict.fromkeys(one_line(key, 60) for key in by))
        where = f"named by {named_by}" if named_by else "named as the initial step"
        return {
            "title": one_line(target, 200) or "(empty id)",
            "kind": "missing",
            "problem": "missing step",
            "tooltip": tooltip(target, f"No step has this id; it is {where}."),
        }
