"""The groups of a chart are told apart: frames of steps with branches, workflows within steps, and mere boxes around.

`visualize(...).mermaid` draws a step with branches as a subgraph with a fork and a join inside; a thick arrow to a
subgraph opens a workflow of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from orchestration_kit.interchange.mermaid_chart import Chart, ChartEdge, ChartNode, decoded, raw_lines
from orchestration_kit.interchange.mermaid_words import DOT, fields_of, is_condition, is_start


@dataclass(slots=True)
class Scope:
    """What one workflow of a chart is made of."""

    name: str
    chart_is_exact: bool
    """It was written by `to_mermaid`."""
    marks_ends: bool
    """Ends are marked as such, so that nothing else is one."""
    boxes: dict[str, ChartNode] = field(default_factory=dict[str, ChartNode])
    """Its steps, frames among them (their shape is "frame"), in their order."""
    edges: list[ChartEdge] = field(default_factory=list[ChartEdge])
    """Between its steps, from its starts, and to the workflows that its steps open."""
    starts: dict[str, ChartNode] = field(default_factory=dict[str, ChartNode])
    """Dots that a run begins at."""
    frames: set[str] = field(default_factory=set[str])
    inline: list[str] = field(default_factory=list[str])
    """Groups that are workflows which steps open; edges lead to them."""


def scopes_of(chart: Chart, *, exact: bool) -> dict[str | None, Scope]:
    """Return the workflows in a chart: the whole under None, those within steps under their group."""
    return _Sorting(chart, exact=exact).sorted()


def body_label(edge: ChartEdge, *, exact: bool) -> tuple[str, str]:
    """Return the name of a branch, and the condition under which it is opened."""
    lines = [decoded(line) for line in raw_lines(edge.label or "")]
    if len(lines) > 1:
        return lines[0], lines[1]
    whole = "".join(lines)
    name, _, condition = whole.partition(" if ")
    return (name, condition) if not exact and is_condition(condition) else (whole, "")


class _Sorting:
    """Puts the boxes and arrows of a chart where they belong."""

    def __init__(self, chart: Chart, *, exact: bool) -> None:
        self.chart, self.exact = chart, exact
        self.leaving: dict[str, list[ChartEdge]] = {}
        for edge in chart.edges:
            self.leaving.setdefault(edge.source, []).append(edge)
        nodes = chart.nodes.values()
        self.forks = {node.name: node.group for node in nodes if node.group is not None and self._is_fork(node)}
        self.frames = set(self.forks.values())
        self.joins = {node.name for node in nodes if node.group in self.frames and _is_join(node)}
        self.bodies = {name for name in chart.groups if name not in self.frames and self._is_opened(name)}
        marks = exact or any({"completed", "failed"} & node.classes for node in nodes)
        self.scopes: dict[str | None, Scope] = {
            name: Scope(_inline_name(chart.groups[name].title) if name else "", exact, marks)
            for name in (None, *self.bodies)
        }
        self.of: dict[str, str | None] = {}
        """The scope of each box and start, by the name that arrows have for it."""

    def sorted(self) -> dict[str | None, Scope]:
        self._sort_boxes()
        for edge in self.chart.edges:
            if edge.target not in self.joins and not (edge.source in self.bodies and edge.stroke == "dotted"):
                self._sort(edge)  # the others say that a branch ends
        return self.scopes

    def _sort_boxes(self) -> None:
        for group in self.chart.groups.values():
            if group.name in self.frames:
                scope = self._scope_at(group.name, group.parent)
                scope.boxes[group.name] = ChartNode(group.name, group.line, "frame", group.title)
                scope.frames.add(group.name)
        led_to = {edge.target for edge in self.chart.edges}
        for node in self.chart.nodes.values():
            if node.name in self.forks or node.name in self.joins:
                continue
            scope = self._scope_at(node.name, node.group)
            lines = [node.name] if node.text is None else raw_lines(node.text)
            begins = node.name not in led_to and node.name in self.leaving and is_start(node.shape, lines)
            (scope.starts if begins else scope.boxes)[node.name] = node

    def _sort(self, edge: ChartEdge) -> None:
        source = self.forks.get(edge.source) or edge.source
        if edge.target in self.bodies:
            if source in self.of:
                self.scopes[self.of[source]].edges.append(replace(edge, source=source))
                self.scopes[self.of[source]].inline.append(edge.target)
            return
        for start in self._meant(source, last=True):
            for end in self._meant(edge.target, last=False):
                if start in self.of and end in self.of and self.of[start] == self.of[end]:
                    self.scopes[self.of[start]].edges.append(replace(edge, source=start, target=end))

    def _scope_at(self, name: str, group: str | None) -> Scope:
        while group is not None and group not in self.bodies:
            group = self.chart.groups[group].parent
        self.of[name] = group
        return self.scopes[group]

    def _is_fork(self, node: ChartNode) -> bool:
        leaving = self.leaving.get(node.name, [])
        return node.shape == "((" and node.text == "fork" and {edge.stroke for edge in leaving} == {"thick"}

    def _is_opened(self, group: str) -> bool:
        """Whether a step with branches opens it; elsewhere, thick arrows are but emphasis."""
        sources = [edge.source for edge in self.chart.edges if edge.target == group and edge.stroke == "thick"]
        return any(source in self.forks or self._splits(source) for source in sources)

    def _splits(self, name: str) -> bool:
        node = self.chart.nodes.get(name)
        return node is not None and fields_of(node.shape, raw_lines(node.text or "")).get("kind") in ("parallel", "map")

    def _meant(self, name: str, *, last: bool) -> list[str]:
        """Return the box that an arrow means; for a mere group, the boxes where it begins or ends."""
        if name in self.of or name not in self.chart.groups:
            return [name]
        inside = [node for node in self.of if node in self.chart.nodes and self._is_within(node, name)]
        members = set(inside)
        passed = {
            edge.source if last else edge.target
            for edge in self.chart.edges
            if edge.source in members and edge.target in members and edge.source != edge.target
        }
        return [node for node in inside if node not in passed] or inside[:1]

    def _is_within(self, node: str, group: str) -> bool:
        at = self.chart.nodes[node].group
        while at is not None and at != group:
            at = self.chart.groups[at].parent
        return at is not None


def _is_join(node: ChartNode) -> bool:
    return node.shape == "([" and decoded(node.text or "").startswith("join: ")


def _inline_name(title: str) -> str:
    lines = raw_lines(title)
    return decoded(lines[0].removesuffix(f"{DOT}workflow")) if lines else ""
