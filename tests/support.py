"""Short ways to build hubs and workflows for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep


def workflow_of(*steps: WorkflowStep, name: str = "flow") -> WorkflowDefinition:
    """A workflow of steps; the first is the initial one."""
    workflow = WorkflowDefinition(name=name)
    for index, step in enumerate(steps):
        workflow.add_step(step, is_initial=index == 0)
    return workflow


def step(step_id: str, to: str | None = None, **fields: Any) -> WorkflowStep:
    """A step whose worker type is its own id; without `to` it is terminal."""
    defaults: dict[str, Any] = {"worker_type": step_id, "on_success": to, "is_terminal": to is None}
    return WorkflowStep(step_id=step_id, **{**defaults, **fields})


def hub_of(workflow: WorkflowDefinition, workers: dict[str, Callable[..., Any]], **options: Any) -> Orchestrator:
    """A hub with a workflow and workers by type."""
    hub = Orchestrator(**options)
    for worker_type, executor in workers.items():
        hub.register_worker(WorkerDefinition(worker_type=worker_type, name=worker_type, executor=executor))
    hub.register_workflow(workflow)
    return hub


def run_of(*steps: WorkflowStep, workers: dict[str, Callable[..., Any]], **options: Any) -> Any:
    """Run a workflow of steps to its end and return the context."""
    workflow = workflow_of(*steps)
    return hub_of(workflow, workers).execute_workflow(workflow.name, "goal", verbose=False, **options)
