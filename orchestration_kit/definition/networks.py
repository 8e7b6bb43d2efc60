"""A workflow as a networkx graph, and back. Nothing in a graph is evaluated: its texts are data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.base import fields_of
from orchestration_kit.definition.edges import Ways
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import Step, WorkflowStep
from orchestration_kit.errors import DefinitionError, did_you_mean, listed

if TYPE_CHECKING:
    import networkx as nx

    from orchestration_kit.definition.workflow import WorkflowDefinition

KINDS: dict[str, type[Step]] = {
    "step": WorkflowStep,
    "parallel": ParallelStep,
    "map": MapStep,
    "workflow": SubworkflowStep,
    "approval": ApprovalStep,
    "wait": WaitStep,
}


def network_of(workflow: WorkflowDefinition) -> nx.MultiDiGraph[str]:
    """Return steps as nodes and transitions between them as edges; see `WorkflowDefinition.to_networkx`."""
    import networkx as nx

    data = workflow.to_dict()
    written = fields_of(data.pop("steps", {}))
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=workflow.name, workflow=data)
    for step_id, step in workflow.steps.items():
        graph.add_node(
            step_id,
            kind=step.kind,
            worker_type=str(step.worker_type) if isinstance(step, WorkflowStep) else None,
            description=step.description,
            is_terminal=step.is_terminal,
            outcome=step.outcome,
            step=written[step_id],
        )
    for step_id, step in workflow.steps.items():
        for key, target, attributes in _edges_of(step):
            if target in workflow.steps:
                graph.add_edge(step_id, target, key, **attributes)
    return graph


def workflow_of(
    cls: type[WorkflowDefinition], graph: Any, *, name: str | None, initial: str | None
) -> WorkflowDefinition:
    """Return the workflow that a graph shows; see `WorkflowDefinition.from_networkx`.

    Raises:
        DefinitionError: it is no directed graph, or its nodes and edges are no steps and transitions.
    """
    import networkx as nx

    if not isinstance(graph, nx.DiGraph):
        raise DefinitionError(
            f"from_networkx takes a networkx.DiGraph or MultiDiGraph, not {type(cast('object', graph)).__name__}. "
            "A workflow's edges have a direction: draw it with networkx.DiGraph([('draft', 'check')])."
        )
    drawn = cast("nx.DiGraph[Any]", graph)
    ids = {node: node if isinstance(node, str) else str(node) for node in drawn}
    if not ids:
        raise DefinitionError(
            "The graph has no nodes. Draw it for example with networkx.DiGraph([('draft', 'check')])."
        )
    if len(set(ids.values())) < len(ids):
        raise DefinitionError("Two nodes of the graph have the same name as text. Rename one of them.")
    told = fields_of(drawn.graph.get("workflow"))
    ways = {step_id: Ways(step_id) for step_id in ids.values()}
    for source, target, attributes in drawn.edges(data=True):
        if "step" not in drawn.nodes[source]:
            _lead(ways[ids[source]], ids[target], attributes)
    steps = {step_id: _step(ways[step_id], drawn.nodes[node]) for node, step_id in ids.items()}
    title = name if name is not None else told.get("name") or drawn.graph.get("name") or "workflow"
    first = initial if initial is not None else told.get("initial_step", _first(drawn, ids) if not told else None)
    workflow = cls.from_dict({**told, "name": title, "initial_step": first, "steps": steps})
    for node in ids:
        if "step" in drawn.nodes[node]:
            _compare(workflow, drawn, node, ids)
    return workflow


def _edges_of(step: Step) -> list[tuple[str, str, dict[str, Any]]]:
    """Return field, target and attributes of each edge; a condition is its text."""
    conditions = dict(step.conditions())
    return [
        (t.field, t.target, {"kind": t.kind, "label": t.label, "condition": conditions.get(f"{t.field}.when")})
        for t in step.transitions()
    ]


def _lead(ways: Ways, target: str, attributes: dict[str, Any]) -> None:
    condition = attributes.get("condition")
    kind = attributes.get("kind") or ("success" if condition is None else "branch")
    label = attributes.get("label") or ""
    if not isinstance(label, str) or not (condition is None or isinstance(condition, str)):
        raise DefinitionError(f"The edge {ways.step_id!r} -> {target!r} has a label or a condition that is not text.")
    ways.lead(str(kind), target, condition=condition, label=label)


def _step(ways: Ways, attributes: dict[str, Any]) -> dict[str, Any] | Step:
    """Return what a node says of its step: as it was written, or its attributes and edges."""
    if "step" in attributes:
        return {**fields_of(attributes["step"]), "step_id": ways.step_id}
    kind = attributes.get("kind") or "step"
    if kind not in KINDS:
        raise DefinitionError(
            f"Node {ways.step_id!r} is of kind {kind!r:.80}.{did_you_mean(str(kind), KINDS)} There are {listed(KINDS)}."
        )
    model = KINDS[kind]
    fields = {name: value for name, value in attributes.items() if name in model.model_fields and value is not None}
    fields |= {"step_id": ways.step_id, "kind": kind}
    if model is WorkflowStep:
        fields.setdefault("worker_type", "generic")
    if ways.bodies and model is ParallelStep:
        fields["branches"] = {**fields_of(fields.get("branches")), **ways.bodies}
    if ways.bodies and model is MapStep:
        fields.setdefault("body", next(iter(ways.bodies.values())))
    given = model.model_validate(fields)
    leads_on = given.on_success is not None or given.choices or "on_success" in ways.fields or ways.choices
    return ways.step(given, ends=not leads_on)


def _first(graph: nx.DiGraph[Any], ids: dict[Any, str]) -> str:
    """The only node that no edge leads to; where there is none or are several, the one that was drawn first."""
    roots = [node for node in graph if graph.in_degree(node) == 0]
    return ids[roots[0] if len(roots) == 1 else next(iter(graph))]


def _compare(workflow: WorkflowDefinition, graph: Any, node: Any, ids: dict[Any, str]) -> None:
    """Refuse a node whose edges were changed after it was written: which of the two counts would be a guess."""
    step = workflow.steps[ids[node]]
    said = sorted((kind["kind"], target) for _, target, kind in _edges_of(step) if target in workflow.steps)
    drawn = sorted(
        (str(data.get("kind") or "success"), ids[target]) for _, target, data in graph.edges(node, data=True)
    )
    if said != drawn:
        missing = [f"{kind} to {target!r}" for kind, target in said if (kind, target) not in drawn]
        further = [f"{kind} to {target!r}" for kind, target in drawn if (kind, target) not in said]
        raise DefinitionError(
            f"The edges of node {ids[node]!r} are not those of its `step` attribute. Only in the attribute: "
            f"{listed(missing)}; only drawn: {listed(further)}. Delete the attribute, so that the edges count, or "
            "change the step with workflow.replace(...) instead of the graph."
        )
