"""Workflows that workers made in a run are drawn into its diagram: a frame each, beside the step that spawned it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from orchestration_kit.visual.frames import Drawn, draw_inline
from orchestration_kit.visual.model import DiagramCluster, DiagramEdge, DiagramModel, parents_of
from orchestration_kit.visual.places import SPAWN, Places, scope_of

MOST_SPAWNED = 3
"""Different workflows that one step spawned are drawn up to this number; a box stands for the others."""


def with_spawned(model: DiagramModel, history: Iterable[Mapping[str, Any]]) -> DiagramModel:
    """Return the diagram of a workflow with those in it that its workers spawned, as a history has them.

    >>> with_spawned(DiagramModel("none"), []).clusters
    ()
    """
    spawns = [(entry, spawn) for entry in history if (spawn := _spawn_in(entry)) is not None]
    if not spawns:
        return model
    drawing = _Drawing(model)
    for entry, spawn in spawns:
        drawing.add(entry, spawn)
    return drawing.model()


class _Drawing:
    """A model that frames are added to."""

    def __init__(self, model: DiagramModel) -> None:
        self._model = model
        self._places = Places(model)
        self._drawn = Drawn(list(model.nodes), list(model.edges), list(model.clusters), list(model.problems))
        self._held: dict[str, list[str]] = {}
        """Frames to put into a frame that is there."""
        self._parent = parents_of(model)
        self._frames: dict[str, list[Mapping[str, Any]]] = {}
        self._positions: dict[str, list[str]] = {}

    def add(self, entry: Mapping[str, Any], spawn: Mapping[str, Any]) -> None:
        """Draw a workflow, unless the same step spawned the same one before."""
        step = self._places.entry(entry)
        if not any(node.id == step for node in self._drawn.nodes):
            return  # hidden by something that cannot be unfolded
        known = self._frames.setdefault(step, [])
        if spawn not in known:
            known.append(spawn)
            if len(known) <= MOST_SPAWNED + 1:
                self._draw(step, len(known), spawn)
        frame = _frame_id(step, known.index(spawn) + 1)
        position = f"{scope_of(entry)}{entry.get('step', '')}#{entry.get('visit', 1)}[{SPAWN}]"
        self._positions.setdefault(frame, []).append(position)
        inside = {one.id for one in (*self._drawn.nodes, *self._drawn.clusters) if one.id.startswith(f"{frame}/")}
        self._places.add(position, frame, inside)

    def model(self) -> DiagramModel:
        """Return the model with all frames in it."""
        clusters = [
            replace(one, clusters=(*one.clusters, *self._held.get(one.id, ())), positions=self._where(one))
            for one in self._drawn.clusters
        ]
        drawn = self._drawn
        return replace(
            self._model, nodes=tuple(drawn.nodes), edges=tuple(drawn.edges), clusters=tuple(clusters),
            problems=tuple(drawn.problems),
        )  # fmt: skip

    def _where(self, frame: DiagramCluster) -> tuple[str, ...]:
        return (*frame.positions, *self._positions.get(frame.id, ()))

    def _draw(self, step: str, number: int, spawn: Mapping[str, Any]) -> None:
        frame = _frame_id(step, number)
        before = len(self._drawn.nodes)
        if number > MOST_SPAWNED:
            self._drawn.clusters.append(DiagramCluster(frame, "more workflows", kind="spawn"))
        else:
            draw_inline(self._drawn, _workflow(spawn), frame, 1 + step.count("/"), kind="spawn")
        held_before = set(self._parent)
        made, self._drawn.nodes[before:] = self._drawn.nodes[before:], []
        at = next(at for at, node in enumerate(self._drawn.nodes) if node.id == step) + 1
        self._drawn.nodes[at:at] = made
        for cluster in self._drawn.clusters:
            if cluster.id == frame or cluster.id.startswith(f"{frame}/"):
                self._parent |= dict.fromkeys((*cluster.nodes, *cluster.clusters), cluster.id)
        above = self._parent.get(step, "")
        if above and frame not in held_before:
            self._held.setdefault(above, []).append(frame)
        self._drawn.edges += [
            DiagramEdge(step, frame, "body", "spawns", "a workflow that the worker made"),
            DiagramEdge(frame, step, "join", tooltip="its output is that of the step"),
        ]


def _frame_id(step: str, number: int) -> str:
    number = min(number, MOST_SPAWNED + 1)
    return f"{step}[{SPAWN}]" if number == 1 else f"{step}[{SPAWN} {number}]"


def _spawn_in(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the definition of the workflow that an attempt spawned."""
    detail = entry.get("detail")
    spawn = cast("Mapping[str, Any]", detail).get("spawn") if isinstance(detail, Mapping) else None
    if not isinstance(spawn, Mapping):
        return None
    found = cast("Mapping[str, Any]", spawn)
    inner = found.get("workflow")
    return cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else found


def _workflow(spawn: Mapping[str, Any]) -> Any:
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.errors import OrchestrationError

    try:
        return WorkflowDefinition.from_dict(dict(spawn))
    except OrchestrationError:
        return None  # drawn as an empty frame: the record is of another release
