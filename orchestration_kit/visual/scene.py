"""A model, its layout, a theme and an overlay become a scene: groups of shapes, in the order to paint them.

Both painters (SVG, and DOT with positions for PNG and PDF) draw the same scene, so that they cannot differ.
Nothing here lays out. Each group has a key that says all it depends on besides the drawing, so that a painter
that remembers what it painted does only what a new overlay has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from orchestration_kit.visual.edge_shapes import edge_group
from orchestration_kit.visual.frame_shapes import cluster_group
from orchestration_kit.visual.layout import Layout
from orchestration_kit.visual.model import DiagramCluster, DiagramEdge, DiagramModel, parents_of, step_of
from orchestration_kit.visual.overlay import Overlay, StepOverlay
from orchestration_kit.visual.primitives import Group
from orchestration_kit.visual.shapes import node_group
from orchestration_kit.visual.text import one_line
from orchestration_kit.visual.theme import Theme

Key = tuple[str, int, StepOverlay | int | None]
"""The role of a group, its number in the model, and what happened there."""


@dataclass(frozen=True)
class Scene:
    """A picture, ready to be painted. `model` is the visible model that was laid out."""

    model: DiagramModel
    layout: Layout
    theme: Theme
    overlay: Overlay | None
    description: str

    @property
    def title(self) -> str:
        """What the picture shows, in a few words."""
        return f"Workflow {one_line(self.model.name, 200)}"

    @cached_property
    def _held(self) -> frozenset[str]:
        """What stands in a frame."""
        return frozenset(parents_of(self.model))

    def in_order(self) -> list[Key]:
        """Return the keys of all groups, in the order to paint them."""
        overlay = self.overlay
        frames = _outermost_first(self.model)
        clusters = self.model.clusters
        found: list[Key] = [("cluster", at, overlay.frame(clusters[at]) if overlay else None) for at in frames]
        found += [("edge", at, taken) for at, taken in enumerate(_taken(self.model, overlay))]
        if overlay is None:
            return found + [("node", at, None) for at in range(len(self.model.nodes))]
        found += [("node", at, overlay.at(node)) for at, node in enumerate(self.model.nodes)]
        return found

    def group(self, key: Key) -> Group:
        """Return the shapes of one group."""
        role, at, seen = key
        if role == "node":
            node = self.model.nodes[at]
            what = seen if isinstance(seen, StepOverlay) else None
            return node_group(node, self.layout.nodes[node.id], self.theme, self.model.detail, what)
        if role == "edge":
            edge = self.model.edges[at]
            ground = self.theme.cluster.fill if edge.source in self._held else self.theme.background
            taken = seen if isinstance(seen, int) else None
            return edge_group(edge, self.layout.routes[at], self.theme, taken, ground)
        cluster = self.model.clusters[at]
        what = seen if isinstance(seen, StepOverlay) else None
        return cluster_group(cluster, self.layout.clusters[cluster.id], self.theme, self.model.detail, what)


def _taken(model: DiagramModel, overlay: Overlay | None) -> list[int | None]:
    """How often each edge was taken.

    Of edges with the same ends and the same kind of outcome, the conditions on record tell which it was. What they
    do not tell is counted for the first of them.
    """
    if overlay is None:
        return [None] * len(model.edges)
    # A retry and a failure edge to the same step look alike: a step that has retries used them first.
    order = sorted(range(len(model.edges)), key=lambda at: model.edges[at].kind != "retry")
    alike: dict[tuple[str, str, bool], list[int]] = {}
    taken = [0] * len(model.edges)
    for at in order:
        edge = model.edges[at]
        if edge.kind == "entry":
            taken[at] = 1 if overlay.step(edge.target).visits else 0
        else:
            alike.setdefault((step_of(edge.source), step_of(edge.target), edge.after_success), []).append(at)
    for ends, edges in alike.items():
        left = overlay.traversals.get(ends, 0)
        told = {_told(model.edges[at]): at for at in reversed(edges)} if len(edges) > 1 else {}
        for how, at in told.items():
            taken[at] = min(overlay.ways.get((*ends, how), 0), left)
            left -= taken[at]
        taken[edges[0]] += left
    return list[int | None](taken)


def _told(edge: DiagramEdge) -> str:
    return edge.kind if edge.kind in ("retry", "timeout", "budget") else edge.told


def _outermost_first(model: DiagramModel) -> list[int]:
    """Clusters in the order to paint them: a frame before what it holds."""
    by_id: dict[str, tuple[int, DiagramCluster]] = {c.id: (at, c) for at, c in enumerate(model.clusters)}
    inner = {child for c in model.clusters for child in c.clusters}
    todo = [c.id for c in reversed(model.clusters) if c.id not in inner]
    found: list[int] = []
    while todo:
        at, cluster = by_id[todo.pop()]
        found.append(at)
        todo.extend(reversed(cluster.clusters))
    return found
