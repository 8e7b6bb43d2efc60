"""A diagram model becomes an outline in plain text: what a terminal, a screen reader and `text/plain` get."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration_kit.visual.facts import spoken
from orchestration_kit.visual.layout import title_text
from orchestration_kit.visual.model import DiagramEdge, DiagramModel, DiagramNode
from orchestration_kit.visual.overlay import Overlay
from orchestration_kit.visual.text import one_line

_ARROW = "\N{RIGHTWARDS ARROW}"
_STEPS_SHOWN = 200


def outline(model: DiagramModel, overlay: Overlay | None = None) -> str:
    """Return the model as text: one line per step, indented lines for the ways out of it.

    >>> from orchestration_kit.visual.model import DiagramNode, DiagramEdge
    >>> draft = DiagramNode("a", "draft", worker="coder", is_start=True)
    >>> done = DiagramNode("b", "done", outcome="completed")
    >>> print(outline(DiagramModel("demo", (draft, done), (DiagramEdge("a", "b"),))))
    Workflow demo: 2 steps
      1. draft (coder) [start]
           → done
      2. ✓ done [ends: completed]
    """
    name = one_line(model.name, 200)
    steps = [node for node in model.nodes if node.kind != "entry"]
    titles = {node.id: one_line(node.title, 60) for node in model.nodes} | {
        cluster.id: one_line(cluster.title, 60) for cluster in model.clusters
    }
    ways: dict[str, list[DiagramEdge]] = {}
    for edge in model.edges:
        ways.setdefault(edge.source, []).append(edge)
    count = sum(node.kind != "missing" for node in steps)
    run = f", run {one_line(overlay.state, 40)}" if overlay is not None and overlay.state else ""
    lines = [
        f"Workflow {name}: {count} step{'' if count == 1 else 's'}{run}" if steps else f"Workflow {name}: no steps yet"
    ]
    lines.extend(f"  \N{WARNING SIGN} {one_line(text, 400)}" for text in _general_problems(model))
    for number, node in enumerate(steps[:_STEPS_SHOWN], 1):
        lines.append(f"{number:>3}. {_headline(node)}")
        lines.extend(f"       {line}" for line in _below(node, overlay))
        lines.extend(f"       {_way(edge, titles)}" for edge in ways.get(node.id, ()))
    if len(steps) > _STEPS_SHOWN:
        lines.append(f"     … and {len(steps) - _STEPS_SHOWN:,} more steps")
    for cluster in model.clusters:
        inside = ", ".join(titles[name] for name in (*cluster.nodes, *cluster.clusters))
        lines.append(f"  [{cluster.kind} {titles[cluster.id]}: {one_line(inside, 300)}]")
        lines.extend(f"       {_way(edge, titles)}" for edge in ways.get(cluster.id, ()))
    return "\n".join(lines)


def run_summary(model: DiagramModel, overlay: Overlay) -> str:
    """Return in one line what state each step that was reached is in."""
    states = [
        f"{one_line(node.title, 60)}: {overlay.at(node).words}" for node in model.nodes if node.id in overlay.steps
    ]
    return f"Run {one_line(overlay.state, 40)}: {', '.join(states[:_STEPS_SHOWN]) or 'no step reached yet'}"


def _headline(node: DiagramNode) -> str:
    facts = [
        f" ({one_line(node.worker, 80)})" if node.worker else "",
        " [start]" if node.is_start else "",
        f" [ends: {node.outcome}]" if node.outcome else "",
        f" [{one_line(node.problem, 120)}]" if node.problem else "",
    ]
    return one_line(title_text(node), 80) + "".join(facts)


def _below(node: DiagramNode, overlay: Overlay | None) -> Iterator[str]:
    if overlay is not None:
        yield one_line(spoken(overlay.at(node)).replace("\n", ", "), 300)
    elif node.note:
        yield one_line(node.note, 120)


def _way(edge: DiagramEdge, titles: dict[str, str]) -> str:
    if edge.kind == "retry":
        return one_line(edge.label or "retry", 60)
    label = f" ({one_line(edge.label, 60)})" if edge.label else ""
    return f"{_ARROW} {titles.get(edge.target, one_line(edge.target, 60))}{label}"


def _general_problems(model: DiagramModel) -> tuple[str, ...]:
    return model.problems or tuple(node.problem for node in model.nodes if node.kind == "entry" and node.problem)
