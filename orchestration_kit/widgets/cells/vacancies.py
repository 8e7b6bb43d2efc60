"""Which steps of a workflow have nobody to work at them yet, and who stands there meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.engine.outcome import Parked
from orchestration_kit.engine.plan import Plan, PlannedStep, compile_plan
from orchestration_kit.errors import UnknownWorkflow

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator

NOBODY = "nobody yet"
"""The name of who stands at a step without a worker."""


def vacancies(hub: Orchestrator, workflow: str) -> dict[str, WorkerDefinition]:
    """Return somebody who stands at each step of a workflow that has no worker, so that it can be begun all the same.

    Raises:
        UnknownWorkflow: no such workflow is registered.
    """
    definition = hub.workflows.get(workflow)
    if definition is None:
        raise UnknownWorkflow(str(workflow), list(hub.workflows))
    return {
        step.step_id: WorkerDefinition(worker_type=step.step_id, name=NOBODY, executor=_stand_aside)
        for step in _steps(compile_plan(definition))
        if not step.may_lack_worker and hub._find(step) is None  # noqa: SLF001 - the registry's own question
    }


def is_vacant(step: PlannedStep) -> bool:
    """Whether nobody works at a step yet."""
    return step.worker_name == NOBODY


def _stand_aside(_given: Any) -> Any:
    """Make no attempt: the visit waits until there is a cell for it."""
    raise Parked


def _steps(plan: Plan) -> Iterator[PlannedStep]:
    for step in plan.steps.values():
        yield step
        for target in () if step.opens is None else step.opens.targets.values():
            if target.plan is not None:
                yield from _steps(target.plan)
