"""The words of a flowchart: what the second line of a box and the label of an arrow say, written and read.

Words of the notation stand as they are; data between them is encoded, so that no step's name can pass for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from orchestration_kit.definition.condition_text import read_condition
from orchestration_kit.definition.steps import Step, callable_name
from orchestration_kit.errors import ConditionSyntaxError
from orchestration_kit.interchange.mermaid_chart import decoded, encoded

HEADER = "workflow:"
LEFT_OUT = "left out:"
"""What comments begin with that `to_mermaid` writes."""
FAILS, ELSE, SPENT, UNDO, RETRY, RUN_SPENT = (
    "\N{BALLOT X} fails", "else", "budget spent", "undone by", "retry \N{MULTIPLICATION SIGN}", "run's budget spent",
)  # fmt: skip
DOT = " \N{MIDDLE DOT} "
_FAILURES = frozenset({"fails", "fail", "failed", "failure", "on failure", "error", "on error", "errors", "exception"})
_OTHERWISE = frozenset({"else", "otherwise", "default"})
_STARTS = frozenset({"", "start", "begin", "entry", "__start__"})
_UNITS = {"µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0}
_SECONDS = re.compile(r"(?:\d[\d,.]*(?:e[+-]?\d+)? (?:µs|ms|s|min|h) ?){1,3}")
_SHAPES = {"parallel": ("[[", "]]"), "map": ("[[", "]]"), "workflow": ("[[", "]]"), "approval": ("[/", "/]")}


class Read(NamedTuple):
    """What the label of an arrow says."""

    kind: str
    """on, choice, caption (a label that is no condition), failure, timeout, budget, compensate or retry."""
    condition: str = ""
    label: str = ""
    number: float = 0
    """Seconds of a timeout, or how many retries."""


def box_of(step: Step, *, title: str) -> str:
    """Return the box of a step, as Mermaid has it.

    >>> from orchestration_kit.definition import WorkflowStep
    >>> box_of(WorkflowStep(step_id="draft", worker_type="coder"), title="draft")
    '["draft<br/>coder"]'
    """
    before, after = _SHAPES.get(step.kind, ("{{", "}}") if step.kind == "wait" else ("[", "]"))
    if step.is_terminal and step.kind == "step":
        before, after = "([", "])"
    return f'{before}"{encoded(title)}<br/>{_second_line(step)}"{after}'


def _second_line(step: Any) -> str:
    match step.kind:
        case "parallel" | "map":
            join = {"all": ", all", "any": ", any"}.get(step.join, f", join {step.join}")
            most = f", {step.max_concurrency} at a time" if step.max_concurrency is not None else ""
            return f"{step.kind}{_over(step)}{join}{most}"
        case "workflow":
            return f"run of {encoded(step.workflow)}"
        case "approval":
            return f"asks {encoded(step.prompt)}"
        case "wait" if step.event is not None:
            return f"waits for {encoded(step.event)}"
        case "wait" if step.until is not None:
            return f"waits until {encoded(step.until.isoformat())}"
        case "wait":
            return f"waits {seconds_text(step.for_s)}"
        case _:
            worker = "" if step.worker is None else f"{encoded(step.worker)}{DOT}"
            return f"{worker}{encoded(str(step.worker_type))}"


def _over(step: Any) -> str:
    given = getattr(step, "over", None)
    path = callable_name(given) if callable(given) else given
    return "" if path is None else f" over {encoded(path).replace(',', '#44;')}"


def fields_of(shape: str, lines: list[str]) -> dict[str, Any]:
    """Return the fields of a step, from its shape and the lines of its text.

    >>> fields_of("[", ["draft", "Ada \N{MIDDLE DOT} coder"])
    {'worker_type': 'coder', 'worker': 'Ada'}
    >>> fields_of("[[", ["grade", "map over data.items, 10 at a time"])
    {'kind': 'map', 'over': 'data.items', 'max_concurrency': 10}
    """
    second = lines[1] if len(lines) > 1 else ""
    if shape in ("[[", "frame") and (found := re.fullmatch(r"(parallel|map)( over .*?)?((?:, .*)?)", second)):
        over = {"over": decoded((found[2] or " over output")[6:])} if found[1] == "map" else {}
        return {"kind": found[1], **over, **_joining(found[3])}
    if shape == "[[" and second.startswith("run of "):
        return {"kind": "workflow", "workflow": decoded(second[7:])}
    if shape == "[/" and second.startswith("asks "):
        return {"kind": "approval", "prompt": decoded(second[5:])}
    if shape == "{{" and second.startswith("waits"):
        return {"kind": "wait", **_waiting(second)}
    if not second:
        return {"worker_type": "generic"}
    worker, dot, kind = second.rpartition(DOT)
    return {"worker_type": decoded(kind), **({"worker": decoded(worker)} if dot else {})}


def _joining(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in (one.strip() for one in text.split(",")):
        if part in ("any", "any one"):
            fields["join"] = "any"
        elif found := re.fullmatch(r"(?:join |first )(\d+)|(\d+) of \d+", part):
            fields["join"] = int(found[1] or found[2])
        elif found := re.fullmatch(r"(\d+) at a time", part):
            fields["max_concurrency"] = int(found[1])
    return fields


def _waiting(second: str) -> dict[str, Any]:
    if second.startswith("waits for "):
        return {"event": decoded(second[10:])}
    if second.startswith("waits until "):
        until = decoded(second[12:]).removesuffix(" UTC").replace(" ", "T")
        return {"until": until if re.search(r"(?:Z|[+-]\d\d:\d\d)$", until) else f"{until}+00:00"}
    return {"for_s": seconds_of(second[6:]) or 1.0}


def label_of(words: Iterable[str]) -> str:
    """Return the label of an arrow, its lines encoded; one that reads like a word of the notation is told apart."""
    lines = [encoded(word) for word in words]
    if len(lines) == 1 and decoded(lines[0]) == ELSE:
        lines = [f"#{ord(ELSE[0])};{ELSE[1:]}"]
    return f'|"{"<br/>".join(lines)}"|'


def read_label(lines: list[str], stroke: str, *, exact: bool) -> Read:
    """Return what the label of an arrow says.

    Args:
        lines: as written.
        stroke: how the arrow is drawn.
        exact: it was written by `to_mermaid`, so that words mean what they mean there and nothing else.

    >>> read_label(["output.ok == true"], "solid", exact=False).kind, read_label(["yes"], "solid", exact=False).kind
    ('choice', 'caption')
    """
    if not lines:
        return Read("on")
    if stroke == "dotted" or not exact:
        found = _aside(lines[0])
        if found is not None and (stroke == "dotted" or found.kind == "failure"):
            return found
    if lines == [ELSE] or (not exact and decoded(lines[0]).lower() in _OTHERWISE):
        return Read("on")
    label = " ".join(decoded(line) for line in lines[:-1])
    condition = decoded(lines[-1])
    if exact or is_condition(condition):
        return Read("choice", condition, label)
    return Read("caption", label=" ".join(decoded(line) for line in lines))


def _aside(line: str) -> Read | None:
    text = decoded(line)
    if line == FAILS or text.lower() in _FAILURES:
        return Read("failure")
    if text == SPENT:
        return Read("budget")
    if text == UNDO:
        return Read("compensate")
    if found := re.fullmatch(rf"{RETRY}(\d{{1,7}})", text):
        return Read("retry", number=int(found[1]))
    if text.startswith("after ") and (limit := seconds_of(text[6:])):
        return Read("timeout", number=limit)
    return None


def is_condition(text: str) -> bool:
    """Whether a text is a condition that looks at something: "true" is a label."""
    try:
        return read_condition(text).mentions > 0
    except ConditionSyntaxError:
        return False


def is_start(shape: str, lines: list[str]) -> bool:
    """Whether a node is the dot before the first step."""
    return shape in ("((", "([", "(") and len(lines) < 2 and decoded("".join(lines)).lower() in _STARTS


def seconds_text(seconds: float) -> str:
    """Return a duration that is read as it was written.

    >>> seconds_text(90.0), seconds_of("1 min 30 s"), seconds_of(seconds_text(0.1 + 0.2))
    ('90 s', 90.0, 0.30000000000000004)
    """
    return f"{seconds!r} s".replace(".0 s", " s")


def seconds_of(text: str) -> float:
    """Return a duration in seconds, 0 where the text is none."""
    if _SECONDS.fullmatch(text.strip()) is None:
        return 0.0
    parts = text.split()
    try:
        return sum(float(n.replace(",", "")) * _UNITS[u] for n, u in zip(parts[::2], parts[1::2], strict=True))
    except ValueError:
        return 0.0
