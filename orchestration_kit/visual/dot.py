"""A diagram model becomes DOT text through the graphviz package, to keep, to edit, to draw elsewhere.

Fixed attributes only: nothing from data becomes a font, a URL, an image or a shape. Text is escaped for
backslashes, `<...>` and entities, so that Graphviz shows the characters and never reads them.
"""

# The graphviz package has no types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from functools import partial

import graphviz

from orchestration_kit.visual.dot_layout import WEIGHTS, cluster_lines, edge_ends
from orchestration_kit.visual.edge_shapes import edge_colours
from orchestration_kit.visual.layout import (
    NODE_PADDING,
    cluster_title,
    entry_text,
    label_text,
    note_lines,
    title_text,
)
from orchestration_kit.visual.levels import ends_of, levels_of
from orchestration_kit.visual.model import DiagramCluster, DiagramModel, DiagramNode, Line, NodeKind, visible
from orchestration_kit.visual.text import TOOLTIP_LIMIT, clean, one_line, shorten
from orchestration_kit.visual.theme import Paint, Theme

_FONT = "Arial"
_ROOM = 230.0
_SHAPES: dict[NodeKind, str] = {
    "approval": "octagon", "wait": "hexagon", "workflow": "folder", "parallel": "box3d", "map": "box3d",
}  # fmt: skip
_LINES: dict[Line, str] = {"solid": "solid", "dashed": "dashed", "dotted": "dotted", "dash-dot": "dashed"}


def dot_source(model: DiagramModel, theme: Theme) -> str:
    """Return the model as DOT text that any Graphviz draws.

    >>> from orchestration_kit.visual.theme import LIGHT
    >>> model = DiagramModel("demo", (DiagramNode("a", "<b>bold?</b>"),))
    >>> '<b>bold?</b>' in dot_source(model, LIGHT) and 'label="<' in dot_source(model, LIGHT)
    True
    """
    model = visible(model)
    graph = graphviz.Digraph("workflow")
    graph.attr(
        rankdir=model.direction,
        bgcolor=theme.background,
        fontname=_FONT,
        nodesep="0.42",
        ranksep="0.5",
        compound="true",
        tooltip=literal(model.name),
    )
    graph.attr("node", shape="box", style="rounded,filled", fontname=_FONT, fontsize="11", margin="0.2,0.1")
    graph.attr("edge", fontname=_FONT, fontsize="10", arrowsize="0.8", color=theme.edge, fontcolor=theme.edge_label)
    names = {node.id: f"n{at}" for at, node in enumerate(model.nodes)}
    by_id = {cluster.id: at for at, cluster in enumerate(model.clusters)}
    tied = ends_of(model, levels_of(model))
    for node in model.nodes:
        graph.node(names[node.id], **_node(node, model, theme))
    graph.body.extend(cluster_lines(model, names, partial(_cluster, theme), in_a_row=model.direction == "LR"))
    for edge in model.edges:
        tail, head, ends = edge_ends(edge, names, by_id, tied)
        looks: dict[str, str] = {"label": literal(label_text(edge)), "weight": str(WEIGHTS[edge.kind])}
        stroke, ink = edge_colours(edge, theme)
        looks |= {"color": stroke, "fontcolor": ink, "style": _LINES[edge.line]}
        if edge.kind == "body":
            looks["penwidth"] = "1.9"
        looks["edgetooltip"] = looks["labeltooltip"] = literal(edge.tooltip or edge.kind)
        graph.edge(tail, head, **ends, **looks)
    return graph.source


def literal(text: str) -> str:
    r"""Return text that Graphviz shows as it is: no escapes, no HTML, no entities.

    >>> print(literal("\\N & <b>"))
    \\N &amp; <b>
    """
    escaped = clean(shorten(text, TOOLTIP_LIMIT)).replace("&", "&amp;").replace("\r", " ")
    return graphviz.escape(escaped.replace("\n", " \N{MIDDLE DOT} "))


def _node(node: DiagramNode, model: DiagramModel, theme: Theme) -> dict[str, str]:
    if node.kind == "entry" and not node.problem:
        return {
            "label": "",
            "shape": "circle",
            "width": "0.16",
            "fixedsize": "true",
            "color": theme.edge,
            "fillcolor": theme.edge,
            "tooltip": literal(node.tooltip or "start"),
        }
    if not node.is_step:
        return _fence(node, model, theme)
    paint = _paint(node, theme)
    lines = [one_line(title_text(node), 60)]
    if model.detail == "full":
        lines += [one_line(node.worker, 60)] if node.worker else []
        lines += note_lines(node, _ROOM - 2 * NODE_PADDING)
    label = r"\n".join(literal(line) for line in lines)
    looks = {
        "label": graphviz.nohtml(label),
        "color": paint.stroke,
        "fillcolor": paint.fill,
        "fontcolor": paint.text,
        "tooltip": literal(node.tooltip or node.title),
    }
    if shape := _SHAPES.get(node.kind):
        looks |= {"shape": shape, "style": "filled"}
    if node.problem or node.kind == "missing":
        looks["style"] = "filled,dashed" if shape else "rounded,filled,dashed"
    if node.outcome:
        looks["peripheries"] = "2"
    if node.is_start:
        looks["penwidth"] = "2"
    return looks


def _fence(node: DiagramNode, model: DiagramModel, theme: Theme) -> dict[str, str]:
    """A fork is a bar, a join a small pill."""
    if node.kind == "entry":
        return {"label": literal(entry_text(node)), "style": "rounded,filled,dashed", **_ink(theme.problem)}
    if node.kind == "fork":
        wide, high = ("0.8", "0.07") if model.direction == "TB" else ("0.07", "0.8")
        bar = {"label": "", "style": "filled", "width": wide, "height": high, "fixedsize": "true"}
        return {**bar, "color": theme.edge, "fillcolor": theme.edge, "tooltip": literal(node.tooltip or "fork")}
    small = {"fontsize": "9", "margin": "0.1,0.03", "height": "0.25", "width": "0.5"}
    text = {"label": graphviz.nohtml(literal(one_line(node.title, 60))), "tooltip": literal(node.tooltip or "join")}
    return {**small, **text, **_ink(theme.step), "color": theme.edge}


def _ink(paint: Paint) -> dict[str, str]:
    return {"color": paint.stroke, "fillcolor": paint.fill, "fontcolor": paint.text}


def _paint(node: DiagramNode, theme: Theme) -> Paint:
    if node.problem or node.kind == "missing":
        return theme.problem
    if node.outcome:
        return theme.completed if node.outcome == "completed" else theme.failed
    return theme.start if node.is_start else theme.step


def _cluster(theme: Theme, cluster: DiagramCluster) -> str:
    lines = [cluster_title(cluster), cluster.subtitle, cluster.problem]
    looks = {
        "label": graphviz.nohtml(r"\n".join(literal(one_line(line, 60)) for line in lines if line)),
        "style": "rounded,filled,dashed" if cluster.problem else "rounded,filled",
        "color": theme.problem.stroke if cluster.problem else theme.cluster.stroke,
        "peripheries": "2" if cluster.outcome or cluster.kind == "map" else "1",
        "fillcolor": theme.cluster.fill,
        "fontcolor": theme.cluster.text,
        "fontsize": "11",
        "margin": "16",
        "tooltip": literal(cluster.tooltip or cluster.title),
    }
    return " ".join(f"{name}={graphviz.quoting.quote(value)}" for name, value in looks.items())
