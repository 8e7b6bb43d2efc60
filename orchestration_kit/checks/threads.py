"""Which steps the run's own thread comes to, and which its branches and compensations. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration_kit.checks.graph import ASIDE, reachable, to_graph

if TYPE_CHECKING:
    import networkx as nx

    from orchestration_kit.definition.workflow import WorkflowDefinition


@dataclass(frozen=True, slots=True)
class Threads:
    """The steps of a workflow by who comes to them; a step may belong to both."""

    ways: nx.DiGraph[str]
    """The transitions that a thread takes itself: all but those that open a branch or a compensation."""
    main: set[str]
    """Steps the run itself comes to. Without an initial step: all that no branch or compensation comes to."""
    aside: set[str]
    """Steps that a branch or a compensation comes to."""


def threads_of(workflow: WorkflowDefinition) -> Threads:
    """Tell the run's own thread from those that its steps open.

    >>> from orchestration_kit.definition import ParallelStep, WorkflowDefinition, WorkflowStep
    >>> both = ParallelStep(step_id="both", branches={"x": "a", "y": "b"}, is_terminal=True)
    >>> steps = {s: WorkflowStep(step_id=s, worker_type="generic") for s in "ab"}
    >>> flow = WorkflowDefinition(name="w", initial_step="both", steps={"both": both, **steps})
    >>> threads = threads_of(flow)
    >>> threads.main, sorted(threads.aside)
    ({'both'}, ['a', 'b'])
    """
    ways = to_graph(workflow, without=ASIDE)
    opened = {
        transition.target
        for step in workflow.steps.values()
        for transition in step.transitions()
        if transition.kind in ASIDE and transition.target in workflow.steps
    }
    aside = reachable(opened, ways.successors)
    starts = starts_of(workflow)
    main = reachable(starts, ways.successors) if starts else set(workflow.steps) - aside
    return Threads(ways, main, aside)


def starts_of(workflow: WorkflowDefinition) -> list[str]:
    """Return where the run's own thread begins, and where it goes on when the run's budget is spent."""
    if workflow.initial_step is None or workflow.initial_step not in workflow.steps:
        return []
    spent = workflow.budget.on_budget if workflow.budget else None
    return [workflow.initial_step] if spent is None or spent not in workflow.steps else [workflow.initial_step, spent]
