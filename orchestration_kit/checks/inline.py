"""Are the workflows sound that stand in a step, as its branches or body? The same rules, told with where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orchestration_kit.checks.paths import endless_branches
from orchestration_kit.checks.places import inside
from orchestration_kit.checks.problem import Problem, Rule

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


def inline_problems(workflow: WorkflowDefinition, rules: Sequence[Rule]) -> Iterator[Problem]:
    """Yield what the rules find in inline workflows, under the id of the step they stand in.

    Args:
        workflow: the workflow they stand in.
        rules: those that hold for a workflow which is a branch. A branch may end at a step that leads nowhere else.
    """
    for step_id, step in workflow.steps.items():
        for name, inner in step.bodies.items():
            if isinstance(inner, str):
                continue
            where = inside(step, name)
            for problem in _problems_of(inner, rules):
                yield Problem(problem.code, (step_id,), where + problem.message, problem.hint, problem.severity)


def _problems_of(inner: WorkflowDefinition, rules: Sequence[Rule]) -> Iterator[Problem]:
    for rule in rules:
        yield from rule(inner)
    yield from endless_branches(inner, whole=True)
    yield from ignored_budget(inner)
    yield from inline_problems(inner, rules)


def ignored_budget(inner: WorkflowDefinition) -> Iterator[Problem]:
    """A budget bounds a run; a workflow that stands in a step is no run of its own."""
    if inner.budget is not None:
        yield Problem(
            "ignored-budget",
            (),
            f"The budget of workflow {inner.name!r} bounds nothing, since a branch is no run of its own",
            "Set the budget of the outer workflow or of single steps, or use SubworkflowStep(workflow=...).",
            "warning",
        )
