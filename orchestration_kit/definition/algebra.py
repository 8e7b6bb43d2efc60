"""New workflows from given ones: one with other fields, or several in a row. What is given stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.ids import FORBIDDEN_IN_STEP_IDS
from orchestration_kit.definition.renaming import output_keys, renamed_budget, renamed_step
from orchestration_kit.definition.steps import Step
from orchestration_kit.errors import DefinitionError, UnknownStep, did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

MAX_NAME = 200
"""Characters of a step id, and of a workflow's name."""


def with_changes(workflow: WorkflowDefinition, changes: dict[str, Any]) -> WorkflowDefinition:
    """Return a copy of a workflow with other fields of its own.

    Raises:
        DefinitionError: the workflow has no field of such a name.
        pydantic.ValidationError: a value that the field does not take.
    """
    _refuse_unknown(workflow, "A workflow", changes)
    steps = {step_id: renamed_step(step, {}, {}) for step_id, step in workflow.steps.items()}
    return type(workflow).model_validate({**dict(workflow), "steps": steps, **changes})


def with_changed_step(workflow: WorkflowDefinition, step_id: str, changes: dict[str, Any]) -> WorkflowDefinition:
    """Return a copy of a workflow in which one step has other fields; under a new id it is referred to by that.

    Raises:
        UnknownStep: the workflow has no such step.
        DefinitionError: the step has no field of such a name, or its new id is taken.
        pydantic.ValidationError: a value that the field does not take.
    """
    if step_id not in workflow.steps:
        raise UnknownStep(workflow.name, step_id, list(workflow.steps))
    step = workflow.steps[step_id]
    _refuse_unknown(step, f"Step {step_id!r}", changes)
    if changes.get("kind", step.kind) != step.kind:
        raise DefinitionError(
            f"Step {step_id!r} is of kind {step.kind!r}, which cannot be changed. "
            f"Put another step in its place: workflow.add_step({type(step).__name__}(...), replace=True)."
        )
    changed = type(step).model_validate({**dict(step), **changes})
    if changed.step_id != step_id and changed.step_id in workflow.steps:
        raise DefinitionError(
            f"Step {step_id!r} cannot be called {changed.step_id!r}: workflow {workflow.name!r} has such a step. "
            f"Taken are {listed(workflow.steps)}."
        )
    steps = {key: changed if key == step_id else one for key, one in workflow.steps.items()}
    return with_names(workflow, {step_id: changed.step_id}, steps)


def with_names(
    workflow: WorkflowDefinition, names: dict[str, str], steps: dict[str, Any] | None = None
) -> WorkflowDefinition:
    """Return a copy of a workflow whose steps go by other ids, wherever they are named.

    Args:
        workflow: stays as it is.
        names: new ids by old ones; the others keep theirs.
        steps: taken instead of the workflow's own.
    """
    names = {old: new for old, new in names.items() if old != new}
    outputs = output_keys(names)
    given = workflow.steps if steps is None else steps
    renamed = {names.get(key, key): renamed_step(step, names, outputs) for key, step in given.items()}
    first = workflow.initial_step
    return workflow.model_copy(
        update={
            "steps": renamed,
            "initial_step": names.get(first, first) if first is not None else None,
            "budget": renamed_budget(workflow.budget, names),
        }
    )


def in_a_row(workflows: Sequence[WorkflowDefinition], name: str | None) -> WorkflowDefinition:
    """Return one workflow in which the completed end of each leads to the beginning of the next.

    Raises:
        DefinitionError: one of them cannot be joined to the next; it says why, and what to do.
    """
    for workflow in workflows:
        if workflow.budget is not None:
            raise DefinitionError(
                f"Workflow {workflow.name!r} has a budget for its run, and it would be a part of one only. "
                "Take it off with .replace(budget=None), and set one on the whole: compose(...).replace(budget=...)."
            )
    stages = [with_names(*pair) for pair in zip(workflows, _new_ids(workflows), strict=True)]
    for before, after in pairwise(stages):
        _lead_on(before, after)
    goals = dict.fromkeys(stage.goal for stage in stages if stage.goal)
    descriptions = dict.fromkeys(stage.description for stage in stages if stage.description)
    return type(workflows[0])(
        name="+".join(stage.name for stage in stages)[:MAX_NAME] if name is None else name,
        description="; ".join(descriptions),
        goal="; ".join(goals),
        initial_step=stages[0].initial_step,
        steps={step_id: step for stage in stages for step_id, step in stage.steps.items()},
    )


def _refuse_unknown(model: Step | WorkflowDefinition, subject: str, changes: Iterable[str]) -> None:
    known = list(type(model).model_fields)
    for name in changes:
        if name not in known:
            kind = f" (a {type(model).__name__})" if isinstance(model, Step) else ""
            raise DefinitionError(
                f"{subject}{kind} has no field {name!r}.{did_you_mean(name, known)} Its fields: {listed(known, 30)}."
            )


def _new_ids(workflows: Sequence[WorkflowDefinition]) -> Iterator[dict[str, str]]:
    """For each workflow the new ids of those steps whose ids others have, too: its name goes before them."""
    counts = Counter(step_id for workflow in workflows for step_id in workflow.steps)
    taken = set(counts)
    for workflow in workflows:
        label = "".join(c if c.isprintable() and c not in FORBIDDEN_IN_STEP_IDS else "-" for c in workflow.name)
        names: dict[str, str] = {}
        for step_id in workflow.steps:
            if counts[step_id] == 1:
                continue
            new, number = f"{label}.{step_id}", 1
            while new in taken:
                number += 1
                new = f"{label}-{number}.{step_id}"
            if len(new) > MAX_NAME:
                raise DefinitionError(
                    f"Several workflows have a step {step_id!r:.80}, and {new!r:.80} is too long for an id. "
                    "Give the workflow a shorter name, with .replace(name=...)."
                )
            taken.add(new)
            names[step_id] = new
        yield names


def _lead_on(before: WorkflowDefinition, after: WorkflowDefinition) -> None:
    """Lead the completed ends of one workflow to the beginning of the other. Changes the first."""
    if after.initial_step is None or after.initial_step not in after.steps:
        raise DefinitionError(
            f"Workflow {after.name!r} has no initial step, so that nothing can lead to it. "
            "Set it with .replace(initial_step=...)."
        )
    own, aside = _threads(before)
    ends = [s for s, step in before.steps.items() if step.is_terminal and step.outcome == "completed" and s in own]
    if not ends:
        raise DefinitionError(
            f"Workflow {before.name!r} has no terminal step with outcome='completed' that its run comes to, "
            f"so that nothing leads on to {after.name!r}. Give it one with is_terminal=True."
        )
    if both := [step_id for step_id in ends if step_id in aside]:
        raise DefinitionError(
            f"Workflow {before.name!r} ends at {listed(both)}, and so does a branch of it, which would go on into "
            f"{after.name!r} as well. Give the branch an end of its own: a last step without on_success."
        )
    for step_id in ends:
        step = before.steps[step_id]
        ignored = {"branches": ()} if step.choices else {}
        leading = {**dict(step), **ignored, "is_terminal": False, "on_success": after.initial_step}
        before.steps[step_id] = type(step).model_validate(leading)


def _threads(workflow: WorkflowDefinition) -> tuple[set[str], set[str]]:
    """Steps that the run itself comes to, and those that a branch or a compensation comes to."""
    opened = [
        t.target for step in workflow.steps.values() for t in step.transitions() if t.kind in ("body", "compensate")
    ]
    return _come_to(workflow, [workflow.initial_step or ""]), _come_to(workflow, opened)


def _come_to(workflow: WorkflowDefinition, starts: list[str]) -> set[str]:
    found: set[str] = set()
    stack = list(starts)
    while stack:
        step_id = stack.pop()
        if step_id in found or step_id not in workflow.steps:
            continue
        found.add(step_id)
        ways = workflow.steps[step_id].transitions()
        stack += [t.target for t in ways if t.kind not in ("body", "compensate")]
    return found
