"""The neutral diagram model: what a diagram says, before anything decides where it goes or how it looks.

A workflow or a history becomes a `DiagramModel`; layouts and renderers turn that into pictures and text.
Plain frozen data: no graph library, no colours, no coordinates, so that renderers are tested on models
written by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

NodeKind = Literal["entry", "step", "terminal", "approval", "wait", "group", "missing"]
"""What a node stands for: `entry` is the dot before the first step, `group` a folded cluster, `missing`
the ghost of a step that a transition names but nobody defined."""

EdgeKind = Literal["entry", "success", "failure", "branch", "retry"]
"""Why a run goes along an edge; `retry` is a loop from a step to itself."""

ClusterKind = Literal["parallel", "map", "subworkflow"]
Detail = Literal["full", "compact"]
Direction = Literal["TB", "LR"]

ENTRY_ID = "\N{NULL}entry"
"""The id of the entry dot: no step can have it, as ids with control characters are refused or cleaned."""


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

    @property
    def is_dashed(self) -> bool:
        """Whether the way is not the good one; it then carries a mark as well, never a dash alone."""
        return self.kind in ("failure", "retry")


@dataclass(frozen=True, slots=True)
class DiagramCluster:
    """A frame around nodes and other clusters: parallel branches, a map, a sub-workflow."""

    id: str
    title: str
    nodes: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    kind: ClusterKind = "parallel"
    note: str = ""
    tooltip: str = ""
    folded: bool = False
    """A folded cluster is drawn as one node."""


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
    hidden: dict[str, list[str]] = {}
    for node in model.nodes:
        if node.id in shown:
            hidden.setdefault(shown[node.id], []).append(node.id)
    groups = [_as_node(closed[name], hidden.get(name, [])) for name in closed if shown[name] == name]
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
    nodes = (*(n for n in model.nodes if n.id not in shown), *groups)
    return replace(model, nodes=nodes, edges=tuple(edges.values()), clusters=clusters)


def _as_node(cluster: DiagramCluster, members: list[str]) -> DiagramNode:
    count = f"{len(members)} step{'' if len(members) == 1 else 's'}"
    return DiagramNode(
        cluster.id,
        cluster.title,
        worker=f"{cluster.kind} \N{MIDDLE DOT} {count}",
        note=cluster.note,
        kind="group",
        tooltip=cluster.tooltip,
        members=tuple(members),
    )
