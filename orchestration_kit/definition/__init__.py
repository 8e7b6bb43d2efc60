"""Layer 1: the skeleton as data. No clock, no I/O, no calls of workers."""

from orchestration_kit.definition.steps import Branch, RetryPolicy, Transition, WorkflowStep
from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
from orchestration_kit.definition.workflow import WorkflowDefinition

__all__ = [
    "Branch",
    "RetryPolicy",
    "Transition",
    "WorkerDefinition",
    "WorkerType",
    "WorkflowDefinition",
    "WorkflowStep",
]
