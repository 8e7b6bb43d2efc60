"""A template is run in every way there is: with sync and async workers, through both doors."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowContext, WorkflowDefinition
from orchestration_kit.workers.patterns import pattern_workers

DOORS = ("sync workers", "async workers", "async door")


def hub_with(workflow: WorkflowDefinition, workers: dict[str, Callable[..., Any]], **options: Any) -> Orchestrator:
    """A hub with a workflow, its ready workers, and workers by type."""
    hub = Orchestrator(**options)
    for worker in pattern_workers(workflow):
        hub.register_worker(worker)
    for worker_type, executor in workers.items():
        hub.register_worker(WorkerDefinition(worker_type=worker_type, name=worker_type, executor=executor))
    hub.register_workflow(workflow)
    return hub


def as_async(worker: Callable[..., Any]) -> Callable[..., Any]:
    """The same worker as a coroutine function, that lets others go on before it answers."""
    try:
        parameters = inspect.signature(worker).parameters.values()
    except ValueError:
        parameters = ()  # a builtin that tells no signature
    takes_context = sum(one.default is one.empty or one.name == "context" for one in parameters) > 1

    async def answer(input_data: Any, context: WorkflowContext) -> Any:
        await asyncio.sleep(0)
        return worker(input_data, context) if takes_context else worker(input_data)

    return answer


@pytest.fixture(params=DOORS)
def perform(request: pytest.FixtureRequest) -> Callable[..., WorkflowContext]:
    """Run a workflow to its end, with workers by type."""

    def run(
        workflow: WorkflowDefinition, workers: dict[str, Callable[..., Any]], goal: str = "the goal", **options: Any
    ) -> WorkflowContext:
        if request.param != "sync workers":
            workers = {worker_type: as_async(worker) for worker_type, worker in workers.items()}
        hub = hub_with(workflow, workers)
        if request.param != "async door":
            return hub.execute_workflow(workflow.name, goal, verbose=False, **options)
        return asyncio.run(hub.aexecute_workflow(workflow.name, goal, verbose=False, **options))

    return run


def way(result: Any) -> list[str]:
    """The steps of a run, in the order of its record."""
    return [entry["step"] for entry in result.history]


def visits(result: Any, step: str) -> int:
    """How often a step is on record."""
    return way(result).count(step)
