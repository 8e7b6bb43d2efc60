"""Edges and conditional edges of a LangGraph builder become ways of a shape, in an order that no hash decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast, get_origin

from orchestration_kit.errors import listed
from orchestration_kit.interchange.langgraph_nodes import function_of, names_used
from orchestration_kit.interchange.shape import END, Shape, Way, literal

ITEMS = "output.items"
"""Where a worker puts what is sent to a node, where it may send nothing as well."""


def add_ways(shape: Shape, builder: Any, ids: Mapping[str, str], route: str) -> set[str]:
    """Add all ways to the shape; return the nodes that wait for all that leads to them.

    Args:
        shape: what is changed.
        builder: a StateGraph.
        ids: by the name of a node its step id; the start and the end too.
        route: where workers say which way to go.
    """
    order = {name: at for at, name in enumerate(ids)}
    pairs = set(cast("Iterable[tuple[str, str]]", builder.edges))
    waiting: set[str] = set()
    for sources, target in getattr(builder, "waiting_edges", ()):
        waiting.add(ids.get(target, END))
        pairs |= {(source, target) for source in sources}
    known = [pair for pair in pairs if all(name in ids for name in pair)]
    static = sorted(known, key=lambda pair: (order[pair[0]], order[pair[1]]))
    shape.ways += [Way(ids[source], ids[target]) for source, target in static]
    for source, branches in cast("Mapping[str, Mapping[str, Any]]", builder.branches).items():
        for branch in branches.values():
            _add_branch(shape, ids[source], branch, ids, route)
    for name, spec in cast("Mapping[str, Any]", builder.nodes).items():
        if name in ids:
            _add_ends(shape, ids[name], spec, ids, route)
    return waiting


def _add_branch(shape: Shape, source: str, branch: Any, ids: Mapping[str, str], route: str) -> None:
    """Add what a conditional edge can lead to."""
    ends = _labels(branch.ends, ids)
    name = getattr(function_of(branch.path), "__name__", None) or type(branch.path).__name__
    returned = _returned(branch.path)
    if not ends:
        ends = [(one, one) for one in ids if one != "__start__"]
        shape.note(
            "routing",
            source,
            f"{name} of {source!r} does not say where it can lead, so that it may be anywhere",
            'Annotate what it returns, -> Literal["a", "b"], or give add_conditional_edges a path_map.',
        )
    if "Send" in names_used(branch.path) or "Send" in returned:
        if _send(shape, source, [target for _, target in ends], ids, name):
            return
    elif _gives_several(returned):
        for label, target in ends:
            if target != "__end__":
                shape.ways.append(Way(source, ids[target], "on", f"{literal(label)} in {route}", str(label)))
        shape.note(
            "routing",
            source,
            f"{name} chooses one or more ways after {source!r}, in code",
            f"The worker of {source!r} puts the list of them at {route}: {_shown(ends)}.",
        )
        return
    _choose(shape, source, [(label, ids[target]) for label, target in ends], route, name)


def _send(shape: Shape, source: str, targets: list[str], ids: Mapping[str, str], name: str) -> bool:
    """Add a branch for each item that is sent to a node, if it is clear to which; return whether it is."""
    nodes = [ids[target] for target in dict.fromkeys(targets) if ids[target] != END]
    if len(nodes) != 1:
        shape.note(
            "map",
            source,
            f"{name} sends items to one or more of {listed(map(repr, nodes))}",
            "Here it chooses one. Name one node in its path_map to get a MapStep.",
        )
        return False
    may_end = len(nodes) < len(set(targets))
    if may_end:
        shape.ways.append(Way(source, END, "choice", f"size({ITEMS}) == 0", "no items"))
    shape.ways.append(Way(source, nodes[0], "each", ITEMS if may_end else "output"))
    told = f"puts the list of them at {ITEMS}, an empty one to end" if may_end else "puts out the list of them"
    shape.note(
        "map",
        source,
        f"{name} sends items of its own making to {nodes[0]!r}",
        f"The worker of {source!r} {told}; the MapStep has a branch for each.",
    )
    return True


def _add_ends(shape: Shape, source: str, spec: Any, ids: Mapping[str, str], route: str) -> None:
    """Add where a node can go with a Command, and where its errors are handled."""
    ends = _labels(getattr(spec, "ends", None) or (), ids)
    if ends:
        _choose(shape, source, [(label, ids[target]) for label, target in ends], route, "Command")
    handler: Any = getattr(spec, "error_handler_node", None)
    if handler in ids:
        shape.ways.append(Way(source, ids[handler], "failure"))


def _choose(shape: Shape, source: str, ends: list[tuple[Any, str]], route: str, name: str) -> None:
    """Add ways of which one is taken; the last, or the one to the end, where no other was named."""
    others = [way for way in shape.leading(source) if way.kind == "on"]
    last = next((one for one in reversed(ends) if one[1] == END), ends[-1])
    ends = [*(one for one in ends if one != last), last]
    ways = [
        Way(source, target, "choice", f"{route} == {literal(label)}", "" if label == target else str(label))
        for label, target in ends[:-1]
    ]
    if others:
        hint = "Here they are taken where nothing else is chosen."
        also = listed(repr(way.target or "the end") for way in others)
        shape.note("routing", source, f"{source!r} always leads to {also} too", hint)
        ways.append(Way(source, last[1], "choice", f"{route} == {literal(last[0])}", str(last[0])))
    else:
        ways.append(Way(source, last[1]))
    shape.ways += ways
    if len(ends) > 1:
        shape.note(
            "routing",
            source,
            f"{name} chooses the way after {source!r}, in code",
            f"The worker of {source!r} puts at {route} where to go: {_shown(ends)}. "
            f"Anything else counts as {last[0]!r}.",
        )


def _shown(ends: list[tuple[Any, str]]) -> str:
    return listed(f"{label!r}" for label, _ in ends)


def _labels(ends: Any, ids: Mapping[str, str]) -> list[tuple[Any, str]]:
    """Return what can be returned with the node it stands for; where it is plain and the node is there."""
    pairs = cast("Mapping[Any, str]", ends).items() if isinstance(ends, Mapping) else [(one, one) for one in ends or ()]
    found: list[tuple[Any, str]] = []
    for label, target in pairs:
        plain = label if isinstance(label, (str, bool, int)) else str(label)
        if target in ids and target != "__start__":
            found.append((plain if plain != "__end__" else "end", target))
    return found


def _returned(path: Any) -> str:
    """Return the annotation of what a function returns, as text; it is not evaluated."""
    given = getattr(function_of(path), "__annotations__", {}).get("return", "")
    if isinstance(given, str):
        return given
    return repr(given) if get_origin(given) is not None else getattr(given, "__name__", "")


def _gives_several(returned: str) -> bool:
    name = returned.partition("[")[0].rpartition(".")[2]
    return name.lower() in ("list", "sequence", "tuple", "set", "frozenset", "iterable")
