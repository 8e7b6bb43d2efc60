"""All steps of a workflow in one graph, those of inline workflows too, by where they stand. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestration_kit.checks.graph import ASIDE, reachable
from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.definition.steps import Branch, Step, TransitionKind

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


@dataclass(slots=True)
class Place:
    """A step where it stands, and what it leads to. Places are named like positions: `review[legal]/check`."""

    step: Step
    top: str
    """The step of the outer workflow that it stands in, or is."""
    where: str
    """For messages: "", or "In branch 'legal' of step 'review': "."""
    ways: list[tuple[TransitionKind, str]] = field(default_factory=list[tuple[TransitionKind, str]])
    """Transitions to places that exist, but for those that open branches."""
    opens: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Name and first place of each branch."""


def inside(step: Step, name: str) -> str:
    """Return the beginning of a message about what stands in a step.

    >>> inside(MapStep(step_id="grade", body="one"), "each")
    "In the body of step 'grade': "
    """
    place = "the body" if isinstance(step, MapStep) else f"branch {name!r}"
    return f"In {place} of step {step.step_id!r}: "


def places_of(workflow: WorkflowDefinition) -> dict[str, Place]:
    """Return every place by its name; places of the workflow's own steps are called as those."""
    found: dict[str, Place] = {}
    stack: list[tuple[WorkflowDefinition, str, str, str]] = [(workflow, "", "", "")]
    while stack:
        inner, path, top, where = stack.pop()
        for step_id, step in inner.steps.items():
            place = found[path + step_id] = Place(step, top or step_id, where)
            place.ways = [
                (t.kind, path + t.target) for t in step.transitions() if t.kind != "body" and t.target in inner.steps
            ]
            for name, target in step.bodies.items():
                if isinstance(target, str):
                    if target in inner.steps:
                        place.opens.append((name, path + target))
                    continue
                below = f"{path}{step_id}[{name}]/"
                if target.initial_step in target.steps:
                    place.opens.append((name, below + target.initial_step))
                stack.append((target, below, top or step_id, where + inside(step, name)))
    return found


def ways_of(places: dict[str, Place], key: str) -> Iterable[str]:
    """Return where the thread that is at a place goes on itself."""
    return (target for kind, target in places[key].ways if kind not in ASIDE)


def scope(places: dict[str, Place], start: str, *, maps: bool = True) -> set[str]:
    """Return the places a branch comes to, and its branches; without those of its maps where `maps` is false."""

    def onward(key: str) -> Iterable[str]:
        yield from ways_of(places, key)
        if maps or isinstance(places[key].step, ParallelStep):
            yield from (target for _, target in places[key].opens)

    return reachable([start], onward)


def is_conditional(step: Step, name: str) -> bool:
    """Whether a branch is activated only where its condition holds."""
    target: Any = step.branches[name] if isinstance(step, ParallelStep) else None
    return isinstance(target, Branch)
