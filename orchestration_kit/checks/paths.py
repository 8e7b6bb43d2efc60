"""Can every step be reached, and can every thread end? Rules on the ways that a run and its branches take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestration_kit.checks.graph import in_order, reachable, to_graph
from orchestration_kit.checks.problem import Problem, steps_are
from orchestration_kit.checks.threads import starts_of, threads_of
from orchestration_kit.definition.kinds import WaitStep
from orchestration_kit.errors import listed

if TYPE_CHECKING:
    from orchestration_kit.definition.steps import Step
    from orchestration_kit.definition.workflow import WorkflowDefinition


def dead_ends(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A step that the run itself comes to is terminal, or leads on after a success. A branch may just end."""
    main = threads_of(workflow).main
    stuck = [s for s, step in workflow.steps.items() if s in main and _leads_nowhere(step)]
    if stuck:
        yield Problem(
            "dead-end",
            tuple(stuck),
            f"Dead end: {steps_are(stuck)} neither terminal nor with an on_success step",
            "Set on_success=..., or is_terminal=True where the run may end.",
        )


def unreachable_steps(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each step can be reached from the initial one, also as a branch, a body or a compensation."""
    starts = starts_of(workflow)
    if not starts:
        return
    found = reachable(starts, to_graph(workflow).successors)
    lost = [step_id for step_id in workflow.steps if step_id not in found]
    if lost:
        yield Problem(
            "unreachable",
            tuple(lost),
            f"Unreachable from the initial step {workflow.initial_step!r}: {listed(lost)}",
            "Lead a transition to each of them, or remove them.",
        )


def endless_loops(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """From each step that the run itself comes to, some terminal step can be reached."""
    threads = threads_of(workflow)
    ends = [s for s, step in workflow.steps.items() if step.is_terminal]
    finishing = reachable(ends, threads.ways.predecessors)
    trapped = [
        s
        for s, step in workflow.steps.items()
        if s not in finishing and (s in threads.main or s not in threads.aside)
        if not _leads_nowhere(step) and threads.ways.out_degree(s) > 0
    ]
    if trapped:
        met = reachable(trapped, threads.ways.successors)
        dead = [
            s for s in in_order(met - (threads.aside - threads.main), workflow) if _leads_nowhere(workflow.steps[s])
        ]
        why = f"the way ends at {listed(dead)}" if dead else "a loop nobody can leave"
        out = f"from {listed(dead)}" if dead else "out of it"
        yield Problem(
            "no-way-out",
            tuple(trapped),
            f"No terminal step can be reached from {listed(trapped)}: {why}",
            f"Lead a transition {out} to a step with is_terminal=True.",
        )


def endless_branches(workflow: WorkflowDefinition, *, whole: bool = False) -> Iterator[Problem]:
    """From each step of a branch or a compensation, an end of it can be reached: a terminal step, or no way on.

    Args:
        workflow: what is checked.
        whole: the workflow is itself the branch of a step.
    """
    threads = threads_of(workflow)
    ends = [s for s, step in workflow.steps.items() if step.is_terminal or _leads_nowhere(step)]
    finishing = reachable(ends, threads.ways.predecessors)
    inside = set(workflow.steps) if whole else threads.aside - threads.main  # of the others `endless_loops` tells
    trapped = in_order((s for s in inside - finishing if threads.ways.out_degree(s) > 0), workflow)
    if trapped:
        yield Problem(
            "no-way-out",
            trapped,
            f"A branch that comes to {listed(trapped)} never ends: a loop nobody can leave",
            "Lead a transition out of it, to a terminal step or to one without on_success.",
        )


def unhandled_failures(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A step without `on_failure` ends the run as failed when it fails. A branch hands its failure to the join."""
    threads = threads_of(workflow)
    bare = [
        s
        for s, step in workflow.steps.items()
        if step.on_failure is None and not step.is_terminal and _can_fail(step)
        if s in threads.main or s not in threads.aside
    ]
    if bare:
        yield Problem(
            "failure-without-path",
            tuple(bare),
            f"Without on_failure, so that a failure there ends the run: {listed(bare)}",
            "Set on_failure=... where the run should go on.",
            "warning",
        )


def _leads_nowhere(step: Step) -> bool:
    return not step.is_terminal and step.on_success is None


def _can_fail(step: Step) -> bool:
    """Whether it can fail at all. A wait for a time cannot, nor one for an event that has no limit or a way on then."""
    if isinstance(step, WaitStep):
        return step.success_when is not None or (step.timeout_s is not None and step.on_timeout is None)
    return True
