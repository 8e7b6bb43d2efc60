"""A workflow's definition becomes what its chain can do: the steps of the run's own thread, and their ways on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration_kit.definition.kinds import SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import Step, WorkflowStep
from orchestration_kit.reliability.chain import COMPLETED, FAILED

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

_ASIDE = ("body", "compensate")
_BAD = ("failure", "timeout", "budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a definition says of a step."""

    after_success: tuple[str, ...]
    """Where a visit that succeeds can lead: steps or ends, in the order in which they are tried."""
    after_failure: tuple[str, ...]
    """Where one that fails can lead; the way of a plain failure is first."""
    retries: int
    worker: str | None
    """The name of the one worker it asks for."""
    worker_type: str
    """The type of its worker, or the kind of the step."""
    is_certain: bool
    """It cannot fail: it calls nobody."""


def declared_steps(workflow: WorkflowDefinition) -> dict[str, Declared]:
    """Return the steps that a run comes to in its own thread, in the order of the definition.

    What stands in the branches of a step, or undoes one, is not among them.

    >>> from orchestration_kit.templates import create_build_website_workflow
    >>> found = declared_steps(create_build_website_workflow())
    >>> found["review_code"].after_success, found["review_code"].after_failure, found["failed"].after_success
    (('completed',), ('implement_code',), ('[failed]',))
    """
    coming = [] if workflow.initial_step is None else [workflow.initial_step]
    found: dict[str, Declared] = {}
    while coming:
        step_id = coming.pop()
        step = workflow.steps.get(step_id)
        if step is None or step_id in found:
            continue
        found[step_id] = declared_step(step)
        coming += [way.target for way in step.transitions() if way.kind not in _ASIDE]
    return {step_id: found[step_id] for step_id in workflow.steps if step_id in found}


def declared_step(step: Step) -> Declared:
    """Return what a definition says of one step."""
    ways = [way for way in step.transitions() if way.kind not in _ASIDE]
    good = [way.target for way in ways if way.kind not in _BAD]
    bad = [way.target for way in ways if way.kind == "failure"] or [FAILED]
    bad += [way.target for way in ways if way.kind in ("timeout", "budget")]
    if step.is_terminal:
        good = [COMPLETED if step.outcome == "completed" else FAILED]
    elif step.on_success is None:
        good.append(COMPLETED)
    repeated = step if isinstance(step, (WorkflowStep, SubworkflowStep)) else None
    own = step if isinstance(step, WorkflowStep) else None
    return Declared(
        after_success=tuple(dict.fromkeys(good)),
        after_failure=tuple(dict.fromkeys(bad)),
        retries=0 if repeated is None else repeated.max_retries,
        worker=None if own is None else own.worker,
        worker_type=step.kind if own is None else str(own.worker_type),
        is_certain=step.success_when is None and isinstance(step, WaitStep) and step.event is None,
    )
