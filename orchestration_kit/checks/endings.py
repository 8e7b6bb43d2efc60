"""From which steps can a thread end, if each join on its way needs branches that end? Pure functions.

A least fixed point, as for the productive symbols of a grammar (Hopcroft, Motwani, Ullman: Introduction to Automata
Theory, 7.1): a step ends its thread, leads to one that does, and opens only what can end itself.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from orchestration_kit.definition.kinds import ParallelStep
from orchestration_kit.definition.steps import Branch, Step, Transition

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

AFTER_SUCCESS = frozenset({"branch", "success"})
IN_SPITE = frozenset({"failure", "timeout", "budget"})
"""Transitions taken although the step did not succeed."""


class Endings(NamedTuple):
    """From where a thread can come to its end."""

    of_branches: set[str]
    """Steps from which a branch can end: at a terminal step, or at one that leads nowhere else."""
    of_run: set[str]
    """Steps from which the run can end: at a terminal step."""


def endings(workflow: WorkflowDefinition, barred: Callable[[Step], bool] = lambda _: False) -> Endings:
    """Return the steps from which an end can be reached without coming through a barred step.

    Args:
        workflow: its steps; inline workflows are looked into.
        barred: steps that are not to be passed.

    >>> from orchestration_kit.definition import ParallelStep, WorkflowDefinition
    >>> again = ParallelStep(step_id="again", branches={"x": "again"}, is_terminal=True)
    >>> endings(WorkflowDefinition(name="w", initial_step="again", steps={"again": again}))
    Endings(of_branches=set(), of_run=set())
    """
    inline = {
        (step_id, name): target.initial_step not in target.steps
        or target.initial_step in endings(target, barred).of_branches
        for step_id, step in workflow.steps.items()
        if isinstance(step, ParallelStep)
        for name, target in step.bodies.items()
        if not isinstance(target, str)
    }
    of_branches = _least(workflow, barred, inline, in_branch=True, ended=None)
    return Endings(of_branches, _least(workflow, barred, inline, in_branch=False, ended=of_branches))


def _least(
    workflow: WorkflowDefinition,
    barred: Callable[[Step], bool],
    inline: dict[tuple[str, str], bool],
    *,
    in_branch: bool,
    ended: set[str] | None,
) -> set[str]:
    """Add steps until nothing changes. `ended`: where branches can end, if that is known already."""
    found: set[str] = set()
    ways = {s: step.transitions() for s, step in workflow.steps.items() if not barred(step)}
    before: dict[str, list[str]] = defaultdict(list)
    for step_id, transitions in ways.items():
        for transition in transitions:
            before[transition.target].append(step_id)

    def ends(target: str, known: set[str]) -> bool:
        return target in known or target not in workflow.steps  # what is missing is told elsewhere

    def finishes(step_id: str, transitions: list[Transition]) -> bool:
        step = workflow.steps[step_id]
        if any(t.kind in IN_SPITE and ends(t.target, found) for t in transitions):
            return True
        stops = step.is_terminal or (in_branch and step.on_success is None)
        if not stops and not any(t.kind in AFTER_SUCCESS and ends(t.target, found) for t in transitions):
            return False
        return not isinstance(step, ParallelStep) or _joins(step, inline, lambda target: ends(target, opened))

    opened = found if ended is None else ended
    waiting = deque(ways)
    while waiting:
        step_id = waiting.popleft()
        if step_id not in found and finishes(step_id, ways[step_id]):
            found.add(step_id)
            waiting.extend(before[step_id])
    return found


def _joins(step: ParallelStep, inline: dict[tuple[str, str], bool], ends: Callable[[str], bool]) -> bool:
    """Whether as many branches can end as the join waits for. Of a map that may be none: its list may be empty."""
    ending = {
        name: ends(target) if isinstance(target, str) else inline[step.step_id, name]
        for name, target in step.bodies.items()
    }
    certain = [name for name, branch in step.branches.items() if not isinstance(branch, Branch)]
    if not certain:
        return True  # none of them has to be activated
    if step.join == "all":
        return all(ending[name] for name in certain)
    wanted = 1 if step.join == "any" else min(step.join, len(ending))
    return sum(ending.values()) >= wanted
