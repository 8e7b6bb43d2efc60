"""A workflow definition becomes a diagram model, sound or not: mistakes are drawn where they are.

Reads attributes only, and forgives missing ones: a definition that its checks refuse, or one from another
release, is still drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from orchestration_kit.visual.model import (
    ENTRY_ID,
    Detail,
    DiagramEdge,
    DiagramModel,
    DiagramNode,
    Direction,
    EdgeKind,
    NodeKind,
)
from orchestration_kit.visual.text import clean, one_line, tooltip

_KINDS: dict[str, NodeKind] = {"approval": "approval", "wait": "wait"}
_ICONS = {"approval": "waits for a person", "wait": "waits"}
_FAILS = "\N{BALLOT X} fails"


def model_of(workflow: Any, *, detail: Detail = "full", direction: Direction = "TB") -> DiagramModel:
    """Return the diagram model of a workflow definition.

    Missing targets become ghosts, unreachable steps are marked, and a missing initial step is said at the
    entry. Errors that the definition's own `problems()` report are added to the steps they name.

    >>> from types import SimpleNamespace as Stub
    >>> step = Stub(step_id="a", worker_type="coder", on_success="b", on_failure=None, is_terminal=False)
    >>> model = model_of(Stub(name="demo", initial_step="a", steps={"a": step}))
    >>> [(node.id, node.problem) for node in model.nodes][1:]
    [('a', ''), ('b', 'missing step')]
    """
    steps: dict[str, Any] = dict(getattr(workflow, "steps", None) or {})
    name = one_line(getattr(workflow, "name", "") or "workflow", 200)
    initial = getattr(workflow, "initial_step", None)
    findings = _findings(workflow)
    edges = [edge for key, step in steps.items() for edge in _ways_out(key, step)]
    known = set(steps)
    missing = list(dict.fromkeys(e.target for e in edges if e.target not in known))
    if isinstance(initial, str) and initial not in known and initial not in missing:
        missing.insert(0, initial)
    reached = _reachable(initial, edges)
    nodes = [
        _node(key, step, initial, findings.get(key, []), unreachable=key not in reached and initial in known)
        for key, step in _drawing_order(steps, reached)
    ]
    nodes.extend(_ghost(target, edges) for target in missing)
    nodes.insert(0, _entry(initial, has_steps=bool(nodes)))
    if isinstance(initial, str):
        edges.insert(0, DiagramEdge(ENTRY_ID, initial, "entry"))
    order = {node.id: at for at, node in enumerate(nodes)}
    edges.sort(key=lambda edge: order[edge.source])
    about = tooltip(getattr(workflow, "goal", ""), getattr(workflow, "description", ""))
    problems = tuple(text for texts in findings.values() for _, text in texts)
    return DiagramModel(name, tuple(nodes), tuple(edges), (), about, problems, detail, direction)


def _entry(initial: object, *, has_steps: bool) -> DiagramNode:
    """The dot before the first step, or what is wrong there."""
    if isinstance(initial, str):
        return DiagramNode(ENTRY_ID, "start", kind="entry", tooltip="The run starts here.")
    problem = "no initial step" if has_steps else "no steps yet"
    return DiagramNode(ENTRY_ID, "start", kind="entry", problem=problem, tooltip="No initial step is named.")


def _ways_out(key: str, step: Any) -> Iterable[DiagramEdge]:
    terminal = bool(getattr(step, "is_terminal", False))
    branches = () if terminal else tuple(getattr(step, "branches", None) or ())
    for branch in branches:
        condition = _condition_text(getattr(branch, "when", ""))
        label = one_line(getattr(branch, "label", ""), 60) or one_line(condition, 60)
        yield DiagramEdge(key, str(branch.to), "branch", label or "if", tooltip("if", condition))
    success = getattr(step, "on_success", None)
    if success is not None and not terminal:
        yield DiagramEdge(key, str(success), "success", "else" if branches else "", "after success")
    failure = getattr(step, "on_failure", None)
    if failure is not None:
        yield DiagramEdge(key, str(failure), "failure", _FAILS, "after a failure")
    retries = getattr(step, "max_retries", 0)
    if isinstance(retries, int) and retries > 0:
        label = f"retry \N{MULTIPLICATION SIGN}{retries}"
        yield DiagramEdge(key, key, "retry", label, f"up to {retries} more attempts after a failed one")


def _condition_text(condition: object) -> str:
    if callable(condition):
        name = getattr(condition, "__qualname__", None) or type(condition).__qualname__
        return str(name).rpartition(".")[2] + "()"
    return clean(condition)


def _worker_text(step: Any) -> str:
    worker, kind = getattr(step, "worker", None), getattr(step, "worker_type", None)
    kind_text = one_line(getattr(kind, "value", kind) or "", 60)
    if worker is None:
        return kind_text
    name = one_line(worker, 60)
    return f"{name} \N{MIDDLE DOT} {kind_text}" if kind_text and kind_text != name else name


def _node(key: str, step: Any, initial: object, findings: list[tuple[str, str]], *, unreachable: bool) -> DiagramNode:
    kind = str(getattr(step, "kind", "step"))
    is_terminal = bool(getattr(step, "is_terminal", False))
    outcome = "failed" if getattr(step, "outcome", "completed") == "failed" else "completed"
    worker = _worker_text(step) or _ICONS.get(kind, "")
    description = one_line(getattr(step, "description", ""), 400)
    problems = [code for code, _ in findings]
    if unreachable and not any("unreach" in code for code in problems):
        problems.append("unreachable step")
    limit, success_when = (getattr(step, "timeout_s", None), getattr(step, "success_when", None))
    return DiagramNode(
        key,
        one_line(key, 200),
        worker=worker,
        note=description,
        kind="terminal" if is_terminal else _KINDS.get(kind, "step"),
        is_start=key == initial,
        outcome=outcome if is_terminal else "",
        problem="; ".join(problems),
        tooltip=tooltip(
            key,
            worker and f"worker: {worker}",
            getattr(step, "description", ""),
            f"ends the run: {outcome}" if is_terminal else "",
            f"succeeds when: {_condition_text(success_when)}" if success_when is not None else "",
            f"time limit: {limit:g} s" if isinstance(limit, (int, float)) else "",
            *(text for _, text in findings),
        ),
    )


def _ghost(target: str, edges: Iterable[DiagramEdge]) -> DiagramNode:
    named_by = ", ".join(dict.fromkeys(one_line(e.source, 60) for e in edges if e.target == target))
    where = f"named by {named_by}" if named_by else "named as the initial step"
    return DiagramNode(
        target,
        one_line(target, 200) or "(empty id)",
        kind="missing",
        problem="missing step",
        tooltip=tooltip(target, f"No step has this id; it is {where}."),
    )


def _findings(workflow: Any) -> dict[str, list[tuple[str, str]]]:
    """Errors that the definition reports about itself: by step, a short name and the full text."""
    found: dict[str, list[tuple[str, str]]] = {}
    problems = getattr(workflow, "problems", None)
    reported: Any = problems() if callable(problems) else ()
    for problem in reported:
        if getattr(problem, "severity", "error") != "error":
            continue
        code = one_line(getattr(problem, "code", "problem"), 40).replace("_", " ").replace("-", " ")
        text = _sentences(getattr(problem, "message", ""), getattr(problem, "hint", ""))
        for step in getattr(problem, "steps", ()) or ("",):
            found.setdefault(str(step), []).append((code, text))
    return found


def _sentences(message: object, hint: object) -> str:
    """A message and its hint as one text, with a full stop between them."""
    said, advice = tooltip(message), tooltip(hint or "")
    stop = "." if said and advice and said[-1] not in ".!?:" else ""
    return tooltip(f"{said}{stop} {advice}")


def _reachable(initial: object, edges: Iterable[DiagramEdge]) -> dict[str, int]:
    """The steps a run can get to, in the order of a breadth-first walk."""
    if not isinstance(initial, str):
        return {}
    ways: dict[str, list[str]] = {}
    for edge in sorted(edges, key=lambda edge: _SUCCESS_FIRST[edge.kind]):
        ways.setdefault(edge.source, []).append(edge.target)
    seen, queue = {initial: 0}, deque([initial])
    while queue:
        for target in ways.get(queue.popleft(), ()):
            if target not in seen:
                seen[target] = len(seen)
                queue.append(target)
    return seen


_SUCCESS_FIRST: dict[EdgeKind, int] = {"entry": 0, "success": 1, "branch": 2, "failure": 3, "retry": 4}


def _drawing_order(steps: dict[str, Any], reached: dict[str, int]) -> list[tuple[str, Any]]:
    """The steps in the order a run meets them, then those it never meets: layouts keep to this order."""
    return sorted(steps.items(), key=lambda item: reached.get(item[0], len(reached)))
