"""A workflow definition becomes a diagram model, sound or not: mistakes are drawn where they are.

Reads attributes only, and forgives missing ones: a definition that its checks refuse, or one from another
release, is still drawn.
"""

from __future__ import annotations

from typing import Any

from orchestration_kit.visual.frames import Drawn, draw_steps
from orchestration_kit.visual.model import (
    ENTRY_ID,
    Detail,
    DiagramEdge,
    DiagramModel,
    DiagramNode,
    Direction,
)
from orchestration_kit.visual.text import one_line, tooltip


def model_of(workflow: Any, *, detail: Detail = "full", direction: Direction = "TB") -> DiagramModel:
    """Return the diagram model of a workflow definition.

    Missing targets become ghosts, unreachable steps are marked, and a missing initial step is said at the
    entry. Errors that the definition's own `problems()` report are added to the steps they name. Steps with branches
    become frames around the steps that only their branches lead to, with a fork and a join inside.

    >>> from types import SimpleNamespace as Stub
    >>> step = Stub(step_id="a", worker_type="coder", on_success="b", on_failure=None, is_terminal=False)
    >>> model = model_of(Stub(name="demo", initial_step="a", steps={"a": step}))
    >>> [(node.id, node.problem) for node in model.nodes][1:]
    [('a', ''), ('b', 'missing step')]
    """
    name = one_line(getattr(workflow, "name", "") or "workflow", 200)
    initial = getattr(workflow, "initial_step", None)
    drawn = Drawn()
    has_steps = bool(getattr(workflow, "steps", None)) or isinstance(initial, str)
    drawn.nodes.append(_entry(initial, has_steps=has_steps))
    if isinstance(initial, str):
        drawn.edges.append(DiagramEdge(ENTRY_ID, initial, "entry"))
    draw_steps(drawn, workflow)
    about = tooltip(getattr(workflow, "goal", ""), getattr(workflow, "description", ""))
    return DiagramModel(
        name,
        tuple(drawn.nodes),
        tuple(drawn.edges),
        tuple(drawn.clusters),
        about,
        tuple(drawn.problems),
        detail,
        direction,
    )


def _entry(initial: object, *, has_steps: bool) -> DiagramNode:
    """The dot before the first step, or what is wrong there."""
    if isinstance(initial, str):
        return DiagramNode(ENTRY_ID, "start", kind="entry", tooltip="The run starts here.")
    problem = "no initial step" if has_steps else "no steps yet"
    return DiagramNode(ENTRY_ID, "start", kind="entry", problem=problem, tooltip="No initial step is named.")
