"""What the runs of a set need where they are made becomes bytes: workflows, workers, limits. And what has to stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.kinds import SubworkflowStep
from orchestration_kit.engine.plan import Plan
from orchestration_kit.errors import listed
from orchestration_kit.scale.errors import NotMadeElsewhere

if TYPE_CHECKING:
    from orchestration_kit.definition.workers import WorkerDefinition
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.plan import PlannedStep
    from orchestration_kit.scale.plan import SetPlan


@dataclass(frozen=True, slots=True)
class Parcel:
    """What all runs of a set need where they are made."""

    digest: str
    content: bytes
    """For `remote.hub_of`."""
    fingerprint: str
    """Of the workflow as it is compiled here."""
    resources: dict[str, float]
    """What a machine has to offer: the most that any worker asks for."""
    may_repeat: bool
    """Whether a run may be made anew where its machine was lost: whether all its workers are idempotent."""


def parcel_of(hub: Orchestrator, plan: SetPlan) -> Parcel:
    """Return what the runs of a set need elsewhere.

    Raises:
        NotMadeElsewhere: the hub has what cannot leave it: rules, actions, lessons, recordings, locks, rates, or
            workers that are called at the hub.
        NotSendable: a worker or the workflow holds what cannot be pickled.
    """
    compiled = hub.current_plan(plan.workflow)
    flows, steps = _inside(hub, plan.workflow)
    _check_may_leave(hub, compiled, steps)
    workers = _workers(hub, steps)
    resources: dict[str, float] = {}
    for worker in workers:
        for name, amount in worker.resources.items():
            resources[name] = max(amount, resources.get(name, 0.0))
    content = _pickled(
        {
            "workflows": flows,
            "workers": workers,
            "limits": plan.limits or hub.limits,
            "redact": False if hub.services.scrub is None else [*hub.services.scrub.patterns],
            "spawn_checks": hub.spawn_checks,
        }
    )
    digest = blake2b(content, digest_size=16).hexdigest()
    return Parcel(digest, content, compiled.fingerprint, resources, all(worker.idempotent for worker in workers))


def _check_may_leave(hub: Orchestrator, compiled: Plan, steps: list[PlannedStep]) -> None:
    services = hub.services
    rules = "Make them here: run_many(..., max_concurrency=...); or have the hub's workers called elsewhere: "
    rules += "Orchestrator(..., executor=...)."
    if services.gate is not None or services.hands:
        raise NotMadeElsewhere("constraints or actions", rules)
    if services.lessons is not None:
        raise NotMadeElsewhere("lessons (wisdom=)", rules)
    if getattr(compiled, "listener", None) is not None or hub.cassette is not None:
        raise NotMadeElsewhere("a cassette", "Make the runs here, or close the cassette.")
    gated = [step.step_id for step in steps if step.lock is not None or step.rate is not None]
    if gated:
        raise NotMadeElsewhere(f"locks or rates, of {listed(gated)}", rules)
    here = [step.worker.name for step in steps if step.worker is not None and step.worker.at_hub]
    if here:
        raise NotMadeElsewhere(f"workers that are called at the hub (at_hub=True): {listed(here)}", rules)


def _inside(hub: Orchestrator, workflow: str) -> tuple[list[WorkflowDefinition], list[PlannedStep]]:
    """Return a workflow and those that are its steps, and all their steps, those in branches too."""
    flows: dict[str, WorkflowDefinition] = {}
    steps: list[PlannedStep] = []
    left = [workflow]
    while left:
        name = left.pop()
        if name in flows:
            continue
        flows[name] = hub.workflows[name]
        plans = [hub.plan_of(name)]
        while plans:
            for step in plans.pop().steps.values():
                steps.append(step)
                if isinstance(step.definition, SubworkflowStep):
                    left.append(step.definition.workflow)
                targets = () if step.opens is None else step.opens.targets.values()
                plans += [target.plan for target in targets if target.plan is not None]
    return list(flows.values()), steps


def _workers(hub: Orchestrator, steps: list[PlannedStep]) -> list[WorkerDefinition]:
    """Return the definitions of the workers of steps, each once; one that is used by its type comes last of it."""
    names = dict.fromkeys(step.worker.name for step in steps if step.worker is not None and step.worker.runs is None)
    by_type = {worker.name for worker in hub.workers.values()}
    ordered = sorted(names, key=lambda name: name in by_type)
    return [hub.definition_of(name) for name in ordered]


def _pickled(parts: dict[str, Any]) -> bytes:
    from orchestration_kit.executors.errors import MissingExecutorExtra, NotSendable

    try:
        import cloudpickle

        dumps: Callable[[Any], bytes] = cast("Any", cloudpickle).dumps
    except ImportError as error:
        raise MissingExecutorExtra("run_many on an executor of other processes", "cloudpickle", "processes") from error
    for kind in ("workers", "workflows", "spawn_checks"):
        for one in parts[kind]:
            try:
                dumps(one)
            except Exception as error:
                what = f"{kind.replace('_', ' ')[:-1].capitalize()} {getattr(one, 'name', one)!r:.80}"
                hint = "Give it plain data and functions; open connections and files inside of the function."
                raise NotSendable(what, f"{type(error).__name__}: {error!s:.300}", hint) from error
    return dumps(parts)
