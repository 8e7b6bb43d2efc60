"""The workflow as a networkx graph, and the questions that checks and diagrams share. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

    from orchestration_kit.definition.workflow import WorkflowDefinition

ASIDE = frozenset({"body", "compensate"})
"""Transitions that open a thread of their own: a branch, or the undoing of a step."""


def to_graph(workflow: WorkflowDefinition, *, without: frozenset[str] = frozenset()) -> nx.DiGraph[str]:
    """Return the steps as nodes and the transitions between existing steps as edges, but for those of some kinds.

    An edge keeps its kinds ("success", "failure", "body" ...) under `kinds`.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(workflow.steps)
    for step_id, step in workflow.steps.items():
        for transition in step.transitions():
            if transition.target not in workflow.steps or transition.kind in without:
                continue
            if graph.has_edge(step_id, transition.target):
                graph.edges[step_id, transition.target]["kinds"].append(transition.kind)
            else:
                graph.add_edge(step_id, transition.target, kinds=[transition.kind])
    return graph


def reachable(starts: Iterable[str], neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    """Return the starts and everything that can be reached from them, without recursion."""
    found = set(starts)
    stack = list(found)
    while stack:
        for neighbour in neighbours(stack.pop()):
            if neighbour not in found:
                found.add(neighbour)
                stack.append(neighbour)
    return found


def cycles(graph: nx.DiGraph[str]) -> Iterator[set[str]]:
    """Yield each group of steps that can all reach one another (a loop, or several that share steps)."""
    import networkx as nx

    for group in nx.strongly_connected_components(graph):
        first = next(iter(group))
        if len(group) > 1 or graph.has_edge(first, first):
            yield group


def in_order(steps: Iterable[str], workflow: WorkflowDefinition) -> tuple[str, ...]:
    """Return steps in the order in which the workflow defines them."""
    wanted = set(steps)
    return tuple(step_id for step_id in workflow.steps if step_id in wanted)
