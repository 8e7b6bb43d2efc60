"""The picture of a draft: what the static diagram says of each step, with every step a box of its own.

The static diagram draws a step with branches as a frame with a fork and a join. On the canvas such a step is a box as
any other, with a frame behind it and around the steps that its branches hold, so that it can be taken hold of.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from orchestration_kit.checks import OF_BRANCHES, Problem, existence, inline_workflows, recursion
from orchestration_kit.checks.paths import endless_branches
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.visual import visualize
from orchestration_kit.visual.from_workflow import model_of
from orchestration_kit.visual.layout import node_size
from orchestration_kit.visual.model import ENTRY_ID, FORK, JOIN, DiagramCluster, DiagramEdge, DiagramModel, DiagramNode
from orchestration_kit.widgets.composing.draft import Ends, Spot, Track
from orchestration_kit.widgets.composing.ways import START


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands inside the branches of a step, the step itself first."""

    step_id: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flat:
    """Boxes, lines between them, and frames behind them."""

    model: DiagramModel
    frames: tuple[Frame, ...]

    def size(self, node: DiagramNode) -> tuple[float, float]:
        """Return width and height of a box, as the static diagram has them."""
        return node_size(node, self.model)


def problems_of(workflow: WorkflowDefinition, *, is_body: bool) -> list[Problem]:
    """Return what the checks find in a workflow; in one that stands in a step, what holds for those."""
    if not is_body:
        return workflow.problems()
    if found := [*existence.misnamed_steps(workflow), *recursion.held_in_itself(workflow)]:
        return found
    rules = (*OF_BRANCHES, inline_workflows)
    found = [problem for rule in rules for problem in rule(workflow)]
    return sorted([*found, *endless_branches(workflow, whole=True)], key=lambda one: one.severity != "error")


def flat_of(workflow: WorkflowDefinition, problems: Sequence[Problem]) -> Flat:
    """Return the picture of a workflow, with what was found in it."""
    drawn = model_of(_seen(workflow, problems))
    own = {*workflow.steps, ENTRY_ID}
    clusters = {cluster.id: cluster for cluster in drawn.clusters if cluster.id in workflow.steps}
    nodes: list[DiagramNode] = []
    for node in drawn.nodes:
        name = node.id.removesuffix(FORK)
        if name != node.id and name in clusters:
            nodes.append(_as_box(clusters[name], workflow))
        elif node.id in own or (node.kind == "missing" and "/" not in node.id):
            nodes.append(node)
    ids = {node.id for node in nodes}
    edges = tuple(_between(drawn.edges, ids))
    return Flat(replace(drawn, nodes=tuple(nodes), edges=edges, clusters=()), tuple(_frames(clusters, ids)))


@dataclass(frozen=True, slots=True)
class Laid:
    """Where the static diagram's layout puts each box, and how it draws each line."""

    spots: dict[str, Spot]
    tracks: dict[Ends, Track]


def laid_out(flat: Flat) -> Laid:
    """Return the layout that the static diagram has."""
    clusters = tuple(_fence(frame, flat.frames) for frame in flat.frames)
    layout = visualize(replace(flat.model, clusters=clusters)).layout
    spots = {name_of(key): (round(box.left, 1), round(box.top, 1)) for key, box in layout.nodes.items()}
    tracks: dict[Ends, Track] = {}
    for edge, route in zip(flat.model.edges, layout.routes, strict=True):
        source, target = name_of(edge.source), name_of(edge.target)
        ends = next_ends(tracks, source, target, edge.kind)
        points = tuple((round(x, 1), round(y, 1)) for x, y in route.points)
        tracks[ends] = Track(spots[source], spots[target], points, route.label_at, route.label_anchor)
    return Laid(spots, tracks)


def _fence(frame: Frame, frames: Sequence[Frame]) -> DiagramCluster:
    """A frame as layouts know them: its boxes, but for those of frames within it."""
    inside = [one for one in frames if one is not frame and set(one.members) < set(frame.members)]
    inner = [one for one in inside if not any(set(one.members) < set(other.members) for other in inside)]
    held = {member for one in inner for member in one.members}
    nodes = tuple(member for member in frame.members if member not in held)
    return DiagramCluster(_fence_id(frame), frame.step_id, nodes, tuple(_fence_id(one) for one in inner))


def _fence_id(frame: Frame) -> str:
    return f"{frame.step_id}\N{NULL}frame"


def next_ends(known: Container[Ends], source: str, target: str, kind: str) -> Ends:
    """Return what tells a line from those with the same ends that are known.

    >>> next_ends({("a", "b", "branch", 0)}, "a", "b", "branch")
    ('a', 'b', 'branch', 1)
    """
    number = 0
    while (source, target, kind, number) in known:
        number += 1
    return (source, target, kind, number)


def name_of(node_id: str) -> str:
    """Return what a node of the diagram is called on the canvas."""
    return START if node_id == ENTRY_ID else node_id


def _seen(workflow: WorkflowDefinition, problems: Sequence[Problem]) -> Any:
    """The workflow for one look: the checks are not run again for it."""
    fields = {name: getattr(workflow, name) for name in type(workflow).model_fields}
    return SimpleNamespace(**fields, problems=lambda: problems)


def _as_box(cluster: DiagramCluster, workflow: WorkflowDefinition) -> DiagramNode:
    inline = [body for body in workflow.steps[cluster.id].bodies.values() if isinstance(body, WorkflowDefinition)]
    held = f"{len(inline)} workflow{'' if len(inline) == 1 else 's'} inside" if inline else ""
    return DiagramNode(
        cluster.id, cluster.title, worker=cluster.subtitle, note=cluster.note, is_start=cluster.is_start,
        kind="map" if cluster.kind == "map" else "parallel", outcome=cluster.outcome, problem=cluster.problem,
        tooltip=cluster.tooltip, marks=held,
    )  # fmt: skip


def _between(edges: Sequence[DiagramEdge], ids: set[str]) -> Iterator[DiagramEdge]:
    for edge in edges:
        source = edge.source.removesuffix(FORK)
        if edge.kind != "join" and source in ids and edge.target in ids:
            yield replace(edge, source=source)


def _frames(clusters: dict[str, DiagramCluster], ids: set[str]) -> Iterator[Frame]:
    """Inner frames come last, so that they are drawn over the outer ones."""

    def members(name: str) -> Iterator[str]:
        yield name
        for node in clusters[name].nodes:
            if node in ids and not node.endswith((FORK, JOIN)):
                yield node
        for inner in clusters[name].clusters:
            if inner in clusters:
                yield from members(inner)

    found = [Frame(name, tuple(members(name))) for name in clusters]
    yield from sorted((one for one in found if len(one.members) > 1), key=lambda one: -len(one.members))
