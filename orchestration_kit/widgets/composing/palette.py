"""What can be added to a workflow: the workers and workflows of a hub, and every kind of step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import DefinitionError
from orchestration_kit.widgets.composing.draft import free_id

FIRST_WAIT_S = 60.0
"""Seconds of a new wait."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of step, as the palette shows it."""

    name: str
    model: type[Any]
    title: str
    about: str
    needed: Callable[[str], dict[str, Any]]
    """What a step of the kind cannot be without, for its id."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("step", WorkflowStep, "Step", "a worker does it", lambda _: {"worker_type": "generic"}),
        Kind(
            "parallel", ParallelStep, "Parallel", "several branches at once, then a join",
            lambda key: {"branches": {"left": f"{key}_left", "right": f"{key}_right"}},
        ),
        Kind("map", MapStep, "Map", "one branch for each item of a list", lambda key: {"body": f"{key}_each"}),
        Kind("workflow", SubworkflowStep, "Sub-workflow", "another registered workflow", lambda _: {"workflow": "?"}),
        Kind("approval", ApprovalStep, "Approval", "a person decides", lambda _: {"prompt": "Shall it go on?"}),
        Kind("wait", WaitStep, "Wait", "for a time, or for an event", lambda _: {"for_s": FIRST_WAIT_S}),
    )
}  # fmt: skip
"""Every kind of step, by its tag."""

ItemKind = Literal["worker", "kind", "workflow"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of the palette."""

    group: ItemKind
    name: str
    about: str
    title: str = ""


def items_of(hub: Orchestrator | None) -> list[Item]:
    """Return what a hub has, and all kinds of steps."""
    found: list[Item] = []
    if hub is not None:
        found += [Item("worker", name, worker_type, name) for name, worker_type in hub.named_workers().items()]
    found += [Item("kind", kind.name, kind.about, kind.title) for kind in KINDS.values()]
    if hub is not None:
        found += [Item("workflow", name, "registered workflow", name) for name in hub.workflows]
    return found


def new_step(hub: Orchestrator | None, group: str, name: str, workflow: WorkflowDefinition) -> Any:
    """Return a new step for something of the palette, under an id that is free.

    A worker that its type picks anyway is named by type alone, so that another one can take over its work.

    Raises:
        DefinitionError: there is no such thing any more.
    """
    taken = workflow.steps
    if group == "worker" and hub is not None and (worker_type := hub.named_workers().get(name)) is not None:
        picked = hub.workers.get(worker_type)
        named = None if picked is not None and picked.name == name else name
        return WorkflowStep(step_id=free_id(worker_type, taken), worker_type=worker_type, worker=named)
    if group == "workflow":
        return SubworkflowStep(step_id=free_id(name, taken), workflow=name)
    kind = KINDS.get(name)
    if group != "kind" or kind is None:
        raise DefinitionError(f"The palette has no {group:.20} {name!r:.80} any more.")
    step_id = free_id(name, taken)
    needed = kind.needed(step_id)
    if name == "workflow":
        known = [] if hub is None else list(hub.workflows)
        needed = {"workflow": known[0] if known else "name of a registered workflow"}
    return kind.model(step_id=step_id, **needed)
