"""A scene becomes DOT in which everything has its place already, and Graphviz turns it into PNG or PDF.

Each box and each line of text is a node at a fixed position, each curve an edge with fixed points; the engine
is told to lay out nothing (`-Kneato -n2`). So a PNG looks like the SVG. Text is escaped as in `dot.py`.
"""

# The graphviz package has no types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from typing import Literal

import graphviz

from orchestration_kit.visual.dot import literal
from orchestration_kit.visual.primitives import Box, Curve, Words
from orchestration_kit.visual.render import run_dot
from orchestration_kit.visual.scene import Scene

_POINTS = 72.0
_SCALE = 2
"""Pixels per point of a PNG."""


def raster(scene: Scene, form: Literal["png", "pdf"]) -> bytes:
    """Return the scene as PNG or PDF.

    Raises:
        DotFailed: no `dot`, or it failed; `dot` makes these forms.
    """
    options = [f"-T{form}", "-Kneato", "-n2"]
    if form == "png":
        options.append(f"-Gdpi={72 * _SCALE}")
    return run_dot(positioned_source(scene), *options, wanted=f"A {form.upper()}")


def positioned_source(scene: Scene) -> str:
    """Return DOT that draws the scene and leaves nothing to the layout."""
    graph = graphviz.Digraph("picture")
    graph.attr(bgcolor=scene.theme.background, outputorder="edgesfirst", pad="0", margin="0", splines="true")
    graph.attr("node", shape="plaintext", label="", margin="0", width="0.01", height="0.01", fixedsize="true")
    wide, height = scene.layout.width, scene.layout.height
    for name, x, y in (("low", 0.0, 0.0), ("high", wide, height)):
        graph.node(name, label="", pos=f"{x:.1f},{height - y:.1f}", style="invis")
    number = 0
    for key in scene.in_order():
        for item in scene.group(key).items:
            number += 1
            if type(item) is Box:
                # Edges are drawn before nodes, so that a frame must not be filled: it would hide them.
                fill = "none" if key[0] == "cluster" else item.fill
                graph.node(f"i{number}", label="", pos=_at(item.at.x, item.at.y, height), **_box(item, fill))
            elif type(item) is Words:
                graph.node(f"i{number}", pos=_at(item.x, item.y - item.size * 0.35, height), **_words(item))
            elif type(item) is Curve:
                _curve(graph, item, height)
    return graph.source


def _at(x: float, y: float, height: float) -> str:
    return f"{x:.2f},{height - y:.2f}"


def _box(box: Box, fill: str) -> dict[str, str]:
    styles = ["filled", "rounded"] if box.radius else ["filled"]
    if box.dashed:
        styles.append("dashed")
    is_round = box.radius >= min(box.at.width, box.at.height) / 2 > abs(box.at.width - box.at.height)
    return {
        "shape": "ellipse" if is_round else "box",
        "width": f"{box.at.width / _POINTS:.4f}",
        "height": f"{box.at.height / _POINTS:.4f}",
        "style": ",".join(styles),
        "fillcolor": "transparent" if fill == "none" else fill,
        "color": "transparent" if box.stroke == "none" else box.stroke,
        "penwidth": f"{box.thickness:g}",
    }


def _words(words: Words) -> dict[str, str]:
    return {
        "label": literal(words.text),
        "fontname": "Arial Bold" if words.bold else "Arial",
        "fontsize": f"{words.size:g}",
        "fontcolor": words.fill,
    }


def _curve(graph: graphviz.Digraph, curve: Curve, height: float) -> None:
    # As in svg.py, dashes are counted from the tip; Graphviz then wants the arrow at the beginning.
    is_solid = curve.line == "solid"
    points = curve.points if is_solid else curve.points[::-1]
    way = " ".join(_at(x, y, height) for x, y in points)
    left, tip, right = curve.head
    length = math.dist(tip, ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2))
    graph.edge(
        "low",
        "high",
        pos=f"{'e' if is_solid else 's'},{_at(*tip, height)} {way}",
        dir="forward" if is_solid else "back",
        arrowsize=f"{length / 10:.2f}",
        color=curve.stroke,
        penwidth=f"{curve.thickness:.1f}",
        style="dashed" if curve.line == "dash-dot" else curve.line,  # Graphviz knows no dash-dot
    )
