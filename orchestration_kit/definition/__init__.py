"""Layer 1: the skeleton as data. No clock, no I/O, no calls of workers."""

from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import Branch, RetryPolicy, Step, Transition, WorkflowStep
from orchestration_kit.definition.workers import WorkerDefinition, WorkerType
from orchestration_kit.definition.workflow import WorkflowDefinition

__all__ = [
    "ApprovalStep",
    "Branch",
    "Budget",
    "MapStep",
    "ParallelStep",
    "RetryPolicy",
    "Step",
    "SubworkflowStep",
    "Transition",
    "WaitStep",
    "WorkerDefinition",
    "WorkerType",
    "WorkflowDefinition",
    "WorkflowStep",
]
