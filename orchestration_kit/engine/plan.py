"""A registered workflow, compiled: frozen and slotted, so that later changes of the definition do not reach it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from orchestration_kit.definition.budgets import Budget, rate_of
from orchestration_kit.definition.conditions import CompiledCondition, compile_condition
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import Branch, RetryPolicy, Step, WorkflowStep
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.calls import BoundWorker
from orchestration_kit.engine.services import NO_SERVICES, Services
from orchestration_kit.errors import InvalidWorkflow, MissingWorkers


@dataclass(frozen=True, slots=True)
class PlannedBranch:
    """A branch with its condition compiled."""

    when: CompiledCondition
    to: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where a branch begins."""

    initial: str
    plan: Plan | None
    """A workflow within the workflow; None: the steps of the one that the step is in."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The branches that a step opens, and how they are joined."""

    targets: Mapping[str, Target]
    """By branch; under "" for a map, whose branches all begin at the same."""
    conditions: Mapping[str, CompiledCondition]
    """Of the branches that are activated only where theirs holds."""
    over: Any
    """Where the items of a map are: a path, or a callable."""
    join: Any
    failure: str
    reducer: Any
    max_concurrency: int | None
    max_items: int


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
    definition: Step
    """As it was registered."""
    is_special: bool = False
    """It opens branches or waits, and calls no worker."""
    opens: Opening | None = None
    compensate: str | None = None
    on_timeout: str | None = None
    on_budget: str | None = None
    event: str | None = None
    """What it waits for."""
    budget: Budget | None = None
    lock: str | None = None
    rate: tuple[float, float] | None = None
    """How many attempts, in how many seconds."""

    is_plain: bool = True
    """A worker is called, and nothing has to be waited for."""

    @property
    def is_gated(self) -> bool:
        """Whether an attempt needs a lock, has to keep to a rate, or waits for room at an executor."""
        is_placed = self.worker is not None and self.worker.place is not None
        return is_placed or self.lock is not None or self.rate is not None


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
    is_budgeted: bool = False
    """It has a budget, or a step with one."""
    is_undoable: bool = False
    """Some step names one that undoes it."""
    bind: Callable[[Plan], Plan] | None = None
    """Gives workers to a workflow that a worker made; None where this one has none itself."""
    services: Services = NO_SERVICES
    """What the hub lends to the workers."""

    def steps_of(self, definition: WorkflowDefinition) -> Plan:
        """Compile a workflow that runs within this one, with workers where this one has them.

        Raises:
            InvalidWorkflow: the checks found errors.
            MissingWorkers: it needs workers that are not registered.
        """
        plan = compile_plan(definition)
        return plan if self.bind is None else self.bind(plan)


_NEEDED = ("body", "compensate")
"""Ways to steps that are there for their worker: none of them may pass its input on for want of one."""


def compile_plan(workflow: WorkflowDefinition) -> Plan:
    """Check a workflow and compile it. Nothing is bound to workers yet.

    Raises:
        InvalidWorkflow: the checks found errors; it holds all of them.
    """
    errors = tuple(problem for problem in workflow.problems() if problem.severity == "error")
    if errors or workflow.initial_step is None:
        raise InvalidWorkflow(workflow.name, errors)
    aside = {way.target for step in workflow.steps.values() for way in step.transitions() if way.kind in _NEEDED}
    steps = {step_id: _planned(step, is_needed=step_id in aside) for step_id, step in workflow.steps.items()}
    return Plan(
        workflow=workflow.name,
        initial=workflow.initial_step,
        steps=steps,
        fingerprint=workflow.fingerprint(),
        has_async=False,
        definition=workflow.model_copy(update={"steps": {k: s.model_copy() for k, s in workflow.steps.items()}}),
        is_undoable=any(step.compensate is not None for step in steps.values()),
        is_budgeted=workflow.budget is not None or any(_is_budgeted(step) for step in steps.values()),
    )


def _planned(step: Step, *, is_needed: bool) -> PlannedStep:
    own = step if isinstance(step, WorkflowStep) else None
    repeated = step if isinstance(step, (WorkflowStep, SubworkflowStep)) else None
    budget = None if own is None else own.budget
    return PlannedStep(
        step_id=step.step_id,
        output_key=f"{step.step_id}_output",
        worker_type=step.kind if own is None else str(own.worker_type),
        wanted=None if own is None else own.worker,
        worker=None,
        on_success=None if step.is_terminal else step.on_success,
        on_failure=step.on_failure,
        branches=()
        if step.is_terminal
        else tuple(PlannedBranch(compile_condition(b.when), b.to) for b in step.choices),
        success_when=None if step.success_when is None else compile_condition(step.success_when),
        may_lack_worker=repeated is None
        or (own is not None and own.is_terminal and own.worker is None and not is_needed),
        outcome=step.outcome,
        max_retries=0 if repeated is None else repeated.max_retries,
        retry=None if repeated is None else repeated.retry,
        timeout_s=None if repeated is None else repeated.timeout_s,
        worker_name=None,
        worker_fingerprint=None,
        is_direct=False,
        is_prepared=False,
        is_judged=step.success_when is not None,
        definition=step,
        is_special=repeated is None,
        opens=_opening(step),
        compensate=step.compensate,
        on_timeout=step.on_timeout if isinstance(step, (ApprovalStep, WaitStep)) else None,
        event=step.event if isinstance(step, WaitStep) else None,
        on_budget=None if budget is None else budget.on_budget,
        budget=budget,
        lock=None if own is None else own.lock,
        rate=None if own is None or own.rate is None else rate_of(own.rate),
        is_plain=repeated is not None and (own is None or (own.lock is None and own.rate is None)),
    )


def _is_budgeted(step: PlannedStep) -> bool:
    targets = () if step.opens is None else step.opens.targets.values()
    return step.budget is not None or any(target.plan is not None and target.plan.is_budgeted for target in targets)


def _opening(step: Step) -> Opening | None:
    if not isinstance(step, (ParallelStep, MapStep)):
        return None
    is_map = isinstance(step, MapStep)
    bodies = {"": step.body} if is_map else step.bodies
    chosen = {} if is_map else {name: b.when for name, b in step.branches.items() if isinstance(b, Branch)}
    return Opening(
        targets={name: _target(body) for name, body in bodies.items()},
        conditions={name: compile_condition(when) for name, when in chosen.items()},
        over=step.over if is_map else None,
        join=step.join,
        failure=step.failure,
        reducer=step.reducer,
        max_concurrency=step.max_concurrency,
        max_items=step.max_items if is_map else len(bodies),
    )


def _target(body: Any) -> Target:
    if isinstance(body, str):
        return Target(body, None)
    plan = compile_plan(body)
    return Target(plan.initial, plan)


def with_worker(step: PlannedStep, worker: BoundWorker | None) -> PlannedStep:
    """Return a step with a worker at it."""
    if worker is None:
        return step
    is_called_here = not (worker.is_async or worker.is_generator or worker.runs is not None or worker.place is not None)
    return replace(
        step,
        worker=worker,
        worker_name=worker.name,
        worker_fingerprint=worker.fingerprint,
        is_direct=is_called_here and step.timeout_s is None,
        is_plain=step.is_plain and worker.place is None,
        is_prepared=worker.input_transformer is not None,
        is_judged=step.is_judged or worker.shapes_output,
    )


def bind(plan: Plan, find: Callable[[PlannedStep], BoundWorker | None], known: list[str]) -> Plan:
    """Return the plan with a worker at each step. A terminal step may do without one.

    Raises:
        MissingWorkers: naming all that are missing, and the steps that need them.
    """
    missing: dict[str, list[str]] = {}
    bound = _bound(plan, find, missing, "")
    if missing:
        raise MissingWorkers(plan.workflow, missing, known)
    return replace(bound, bind=partial(_bind_more, find, known))


def _bind_more(find: Callable[[PlannedStep], BoundWorker | None], known: list[str], plan: Plan) -> Plan:
    return bind(plan, find, known)


def _bound(
    plan: Plan, find: Callable[[PlannedStep], BoundWorker | None], missing: dict[str, list[str]], where: str
) -> Plan:
    steps: dict[str, PlannedStep] = {}
    names: list[str] = []
    for step_id, step in plan.steps.items():
        worker = None if step.is_special else find(step)
        if worker is None and not step.may_lack_worker:
            needed = f"worker {step.wanted!r}" if step.wanted else f"a worker of type {step.worker_type!r}"
            if isinstance(step.definition, SubworkflowStep):
                needed = f"the workflow {step.definition.workflow!r}"
            missing.setdefault(needed, []).append(f"{step_id}{where}")
        names.append(f"{step_id}={worker.name if worker else ''}")
        steps[step_id] = with_worker(step, worker)
        if step.opens is not None:
            targets: dict[str, Target] = {}
            for key, target in step.opens.targets.items():
                place = f" in {f'branch {key!r}' if key else 'the body'} of {step_id}{where}"
                inner = target.plan and _bound(target.plan, find, missing, place)
                targets[key] = replace(target, plan=inner)
                names += [] if inner is None else [f"{step_id}[{key}]={inner.fingerprint}"]
            steps[step_id] = replace(steps[step_id], opens=replace(step.opens, targets=targets))
    text = "\n".join([plan.fingerprint, *names])
    return replace(
        plan,
        steps=steps,
        fingerprint=hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest(),
        has_async=any(step.worker is not None and step.worker.is_async for step in steps.values()),
    )
