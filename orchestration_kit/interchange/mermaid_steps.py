"""The boxes and arrows of one workflow in a chart become nodes and ways of a shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestration_kit.definition.budgets import Budget
from orchestration_kit.errors import listed
from orchestration_kit.interchange.mermaid_chart import ChartEdge, ChartNode, decoded, raw_lines
from orchestration_kit.interchange.mermaid_scopes import Scope, body_label
from orchestration_kit.interchange.mermaid_words import RUN_SPENT, Read, fields_of, read_label
from orchestration_kit.interchange.shape import END, Shape, Way, free_id, literal

_MARKS = ("\N{CHECK MARK} ", "\N{BALLOT X} ", "\N{WARNING SIGN} ", "\N{SQUARED PLUS} ")
"""What `visualize` puts before the titles of ends, of steps with problems, and of frames that are folded."""

_METADATA = re.compile(r"__\w{1,40} = ")
"""How LangGraph draws the metadata of a node."""


def add_nodes(shape: Shape, scope: Scope, workers: Mapping[str, str]) -> dict[str, str]:
    """Add a node for each box; return the step ids by the names in the chart."""
    ids: dict[str, str] = {}
    for box in scope.boxes.values():
        lines = raw_lines(box.text) if box.text is not None else []
        if not scope.chart_is_exact and (told := [line for line in lines[1:] if _METADATA.match(line)]):
            lines = [line for line in lines if line not in told]
            shape.note("metadata", "", f"{box.name!r:.80} has {listed(told)}", "LangGraph drew it; it is not kept.")
        title = decoded(lines[0]) if scope.chart_is_exact and lines else _title(box, lines)
        step_id = free_id(title, shape.nodes)
        if step_id != title:
            shape.note(
                "name",
                step_id,
                f"The box {title!r:.80} (line {box.line:,}) is called {step_id!r:.80} here",
                "Step ids are unique, and hold none of # / [ ].",
            )
        ids[box.name] = step_id
        fields = fields_of(box.shape, lines)
        if step_id in workers and fields.get("worker_type") == "generic":
            fields["worker_type"] = workers[step_id]
        if "__end__" in (decoded("".join(lines)), box.name) and not scope.chart_is_exact:
            fields["worker_type"] = "end"
        if fields.get("prompt") == "a person" and not scope.chart_is_exact:
            fields["prompt"] = f"{step_id}?"
            shape.note("prompt", step_id, f"The chart does not say what {step_id!r} asks", "Set its prompt.")
        if box.classes & {"completed", "failed"}:
            fields |= {"is_terminal": True, "outcome": "failed" if "failed" in box.classes else "completed"}
        elif scope.marks_ends:
            fields["is_terminal"] = False
        if any(line.endswith("\N{HORIZONTAL ELLIPSIS}") for line in lines) or len(lines) > 2:
            _note_lines(shape, step_id, lines)
        shape.nodes[step_id] = fields
    return ids


def add_ways(
    shape: Shape, scope: Scope, ids: Mapping[str, str], *, route: str, inner: Mapping[str, Any]
) -> Budget | None:
    """Add a way for each arrow, and where the run begins; return where it goes when its budget is spent.

    Args:
        shape: what is changed.
        scope: one workflow of a chart.
        ids: step ids by the names of boxes.
        route: where workers say which way to go.
        inner: workflows within, by the names of their groups.
    """
    leaving: dict[str, list[ChartEdge]] = {}
    for edge in scope.edges:
        leaving.setdefault(edge.source, []).append(edge)
    for name, step_id in ids.items():
        edges: list[ChartEdge] = []
        splits = shape.nodes[step_id].get("kind") in ("parallel", "map")
        for edge in leaving.get(name, ()):
            if edge.target in inner or (splits and edge.stroke == "thick"):
                branch, condition = body_label(edge, exact=scope.chart_is_exact)
                to, opened = ids.get(edge.target, END), inner.get(edge.target)
                shape.ways.append(Way(step_id, to, "body", condition, branch or to or edge.target, opened))
            elif edge.target in ids:
                edges.append(edge)
        _add_leaving(shape, scope, step_id, edges, ids=ids, route=route)
    return _add_starts(shape, scope, leaving, ids)


def _add_starts(
    shape: Shape, scope: Scope, leaving: Mapping[str, list[ChartEdge]], ids: Mapping[str, str]
) -> Budget | None:
    spent: Budget | None = None
    for edge in (edge for start in scope.starts for edge in leaving.get(start, ())):
        if edge.label is not None and decoded(edge.label) == RUN_SPENT:
            spent = Budget(on_budget=ids[edge.target])
        else:
            shape.starts.append(ids[edge.target])
    if not shape.starts and not (scope.chart_is_exact and scope.starts):
        shape.starts = _first(scope, ids)
    shape.starts = list(dict.fromkeys(shape.starts))
    return spent


def _add_leaving(  # noqa: PLR0913 - what one arrow needs
    shape: Shape, scope: Scope, step_id: str, edges: list[ChartEdge], *, ids: Mapping[str, str], route: str
) -> None:
    fields = shape.nodes[step_id]
    read: list[tuple[ChartEdge, Read]] = []
    for edge in edges:
        lines = raw_lines(edge.label or "")
        found = read_label(lines, edge.stroke, exact=scope.chart_is_exact)
        if found.kind == "retry" and edge.source == edge.target:
            fields["max_retries"] = int(found.number)
        elif found.kind in ("failure", "timeout", "budget", "compensate"):
            if found.kind == "timeout":
                fields["timeout_s"] = found.number
            shape.ways.append(Way(step_id, ids[edge.target], found.kind))  # pyright: ignore[reportArgumentType]
        else:
            read.append(
                (edge, Read("caption", label=" ".join(map(decoded, lines))) if found.kind == "retry" else found)
            )
    _add_ways_on(shape, step_id, _with_unlabelled_choices(scope, read, ids), ids, route)


def _with_unlabelled_choices(
    scope: Scope, read: list[tuple[ChartEdge, Read]], ids: Mapping[str, str]
) -> list[tuple[ChartEdge, Read]]:
    """Dashed arrows without a label, two or more of them, are a choice, as LangGraph draws it."""
    dashed = [edge for edge, found in read if found.kind == "on" and edge.stroke == "dotted" and not edge.label]
    labelled = [edge for edge, found in read if found.kind == "caption"]
    if scope.chart_is_exact or len(dashed) + len(labelled) < 2:
        return read
    return [(edge, Read("caption", label=ids[edge.target]) if edge in dashed else found) for edge, found in read]


def _add_ways_on(
    shape: Shape, step_id: str, read: list[tuple[ChartEdge, Read]], ids: Mapping[str, str], route: str
) -> None:
    captions = [(edge, found) for edge, found in read if found.kind == "caption"]
    has_else = any(found.kind == "on" for _, found in read)
    if len(read) == 1 and captions:
        edge, found = captions[0]
        shape.note("label", step_id, f"The label {found.label!r:.80} is not kept", "The only way on has no condition.")
        shape.ways.append(Way(step_id, ids[edge.target]))
        return
    last = None if has_else or not captions else captions[-1][0]
    for edge, found in read:
        target = ids[edge.target]
        if found.kind == "on" or edge is last:
            shape.ways.append(Way(step_id, target))
        elif found.kind == "caption":
            condition = f"{route} == {literal(found.label)}"
            shape.ways.append(Way(step_id, target, "choice", condition, found.label))
        else:
            shape.ways.append(Way(step_id, target, "choice", found.condition, found.label))
    if captions:
        otherwise = f" Anything else counts as {captions[-1][1].label!r:.80}." if last is not None else ""
        shape.note(
            "routing",
            step_id,
            f"The labels after {step_id!r} are no conditions",
            f"Its worker puts at {route} which of them it is: {listed(repr(f.label) for _, f in captions)}.{otherwise}",
        )


def _title(box: ChartNode, lines: list[str]) -> str:
    if not lines:
        return "end" if box.name == "__end__" else box.name
    title = lines[0]
    if box.classes & {"completed", "failed", "problem"} or box.shape in ("frame", "[["):
        for mark in _MARKS:
            title = title.removeprefix(mark)
    return "end" if decoded(title) == "__end__" else decoded(title)


def _first(scope: Scope, ids: Mapping[str, str]) -> list[str]:
    """Return where a run begins that no dot leads to: what is marked as the start, or what no arrow leads to."""
    marked = [ids[box.name] for box in scope.boxes.values() if "start" in box.classes]
    led_to = {edge.target for edge in scope.edges if edge.source != edge.target}
    free = [ids[name] for name in ids if name not in led_to]
    return (marked or free or list(ids.values()))[:1]


def _note_lines(shape: Shape, step_id: str, lines: list[str]) -> None:
    shape.note(
        "text",
        step_id,
        f"Of the text of {step_id!r:.80} this is not kept: {listed(repr(decoded(one)) for one in lines[2:])}"
        if len(lines) > 2
        else f"The text of {step_id!r:.80} was cut short",
        "The first line of a box is the step's id, the second its worker's type.",
    )
