"""The neutral diagram model: what a diagram says, before anything decides where it goes or how it looks.

A workflow or a history becomes a `DiagramModel`; layouts and renderers turn that into pictures and text.
Plain frozen data: no graph library, no colours, no coordinates, so that renderers are tested on models
written by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

NodeKind = Literal[
    "entry", "step", "terminal", "parallel", "map", "workflow", "approval", "wait", "fork", "join", "group", "missing"
]
"""What a node stands for: `entry` is the dot before the first step, `fork` and `join` are where the branches of a
frame begin and end, `group` is a folded cluster, `missing` the ghost of a step that a transition names but nobody
defined."""

EdgeKind = Literal["entry", "success", "failure", "branch", "retry", "body", "join", "timeout", "budget", "compensate"]
"""Why a run goes along an edge; `retry` is a loop from a step to itself, `body` opens a branch, `join` ends one."""

Line = Literal["solid", "dashed", "dotted", "dash-dot"]
LINES: Mapping[EdgeKind, Line] = MappingProxyType[EdgeKind, Line]({
    "failure": "dashed", "retry": "dashed", "join": "dotted", "compensate": "dashed", "timeout": "dash-dot",
    "budget": "dash-dot",
})  # fmt: skip
"""How edges are drawn that are not the good way on; the label says why, never the line alone."""

ClusterKind = Literal["parallel", "map", "workflow", "spawn"]
"""What a frame stands for: a step that opens branches, a workflow as a body, or one that a worker spawned."""
Detail = Literal["full", "compact"]
Direction = Literal["TB", "LR"]

ENTRY_ID = "\N{NULL}entry"
"""The id of the entry dot: no step can have it, as ids with control characters are refused or cleaned."""
FORK, JOIN = "\N{NULL}fork", "\N{NULL}join"
"""What the ids of the fork and the join of a frame end with, after the id of the frame."""
PLACEHOLDERS = frozenset({"entry", "fork", "join"})
"""Kinds of nodes that stand for no step."""


def step_of(name: str) -> str:
    """Return the id of the step or frame that an id belongs to: its own, or that of its fork or join.

    >>> step_of("review" + FORK), step_of("review")
    ('review', 'review')
    """
    return name.removesuffix(FORK).removesuffix(JOIN)


@dataclass(frozen=True, slots=True)
class DiagramNode:
    """One box of the picture.

    >>> DiagramNode("review_code", "review_code", worker="reviewer").kind
    'step'
    """

    id: str
    title: str
    worker: str = ""
    """Who does it, in a word or two."""
    note: str = ""
    """A description; shown where nothing more pressing (a problem, a run) needs the room."""
    kind: NodeKind = "step"
    is_start: bool = False
    outcome: Literal["", "completed", "failed"] = ""
    """Of a terminal: the state in which it ends the run."""
    problem: str = ""
    """What is wrong with it, in a few words; empty when sound."""
    tooltip: str = ""
    """Everything worth knowing, in lines; never drawn, shown on hover and read aloud."""
    members: tuple[str, ...] = ()
    """Of a folded cluster: the ids it hides."""
    marks: str = ""
    """Limits that are set, in a few words: a lock, a rate, a budget, a time limit."""

    @property
    def is_step(self) -> bool:
        """Whether it stands for a step, or for several."""
        return self.kind not in PLACEHOLDERS


@dataclass(frozen=True, slots=True)
class DiagramEdge:
    """One arrow. `source` and `target` are ids of nodes or of clusters.

    >>> DiagramEdge("review", "implement", kind="failure", label="fails").is_dashed
    True
    """

    source: str
    target: str
    kind: EdgeKind = "success"
    label: str = ""
    tooltip: str = ""
    problem: str = ""
    told: str = ""
    """What a record tells it by from others with the same ends: its condition (see `ways.held`), or its branch."""

    @property
    def line(self) -> Line:
        """How it is drawn. What is not solid is not the good way on."""
        return LINES.get(self.kind, "solid")

    @property
    def is_dashed(self) -> bool:
        """Whether it is taken after a failure; it then carries a mark as well, never a dash alone."""
        return self.kind in ("failure", "retry")

    @property
    def after_success(self) -> bool:
        """Whether a run takes it after a success."""
        return self.kind not in ("failure", "retry", "timeout", "budget")


@dataclass(frozen=True, slots=True)
class DiagramCluster:
    """A frame around nodes and other clusters: a step with its branches, or a workflow inside another.

    >>> DiagramCluster("review", "review", kind="map", subtitle="map over output").is_step
    True
    """

    id: str
    title: str
    nodes: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    kind: ClusterKind = "parallel"
    note: str = ""
    tooltip: str = ""
    folded: bool = False
    """A folded cluster is drawn as one node."""
    subtitle: str = ""
    """Of a step: what it does, in a few words."""
    is_start: bool = False
    outcome: Literal["", "completed", "failed"] = ""
    """Of a step that is a terminal: the state in which it ends the run."""
    problem: str = ""
    """What is wrong with it, in a few words; empty when sound."""
    positions: tuple[str, ...] = ()
    """Where runs have what it stands for, if its id does not say so: `plan#1[spawn]`."""

    @property
    def is_step(self) -> bool:
        """Whether it is a step of the workflow itself, which has a state of its own in a run."""
        return bool(self.subtitle)


@dataclass(frozen=True, slots=True)
class DiagramModel:
    """Everything a picture of one workflow says.

    >>> model = DiagramModel("demo", (DiagramNode("a", "a"), DiagramNode("b", "b")), (DiagramEdge("a", "b"),))
    >>> [edge.target for edge in model.edges]
    ['b']
    """

    name: str
    nodes: tuple[DiagramNode, ...] = ()
    edges: tuple[DiagramEdge, ...] = ()
    clusters: tuple[DiagramCluster, ...] = ()
    description: str = ""
    problems: tuple[str, ...] = ()
    """Findings about the whole, one text each."""
    detail: Detail = "full"
    direction: Direction = "TB"

    def fold(self, *ids: str) -> DiagramModel:
        """Return the model with these clusters (all, without ids) drawn as one node each."""
        return self._with_folded(ids, folded=True)

    def unfold(self, *ids: str) -> DiagramModel:
        """Return the model with these clusters (all, without ids) drawn open."""
        return self._with_folded(ids, folded=False)

    def _with_folded(self, ids: tuple[str, ...], *, folded: bool) -> DiagramModel:
        known = [cluster.id for cluster in self.clusters]
        if unknown := [name for name in ids if name not in known]:
            raise ValueError(
                f"No cluster {', '.join(map(repr, unknown))} in diagram {self.name!r}. "
                f"Clusters: {', '.join(map(repr, known)) or 'none'}. Call it without ids to take them all."
            )
        chosen = set(ids or known)
        return replace(self, clusters=tuple(replace(c, folded=folded) if c.id in chosen else c for c in self.clusters))


def check_model(model: DiagramModel) -> None:
    """Raise `ValueError` unless ids are unique, every end of an edge exists and clusters form a forest."""
    ids = [node.id for node in model.nodes] + [cluster.id for cluster in model.clusters]
    if twice := sorted({name for name in ids if ids.count(name) > 1} if len(ids) != len(set(ids)) else ()):
        raise ValueError(f"Ids used twice in diagram {model.name!r}: {', '.join(map(repr, twice))}.")
    known = set(ids)
    for edge in model.edges:
        for end in (edge.source, edge.target):
            if end not in known:
                raise ValueError(
                    f"An edge of diagram {model.name!r} ends at {end!r}, which is neither a node nor a cluster. "
                    "Add a DiagramNode(kind='missing') to draw a transition to nowhere."
                )
    _check_forest(model.clusters, known)


def _check_forest(clusters: Iterable[DiagramCluster], known: set[str]) -> None:
    parent: dict[str, str] = {}
    for cluster in clusters:
        for child in (*cluster.nodes, *cluster.clusters):
            if child not in known or child in parent:
                raise ValueError(
                    f"Cluster {cluster.id!r} holds {child!r}, which "
                    + ("does not exist." if child not in known else f"is already inside {parent[child]!r}.")
                )
            parent[child] = cluster.id
    for start in parent:
        seen, at = {start}, parent.get(start)
        while at is not None and at not in seen:
            seen.add(at)
            at = parent.get(at)
        if at is not None:
            raise ValueError(f"Clusters contain one another in a circle: {', '.join(sorted(map(repr, seen)))}.")


def parents_of(model: DiagramModel) -> dict[str, str]:
    """Return the cluster each node or cluster stands in; what stands in none is absent."""
    return {child: c.id for c in model.clusters for child in (*c.nodes, *c.clusters)}


def visible(model: DiagramModel) -> DiagramModel:
    """Return the model to draw: every outermost folded (or empty) cluster replaced by one node.

    Edges into a folded cluster lead to that node; edges inside it are gone; doubles are drawn once.
    """
    closed = {c.id: c for c in model.clusters if c.folded or not (c.nodes or c.clusters)}
    if not closed:
        return model
    parent = parents_of(model)
    shown: dict[str, str] = {}
    """Each id inside a closed cluster, and the outermost closed cluster that hides it."""
    for name in (*(n.id for n in model.nodes), *(c.id for c in model.clusters)):
        at: str | None = name
        while at is not None:
            if at in closed:
                shown[name] = at
            at = parent.get(at)
    hidden: dict[str, list[str]] = {name: [] for name in closed if shown[name] == name}
    places: dict[str, DiagramNode | None] = {}
    """The nodes in their order; where one is hidden, the first time, stands the box that hides it."""
    for node in model.nodes:
        places[shown.get(node.id, node.id)] = None if node.id in shown else node
        if node.id in shown and node.is_step:
            hidden[shown[node.id]].append(node.id)
    boxes = {name: _as_node(closed[name], members) for name, members in hidden.items()}
    places |= dict.fromkeys(name for name in boxes if name not in places)
    edges: dict[tuple[str, str, str, str], DiagramEdge] = {}
    for edge in model.edges:
        source, target = (shown.get(edge.source, edge.source), shown.get(edge.target, edge.target))
        if source == target and source in closed:
            continue
        edges.setdefault((source, target, edge.kind, edge.label), replace(edge, source=source, target=target))
    clusters = tuple(
        replace(
            c,
            nodes=(*(n for n in c.nodes if n not in shown), *(k for k in c.clusters if k in closed)),
            clusters=tuple(k for k in c.clusters if k not in shown),
        )
        for c in model.clusters
        if c.id not in shown
    )
    nodes = tuple(node or boxes[name] for name, node in places.items())
    return replace(model, nodes=nodes, edges=tuple(edges.values()), clusters=clusters)


def _as_node(cluster: DiagramCluster, members: list[str]) -> DiagramNode:
    count = f"{len(members)} step{'' if len(members) == 1 else 's'}" if members else ""
    return DiagramNode(
        cluster.id,
        cluster.title,
        worker=" \N{MIDDLE DOT} ".join(part for part in (cluster.subtitle or cluster.kind, count) if part),
        note=cluster.note,
        kind="group",
        is_start=cluster.is_start,
        outcome=cluster.outcome,
        problem=cluster.problem,
        tooltip=cluster.tooltip,
        members=tuple(members),
    )
