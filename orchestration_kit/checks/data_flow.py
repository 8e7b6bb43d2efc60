"""Do declared reads and writes of the data bus fit together? Pure functions on the graph.

A forward "definitely assigned" analysis: an entry counts as written before a step only if every path to
that step wrote it (Aho, Lam, Sethi, Ullman: Compilers, 9.2). Entries given as `initial_data` are not known
to a definition, which is why these are warnings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestration_kit.checks.graph import reachable, to_graph
from orchestration_kit.checks.problem import Problem
from orchestration_kit.errors import listed

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition


def data_flow(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Data read before every path wrote it, and data written but never read."""
    reads = {key for step in workflow.steps.values() for key in step.reads}
    writes = {key for step in workflow.steps.values() for key in step.writes}
    if workflow.initial_step not in workflow.steps or not (reads or writes):
        return
    bits = {key: 1 << index for index, key in enumerate(sorted(reads))}
    before = _written_before(workflow, workflow.initial_step, bits)
    for step_id, step in workflow.steps.items():
        early = [key for key in step.reads if not before.get(step_id, -1) & bits[key]]
        if early:
            yield Problem(
                "read-before-write",
                (step_id,),
                f"Step {step_id!r} reads {listed(early)}, which not every path to it has written",
                "Give it as initial_data, or let an earlier step write it (writes=...).",
                "warning",
            )
    unread = [key for key in _ordered_writes(workflow) if key not in reads]
    if unread:
        writers = tuple(s for s, step in workflow.steps.items() if any(key in unread for key in step.writes))
        yield Problem(
            "never-read",
            writers,
            f"Written but never read by a step: {listed(unread)}",
            "Declare who reads it (reads=...), or drop it if nobody looks at it after the run.",
            "warning",
        )


def _ordered_writes(workflow: WorkflowDefinition) -> list[str]:
    return list(dict.fromkeys(key for step in workflow.steps.values() for key in step.writes))


def _written_before(workflow: WorkflowDefinition, start: str, bits: dict[str, int]) -> dict[str, int]:
    """For each reachable step the keys, one bit each, that every path from the start has written before it."""
    graph = to_graph(workflow)
    found = reachable([start], graph.successors)
    before = dict.fromkeys(found, (1 << len(bits)) - 1)
    before[start] = 0
    waiting = deque(step_id for step_id in workflow.steps if step_id in found)
    while waiting:
        step_id = waiting.popleft()
        after_failure = before[step_id] | bits.get(f"{step_id}_output", 0)
        after = after_failure
        for key in workflow.steps[step_id].writes:
            after |= bits.get(key, 0)
        for target in graph.successors(step_id):
            # A failed attempt leaves no writes, apart from the step's output entry.
            carried = after_failure if "failure" in graph.edges[step_id, target]["kinds"] else after
            if before[target] & ~carried:
                before[target] &= carried
                waiting.append(target)
    return before
