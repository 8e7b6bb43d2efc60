"""A branch becomes the workflow whose steps it goes through, by its position. Pure: reads definitions, runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration_kit.definition.steps import Step
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.order import SPAWN, UNDO, opener_of, scope_of


def workflow_in(
    definition: WorkflowDefinition, scope: str, spawned: Mapping[str, dict[str, Any]]
) -> WorkflowDefinition | None:
    """Return the workflow whose steps a scope goes through; None where that is not to be known.

    Args:
        definition: The run's workflow.
        scope: A scope, e.g. `research#1[3]/`; empty for the run itself.
        spawned: By visit: the workflows, as dicts, that workers made.
    """
    line: list[tuple[str, str]] = []
    while scope.endswith("]/"):
        line.append(opener_of(scope))
        scope = scope_of(line[-1][0])
    at = definition
    for opener, key in reversed(line):
        if key == UNDO:
            continue  # what undoes a step is a step of the same workflow
        if key == SPAWN and opener in spawned:
            at = WorkflowDefinition.from_dict(spawned[opener])
            continue
        step = at.steps.get(step_of(opener))
        bodies = {} if step is None else step.bodies
        body: Any = bodies.get(key, bodies.get("each"))
        if body is None:
            return None
        at = at if isinstance(body, str) else body
    return at


def step_of(path: str) -> str:
    """Return the id of the step that a visit is of.

    >>> step_of("research#1[3]/draft#2")
    'draft'
    """
    return path[len(scope_of(path)) :].rpartition("#")[0]


def step_at(definition: WorkflowDefinition, path: str, spawned: Mapping[str, dict[str, Any]]) -> Step | None:
    """Return the step that a visit is of; None where that is not to be known."""
    workflow = workflow_in(definition, scope_of(path), spawned)
    return None if workflow is None else workflow.steps.get(step_of(path))
