"""Workflows for notebooks of tests."""

from __future__ import annotations

from orchestration_kit import Orchestrator, WorkerDefinition
from tests.support import step, workflow_of

CHAIN = workflow_of(step("a", "b"), step("b", "c"), step("c"), name="chain")
REVIEW = workflow_of(
    step("write", "review", on_failure="give_up", max_retries=1),
    step("review", "publish", success_when="output.approved == true", on_failure="write"),
    step("publish"),
    step("give_up", outcome="failed"),
    name="review",
)


def hub_with(*workflows, journal=None, **workers):
    hub = Orchestrator(journal=journal)
    for name, executor in workers.items():
        hub.register_worker(WorkerDefinition(worker_type=name, name=name.title(), executor=executor))
    for workflow in workflows:
        hub.register_workflow(workflow)
    return hub


def outputs(run):
    return {entry["path"]: entry["output"] for entry in run.history}


def paths(run):
    return [entry["path"] for entry in run.history]
