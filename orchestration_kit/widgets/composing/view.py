"""A draft as the browser gets it: boxes, lines, frames, problems, and the values for the form of what is selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, cast

from pydantic import BaseModel

from orchestration_kit.checks import Problem
from orchestration_kit.definition.steps import callable_name
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.visual.layout import ICONS, NODE_PADDING, note_lines, title_text
from orchestration_kit.visual.model import LINES, DiagramNode
from orchestration_kit.visual.text import one_line, tooltip
from orchestration_kit.visual.theme import THEMES, Paint, Theme
from orchestration_kit.visual.ways import Way
from orchestration_kit.visual.ways import ways_of as ways_drawn
from orchestration_kit.widgets.composing.draft import Ends, Spot
from orchestration_kit.widgets.composing.flat import Flat, Laid, name_of, next_ends
from orchestration_kit.widgets.composing.ways import START, ways_of

MOST_SHOWN = 200
"""Problems in the list; the boxes show them all."""
GAP = 36.0
"""Between a new box and those that are there."""


def canvas_of(
    workflow: WorkflowDefinition,
    flat: Flat,
    problems: Sequence[Problem],
    laid: Laid,
) -> dict[str, Any]:
    """Return what is drawn on the canvas: boxes at their spots, lines along their tracks, and frames."""
    lines = _lines(workflow, flat)
    _draw(lines, laid)
    return {
        "nodes": [_box(node, flat, workflow, laid.spots[name_of(node.id)]) for node in flat.model.nodes],
        "edges": lines,
        "frames": [{"step": frame.step_id, "members": list(frame.members)} for frame in flat.frames],
        "problems": [_told(problem) for problem in problems[:MOST_SHOWN]],
        "more_problems": max(0, len(problems) - MOST_SHOWN),
    }


def with_new_spots(flat: Flat, known: Mapping[str, Spot], laid_out: Mapping[str, Spot]) -> dict[str, Spot]:
    """Return a spot for every box: the one it has, else one that is free, near to where the layout would have it."""
    sizes = {name_of(node.id): flat.size(node) for node in flat.model.nodes}
    found = {name: known[name] for name in sizes if name in known}
    if not found:
        return {name_of(key): spot for key, spot in laid_out.items()}
    wanted = {name_of(key): spot for key, spot in laid_out.items()}
    shift = _shift(found, wanted)
    for name, size in sizes.items():
        if name not in found:
            x, y = wanted[name]
            found[name] = free_spot((x + shift[0], y + shift[1]), size, found, sizes)
    return found


def free_spot(
    near: Spot, size: tuple[float, float], taken: Mapping[str, Spot], sizes: Mapping[str, tuple[float, float]]
) -> Spot:
    """Return the spot, or the next one below it where a box of this size covers no other.

    >>> free_spot((0, 0), (10, 10), {"a": (5, 5)}, {"a": (10, 10)})
    (0, 51.0)
    """
    x, y = near
    for _ in range(len(taken) + 1):
        below = [
            top + sizes[name][1]
            for name, (left, top) in taken.items()
            if left < x + size[0] + 8
            and x < left + sizes[name][0] + 8
            and top < y + size[1] + 8
            and y < top + sizes[name][1] + 8
        ]
        if not below:
            break
        y = max(below) + GAP
    return (x, y)


def panel_of(model: Any, subject: str | None) -> dict[str, Any]:
    """Return what the form shows: of a step (its id), or of the workflow itself (None)."""
    kind = "definition" if subject is None else model.kind
    values = {name: plain(value) for name, value in model if name not in ("kind", "steps")}
    ways = [] if subject is None else ways_of(model)
    about = (type(model).__doc__ or "").strip().partition("\n")[0]
    return {"subject": subject, "kind": kind, "values": values, "ways": ways, "about": about}


def plain(value: Any) -> Any:
    """Return a value as JSON can have it; a callable or a workflow as a note of what stands there."""
    if isinstance(value, WorkflowDefinition):
        return {"$workflow": value.name, "steps": len(value.steps)}
    if isinstance(value, BaseModel):
        return {name: plain(one) for name, one in value}
    if isinstance(value, Mapping):
        return {sendable(str(key)): plain(one) for key, one in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in cast("tuple[Any, ...]", value)]
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.isoformat()
    if callable(value):
        return {"$python": callable_name(cast("Callable[..., Any]", value))}
    return sendable(value) if isinstance(value, str) else _finite(value)


def sendable(text: str) -> str:
    """Return text that a message can carry: half of a surrogate pair cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def colours() -> dict[str, dict[str, str]]:
    """Return the colours of the static diagram for style sheets, by theme."""
    return {name: _colours(THEMES[name]) for name in ("light", "dark")}


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and value - value != 0 else value


def _colours(theme: Theme) -> dict[str, str]:
    paints: dict[str, Paint] = {
        "step": theme.step, "start": theme.start, "completed": theme.completed, "failed": theme.failed,
        "problem": theme.problem, "cluster": theme.cluster,
    }  # fmt: skip
    found = {name: getattr(theme, name) for name in ("background", "edge", "failure", "branch", "aside", "faint")}
    found["label"] = theme.edge_label
    for name, paint in paints.items():
        found |= {f"{name}-fill": paint.fill, f"{name}-line": paint.stroke, f"{name}-ink": paint.text}
        found |= {f"{name}-soft": paint.muted}
    return found


def _draw(lines: list[dict[str, Any]], laid: Laid) -> None:
    """Give lines the tracks that still fit where their ends stand."""
    known: set[Ends] = set()
    for line in lines:
        ends = next_ends(known, line["source"], line["target"], line["kind"])
        known.add(ends)
        track = laid.tracks.get(ends)
        if track is None:
            continue
        (x, y), (right, down) = laid.spots[line["source"]], laid.spots[line["target"]]
        dx, dy = x - track.source[0], y - track.source[1]
        if abs(right - track.target[0] - dx) > 0.5 or abs(down - track.target[1] - dy) > 0.5:
            continue
        line["track"] = [[round(px + dx, 1), round(py + dy, 1)] for px, py in track.points]
        if track.label_at is not None:
            line["label_at"] = [round(track.label_at[0] + dx, 1), round(track.label_at[1] + dy, 1)]
            line["anchor"] = track.anchor


def _box(node: DiagramNode, flat: Flat, workflow: WorkflowDefinition, spot: Spot) -> dict[str, Any]:
    wide, high = flat.size(node)
    step = workflow.steps.get(node.id)
    is_entry = node.kind == "entry"
    paint = (
        "problem" if node.problem or node.kind == "missing" else node.outcome or ("start" if node.is_start else "step")
    )
    return {
        "id": name_of(node.id),
        "x": spot[0],
        "y": spot[1],
        "width": wide,
        "height": high,
        "kind": node.kind,
        "paint": paint,
        "is_start": node.is_start,
        "ends": bool(node.outcome),
        "has_icon": node.kind in ICONS,
        "title": node.problem and f"\N{WARNING SIGN} {node.problem}" if is_entry else title_text(node),
        "worker": node.worker,
        "lines": [] if is_entry else note_lines(node, wide - 2 * NODE_PADDING + 8),
        "tooltip": node.tooltip,
        "problem": node.problem,
        "ways": ["success", "budget"] if is_entry else ways_of(step) if step is not None else [],
    }


def _lines(workflow: WorkflowDefinition, flat: Flat) -> list[dict[str, Any]]:
    """Every line between boxes, with the field of the step that it stands in; loops of retries have none."""
    found: list[dict[str, Any]] = []
    if workflow.initial_step is not None:
        begins = Way("entry", workflow.initial_step, "", "The run starts here.")
        found.append(_line(START, "initial_step", begins))
        spent = workflow.budget.on_budget if workflow.budget is not None else None
        if spent is not None:
            way = Way("budget", spent, "run's budget spent", "where the budget of the run is spent")
            found.append(_line(START, "budget.on_budget", way))
    for key, step in workflow.steps.items():
        drawn = ways_drawn(key, step)
        written = [transition.field for transition in step.transitions()]
        found += [_line(key, field, way) for field, way in zip(written, drawn, strict=False)]
        found += [_line(key, "", way) for way in drawn if way.kind == "retry"]
    known = {name_of(node.id) for node in flat.model.nodes}
    return [line for line in found if line["target"] in known]


def _line(source: str, field: str, way: Way) -> dict[str, Any]:
    return {
        "id": f"{source}\u2192{field or way.kind}", "source": source, "target": way.target, "kind": way.kind,
        "field": field, "label": one_line(way.label, 60), "tooltip": tooltip(way.tooltip),
        "line": LINES.get(way.kind, "solid"),
    }  # fmt: skip


def _told(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code, "severity": problem.severity, "message": tooltip(problem.message),
        "hint": tooltip(problem.hint), "steps": list(problem.steps[:20]),
    }  # fmt: skip


def _shift(known: Mapping[str, Spot], wanted: Mapping[str, Spot]) -> Spot:
    """How far the boxes stand from where the layout would have them: that of the last one that both know."""
    for name in reversed(list(known)):
        if name in wanted:
            return (known[name][0] - wanted[name][0], known[name][1] - wanted[name][1])
    return (0.0, 0.0)
