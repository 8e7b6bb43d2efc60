"""A diagram model becomes an outline in plain text: what a terminal, a screen reader and `text/plain` get."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration_kit.visual.facts import spoken
from orchestration_kit.visual.layout import frame_word, title_text
from orchestration_kit.visual.model import (
    JOIN,
    DiagramCluster,
    DiagramEdge,
    DiagramModel,
    DiagramNode,
    parents_of,
    step_of,
)
from orchestration_kit.visual.overlay import Overlay, StepOverlay
from orchestration_kit.visual.text import one_line

_ARROW = "\N{RIGHTWARDS ARROW}"
_OPENS = "\N{RIGHTWARDS DOUBLE ARROW}"
_STEPS_SHOWN = 200
_DEEPEST = 8
"""Frames within frames that are indented further."""


def outline(model: DiagramModel, overlay: Overlay | None = None) -> str:
    """Return the model as text: a line per step, indented lines for the ways out of it and for what its frame holds.

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
    things = [(depth, thing) for depth, thing in _in_order(model) if _has_line(thing)]
    titles = {one.id: one_line(one.title, 60) for one in (*model.nodes, *model.clusters)}
    ways: dict[str, list[DiagramEdge]] = {}
    for edge in model.edges:
        if edge.kind != "join":
            ways.setdefault(step_of(edge.source), []).append(edge)
    count = sum(_is_step(thing) for _, thing in things)
    run = f", run {one_line(overlay.state, 40)}" if overlay is not None and overlay.state else ""
    lines = [
        f"Workflow {name}: {count} step{'' if count == 1 else 's'}{run}" if things else f"Workflow {name}: no steps yet"
    ]
    lines.extend(f"  \N{WARNING SIGN} {one_line(text, 400)}" for text in _general_problems(model))
    number = 0
    for depth, thing in things[:_STEPS_SHOWN]:
        number += not isinstance(thing, DiagramCluster) or thing.is_step
        pad = "    " * min(depth, _DEEPEST)
        if isinstance(thing, DiagramCluster) and not thing.is_step:
            lines.append(f"{pad}   - {_frame_line(thing)}")
        else:
            node = _as_node(thing)
            lines.append(f"{pad}{number:>3}. {_headline(node)}")
            seen = _seen(thing, overlay)
            lines.extend(f"{pad}       {line}" for line in _below(node, seen))
        lines.extend(f"{pad}       {_way(edge, titles)}" for edge in ways.get(thing.id, ()))
        if (join := titles.get(thing.id + JOIN)) is not None:
            lines.append(f"{pad}       {join}")
    if len(things) > _STEPS_SHOWN:
        lines.append(f"     … and {len(things) - _STEPS_SHOWN:,} more steps")
    return "\n".join(lines)


def _in_order(model: DiagramModel) -> list[tuple[int, DiagramNode | DiagramCluster]]:
    """Nodes and frames with how deep they stand: each frame where its first node is, before what it holds."""
    parent = parents_of(model)
    clusters = {cluster.id: cluster for cluster in model.clusters}
    held: dict[str, list[DiagramNode | DiagramCluster]] = {}
    placed: set[str] = set()
    for node in model.nodes:
        at, thing = parent.get(node.id, ""), node
        held.setdefault(at, []).append(thing)
        while at and at not in placed:
            placed.add(at)
            above = parent.get(at, "")
            held.setdefault(above, []).append(clusters[at])
            at = above
    found: list[tuple[int, DiagramNode | DiagramCluster]] = []
    todo = [(0, thing) for thing in reversed(held.get("", []))]
    while todo:
        depth, thing = todo.pop()
        found.append((depth, thing))
        if isinstance(thing, DiagramCluster):
            todo.extend((depth + 1, inner) for inner in reversed(held.get(thing.id, [])))
    return found


def _has_line(thing: DiagramNode | DiagramCluster) -> bool:
    return isinstance(thing, DiagramCluster) or thing.is_step


def _is_step(thing: DiagramNode | DiagramCluster) -> bool:
    return thing.is_step if isinstance(thing, DiagramCluster) else thing.kind != "missing"


def _as_node(thing: DiagramNode | DiagramCluster) -> DiagramNode:
    """What to say of a step, framed or not, is the same."""
    if isinstance(thing, DiagramNode):
        return thing
    return DiagramNode(
        thing.id, thing.title, thing.subtitle, thing.note, is_start=thing.is_start, outcome=thing.outcome,
        problem=thing.problem,
    )  # fmt: skip


def _seen(thing: DiagramNode | DiagramCluster, overlay: Overlay | None) -> StepOverlay | None:
    if overlay is None:
        return None
    return overlay.step(thing.id) if isinstance(thing, DiagramCluster) else overlay.at(thing)


def _frame_line(frame: DiagramCluster) -> str:
    facts = f" [{one_line(frame.problem, 120)}]" if frame.problem else ""
    return f"{frame_word(frame)} {one_line(frame.title, 80)}{facts}"


def run_summary(model: DiagramModel, overlay: Overlay) -> str:
    """Return in one line what state each step that was reached is in."""
    framed = [f"{one_line(one.title, 60)}: {overlay.step(one.id).words}" for one in model.clusters if one.is_step]
    states = [
        f"{one_line(node.title, 60)}: {overlay.at(node).words}" for node in model.nodes if node.id in overlay.steps
    ] + framed
    return f"Run {one_line(overlay.state, 40)}: {', '.join(states[:_STEPS_SHOWN]) or 'no step reached yet'}"


def _headline(node: DiagramNode) -> str:
    facts = [
        f" ({one_line(node.worker, 80)})" if node.worker else "",
        " [start]" if node.is_start else "",
        f" [ends: {node.outcome}]" if node.outcome else "",
        f" [{one_line(node.marks, 120)}]" if node.marks else "",
        f" [{one_line(node.problem, 120)}]" if node.problem else "",
    ]
    return one_line(title_text(node), 80) + "".join(facts)


def _below(node: DiagramNode, seen: StepOverlay | None) -> Iterator[str]:
    if seen is not None:
        yield one_line(spoken(seen).replace("\n", ", "), 300)
    elif node.note:
        yield one_line(node.note, 120)


def _way(edge: DiagramEdge, titles: dict[str, str]) -> str:
    if edge.kind == "retry":
        return one_line(edge.label or "retry", 60)
    label = f" ({one_line(edge.label, 60)})" if edge.label else ""
    if edge.kind == "body":
        return f"{_OPENS} {one_line(edge.label, 60)}: {titles.get(edge.target, one_line(edge.target, 60))}"
    return f"{_ARROW} {titles.get(edge.target, one_line(edge.target, 60))}{label}"


def _general_problems(model: DiagramModel) -> tuple[str, ...]:
    return model.problems or tuple(node.problem for node in model.nodes if node.kind == "entry" and node.problem)
