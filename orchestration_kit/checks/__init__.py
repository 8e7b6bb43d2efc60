"""Layer 2: is the skeleton sound? Pure functions on the definition's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.checks import branching, existence, idle, joins, loops, paths, recursion, undoing
from orchestration_kit.checks.data_flow import data_flow
from orchestration_kit.checks.inline import inline_problems
from orchestration_kit.checks.problem import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration_kit.definition.workflow import WorkflowDefinition

OF_BRANCHES: tuple[Rule, ...] = (
    existence.initial_step,
    existence.missing_targets,
    paths.unreachable_steps,
    joins.impossible_joins,
    joins.circular_joins,
    branching.conditions,
    branching.callables,
    undoing.self_compensations,
    undoing.waiting_compensations,
    idle.ignored_transitions,
    branching.shadowed_branches,
    joins.branches_past_joins,
    loops.unbounded_loops,
    idle.idle_retry_policies,
    idle.misspelt_errors,
    idle.idle_budgets,
)
"""Checks that hold for a workflow which is a branch or body of a step, too."""


def inline_workflows(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """The workflows that stand in a step, as its branches or body, are sound as well."""
    return inline_problems(workflow, OF_BRANCHES)


RULES: tuple[Rule, ...] = (
    existence.initial_step,
    existence.missing_targets,
    paths.dead_ends,
    paths.unreachable_steps,
    paths.endless_loops,
    paths.endless_branches,
    joins.impossible_joins,
    joins.circular_joins,
    recursion.endless_recursion,
    branching.conditions,
    branching.callables,
    undoing.self_compensations,
    undoing.waiting_compensations,
    inline_workflows,
    idle.ignored_transitions,
    branching.shadowed_branches,
    joins.branches_past_joins,
    loops.unbounded_loops,
    idle.idle_retry_policies,
    idle.misspelt_errors,
    idle.idle_budgets,
    paths.unhandled_failures,
    joins.write_conflicts,
    data_flow,
)
"""Every check, in the order in which their findings are told."""


def check(workflow: WorkflowDefinition) -> list[Problem]:
    """Return what every check finds, errors before warnings.

    >>> from orchestration_kit import WorkflowDefinition, WorkflowStep
    >>> flow = WorkflowDefinition(name="demo")
    >>> flow.add_step(WorkflowStep(step_id="say", worker_type="generic", on_success="don"), is_initial=True)
    >>> flow.add_step(WorkflowStep(step_id="done", worker_type="generic", is_terminal=True))
    >>> for problem in check(flow):
    ...     print(problem.severity, problem.code, problem.steps)
    error missing-target ('say',)
    error unreachable ('done',)
    warning failure-without-path ('say',)
    """
    # The other checks rely on steps being steps, and on workflows that end on paper.
    for basis in (existence.misnamed_steps, recursion.held_in_itself):
        if found := list(basis(workflow)):
            return found
    found = [problem for rule in RULES for problem in rule(workflow)]
    return sorted(found, key=lambda problem: problem.severity != "error")


__all__ = ["RULES", "Problem", "Rule", "check"]
