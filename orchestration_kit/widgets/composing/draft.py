"""A draft: a workflow on its way, and where its steps stand on the canvas. Edits return a new draft; none is changed.

Nothing here checks whether a workflow is sound: a draft may lead to steps that are not there yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from orchestration_kit.definition.ids import FORBIDDEN_IN_STEP_IDS
from orchestration_kit.definition.kinds import ParallelStep
from orchestration_kit.definition.renaming import copied_workflow
from orchestration_kit.definition.steps import Branch, Step
from orchestration_kit.definition.workflow import WorkflowDefinition

Spot = tuple[float, float]
"""The upper left corner of a box, in pixels of the canvas."""
Ends = tuple[str, str, str, int]
"""A line by its source, target and kind, and which one it is of those that have these in common."""
MAX_ID = 200
_EMPTY: Mapping[str, Spot] = MappingProxyType({})
_NO_TRACKS: Mapping[tuple[str, Ends], Track] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Track:
    """How a layout drew a line. It holds as long as both ends stand where they stood then, relative to each other."""

    source: Spot
    target: Spot
    points: tuple[Spot, ...]
    """A chain of Bezier curves."""
    label_at: Spot | None
    anchor: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A workflow as it stands now.

    >>> Draft(WorkflowDefinition(name="news")).workflow.name
    'news'
    """

    workflow: WorkflowDefinition
    """Never changed in place: every edit makes a new one."""
    spots: Mapping[str, Spot] = field(default_factory=lambda: _EMPTY)
    """Where boxes stand, by their place: `review`, `review[legal]/check`."""
    tracks: Mapping[tuple[str, Ends], Track] = field(default_factory=lambda: _NO_TRACKS)
    """How lines were drawn when the boxes were put in order, by the place of their workflow and their ends."""

    def own_workflow(self) -> WorkflowDefinition:
        """Return a copy that shares nothing which can be changed."""
        return copied_workflow(self.workflow)

    def moved(self, spots: Mapping[str, Spot]) -> Draft:
        """Return the draft with boxes in other places."""
        return replace(self, spots=MappingProxyType({**self.spots, **spots})) if spots else self

    def drawn(self, place: str, tracks: Mapping[Ends, Track]) -> Draft:
        """Return the draft with lines of one of its workflows drawn as a layout has them."""
        others = {key: track for key, track in self.tracks.items() if key[0] != place}
        return replace(
            self, tracks=MappingProxyType({**others, **{(place, ends): track for ends, track in tracks.items()}})
        )


def with_steps(workflow: WorkflowDefinition, steps: Mapping[str, Any], **changes: Any) -> WorkflowDefinition:
    """Return a workflow with these steps instead of its own."""
    return workflow.model_copy(update={"steps": dict(steps), **changes})


def free_id(wanted: str, taken: Collection[str]) -> str:
    """Return an id that no step has: the wanted one, or that with a number behind it.

    >>> free_id("coder", {"coder", "coder_2"}), free_id("a/b [c]", ())
    ('coder_3', 'a_b _c_')
    """
    clean = "".join("_" if c in FORBIDDEN_IN_STEP_IDS or not c.isprintable() else c for c in wanted).strip()
    base = clean[: MAX_ID - 8] or "step"
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}_{number}"
    return found


def add_step(workflow: WorkflowDefinition, step: Any) -> WorkflowDefinition:
    """Return the workflow with one more step, under its id; the first one is where runs begin."""
    first = workflow.initial_step if workflow.initial_step is not None or workflow.steps else step.step_id
    return with_steps(workflow, {**workflow.steps, step.step_id: step}, initial_step=first)


def remove_steps(workflow: WorkflowDefinition, ids: Iterable[str]) -> WorkflowDefinition:
    """Return the workflow without these steps, and without the ways that led to them.

    What a map or the last branch of a parallel step needs stays named, as a step that is missing.
    """
    gone = set(ids)
    steps = {key: _without(step, gone) for key, step in workflow.steps.items() if key not in gone}
    budget = workflow.budget
    if budget is not None and budget.on_budget in gone:
        budget = budget.model_copy(update={"on_budget": None})
    first = None if workflow.initial_step in gone else workflow.initial_step
    return with_steps(workflow, steps, initial_step=first, budget=budget)


def _without(step: Any, gone: set[str]) -> Any:
    """Return a step that leads to none of the steps that are gone."""
    changes: dict[str, Any] = {}
    for name in ("on_success", "on_failure", "on_timeout", "compensate"):
        if getattr(step, name, None) in gone:
            changes[name] = None
    budget = getattr(step, "budget", None)
    if budget is not None and budget.on_budget in gone:
        changes["budget"] = budget.model_copy(update={"on_budget": None})
    if isinstance(step, ParallelStep):
        kept = {name: target for name, target in step.branches.items() if _target(target) not in gone}
        if kept and len(kept) < len(step.branches):
            changes["branches"] = kept
    elif isinstance(step, Step) and any(branch.to in gone for branch in step.choices):
        changes["branches"] = tuple(branch for branch in step.choices if branch.to not in gone)
    return step.model_copy(update=changes) if changes else step


def _target(target: Any) -> Any:
    if isinstance(target, Branch):
        return target.to
    return target if isinstance(target, str) else None


def rename_step(workflow: WorkflowDefinition, step_id: str, new: str) -> WorkflowDefinition:
    """Return the workflow with another id for a step, wherever it is named, in conditions and paths too.

    Raises:
        DefinitionError: there is such a step already, or a condition cannot name it.
        pydantic.ValidationError: it is no id.
    """
    return workflow.replace(step_id, step_id=new)


def missing_ids(workflow: WorkflowDefinition) -> list[str]:
    """Return the ids that are named and that no step has, each once.

    >>> flow = WorkflowDefinition(name="news", initial_step="draft")
    >>> missing_ids(flow)
    ['draft']
    """
    named = [t.target for step in workflow.steps.values() for t in step.transitions()]
    if workflow.initial_step is not None:
        named.insert(0, workflow.initial_step)
    if workflow.budget is not None and workflow.budget.on_budget is not None:
        named.append(workflow.budget.on_budget)
    return [name for name in dict.fromkeys(named) if name not in workflow.steps]
