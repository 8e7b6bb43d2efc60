"""What is known of a workflow's reliability becomes a diagram: how likely each way on is, what happens at each step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.reliability.chain import COMPLETED, ENDS, FAILED, Chain
from orchestration_kit.visual import Diagram, DiagramEdge, DiagramModel, DiagramNode, Renderer, Theme, visualize
from orchestration_kit.visual.from_workflow import model_of
from orchestration_kit.visual.model import ENTRY_ID, Detail, Direction, step_of
from orchestration_kit.visual.text import one_line, tooltip

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.reliability.report import Reliability

_DOT = " \N{MIDDLE DOT} "
_FAILS = "\N{BALLOT X}"
_TIMES = "\N{MULTIPLICATION SIGN}"
_TO = "\N{EN DASH}"
_UNSEEN = 5e-5
"""A share of runs that is too small to be drawn a way of its own to the end as failed."""


def diagram_of(  # noqa: PLR0913 - as `visualize`: each is a choice a reader of a notebook makes by name
    source: Reliability | Chain,
    *,
    workflow: WorkflowDefinition | None = None,
    theme: str | Theme = "light",
    direction: Direction = "TB",
    detail: Detail = "full",
    renderer: Renderer | None = None,
) -> Diagram:
    """Draw a workflow with what is known of its reliability.

    An arrow says of how many visits of its step it is the way on, with the interval: "83 % (79-87)". A step says how
    often a run comes to it, how many of all runs are lost there, and how likely an attempt of it succeeds. Where a
    step that fails has no way on, an arrow leads to the end as failed.

    Args:
        source: What `reliability(...)` found, or a chain.
        workflow: The definition; without it that of `source`. Where none is known, or it is of other steps, the chain
            alone is drawn.
        theme: As for `visualize`.
        direction: Likewise.
        detail: Likewise; "compact" leaves out what is said of steps.
        renderer: Likewise. Without Graphviz the built-in layout draws.

    Raises:
        ValueError: an unknown theme, direction, detail or renderer.

    >>> from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep
    >>> step = ChainStep(success=0.8, after_success={COMPLETED: 1}, after_failure={FAILED: 1})
    >>> print(diagram_of(Chain("demo", "ask", {"ask": step}), renderer="builtin").outline)
    Workflow demo: 3 steps
      1. ask [start] [1 visit · loses 20 %]
           succeeds 80 %
           → completed (80 %)
           → failed (✗ 20 %)
      2. ✓ completed [ends: completed] [80 % of runs]
      3. ✗ failed [ends: failed] [20 % of runs]
    """
    found = _as_reliability(source)
    told = _told(found)
    known = workflow or found.workflow
    model = None if known is None else _of_definition(found, known, told, (detail, direction))
    return visualize(
        model or _of_chain(found, told, (detail, direction)),
        theme=theme, direction=direction, detail=detail, renderer=renderer,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known, in words, where it is to be drawn."""

    ways: Mapping[tuple[str, bool, str], str]
    """By source, outcome and target: "83 % (79-87)"."""
    steps: Mapping[str, tuple[str, str, str]]
    """By step: two short lines, and all of it."""
    lost: Mapping[tuple[str, bool], tuple[str, float]]
    """Visits that end the run as failed right there, and the share of runs: by step and outcome, those worth an arrow.
    Where runs were observed, those that some run took."""
    ends: Mapping[str, str]
    """By end: the share of runs."""


def percent(value: float, low: float | None = None, high: float | None = None) -> str:
    """Return a probability, and its interval where it has one, with as many digits as tell it from 0 and from 1.

    >>> percent(0.8312, 0.7901, 0.8688), percent(0.004), percent(0.99961, 0.998, 1.0), percent(1.0), percent(1e-9)
    ('83 % (79–87)', '0.4 %', '99.96 % (99.80–100)', '100 %', '<0.01 %')
    """
    margin = min(value, 1 - value)
    if 0 < margin < 5e-5:
        said = "<0.01 %" if value < 0.5 else ">99.99 %"
        digits = 2
    else:
        digits = 0 if margin >= 0.00995 or margin <= 0 else 1 if margin >= 0.000995 else 2
        said = f"{100 * value:.{digits}f} %"
    if low is None or high is None or high - low < 1e-12:
        return said
    ends = (f"{100 * end:.{digits}f}" for end in (low, high))
    return f"{said} ({_TO.join(f'{float(end):g}' if float(end) in (0, 100) else end for end in ends)})"


def _as_reliability(source: Reliability | Chain) -> Reliability:
    from orchestration_kit.reliability.report import Reliability

    return Reliability(source) if isinstance(source, Chain) else source


def _told(found: Reliability) -> _Told:
    ways: dict[tuple[str, bool, str], str] = {}
    lost: dict[tuple[str, bool], tuple[str, float]] = {}
    steps = cast("list[dict[str, Any]]", found.steps().to_dict("records"))
    visits = {row["step"]: row["visits"] for row in steps}
    for row in cast("list[dict[str, Any]]", found.transitions().to_dict("records")):
        succeeded = row["outcome"] == "success"
        said = percent(row["probability"], row["low"], row["high"])
        ways[row["source"], succeeded, row["target"]] = said
        share = visits[row["source"]] * row["probability"]
        seldom = share <= _UNSEEN if found.counts is None or found.changed else not row["count"]
        if row["target"] == FAILED and not seldom:
            lost[row["source"], succeeded] = said, share
    p = found.p_success
    failed = found.solved.p_failure
    return _Told(
        ways,
        {row["step"]: _of_step(found, row) for row in steps},
        lost,
        {
            COMPLETED: percent(p.value, p.low, p.high),
            FAILED: percent(failed, *((1 - p.high, 1 - p.low) if found.draws is not None else ())),
        },
    )


def _of_step(found: Reliability, row: dict[str, Any]) -> tuple[str, str, str]:
    """Return the two lines of a step, and its tooltip."""
    visits = row["visits"]
    first = _visits(visits)
    if row["lost"] >= _UNSEEN:
        first += f"{_DOT}loses {percent(row['lost'])}"
    success = percent(row["success"], row["success_low"], row["success_high"])
    step = found.chain.steps[row["step"]]
    attempts = f", {step.attempts:.3g} attempts a visit" if step.attempts > 1.0005 else ""
    second = f"succeeds {success}" if row["success"] < 1 else ""
    about = [
        f"{_visits(visits)} a run{attempts}",
        f"an attempt succeeds: {success}",
        f"runs lost here: {percent(row['lost'])}",
    ]
    return first, second, "\n".join(about)


def _visits(visits: float) -> str:
    return f"{visits:.3g} visit{'' if math.isclose(visits, 1, abs_tol=0.0005) else 's'}"


# --- on the definition's own diagram


def _of_definition(
    found: Reliability, workflow: WorkflowDefinition, told: _Told, look: tuple[Detail, Direction]
) -> DiagramModel | None:
    """Return the diagram of the definition with what is known; None where it does not hold the steps of the chain."""
    model = model_of(workflow, detail=look[0], direction=look[1])
    ids = {one.id for one in (*model.nodes, *model.clusters)}
    if not set(found.chain.steps) <= ids:
        return None
    nodes = [_node(node, told, found) for node in model.nodes]
    clusters = [
        replace(one, note=told.steps[one.id][0], tooltip=tooltip(one.tooltip, told.steps[one.id][2]))
        if one.id in told.steps
        else one
        for one in model.clusters
    ]
    edges, said = list[DiagramEdge](), set[tuple[str, bool, str]]()
    for edge in model.edges:
        way = step_of(edge.source), edge.after_success, step_of(edge.target)
        if way not in told.ways or edge.kind in ("body", "join", "retry", "compensate") or way in said:
            edges.append(edge)
            continue
        said.add(way)
        edges.append(_labelled(edge, told.ways[way]))
    ends = {node.id for node in model.nodes if node.outcome == "failed"}
    lost = [(step, good, *one) for (step, good), one in told.lost.items() if step not in ends]
    if lost:
        marks = f"{percent(min(sum(share for *_, share in lost), 1.0))} of runs"
        end = _end(FAILED, marks, taken=ids)
        nodes.append(replace(end, title="failed: no way on", tooltip="a step failed, and nothing was to follow"))
        edges += [_lost(step, text, end.id, succeeded=good) for step, good, text, _ in lost]
    about = _about(found, model)
    return replace(model, nodes=tuple(nodes), edges=tuple(edges), clusters=tuple(clusters), description=about)


def _node(node: DiagramNode, told: _Told, found: Reliability) -> DiagramNode:
    if node.id not in told.steps or node.problem:
        return node
    first, second, about = told.steps[node.id]
    if node.outcome and found.chain.steps[node.id].success >= 1:
        visits = found.solved.visits[found.solved.steps.index(node.id)]
        first, second = f"{percent(min(float(visits), 1.0))} of runs", ""
    return replace(node, marks=first, note=second, tooltip=tooltip(node.tooltip, about))


def _labelled(edge: DiagramEdge, text: str) -> DiagramEdge:
    """Put a probability before the label of an edge: where there is no room for both, it stays."""
    mark = f"{_FAILS} " if edge.kind == "failure" else ""
    rest = "" if edge.kind in ("failure", "success") and edge.label != "else" else edge.label
    label = f"{mark}{text}{_DOT}{rest}" if rest else f"{mark}{text}"
    return replace(edge, label=label, tooltip=tooltip(edge.tooltip, edge.label, f"{text} of visits"))


def _lost(step: str, text: str, end: str, *, succeeded: bool) -> DiagramEdge:
    about = tooltip("the run ends as failed", f"{text} of visits")
    if succeeded:
        return DiagramEdge(step, end, "success", text, about)
    return DiagramEdge(step, end, "failure", f"{_FAILS} {text}", about)


def _end(end: str, marks: str, taken: set[str]) -> DiagramNode:
    name = end
    while name in taken:
        name += "\N{ZERO WIDTH SPACE}"
    outcome = "completed" if end == COMPLETED else "failed"
    about = f"the run ends as {outcome}"
    return DiagramNode(name, outcome, kind="terminal", outcome=outcome, marks=marks, tooltip=about)


def _about(found: Reliability, model: DiagramModel) -> str:
    p = found.p_success
    return tooltip(model.description, f"A run completes with {percent(p.value, p.low, p.high)}.")


# --- of the chain alone


def _of_chain(found: Reliability, told: _Told, look: tuple[Detail, Direction]) -> DiagramModel:
    chain = found.chain
    nodes = [DiagramNode(ENTRY_ID, "start", kind="entry", tooltip="The run starts here.")]
    edges = [DiagramEdge(ENTRY_ID, chain.initial, "entry")]
    for step_id, step in chain.steps.items():
        node = DiagramNode(
            step_id, one_line(step_id, 200), one_line(step.worker or step.worker_type or "", 60),
            is_start=step_id == chain.initial, tooltip=one_line(step_id, 200),
        )  # fmt: skip
        nodes.append(_node(node, told, found))
        edges += _ways_of(step_id, found, told)
    ids = {node.id for node in nodes}
    reached = {edge.target for edge in edges}
    nodes += [_end(end, f"{told.ends[end]} of runs", taken=ids) for end in ENDS if end in reached]
    model = DiagramModel(one_line(chain.workflow, 200), tuple(nodes), tuple(edges), detail=look[0], direction=look[1])
    return replace(model, description=_about(found, model))


def _ways_of(step_id: str, found: Reliability, told: _Told) -> Iterator[DiagramEdge]:
    step = found.chain.steps[step_id]
    several = len(step.after_success) > 1
    for target, share in step.after_success.items():
        if share > 0 and step.success > 0:
            edge = DiagramEdge(step_id, target, "branch" if several else "success", tooltip="after success")
            yield _labelled(edge, told.ways[step_id, True, target])
    for target, share in step.after_failure.items():
        if share * step.visit_failure > 0:
            edge = DiagramEdge(step_id, target, "failure", tooltip="after a failure")
            yield _labelled(edge, told.ways[step_id, False, target])
    if step.retries:
        yield DiagramEdge(step_id, step_id, "retry", f"retry {_TIMES}{step.retries}")
