"""Workers of one run alone: by step, in the place of those that are registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.steps import callable_name
from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.calls import BoundWorker, bind_worker
from orchestration_kit.engine.plan import with_worker
from orchestration_kit.errors import RunStateError, UnknownStep

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven

StandIns = Mapping[str, BoundWorker]
"""By step id."""

NOBODY: StandIns = MappingProxyType({})

SKIPPED = "skipped"
"""The worker on record where a person gave the output."""


def bind_stand_in(step_id: str, worker: Any, name: str | None = None) -> BoundWorker:
    """Look at a worker of one step: a `WorkerDefinition`, or any callable that could be its executor.

    Raises:
        InvalidWorker: it cannot be called as a worker is.
    """
    if not isinstance(worker, WorkerDefinition):
        named = name or (callable_name(worker) if callable(worker) else step_id)
        worker = WorkerDefinition(worker_type=step_id, name=named, executor=worker)
    bound = bind_worker(worker)
    return bound if name is None else replace(bound, name=name)


def bind_stand_ins(definition: WorkflowDefinition, workers: Mapping[str, Any] | None) -> dict[str, BoundWorker]:
    """Look at the workers of one run.

    Raises:
        UnknownStep: the workflow has no such step, nor has one within it.
        InvalidWorker: one cannot be called as a worker is.
    """
    if not workers:
        return {}
    known = known_steps(definition)
    for step_id in workers:
        if step_id not in known:
            raise UnknownStep(definition.name, str(step_id), known)
    return {step_id: bind_stand_in(step_id, worker) for step_id, worker in workers.items()}


def known_steps(definition: WorkflowDefinition) -> list[str]:
    """Return the ids of all steps, those of workflows within it included."""
    found = list(definition.steps)
    for step in definition.steps.values():
        for body in step.bodies.values():
            if isinstance(body, WorkflowDefinition):
                found += [inner for inner in known_steps(body) if inner not in found]
    return found


def check_skip(run: Driven) -> None:
    """See that the next visit would call a worker.

    Raises:
        RunStateError: no worker would be called next.
    """
    visit = run.machine.upcoming()
    if visit is None:
        what, hint = "it waits for somebody", "Look at run.waiting."
        if run.is_finished:
            what, hint = "it has ended", "Fork it: run.fork(at=...), and skip there."
        raise RunStateError(run.run_id, run.state, f"nothing is to be skipped: {what}", hint)
    if visit.step.is_special or visit.group is not None:
        kind = visit.step.definition.kind
        raise RunStateError(
            run.run_id, run.state, f"{visit.path} is a step of kind {kind!r}, which calls no worker", "Step into it."
        )


def put_output_by_hand(run: Driven, given: tuple[Any] | None) -> None:
    """Have the next visit put out what a person gave, or what goes into it, instead of calling a worker.

    Where that does not do, the same again would not either: it is not tried again.
    """
    visit = run.machine.upcoming()
    if visit is None or visit.step.is_special or visit.group is not None:
        return  # it was another one a moment ago

    def call(input_data: Any) -> Any:
        return input_data if given is None else given[0]

    visit.wait_s = None
    by_hand = with_worker(visit.step, bind_stand_in(visit.step.step_id, call, SKIPPED))
    visit.step = replace(by_hand, max_retries=0)
