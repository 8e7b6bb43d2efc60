"""A diagram model is laid out by Graphviz: sizes go in, positions come back, and no text passes either way.

`dot` sees boxes of a given size and labels made of the letter x, so nothing that a worker or a file says can
reach it here. The picture itself is painted by us, with the same hand as for the built-in layout.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from orchestration_kit.visual.labels import place_labels
from orchestration_kit.visual.layout import (
    CLUSTER_HEADER,
    CLUSTER_PADDING,
    MARGIN,
    Layout,
    Point,
    Rect,
    Route,
    header_height,
    header_width,
    label_size,
    node_size,
)
from orchestration_kit.visual.levels import ends_of, levels_of, turned_edges
from orchestration_kit.visual.model import FORK, DiagramCluster, DiagramEdge, DiagramModel, EdgeKind
from orchestration_kit.visual.render import TIME_LIMIT_S, DotFailed, run_dot

WEIGHTS: dict[EdgeKind, int] = {
    "entry": 8, "success": 8, "body": 4, "join": 2, "branch": 3, "failure": 1, "retry": 1, "timeout": 1, "budget": 1,
    "compensate": 1,
}  # fmt: skip
"""How much `dot` wants an edge short and straight."""
_POINTS = 72.0
_LETTER = 6.0
"""Width of one placeholder letter: Courier at 10 points."""


def dot_layout(model: DiagramModel, *, time_limit_s: float = TIME_LIMIT_S) -> Layout:
    """Return the layout that `dot` gives the model.

    Raises:
        DotFailed: no `dot`, or it hung, crashed, or answered something unreadable.
    """
    answer = run_dot(layout_source(model), "-Tjson0", wanted="The layout", time_limit_s=time_limit_s)
    try:
        return place_labels(model, _read(json.loads(answer), model))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DotFailed(
            f"The layout: the answer of `dot -Tjson0` could not be read ({type(error).__name__}: {error}). "
            "Graphviz 2.40 or newer is needed; `dot -V` shows yours. renderer='builtin' draws an SVG without it."
        ) from error


def layout_source(model: DiagramModel) -> str:
    """Return DOT text that holds only sizes and structure: numbers and names of ours, nothing to escape."""
    lines = [
        "digraph layout {\n",
        f"\trankdir={model.direction} nodesep=0.42 ranksep=0.5 compound=true\n",
        '\tnode [shape=box fixedsize=true label=""]\n',
        "\tedge [fontname=Courier fontsize=10 arrowsize=0.8]\n",
    ]
    names = {node.id: f"n{at}" for at, node in enumerate(model.nodes)}
    by_id = {cluster.id: at for at, cluster in enumerate(model.clusters)}
    levels = levels_of(model)
    turned, tied = turned_edges(levels), ends_of(model, levels)
    for node in model.nodes:
        wide, high = node_size(node, model)
        size = f"width={wide / _POINTS:.3f} height={high / _POINTS:.3f}"
        lines.append(f'\t{names[node.id]} [label="" {size}]\n')
    lines.extend(cluster_lines(model, names))
    for at, edge in enumerate(model.edges):
        tail, head, ends = edge_ends(edge, names, by_id, tied)
        looks = [f"id=e{at} weight={WEIGHTS[edge.kind]}"]
        if wide := label_size(edge)[0]:
            looks.append(f"label={'x' * math.ceil(wide / _LETTER)}")
        if at in turned:
            # Told the other way round, with the arrow at its tail: dot must not guess which edge closes a circle.
            tail, head = head, tail
            looks.append("dir=back")
            swap = {"lhead": "ltail", "ltail": "lhead"}
            ends = {swap[name]: cluster for name, cluster in ends.items()}
        looks.extend(f"{name}={cluster}" for name, cluster in ends.items())
        lines.append(f"\t{tail} -> {head} [{' '.join(looks)}]\n")
    lines.append("}\n")
    return "".join(lines)


def cluster_lines(
    model: DiagramModel,
    names: dict[str, str],
    label: Callable[[DiagramCluster], str] | None = None,
    *,
    in_a_row: bool = False,
) -> list[str]:
    """Return the nested `subgraph` lines of the model's clusters; `label` gives each its attributes.

    From left to right, `dot` puts what comes first at the bottom; `in_a_row` tells it the order of branches. (Our own
    layout is turned over in the end instead.)
    """
    by_id = {cluster.id: (at, cluster) for at, cluster in enumerate(model.clusters)}
    inner = {child for cluster in model.clusters for child in cluster.clusters}
    lines: list[str] = []
    todo: list[str | None] = [c.id for c in reversed(model.clusters) if c.id not in inner]
    while todo:
        name = todo.pop()
        if name is None:
            lines.append("\t}\n")
            continue
        at, cluster = by_id[name]
        attributes = label(cluster) if label else _frame(cluster, model)
        lines.append(f"\tsubgraph cluster_{at} {{ {attributes}\n")
        lines.extend(f"\t\t{names[node]}\n" for node in cluster.nodes)
        if in_a_row and len(row := _branches(cluster, model)) > 1:
            lines.append(f"\t\t{{ rank=same {' -> '.join(names[node] for node in reversed(row))} [style=invis] }}\n")
        todo.append(None)
        todo.extend(reversed(cluster.clusters))
    return lines


def _branches(cluster: DiagramCluster, model: DiagramModel) -> list[str]:
    """The nodes in a frame that only its fork leads to, in their order."""
    led_to = Counter(edge.target for edge in model.edges if edge.source != edge.target)
    fork = cluster.id + FORK
    opened = [edge.target for edge in model.edges if edge.source == fork]
    return [node for node in opened if node in cluster.nodes and led_to[node] == 1]


def _frame(cluster: DiagramCluster, model: DiagramModel) -> str:
    """What `dot` has to know of a frame: room for its header, as lines of placeholders."""
    wide = "x" * math.ceil(header_width(cluster, model) / _LETTER)
    lines = rf"{wide}\nx" if header_height(cluster, model) > CLUSTER_HEADER else wide
    side = "b" if model.direction == "LR" else "t"  # from left to right, all is turned over in the end
    return f'label="{lines}" labelloc={side} fontname=Courier fontsize="10" margin="{CLUSTER_PADDING:g}"'


def edge_ends(
    edge: DiagramEdge, names: dict[str, str], by_id: dict[str, int], ends: dict[str, tuple[str, str]]
) -> tuple[str, str, dict[str, str]]:
    """Return the nodes an edge is drawn between, and the clusters at whose frames it is cut.

    An edge from a frame is tied to the lowest node in it, one to a frame to the highest: what comes after a frame
    then stands below all of it.
    """
    cut: dict[str, str] = {}
    drawn: list[str] = []
    for end, attribute, pick in ((edge.source, "ltail", 1), (edge.target, "lhead", 0)):
        if end in names:
            drawn.append(names[end])
            continue
        cut[attribute] = f"cluster_{by_id[end]}"
        drawn.append(names[ends[end][pick]])
    return drawn[0], drawn[1], cut


def _read(answer: dict[str, Any], model: DiagramModel) -> Layout:
    left, low, right, high = (float(number) for number in answer["bb"].split(","))
    height = high - low
    # From left to right, `dot` puts first things at the bottom; we read from top to bottom, so that is turned over.
    is_upright = model.direction == "TB"

    def place(text: str) -> Point:
        x, y = text.split(",")[:2]
        return (float(x) - left + MARGIN, (high - float(y) if is_upright else float(y) - low) + MARGIN)

    found = {one["name"]: one for one in answer.get("objects", ())}
    nodes: dict[str, Rect] = {}
    for at, node in enumerate(model.nodes):
        nodes[node.id] = Rect(*place(found[f"n{at}"]["pos"]), *node_size(node, model))
    clusters: dict[str, Rect] = {}
    for at, cluster in enumerate(model.clusters):
        x0, y0, x1, y1 = (float(number) for number in found[f"cluster_{at}"]["bb"].split(","))
        x, y = place(f"{(x0 + x1) / 2},{(y0 + y1) / 2}")
        clusters[cluster.id] = Rect(x, y, x1 - x0, y1 - y0)
    edges = {one["id"]: one for one in answer.get("edges", ())}
    routes: list[Route] = []
    for at in range(len(model.edges)):
        one = edges[f"e{at}"]
        routes.append(Route(_curve(one["pos"], place), place(one["lp"]) if "lp" in one else None))
    size = (right - left + 2 * MARGIN, height + 2 * MARGIN)
    return Layout(*size, nodes, tuple(routes), clusters, "dot")


def _curve(pos: str, place: Callable[[str], Point]) -> tuple[Point, ...]:
    """Read a spline (`e,x,y x,y x,y ...`), with a straight last piece to the tip of the arrow.

    An `s,` stands at the beginning: the edge was told the other way round, and is turned back.
    """
    tip: Point | None = None
    is_turned = False
    points: list[Point] = []
    for part in pos.partition(";")[0].split():
        if part[:2] in ("e,", "s,"):
            tip, is_turned = place(part[2:]), part[0] == "s"
        else:
            points.append(place(part))
    if is_turned:
        points.reverse()
    if tip is not None:
        (x0, y0), (x1, y1) = points[-1], tip
        points += [
            (x0 + (x1 - x0) / 3, y0 + (y1 - y0) / 3),
            (x0 + (x1 - x0) * 2 / 3, y0 + (y1 - y0) * 2 / 3),
            tip,
        ]
    return tuple(points)
