"""Build a website: specify, write, review, and back to the coder until the review approves."""

from __future__ import annotations

from orchestration_kit.definition import WorkerType, WorkflowDefinition, WorkflowStep


def create_build_website_workflow() -> WorkflowDefinition:
    """Return create_specs -> implement_code -> review_code; a failed review goes back to the coder.

    Use it as the first example of a loop between a maker and a checker. The run ends in `completed` or
    `failed`; a worker of type `generic`, where one is registered, is called there.

    A reviewer fails a website by raising, by returning `Failure(...)`, or by returning a mapping whose
    `approved` is false.

    >>> create_build_website_workflow().initial_step
    'create_specs'
    """
    workflow = WorkflowDefinition(
        name="build_website",
        description="Specify, write and review a website",
        goal="A website that fits its requirements and passes review",
    )
    workflow.add_step(
        WorkflowStep(
            step_id="create_specs",
            worker_type=WorkerType.PRODUCT_MANAGER,
            description="Turn the goal into a specification",
            on_success="implement_code",
            on_failure="failed",
        ),
        is_initial=True,
    )
    workflow.add_step(
        WorkflowStep(
            step_id="implement_code",
            worker_type=WorkerType.CODER,
            description="Write the website, or repair what the review found",
            on_success="review_code",
            on_failure="failed",
            max_retries=1,
        )
    )
    workflow.add_step(
        WorkflowStep(
            step_id="review_code",
            worker_type=WorkerType.REVIEWER,
            description="Check the website",
            success_when="!has(output.approved) || output.approved == true",
            on_success="completed",
            on_failure="implement_code",
        )
    )
    workflow.add_step(
        WorkflowStep(
            step_id="completed",
            worker_type=WorkerType.GENERIC,
            description="The website is approved",
            is_terminal=True,
        )
    )
    workflow.add_step(
        WorkflowStep(
            step_id="failed",
            worker_type=WorkerType.GENERIC,
            description="The website could not be built",
            is_terminal=True,
            outcome="failed",
        )
    )
    return workflow
