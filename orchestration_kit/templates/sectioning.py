"""Sectioning: several workers look at one input at once, each at its own aspect; one puts it together."""

from __future__ import annotations

from typing import get_args

from orchestration_kit.definition import ParallelStep, WorkflowDefinition
from orchestration_kit.definition.kinds import FailureMode
from orchestration_kit.templates.parameters import choice, whole
from orchestration_kit.templates.parts import AnyWorker, Workers, assemble, done, failed, several, step


def create_sectioning(
    fan_out: Workers,
    fan_in: AnyWorker,
    *,
    max_concurrency: int | None = None,
    failure_mode: FailureMode = "fail_fast",
    name: str = "sectioning",
) -> WorkflowDefinition:
    """Return sections that are worked on at once, and a worker that gets all their outputs.

    ```text
    sections --> style, law, facts (at once) --> fan_in --> done
    ```

    Use it where a task has aspects known beforehand that need nothing of one another: checks of one text, sources to
    be asked, a guard beside the answer. Do not use it where the parts are known only at run time (`create_map_reduce`,
    `create_orchestrator_workers`), where all do the same (`create_voting`), or where one needs another's output
    (`create_gated_chain`).

    Source: "parallelization: sectioning" in Anthropic, Building effective agents (2024).

    Args:
        fan_out: The sections, by name, and who works on each: `{"style": "editor", "law": "lawyer"}`. Each gets the
            goal.
        fan_in: Gets a dict of the sections' outputs by name, in this order.
        max_concurrency: Sections under way at once; None: all.
        failure_mode: What one section's failure means. `"fail_fast"`: the others are cancelled, the run fails.
            `"continue"`: the others go on, and `fan_in` finds `{"error": message}` in its place. `"all_or_nothing"`:
            as `"fail_fast"`, and what was done is undone where a section's step has `compensate=`.
        name: The workflow's name.

    The result is the output of `done`: what `fan_in` gave.

    Raises:
        ValueError: no sections, one called like a step of the template, or a `failure_mode` that there is not.

    >>> workflow = create_sectioning({"style": "editor", "law": "lawyer"}, fan_in="chief_editor")
    >>> list(workflow.steps), workflow.validate()
    (['sections', 'style', 'law', 'fan_in', 'done', 'failed'], (True, None))
    """
    sections = several("fan_out", fan_out, taken=("sections", "fan_in", "done", "failed"))
    choice("failure_mode", failure_mode, get_args(FailureMode))
    if max_concurrency is not None:
        whole("max_concurrency", max_concurrency)
    steps = [
        ParallelStep(
            step_id="sections",
            description="Open the sections",
            branches={section: section for section in sections},
            max_concurrency=max_concurrency,
            failure=failure_mode,
            on_success="fan_in",
            on_failure="failed",
        ),
        *(step(section, worker, "One section") for section, worker in sections.items()),
        step("fan_in", fan_in, "Put the sections together", on_success="done", on_failure="failed"),
        done("The whole, of all sections"),
        failed(),
    ]
    return assemble(name, "Sections at once, then put together", "Look at every aspect of one task", steps)
