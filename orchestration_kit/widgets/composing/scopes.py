"""Workflows that stand in a step, as a branch or a body, are opened and put back, however deep they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.errors import DefinitionError
from orchestration_kit.widgets.composing.draft import with_steps

Scope = tuple[tuple[str, str], ...]
"""The way to a workflow: step and name of the branch (`each` for the body of a map), from the outside to the inside."""


def inner(workflow: WorkflowDefinition, scope: Scope) -> WorkflowDefinition:
    """Return the workflow that stands in a step, along a scope.

    Raises:
        DefinitionError: none stands there.
    """
    for step_id, name in scope:
        step: Any = workflow.steps.get(step_id)
        found: Any = None if step is None else step.bodies.get(name)
        if not isinstance(found, WorkflowDefinition):
            raise DefinitionError(f"No workflow stands in {step_id!r:.80} as {name!r:.80} any more.")
        workflow = found
    return workflow


def within(
    workflow: WorkflowDefinition, scope: Scope, change: Callable[[WorkflowDefinition], WorkflowDefinition]
) -> WorkflowDefinition:
    """Return the outer workflow after an edit of the one at a scope."""
    if not scope:
        return change(workflow)
    (step_id, name), rest = scope[0], scope[1:]
    changed = within(inner(workflow, scope[:1]), rest, change)
    step: Any = workflow.steps[step_id]
    if isinstance(step, MapStep):
        made: Any = step.model_copy(update={"body": changed})
    else:
        branches = cast("ParallelStep", step).branches
        made = step.model_copy(update={"branches": {**branches, name: changed}})
    return with_steps(workflow, {**workflow.steps, step_id: made})


def nearest(workflow: WorkflowDefinition, scope: Scope) -> Scope:
    """Return as much of a scope as still is there."""
    for depth in range(len(scope), 0, -1):
        try:
            inner(workflow, scope[:depth])
        except DefinitionError:
            continue
        return scope[:depth]
    return ()


def place_in(scope: Scope) -> str:
    """Return what the places of a scope begin with.

    >>> place_in((("review", "legal"),)) + "check"
    'review[legal]/check'
    """
    return "".join(f"{step_id}[{name}]/" for step_id, name in scope)
