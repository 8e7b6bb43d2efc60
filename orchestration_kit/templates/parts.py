"""What all templates share: who works at a step, how the steps become a workflow, and where it ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast

from orchestration_kit.definition import (
    ParallelStep,
    Step,
    WorkerDefinition,
    WorkerType,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.errors import did_you_mean

AnyWorker: TypeAlias = WorkerType | str | WorkerDefinition | Step
"""Who works at a step of a template: a worker type (a text is always a type); a `WorkerDefinition`, for that one
worker by its name; or a step of any kind, for its retries, time limit or schema, or for a person or a sub-workflow
in the place of a worker. Of a step the template sets the id and the ways on."""

Workers: TypeAlias = Mapping[str, AnyWorker] | Sequence[AnyWorker]
"""Several of them, by name. A list names each by its type, a `WorkerDefinition` by its name, a step by its id."""

END = "end"
"""The worker type of the steps a template ends with. Nobody needs to be registered for it; who is, gets called."""

_SET_BY_THE_TEMPLATE = ("on_success", "on_failure", "is_terminal", "branches")


def step(step_id: str, worker: AnyWorker, description: str, **ways: Any) -> AnyStep:
    """Return a step at which a worker works, with the ways on that the template gives it.

    Raises:
        TypeError: what is given is no worker.
        ValueError: it is a step that has ways on of its own.
    """
    if isinstance(worker, Step):
        return _placed(step_id, worker, description, ways)
    named: dict[str, Any]
    if isinstance(worker, WorkerDefinition):
        named = {"worker_type": worker.worker_type, "worker": worker.name}
    elif isinstance(worker, str):
        named = {"worker_type": worker}
    else:
        raise TypeError(_no_worker(step_id, worker))
    return WorkflowStep(step_id=step_id, description=description, **named, **ways)


def _placed(step_id: str, given: Step, description: str, ways: dict[str, Any]) -> AnyStep:
    """Return a given step in a template's place."""
    if isinstance(given, ParallelStep) and "branches" in ways:
        raise TypeError(
            f"A ParallelStep cannot stand at {step_id!r}, where the template chooses by the output: it has no "
            "conditional ways on. Put it into a workflow of its own, and give SubworkflowStep(workflow=...)."
        )
    own = [
        field
        for field in _SET_BY_THE_TEMPLATE
        if getattr(given, field, None) and not (field == "branches" and isinstance(given, ParallelStep))
    ]
    if own:
        raise ValueError(
            f"The step given for {step_id!r} sets {', '.join(own)}, which the template does. Leave that out, or "
            "change it in workflow.steps afterwards."
        )
    if clash := [field for field in ways if field not in _SET_BY_THE_TEMPLATE and _is_set(given, field)]:
        raise ValueError(f"The step given for {step_id!r} sets {', '.join(clash)}, which the template needs itself.")
    if unknown := [field for field in ways if field not in type(given).model_fields]:
        raise TypeError(f"{type(given).__name__} cannot stand at {step_id!r}: it has no {', '.join(unknown)}.")
    fields: dict[str, Any] = {name: getattr(given, name) for name in given.model_fields_set}
    fields |= {"description": given.description or description, "step_id": step_id, **ways}
    return cast("AnyStep", type(given)(**fields))


def _is_set(given: Step, field: str) -> bool:
    known = type(given).model_fields.get(field)
    return known is not None and getattr(given, field) != known.default


def _no_worker(step_id: str, worker: object) -> str:
    taken = "a worker type such as 'coder', a WorkerDefinition, or a step"
    if callable(worker):
        name = getattr(worker, "__name__", type(worker).__name__)
        return (
            f"Step {step_id!r} takes {taken}, not a function. Write WorkerDefinition(worker_type={step_id!r}, "
            f"name={step_id!r}, executor={name}), and register the same."
        )
    return f"Step {step_id!r} takes {taken}, not {worker!r:.60}."


def several(parameter: str, workers: Workers, *, taken: Iterable[str], least: int = 1) -> dict[str, AnyWorker]:
    """Return workers by name, each of which can be the id of a step.

    Raises:
        ValueError: there are too few, or a name stands twice or is taken by the template.
        TypeError: it is one worker, or no worker at all.
    """
    example = "{'first': 'coder', 'second': 'coder'}"
    named = _by_name(parameter, workers, example)
    if len(named) < least:
        raise ValueError(f"{parameter} holds {len(named)}: at least {least} is needed, e.g. {parameter}={example}.")
    reserved = [*taken]
    for name in named:
        if name in reserved:
            raise ValueError(
                f"{parameter}: the name {name!r} is taken, since the template adds a step of that name. Choose another."
            )
    return named


def _by_name(parameter: str, workers: Any, example: str) -> dict[str, AnyWorker]:
    if isinstance(workers, Mapping):
        named = dict(cast("Mapping[Any, AnyWorker]", workers))
        if bad := [name for name in named if not isinstance(name, str)]:
            raise TypeError(f"{parameter}: a name is text, not {bad[0]!r:.60}.")
        return named
    if isinstance(workers, (str, WorkerDefinition, Step)) or not isinstance(workers, Iterable):
        raise TypeError(f"{parameter} is a list or a mapping of workers, e.g. {example}, not {workers!r:.60}.")
    named: dict[str, AnyWorker] = {}
    for worker in cast("Iterable[AnyWorker]", workers):
        name = _called(parameter, worker)
        if name in named:
            raise ValueError(f"{parameter} names {name!r} twice. Give each a name of its own: {parameter}={example}.")
        named[name] = worker
    return named


def _called(parameter: str, worker: AnyWorker) -> str:
    if isinstance(worker, Step):
        return worker.step_id
    if isinstance(worker, WorkerDefinition):
        return worker.name
    if isinstance(worker, str):
        return str(worker)
    raise TypeError(_no_worker(parameter, worker))


def known_names(parameter: str, names: Iterable[str], known: Iterable[str]) -> None:
    """See that every name is one of those that are known.

    Raises:
        ValueError: one is not; the nearest is named.
    """
    possible = list(known)
    for name in names:
        if name not in possible:
            near = did_you_mean(name, possible) if isinstance(name, str) else ""
            raise ValueError(f"{parameter} names {name!r:.60}, and there is no such step.{near} Steps: {possible}.")


def end(step_id: str, description: str, outcome: Literal["completed", "failed"] = "failed") -> WorkflowStep:
    """Return a step that ends the run, and hands on what it is given."""
    return WorkflowStep(step_id=step_id, worker_type=END, description=description, is_terminal=True, outcome=outcome)


def done(description: str) -> WorkflowStep:
    """Return the step `done`, whose output is the result of the template."""
    return end("done", description, "completed")


def failed(description: str = "A worker failed") -> WorkflowStep:
    """Return the step `failed`, to which every failure of a worker leads."""
    return end("failed", description)


def assemble(name: str, description: str, goal: str, steps: Iterable[AnyStep]) -> WorkflowDefinition:
    """Return a workflow of steps, the first of which is the initial one."""
    workflow = WorkflowDefinition(name=name, description=description, goal=goal)
    for index, one in enumerate(steps):
        workflow.add_step(one, is_initial=index == 0)
    return workflow
