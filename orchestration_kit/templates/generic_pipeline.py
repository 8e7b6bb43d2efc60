"""A straight line of steps, from a list."""

from __future__ import annotations

from collections.abc import Sequence

from orchestration_kit.definition import WorkerType, WorkflowDefinition, WorkflowStep
from orchestration_kit.errors import DuplicateStep


def create_generic_pipeline(steps: Sequence[tuple[str, WorkerType | str, str]]) -> WorkflowDefinition:
    """Return a pipeline of `(step_id, worker_type, description)` steps, each followed by the next.

    The last step ends the run as completed; a failure anywhere leads to the step `failed`, which ends it as
    failed. The workflow's name is the step ids joined with `_`.

    >>> pipeline = create_generic_pipeline([("draft", "coder", "Write"), ("check", "reviewer", "Check")])
    >>> pipeline.name, list(pipeline.steps)
    ('draft_check', ['draft', 'check', 'failed'])

    Raises:
        DuplicateStep: a step id stands twice in the list.
        ValueError: the list is empty, or names a step `failed`.
    """
    ids = [step_id for step_id, _, _ in steps]
    if not ids:
        raise ValueError("A pipeline needs at least one step: [(step_id, worker_type, description), ...].")
    if "failed" in ids:
        raise ValueError("The step id 'failed' is taken: a pipeline adds a step of that name. Choose another.")
    name = "_".join(ids)
    workflow = WorkflowDefinition(
        name=name if len(name) <= 200 else f"pipeline_of_{len(ids)}_steps",
        description="A pipeline of steps in a row",
        goal="Take each step in turn",
    )
    for index, (step_id, worker_type, description) in enumerate(steps):
        if step_id in workflow.steps:
            raise DuplicateStep(workflow.name, step_id, ("position in the list",))
        is_last = index == len(ids) - 1
        step = WorkflowStep(
            step_id=step_id,
            worker_type=worker_type,
            description=description,
            on_success=None if is_last else ids[index + 1],
            on_failure="failed",
            is_terminal=is_last,
        )
        workflow.add_step(step, is_initial=index == 0)
    workflow.add_step(
        WorkflowStep(
            step_id="failed",
            worker_type=WorkerType.GENERIC,
            description="A step failed",
            is_terminal=True,
            outcome="failed",
        )
    )
    return workflow
