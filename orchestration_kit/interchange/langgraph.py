"""The shape of a LangGraph graph becomes a workflow definition. Nothing of the graph is called.

Attributes alone are read, as those of https://reference.langchain.com/python/langgraph/graphs/ (1.x) are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from orchestration_kit.errors import listed
from orchestration_kit.interchange.building import workflow_of
from orchestration_kit.interchange.errors import NotImportable, a_kind_of
from orchestration_kit.interchange.fan_out import FanOut, open_fan_outs
from orchestration_kit.interchange.imported import Imported, in_order
from orchestration_kit.interchange.langgraph_nodes import fields_of, note_hidden
from orchestration_kit.interchange.langgraph_ways import ITEMS, add_ways
from orchestration_kit.interchange.shape import END, ROUTE, Shape, Way, checked_route, route_after, step_ids

_START, _END = "__start__", "__end__"
_MAX_NESTING = 16


def from_langgraph(graph: Any, *, name: str | None = None, route: str = ROUTE) -> Imported:
    """Return the shape of a LangGraph graph as a workflow, with notes on what could not be carried over.

    A node becomes a step whose worker has the node's name as its type; the state is what our data bus is. Edges from
    one node to several open branches that come together at a join; `Send` becomes a `MapStep`; `interrupt_before` and
    `interrupt_after` become an `ApprovalStep`; a node that is a graph becomes a `SubworkflowStep`, its workflow is in
    `subworkflows`. Retry policies, time limits and error handlers of nodes are kept as far as steps have them.

    The function of a conditional edge is code, which no definition holds. What it decides, the worker of the step says
    instead: in `{"next": "tools", ...}`, which the condition `output.next == "tools"` reads. The last way of a choice
    (`END`, if it is one of them) is taken where no other is named.

    Args:
        graph: a compiled graph, or a `StateGraph`.
        name: of the workflow; without it, the graph's.
        route: the path at which workers say where to go, e.g. "data.next_step".

    >>> from types import SimpleNamespace as Stub
    >>> node = Stub(runnable=len, retry_policy=None, ends=(), defer=False)
    >>> choice = Stub(path=len, ends={"continue": "tools", "stop": "__end__"})
    >>> graph = Stub(  # what a compiled graph has; StateGraph(...).compile() is the real one
    ...     nodes={"agent": node, "tools": node}, edges={("__start__", "agent"), ("tools", "agent")},
    ...     waiting_edges=set(), branches={"agent": {"decide": choice}})
    >>> made = from_langgraph(graph, name="react")
    >>> [(way.kind, way.target, way.label) for way in made.workflow.steps["agent"].transitions()]
    [('branch', 'tools', 'continue'), ('success', 'end', '')]

    Raises:
        NotImportable: it is no such graph; it says what to give instead.
        ConditionSyntaxError: `route` is no path.
    """
    return _imported(graph, name or _name_of(graph), checked_route(route), 0)


def _imported(graph: Any, name: str, route: str, depth: int) -> Imported:
    builder = _builder_of(graph)
    nodes = {key: spec for key, spec in cast("Mapping[str, Any]", builder.nodes).items() if key not in (_START, _END)}
    if not nodes:
        raise NotImportable(_what(graph), "it has no nodes", "Add some with add_node(...).")
    ids = step_ids(nodes)
    shape = Shape(name)
    inner: list[Imported] = []
    for key, spec in nodes.items():
        fields = fields_of(shape, ids[key], key, spec)
        if _is_graph(spec.runnable) and depth < _MAX_NESTING:
            made = _imported(spec.runnable, f"{name}.{key}"[:200], route, depth + 1)
            inner.append(made)
            fields = _running(fields, made.workflow.name)
        shape.nodes[ids[key]] = fields
        if ids[key] != key:
            shape.note(
                "name", ids[key], f"The node {key!r} is called {ids[key]!r} here", "Its worker has its own name."
            )
    note_hidden(shape, {ids[key]: spec for key, spec in nodes.items()})
    start = _add_start(shape, builder)
    waiting = add_ways(shape, builder, {**ids, _START: start, _END: END}, route)
    _set_starts(shape, start)
    _add_interrupts(shape, graph, ids, route)
    found = open_fan_outs(shape, route)
    deferred = {ids[key] for key, spec in nodes.items() if getattr(spec, "defer", False)}
    _note_uneven(shape, found, waiting | deferred)
    _note_deferred(shape, found, deferred)
    _note_services(shape, graph)
    workflow = workflow_of(shape, description=f"Imported from LangGraph: {listed(nodes)}")
    return Imported(
        workflow,
        (*in_order(shape.notes, workflow), *(note for one in inner for note in one.notes)),
        tuple(made for one in inner for made in (one.workflow, *one.subworkflows)),
    )


def _builder_of(graph: Any) -> Any:
    """Return what holds nodes, edges and branches: the builder of a compiled graph, or what was given."""
    builder = getattr(graph, "builder", None) or graph
    missing = [one for one in ("nodes", "edges", "branches") if not hasattr(builder, one)]
    if not missing and isinstance(builder.nodes, Mapping) and isinstance(builder.branches, Mapping):
        return builder
    if hasattr(graph, "get_graph") and hasattr(graph, "ainvoke"):
        raise NotImportable(
            _what(graph),
            "it keeps no StateGraph to look at, as functional (@entrypoint) and remote graphs do not",
            "Import the graph where it is built; or give its drawing, from_mermaid(graph.get_graph().draw_mermaid()).",
        )
    raise NotImportable(
        _what(graph), "it is no graph of LangGraph", "Give a StateGraph, or what its compile() returns."
    )


def _what(graph: Any) -> str:
    return a_kind_of(graph)


def _name_of(graph: Any) -> str:
    name = getattr(graph, "name", None)
    return name if isinstance(name, str) and name not in ("", "LangGraph") else "langgraph"


def _is_graph(runnable: Any) -> bool:
    return getattr(getattr(runnable, "builder", None), "branches", None) is not None


def _running(fields: dict[str, Any], workflow: str) -> dict[str, Any]:
    kept = {key: fields[key] for key in ("description", "max_retries", "retry", "timeout_s") if key in fields}
    return {"kind": "workflow", "workflow": workflow, **kept}


def _add_start(shape: Shape, builder: Any) -> str:
    """Return where edges from the start begin: a choice there needs a step that makes it."""
    if not builder.branches.get(_START):
        return _START
    start = shape.add("start", {"worker_type": "start"})
    shape.nodes = {start: shape.nodes.pop(start), **shape.nodes}
    shape.note(
        "start",
        start,
        "The graph chooses where it begins",
        f"Register a worker of type 'start' that says it; step {start!r} was added for that.",
    )
    return start


def _set_starts(shape: Shape, start: str) -> None:
    if start != _START:
        shape.starts = [start]
        return
    shape.starts = list(dict.fromkeys(way.target for way in shape.leading(_START) if way.target != END))
    shape.ways = [way for way in shape.ways if way.source != _START]


def _add_interrupts(shape: Shape, graph: Any, ids: dict[str, str], route: str) -> None:
    for step_id in _interrupted(graph, "interrupt_before_nodes", ids):
        gate = _gate(shape, f"{step_id}.before", f"Go on with {step_id!r}?")
        for way in shape.ways:
            if way.target == step_id:
                way.target = gate
        shape.starts = [gate if one == step_id else one for one in shape.starts]
        shape.ways.append(Way(gate, step_id))
    for step_id in _interrupted(graph, "interrupt_after_nodes", ids):
        gate = _gate(shape, f"{step_id}.after", f"Go on after {step_id!r}?", after=step_id)
        for way in shape.leading(step_id):
            if way.kind in ("on", "choice", "each"):
                way.source = gate
                way.condition = _after_gate(way, route, step_id)
        shape.ways.append(Way(step_id, gate))


def _after_gate(way: Way, route: str, step_id: str) -> str:
    """Return the condition of a way, with the output it asks for looked up on the data bus."""
    if way.kind == "each":
        return route_after(way.condition, step_id)
    if way.condition.startswith("size("):
        return way.condition.replace(ITEMS, route_after(ITEMS, step_id))
    later = route_after(route, step_id)
    if way.condition.startswith(route):
        return later + way.condition.removeprefix(route)
    return way.condition.removesuffix(route) + later if way.condition else ""


def _interrupted(graph: Any, attribute: str, ids: dict[str, str]) -> list[str]:
    given = getattr(graph, attribute, None) or ()
    return list(ids.values()) if given == "*" else [ids[key] for key in cast("Iterable[str]", given) if key in ids]


def _gate(shape: Shape, step_id: str, prompt: str, *, after: str = "") -> str:
    gate = shape.add(step_id, {"kind": "approval", "prompt": prompt}, after=after)
    shape.note(
        "interrupt",
        gate,
        f"An interrupt became the approval {gate!r}",
        "What follows it gets the approved value as its input; what came before is on the data bus.",
    )
    return gate


def _note_uneven(shape: Shape, found: list[FanOut], waiting: set[str]) -> None:
    """Say where branches of different lengths met: there LangGraph runs the join once for each length."""
    for one in found:
        lengths = {_length(shape, start, inside) for start, inside in one.regions.items()}
        if len(lengths) > 1 and one.join not in ("", *waiting):
            shape.note(
                "uneven",
                one.join,
                f"Branches of different lengths meet at {one.join!r}, which LangGraph runs once for each length",
                "Here it runs once, after all of them. (There, add_edge([...], node) or defer=True says so.)",
            )


def _length(shape: Shape, start: str, inside: frozenset[str]) -> int:
    """Return how many steps a branch takes at least to where it leaves its nodes, or ends."""
    level, seen, length = [start], {start}, 1
    while level:
        following: list[str] = []
        for node in level:
            ways = shape.leading(node)
            if not ways or any(way.target not in inside for way in ways):
                return length
            following += [way.target for way in ways if way.target not in seen]
        seen.update(following)
        level, length = following, length + 1
    return length


def _note_deferred(shape: Shape, found: list[FanOut], deferred: set[str]) -> None:
    for step_id in deferred - {one.join for one in found}:
        shape.note(
            "defer",
            step_id,
            f"{step_id!r} is deferred until all else has ended, and is no join of branches",
            "Here it runs when the run comes there.",
        )


def _note_services(shape: Shape, graph: Any) -> None:
    told = {
        "checkpointer": ("A checkpointer keeps its states", "Orchestrator(journal=...) keeps every attempt of ours."),
        "store": ("It has a store", "Give workers theirs yourself; lessons are kept with Orchestrator(wisdom=...)."),
        "cache": ("It has a cache", "A cassette replays recorded outputs instead of calling workers."),
    }
    for attribute, (message, hint) in told.items():
        if getattr(graph, attribute, None) not in (None, False):
            shape.note(attribute, (), message, hint)
