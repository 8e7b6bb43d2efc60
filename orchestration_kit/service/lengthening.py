"""A workflow with further steps in a row, at its beginning or before its end; and ends where nobody is called."""

from __future__ import annotations

from collections.abc import Sequence

from orchestration_kit.definition import WorkerType, WorkflowDefinition, WorkflowStep
from orchestration_kit.templates.parts import END, AnyWorker, failed, step


def lengthened(
    workflow: WorkflowDefinition, before: Sequence[tuple[str, AnyWorker]], after: Sequence[tuple[str, AnyWorker]]
) -> WorkflowDefinition:
    """Return a workflow with further steps at its beginning and before its end.

    >>> from orchestration_kit.templates import create_gated_chain
    >>> made = lengthened(create_gated_chain(["writer"]), [("ask", "researcher")], [("send", "sender")])
    >>> list(made.steps), made.validate()
    (['ask', 'writer', 'send', 'failed', 'done'], (True, None))
    """
    made = workflow
    for step_id, worker in after:
        end = next(one for one in made.steps.values() if one.is_terminal and one.outcome == "completed")
        new = step(step_id, worker, "A further part of the goal", on_success=end.step_id, on_failure="failed")
        made = made.replace(end.step_id, step_id=step_id)  # what led to the end leads to it
        made.add_step(new, replace=True)
        made.add_step(end)
    for step_id, worker in reversed(before):
        first = step(step_id, worker, "An earlier part of the goal", on_success=made.initial_step, on_failure="failed")
        made = made.replace(initial_step=step_id, steps={step_id: first, **made.steps})
    if "failed" not in made.steps and (before or after):
        made.add_step(failed())
    return made


def quiet(workflow: WorkflowDefinition) -> WorkflowDefinition:
    """Return a workflow at whose ends no worker of type `generic` is called: who is of it is there for something else.

    >>> from orchestration_kit.templates import create_build_website_workflow
    >>> quiet(create_build_website_workflow()).steps["completed"].worker_type
    'end'
    """
    made = workflow
    for step_id, one in workflow.steps.items():
        if isinstance(one, WorkflowStep) and one.is_terminal and one.worker is None:
            made = made.replace(step_id, worker_type=END) if one.worker_type == WorkerType.GENERIC else made
    return made
