"""Layer 2: is the skeleton sound? Pure functions on the definition's graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.checks import rules
from orchestration_kit.checks.data_flow import data_flow
from orchestration_kit.checks.problem import Problem

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

RULES: tuple[rules.Rule, ...] = (
    rules.initial_step,
    rules.missing_targets,
    rules.dead_ends,
    rules.unreachable_steps,
    rules.endless_loops,
    rules.conditions,
    rules.ignored_transitions,
    rules.shadowed_branches,
    rules.unbounded_loops,
    rules.idle_retry_policies,
    rules.unhandled_failures,
    data_flow,
)
"""Every check, in the order in which their findings are told."""


def check(workflow: WorkflowDefinition) -> list[Problem]:
    """Return what every check finds, errors before warnings."""
    if misnamed := list(rules.misnamed_steps(workflow)):
        return misnamed  # the other checks rely on steps being steps
    found = [problem for rule in RULES for problem in rule(workflow)]
    return sorted(found, key=lambda problem: problem.severity != "error")


__all__ = ["RULES", "Problem", "check"]
