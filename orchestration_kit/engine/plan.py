"""A registered workflow, compiled: frozen and slotted, so that later changes of the definition do not reach it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from orchestration_kit.definition.conditions import CompiledCondition, compile_condition
from orchestration_kit.definition.steps import RetryPolicy, WorkflowStep
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.calls import BoundWorker
from orchestration_kit.errors import InvalidWorkflow, MissingWorkers


@dataclass(frozen=True, slots=True)
class PlannedBranch:
    """A branch with its condition compiled."""

    when: CompiledCondition
    to: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with its conditions compiled and, once bound, its worker."""

    step_id: str
    output_key: str
    worker_type: str
    wanted: str | None
    """The name of the one worker it asks for; None: any of its type."""
    worker: BoundWorker | None
    on_success: str | None
    on_failure: str | None
    branches: tuple[PlannedBranch, ...]
    success_when: CompiledCondition | None
    may_lack_worker: bool
    """Terminal: without a worker of its type, it passes the last output on."""
    outcome: str
    max_retries: int
    retry: RetryPolicy | None
    timeout_s: float | None
    worker_name: str | None
    worker_fingerprint: str | None
    is_direct: bool
    """Its worker is called on the spot: sync, no pieces, no time limit."""
    is_prepared: bool
    """Its worker has an input transformer."""
    is_judged: bool
    """Something is done to what its worker returns: a schema, `success_when` or a transformer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A workflow ready to run."""

    workflow: str
    initial: str
    steps: Mapping[str, PlannedStep]
    fingerprint: str
    has_async: bool
    """Some worker is async, so that an event loop is needed."""
    definition: WorkflowDefinition
    """As it was registered."""


def compile_plan(workflow: WorkflowDefinition) -> Plan:
    """Check a workflow and compile it. Nothing is bound to workers yet.

    Raises:
        InvalidWorkflow: the checks found errors; it holds all of them.
    """
    errors = tuple(problem for problem in workflow.problems() if problem.severity == "error")
    if errors or workflow.initial_step is None:
        raise InvalidWorkflow(workflow.name, errors)
    return Plan(
        workflow=workflow.name,
        initial=workflow.initial_step,
        steps={step_id: _planned(step) for step_id, step in workflow.steps.items()},
        fingerprint=workflow.fingerprint(),
        has_async=False,
        definition=workflow.model_copy(update={"steps": {k: s.model_copy() for k, s in workflow.steps.items()}}),
    )


def _planned(step: WorkflowStep) -> PlannedStep:
    return PlannedStep(
        step_id=step.step_id,
        output_key=f"{step.step_id}_output",
        worker_type=str(step.worker_type),
        wanted=step.worker,
        worker=None,
        on_success=None if step.is_terminal else step.on_success,
        on_failure=step.on_failure,
        branches=()
        if step.is_terminal
        else tuple(PlannedBranch(compile_condition(b.when), b.to) for b in step.branches),
        success_when=None if step.success_when is None else compile_condition(step.success_when),
        may_lack_worker=step.is_terminal and step.worker is None,
        outcome=step.outcome,
        max_retries=step.max_retries,
        retry=step.retry,
        timeout_s=step.timeout_s,
        worker_name=None,
        worker_fingerprint=None,
        is_direct=False,
        is_prepared=False,
        is_judged=step.success_when is not None,
    )


def _with_worker(step: PlannedStep, worker: BoundWorker | None) -> PlannedStep:
    if worker is None:
        return step
    return replace(
        step,
        worker=worker,
        worker_name=worker.name,
        worker_fingerprint=worker.fingerprint,
        is_direct=not (worker.is_async or worker.is_generator) and step.timeout_s is None,
        is_prepared=worker.input_transformer is not None,
        is_judged=step.is_judged or worker.shapes_output,
    )


def bind(plan: Plan, find: Callable[[PlannedStep], BoundWorker | None], known: list[str]) -> Plan:
    """Return the plan with a worker at each step. A terminal step may do without one.

    Raises:
        MissingWorkers: naming all that are missing, and the steps that need them.
    """
    missing: dict[str, list[str]] = {}
    steps: dict[str, PlannedStep] = {}
    for step_id, step in plan.steps.items():
        worker = find(step)
        if worker is None and not step.may_lack_worker:
            needed = f"worker {step.wanted!r}" if step.wanted else f"a worker of type {step.worker_type!r}"
            missing.setdefault(needed, []).append(step_id)
        steps[step_id] = _with_worker(step, worker)
    if missing:
        raise MissingWorkers(plan.workflow, missing, known)
    names = "\n".join(f"{step_id}={step.worker.name if step.worker else ''}" for step_id, step in steps.items())
    return Plan(
        workflow=plan.workflow,
        initial=plan.initial,
        steps=steps,
        fingerprint=hashlib.sha256(f"{plan.fingerprint}\n{names}".encode("utf-8", "backslashreplace")).hexdigest(),
        has_async=any(step.worker is not None and step.worker.is_async for step in steps.values()),
        definition=plan.definition,
    )
