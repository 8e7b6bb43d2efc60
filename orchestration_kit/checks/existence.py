"""Is everything there that is named? Steps under their own ids, where a run begins, where transitions lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from orchestration_kit.checks.places import inside
from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.steps import Step
from orchestration_kit.errors import did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

MAX_NEAREST = 20
"""For how many misspelt targets the nearest name is looked up; in a large workflow it takes a while."""


def misnamed_steps(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each entry of `steps` is a step, under its own id, in inline workflows too."""
    stack = [(workflow, "", "")]
    seen: set[int] = set()
    while stack:
        inner, top, where = stack.pop()
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        for key, step in cast("dict[str, object]", inner.steps).items():
            if not isinstance(step, Step):
                what = f"steps[{key!r}] is {type(step).__name__}, not a WorkflowStep or another kind of step"
                yield Problem(
                    "misnamed-step", (top or key,), where + what, "Add steps with add_step(WorkflowStep(...))."
                )
                continue
            if step.step_id != key:
                what = f"The step under {key!r} calls itself {step.step_id!r}"
                yield Problem("misnamed-step", (top or key,), where + what, "Use one id for both; add_step does that.")
            for name, target in step.bodies.items():
                if not isinstance(target, str):
                    stack.append((target, top or key, where + inside(step, name)))


def initial_step(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """The run has to start somewhere."""
    if workflow.initial_step is None:
        hint = "Add the first step with add_step(step, is_initial=True)."
        yield Problem("no-initial-step", (), "No initial step defined", hint)
    elif workflow.initial_step not in workflow.steps:
        near = did_you_mean(workflow.initial_step, workflow.steps)
        yield Problem(
            "missing-initial-step",
            (workflow.initial_step,),
            f"Initial step {workflow.initial_step!r} not found",
            f"Add it with add_step(step, is_initial=True).{near}",
        )


def missing_targets(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each transition leads to a step that exists."""
    written: list[tuple[tuple[str, ...], str, str, str]] = [
        ((step_id,), f"Step {step_id!r}", transition.field, transition.target)
        for step_id, step in workflow.steps.items()
        for transition in step.transitions()
        if transition.target not in workflow.steps
    ]
    spent = workflow.budget.on_budget if workflow.budget else None
    if spent is not None and spent not in workflow.steps:
        written.append(((), "The workflow", "budget.on_budget", spent))
    nearest: dict[str, str] = {}
    for steps, subject, field, target in written:
        if target not in nearest and len(nearest) < MAX_NEAREST:
            nearest[target] = did_you_mean(target, workflow.steps)
        near = nearest.get(target, "")
        yield Problem(
            "missing-target",
            steps,
            f"{subject} has invalid {field}: {target!r} is not a step",
            f"{near or ' Add the step, or correct the name.'} Steps: {listed(workflow.steps)}.".strip(),
        )
