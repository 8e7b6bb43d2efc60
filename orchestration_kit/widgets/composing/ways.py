"""Steps are connected and disconnected: what a handle of a box, or a line between two, means in the definition."""

from __future__ import annotations

import ast
from typing import Any, Literal, cast

from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.definition.steps import Branch, Step
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.errors import DefinitionError, listed
from orchestration_kit.widgets.composing.draft import free_id, with_steps

WayKind = Literal["success", "failure", "branch", "timeout", "budget", "compensate", "body"]
START = "#start"
"""The dot before the first step, which no step can be called."""
FIRST_LIMIT_S = 60.0
"""Seconds of a step that is led on after a time, and had no limit before."""
_FIELDS = {"success": "on_success", "failure": "on_failure", "timeout": "on_timeout", "compensate": "compensate"}


def ways_of(step: Any) -> list[WayKind]:
    """Return which kinds of ways a step can have, as their handles stand from left to right.

    >>> from orchestration_kit import ParallelStep, WorkflowStep
    >>> ways_of(WorkflowStep(step_id="a", worker_type="coder"))
    ['compensate', 'branch', 'success', 'failure', 'budget']
    >>> ways_of(ParallelStep(step_id="a", branches={"x": "b"}))
    ['compensate', 'body', 'success', 'failure']
    """
    known = _fields(step)
    opens = isinstance(step, (ParallelStep, MapStep))
    found: list[tuple[WayKind, bool]] = [
        ("compensate", True),
        ("body", opens),
        ("branch", "branches" in known and not isinstance(step, ParallelStep)),
        ("success", True),
        ("failure", True),
        ("timeout", "on_timeout" in known),
        ("budget", "budget" in known),
    ]
    return [kind for kind, has in found if has]


def connect(workflow: WorkflowDefinition, source: str, kind: str, target: str) -> WorkflowDefinition:
    """Return the workflow with one more way, or with another target of the one there is.

    Raises:
        DefinitionError: a step of this kind has no such way.
        pydantic.ValidationError: the target is no id.
    """
    if source == START:
        return _from_start(workflow, kind, target)
    step: Any = _step(workflow, source)
    kinds = ways_of(step)
    if kind not in kinds:
        raise DefinitionError(
            f"A {type(step).__name__} has no way of the kind {kind!r:.40}. It has: {listed(kinds, 10)}."
        )
    changes: dict[str, Any]
    if kind in _FIELDS:
        changes = {_FIELDS[kind]: target}
        if kind == "timeout" and step.timeout_s is None:
            changes["timeout_s"] = FIRST_LIMIT_S
    elif kind == "branch":
        changes = {"branches": (*step.branches, Branch(when="", to=target))}
    elif kind == "budget":
        changes = {"budget": _leading(step.budget, target)}
    else:
        changes = _opening(workflow, step, target)
    return _with(workflow, step, changes)


def lead(workflow: WorkflowDefinition, source: str, field: str, target: str | None) -> WorkflowDefinition:
    """Return the workflow in which the way written in a field of a step leads elsewhere; with None it is taken away.

    Args:
        workflow: stays as it is.
        source: a step's id, or `START`.
        field: as transitions name it: `on_success`, `branches[0]`, `branches['legal']`, `body`, `budget.on_budget`.
        target: a step's id, or None.

    Raises:
        DefinitionError: there is no such way, or the step cannot be without it.
        pydantic.ValidationError: the step cannot have it.
    """
    if source == START:
        return _from_start(workflow, "budget" if field == "budget.on_budget" else "success", target)
    step: Any = _step(workflow, source)
    if field == "budget.on_budget" and getattr(step, "budget", None) is not None:
        return _with(workflow, step, {"budget": _leading(step.budget, target)})
    if field.startswith("branches["):
        return _with(workflow, step, {"branches": _branches(step, field, target)})
    if field not in (*_FIELDS.values(), "body") or field not in _fields(step):
        raise DefinitionError(f"Step {source!r} (a {type(step).__name__}) has no way {field!r:.60}.")
    if field == "body" and target is None:
        raise DefinitionError(f"A MapStep needs a body: draw the line of {source!r} to another step instead.")
    return _with(workflow, step, {field: target})


def _from_start(workflow: WorkflowDefinition, kind: str, target: str | None) -> WorkflowDefinition:
    if kind == "budget":
        budget = None if workflow.budget is None and target is None else _leading(workflow.budget, target)
        return workflow.model_copy(update={"budget": budget})
    return workflow.model_copy(update={"initial_step": target})


def _leading(budget: Budget | None, target: str | None) -> Budget:
    fields = {} if budget is None else dict(budget)
    return Budget.model_validate({**fields, "on_budget": target})


def _opening(workflow: WorkflowDefinition, step: Any, target: str) -> dict[str, Any]:
    """One more branch; one that leads to no step yet is led there first."""
    if isinstance(step, MapStep):
        return {"body": target}
    branches = dict(cast("dict[str, Any]", step.branches))
    for name, given in branches.items():
        to = given.to if isinstance(given, Branch) else given
        if isinstance(to, str) and to not in workflow.steps:
            return {"branches": {**branches, name: _retargeted(given, target)}}
    return {"branches": {**branches, free_id(target, branches): target}}


def _branches(step: Any, field: str, target: str | None) -> Any:
    key: Any = ast.literal_eval(field.removeprefix("branches[").removesuffix("]"))
    branches = step.branches
    try:
        given = branches[key]
    except (LookupError, TypeError):
        raise DefinitionError(f"Step {step.step_id!r} has no {field:.60} any more.") from None
    if isinstance(step, ParallelStep):
        named = dict(cast("dict[str, Any]", branches))
        if target is not None:
            return {**named, key: _retargeted(given, target)}
        if len(named) == 1:
            raise DefinitionError(
                f"A ParallelStep needs a branch: draw the line of {step.step_id!r} elsewhere instead."
            )
        return {name: one for name, one in named.items() if name != key}
    kept = [_retargeted(one, target) if at == key and target else one for at, one in enumerate(branches)]
    if target is None:
        kept.remove(given) if kept.count(given) == 1 else kept.pop(key)
    return tuple(kept)


def _retargeted(given: Any, target: str) -> Any:
    return given.model_copy(update={"to": target}) if isinstance(given, Branch) else target


def _fields(step: Any) -> set[str]:
    kind = cast("type[Step]", type(step))
    return set(kind.model_fields)


def _step(workflow: WorkflowDefinition, step_id: str) -> Any:
    if step_id not in workflow.steps:
        raise DefinitionError(f"There is no step {step_id!r:.80} any more.")
    return workflow.steps[step_id]


def _with(workflow: WorkflowDefinition, step: Any, changes: dict[str, Any]) -> WorkflowDefinition:
    kind = cast("type[Step]", type(step))
    made = kind.model_validate({**dict(step), **changes})
    return with_steps(workflow, {**workflow.steps, step.step_id: made})
