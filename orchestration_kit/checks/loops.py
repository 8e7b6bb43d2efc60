"""What bounds a loop? One that nothing in the definition bounds ends only when the run's limits do it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestration_kit.checks.graph import ASIDE, cycles, in_order, to_graph
from orchestration_kit.checks.idle import bounds_something
from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.condition_text import read_condition
from orchestration_kit.definition.kinds import ApprovalStep, WaitStep
from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.errors import ConditionSyntaxError

if TYPE_CHECKING:
    from orchestration_kit.definition.steps import Step
    from orchestration_kit.definition.workflow import WorkflowDefinition


def unbounded_loops(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A loop that no condition on `visits`, no budget and nobody outside bounds runs until the run's limits stop it.

    A person or an event that is asked in each round bounds it. Branches within branches are no loop: their items do.
    """
    if workflow.budget is not None and bounds_something(workflow.budget):
        return
    graph = to_graph(workflow, without=ASIDE)
    graph.remove_nodes_from([s for s, step in workflow.steps.items() if _asks_outside(step)])
    for group in cycles(graph):
        if not any(_counts(workflow.steps[step_id]) for step_id in group):
            loop = in_order(group, workflow)
            yield Problem(
                "unbounded-loop",
                loop,
                f"Only the run's limits bound the loop {' -> '.join(loop[:6])}{' ...' if len(loop) > 6 else ''}",
                "Leave it after some rounds, e.g. Branch(when='visits >= 5', to=...), or set RunLimits(max_steps=...).",
                "warning",
            )


def _asks_outside(step: Step) -> bool:
    return isinstance(step, ApprovalStep) or (isinstance(step, WaitStep) and step.event is not None)


def _counts(step: Step) -> bool:
    """Whether it has a budget of its own, or a way on that depends on how often it was visited."""
    if isinstance(step, WorkflowStep) and step.budget is not None and bounds_something(step.budget):
        return True
    for condition in (step.success_when, *(branch.when for branch in step.choices)):
        if callable(condition):
            return True  # code may count for itself; it gets the benefit of the doubt
        if isinstance(condition, str):
            try:
                paths = read_condition(condition).paths
            except ConditionSyntaxError:
                continue
            if ("visits",) in paths:
                return True
    return False
