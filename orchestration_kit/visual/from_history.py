"""A history without its definition becomes a diagram model: what was run, and which way it went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestration_kit.visual.model import ENTRY_ID, Detail, DiagramEdge, DiagramModel, DiagramNode, Direction
from orchestration_kit.visual.overlay import sibling, step_key
from orchestration_kit.visual.text import one_line, tooltip


def model_of_history(
    history: Iterable[Mapping[str, Any]],
    *,
    name: str = "history",
    detail: Detail = "full",
    direction: Direction = "TB",
) -> DiagramModel:
    """Return a model of the steps and transitions that a history shows. What did not happen is not in it.

    >>> model = model_of_history([{"step": "a", "worker": "Ann", "success": True, "next_step": "b"}])
    >>> [node.title for node in model.nodes], [(e.source, e.target) for e in model.edges][1:]
    (['start', 'a', 'b'], [('a', 'b')])
    """
    workers: dict[str, str] = {}
    edges: dict[tuple[str, str, str], DiagramEdge] = {}
    previous = ""
    for entry in history:
        key = step_key(entry)
        worker = one_line(entry.get("worker") or entry.get("worker_type") or "", 60)
        workers[key] = workers.get(key) or worker
        failed = entry.get("success") is False
        target = entry.get("next_step")
        if isinstance(target, str):
            target = sibling(key, target)
            workers.setdefault(target, "")
            kind = "failure" if failed else "success"
            edges.setdefault(
                (key, target, kind), DiagramEdge(key, target, kind, "\N{BALLOT X} fails" if failed else "")
            )
        if previous == key and isinstance(attempt := entry.get("attempt"), int) and attempt > 1:
            edges.setdefault((key, key, "retry"), DiagramEdge(key, key, "retry", "retry"))
        previous = key
    nodes = [
        DiagramNode(key, one_line(key, 200), worker=worker, is_start=at == 0, tooltip=tooltip(key, worker))
        for at, (key, worker) in enumerate(workers.items())
    ]
    ways = list(edges.values())
    if nodes:
        ways.insert(0, DiagramEdge(ENTRY_ID, nodes[0].id, "entry"))
    problem = "" if nodes else "no steps were run"
    nodes.insert(0, DiagramNode(ENTRY_ID, "start", kind="entry", problem=problem, tooltip="The run started here."))
    about = "Drawn from the history alone: steps and transitions that did not happen are not shown."
    return DiagramModel(one_line(name, 200), tuple(nodes), tuple(ways), (), about, (), detail, direction)
