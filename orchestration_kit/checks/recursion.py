"""Does a workflow run into itself for ever? Rules on sub-workflows, and on workflows that hold themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestration_kit.checks.endings import endings
from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.kinds import SubworkflowStep
from orchestration_kit.errors import listed

if TYPE_CHECKING:
    from orchestration_kit.definition.steps import Step
    from orchestration_kit.definition.workflow import WorkflowDefinition


def held_in_itself(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A workflow is no branch or body of itself: such a one has no end, not even on paper."""
    stack: list[tuple[WorkflowDefinition, tuple[WorkflowDefinition, ...], str]] = [(workflow, (workflow,), "")]
    while stack:
        inner, above, top = stack.pop()
        for step_id, step in inner.steps.items():
            for name, target in step.bodies.items():
                if isinstance(target, str):
                    continue
                if any(target is one for one in above):
                    yield Problem(
                        "endless-recursion",
                        (top or step_id,),
                        f"Workflow {target.name!r} holds itself: {name!r} of step {step_id!r} is that same workflow",
                        "Run it by name instead, with SubworkflowStep(workflow=...), and give it a way to end.",
                    )
                else:
                    stack.append((target, (*above, target), top or step_id))


def endless_recursion(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A workflow that runs itself can end without doing so; how deep it goes is capped when it runs."""

    def runs_itself(step: Step) -> bool:
        return isinstance(step, SubworkflowStep) and step.workflow == workflow.name

    again = [s for s, step in workflow.steps.items() if any(map(runs_itself, steps_within(step)))]
    if not again or workflow.initial_step not in workflow.steps:
        return
    if workflow.initial_step not in endings(workflow, runs_itself).of_run:
        yield Problem(
            "endless-recursion",
            tuple(again),
            f"Workflow {workflow.name!r} runs itself at {listed(again)}, and has no end that is reached without that",
            "Lead a way around it to a terminal step, e.g. Branch(when='size(output.rest) == 0', to=...) before it.",
        )


def steps_within(step: Step) -> Iterator[Step]:
    """Yield a step and the steps of the workflows that stand in it."""
    stack = [step]
    while stack:
        one = stack.pop()
        yield one
        for target in one.bodies.values():
            if not isinstance(target, str):
                stack.extend(target.steps.values())
