"""A diagram model becomes a Mermaid flowchart, for READMEs and pages that draw Mermaid.

Every character of data that could mean something to Mermaid or HTML is written as a numeric entity
(https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters).
"""

from __future__ import annotations

import re

from orchestration_kit.visual.layout import cluster_title, label_text, title_text
from orchestration_kit.visual.model import DiagramCluster, DiagramModel, DiagramNode, NodeKind, visible
from orchestration_kit.visual.text import one_line
from orchestration_kit.visual.theme import Paint, Theme

_SPECIAL = re.compile(r"[^\w .,()/+=\u00a0-\U0010ffff-]|[`#]", re.ASCII)
_SHAPES: dict[NodeKind, tuple[str, str]] = {
    "entry": ("((", "))"), "fork": ("((", "))"), "join": ("([", "])"), "group": ("[[", "]]"), "workflow": ("[[", "]]"),
    "terminal": ("([", "])"), "approval": ("[/", "/]"), "wait": ("{{", "}}"),
}  # fmt: skip
"""A manual task is a slanted box, a predefined one has double sides, what waits is a hexagon."""


def mermaid_source(model: DiagramModel, theme: Theme) -> str:
    """Return the model as Mermaid flowchart text.

    >>> from orchestration_kit.visual.theme import LIGHT
    >>> print(mermaid_source(DiagramModel("demo", (DiagramNode("a", 'say "hi"'),)), LIGHT).splitlines()[1])
      n0["say #34;hi#34;"]
    """
    model = visible(model)
    names = {node.id: f"n{at}" for at, node in enumerate(model.nodes)}
    names |= {cluster.id: f"c{at}" for at, cluster in enumerate(model.clusters)}
    lines = [f"flowchart {model.direction}"]
    lines.extend(f"  {names[node.id]}{_box(node, model)}" for node in model.nodes)
    lines.extend(_frames(model, names))
    for edge in model.edges:
        label = f'|"{entities(label_text(edge))}"|' if edge.label else ""
        arrow = "==>" if edge.kind == "body" else "-->" if edge.line == "solid" else "-.->"
        lines.append(f"  {names[edge.source]} {arrow}{label} {names[edge.target]}")
    for look, paint, width in (
        ("step", theme.step, 1),
        ("start", theme.start, 2),
        ("completed", theme.completed, 3),
        ("failed", theme.failed, 3),
        ("problem", theme.problem, 2),
    ):
        members = [names[node.id] for node in model.nodes if _look(node) == look]
        if members:
            lines.append(f"  classDef {look} {_style(paint, width)}")
            lines.append(f"  class {','.join(members)} {look}")
    return "\n".join(lines) + "\n"


def entities(text: str) -> str:
    """Return text in which nothing means anything to Mermaid.

    >>> entities("a<b>;")
    'a#60;b#62;#59;'
    """
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", one_line(text))


def _box(node: DiagramNode, model: DiagramModel) -> str:
    before, after = _SHAPES.get(node.kind, ("[", "]"))
    texts = [one_line(title_text(node), 60)]
    if not node.is_step:
        texts = [node.problem or one_line(node.title, 60)]
    elif model.detail == "full":
        texts += [one_line(part, 60) for part in (node.worker, node.marks, node.problem) if part]
    return f'{before}"{"<br/>".join(map(entities, texts))}"{after}'


def _look(node: DiagramNode) -> str:
    if node.problem or node.kind == "missing":
        return "problem"
    return node.outcome or ("start" if node.is_start else "step")


def _style(paint: Paint, width: int) -> str:
    return f"fill:{paint.fill},stroke:{paint.stroke},color:{paint.text},stroke-width:{width}px"


def _frames(model: DiagramModel, names: dict[str, str]) -> list[str]:
    by_id = {cluster.id: cluster for cluster in model.clusters}
    inner = {child for cluster in model.clusters for child in cluster.clusters}
    lines: list[str] = []
    todo: list[str | None] = [c.id for c in reversed(model.clusters) if c.id not in inner]
    while todo:
        name = todo.pop()
        if name is None:
            lines.append("  end")
            continue
        cluster = by_id[name]
        lines.append(f'  subgraph {names[name]}["{_frame_text(cluster, model)}"]')
        lines.extend(f"    {names[node]}" for node in cluster.nodes)
        todo.append(None)
        todo.extend(reversed(cluster.clusters))
    return lines


def _frame_text(cluster: DiagramCluster, model: DiagramModel) -> str:
    texts = [one_line(cluster_title(cluster), 60)]
    if model.detail == "full":
        texts += [one_line(part, 60) for part in (cluster.subtitle, cluster.problem) if part]
    return "<br/>".join(map(entities, texts))
