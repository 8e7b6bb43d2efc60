"""Do branches come together as they should? Rules on joins, on what runs past them, and on what branches write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.checks.endings import AFTER_SUCCESS, endings
from orchestration_kit.checks.graph import ASIDE, in_order, reachable, to_graph
from orchestration_kit.checks.places import Place, places_of, scope
from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.kinds import MapStep, ParallelStep
from orchestration_kit.errors import counted, listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


def impossible_joins(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A join waits for no more branches than there can be."""
    for step_id, step in workflow.steps.items():
        if isinstance(step, ParallelStep) and isinstance(step.join, int) and step.join > len(step.branches):
            there = counted(len(step.branches), "branch").replace("branchs", "branches")
            most = len(step.branches)
        elif isinstance(step, MapStep) and isinstance(step.join, int) and step.join > step.max_items:
            there, most = f"max_items={step.max_items:,}", step.max_items
        else:
            continue
        yield Problem(
            "join-never-fires",
            (step_id,),
            f"The join of step {step_id!r} waits for {step.join:,} branches, and there can be only {there}",
            f"Set join={most} or less, join='all', or add branches.",
        )


def circular_joins(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A join does not wait for a branch that opens it again and again before it can end."""
    parallel = [s for s, step in workflow.steps.items() if isinstance(step, ParallelStep)]
    if not parallel:
        return
    opening = to_graph(workflow, without=frozenset({"compensate"}))
    ways = to_graph(workflow, without=ASIDE)
    ends = [s for s, step in workflow.steps.items() if step.is_terminal or step.on_success is None]
    ending = reachable(ends, ways.predecessors)
    productive = endings(workflow).of_branches
    for step_id in parallel:
        for name, target in workflow.steps[step_id].bodies.items():
            if not isinstance(target, str) or target not in ending or target in productive:
                continue
            if step_id not in productive and step_id in reachable([target], opening.successors):
                yield Problem(
                    "join-never-fires",
                    (step_id,),
                    f"The join of step {step_id!r} never fires: its branch {name!r} opens it again before it can end",
                    "End the branch before it comes back there, or open it on a condition: Branch(when=..., to=...).",
                )


def branches_past_joins(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A branch ends before the join. One that leads on to the step after it runs that step as its own, once more."""
    after_success = to_graph(workflow, without=frozenset({"body", "compensate", "failure", "timeout", "budget"}))
    for step_id, step in workflow.steps.items():
        following = {t.target for t in step.transitions() if t.kind in AFTER_SUCCESS}
        starts = [target for target in step.bodies.values() if isinstance(target, str) and target in workflow.steps]
        if not following or not starts:
            continue
        found = reachable(starts, after_success.successors)
        if found & following and step_id not in found:
            shared = in_order(found & following, workflow)
            yield Problem(
                "shared-with-branch",
                (step_id, *shared),
                f"Branches of step {step_id!r} lead on to {listed(shared)}, which then runs in each of them "
                "and once more after the join",
                "End a branch at its last step, without on_success; the join leads on.",
                "warning",
            )


def write_conflicts(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """What several branches write under one key is made one by a reducer; without one, values that differ fail."""
    if not any(step.bodies for step in workflow.steps.values()):
        return
    places = places_of(workflow)
    order = {name: index for index, name in enumerate(places)}
    for place in places.values():
        step = place.step
        if not isinstance(step, ParallelStep | MapStep) or step.join in ("any", 1):
            continue
        reducer: Any = step.reducer
        if reducer is not None and not isinstance(reducer, dict):
            continue  # it is for all keys
        reduced = cast("dict[str, Any]", reducer or {})
        conflicts = [key for key in _written_by_several(places, place, order) if key not in reduced]
        if conflicts:
            who = "Several branches" if isinstance(step, ParallelStep) else "All items"
            yield Problem(
                "write-conflict",
                (place.top,),
                f"{place.where}{who} of step {step.step_id!r} write {listed(conflicts)}; "
                "where their values differ, the step fails",
                f"Say how they are made one, e.g. reducer={{{conflicts[0]!r}: 'list'}}, or write under different keys.",
                "warning",
            )


def _written_by_several(places: dict[str, Place], place: Place, order: dict[str, int]) -> list[str]:
    """Keys that more than one branch declares to write, in the order in which they are declared."""
    if isinstance(place.step, MapStep) and place.step.max_items == 1:
        return []
    keys: list[str] = []
    for _, start in place.opens:
        found = sorted(scope(places, start), key=order.__getitem__)
        keys += dict.fromkeys(key for name in found for key in places[name].step.writes)
    least = 1 if isinstance(place.step, MapStep) else 2
    return [key for key in dict.fromkeys(keys) if keys.count(key) >= least]
