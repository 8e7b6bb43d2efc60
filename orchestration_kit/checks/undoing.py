"""Can a step be undone? Rules on `compensate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestration_kit.checks.graph import ASIDE, in_order, reachable, to_graph
from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.kinds import ApprovalStep, WaitStep
from orchestration_kit.errors import listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


def self_compensations(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A step is undone by another one."""
    own = [s for s, step in workflow.steps.items() if step.compensate == s]
    if own:
        yield Problem(
            "self-compensation",
            tuple(own),
            f"Undone by themselves, which does the same once more: {listed(own)}",
            "Name another step with compensate=..., one that takes back what this one did.",
        )


def waiting_compensations(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """What undoes a step should not wait: until somebody answers, a failed run stays half undone."""
    waiting = {s for s, step in workflow.steps.items() if isinstance(step, ApprovalStep | WaitStep)}
    if not waiting:
        return
    ways = to_graph(workflow, without=ASIDE)
    targets = {step.compensate for step in workflow.steps.values()} & workflow.steps.keys()
    waits_at = {t: in_order(reachable([t], ways.successors) & waiting, workflow) for t in targets if t is not None}
    for step_id, step in workflow.steps.items():
        if found := waits_at.get(step.compensate or ""):
            yield Problem(
                "waiting-compensation",
                (step_id,),
                f"Undoing step {step_id!r} waits at {listed(found)}, and so long the failed run is undone by half",
                "Undo with steps that need nobody; ask people before the step, or in the run that repairs it.",
                "warning",
            )
