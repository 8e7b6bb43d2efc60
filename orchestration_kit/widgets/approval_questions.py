"""What a run asks becomes plain data for a page: every text as text, what does not print visible, nothing endless."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from orchestration_kit.definition.steps import WorkflowStep
from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.inner import step_at
from orchestration_kit.engine.journaled import canonical
from orchestration_kit.engine.run import Run
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.history.texts import short_text
from orchestration_kit.widgets.approval_outlook import no_outlook, outlook

MOST_TEXT = 6_000
"""Characters of one value that are shown."""
MOST_VALUES = 40
"""Values that are shown with a question."""
_MOST_FIELDS = 30


def question_of(run: Run, request: Request) -> dict[str, Any]:
    """Return a question as a page shows it; `run` is the one that asks."""
    step = step_at(run.workflow, request.path, {})
    ways = no_outlook() if step is None else outlook(run.workflow, step, request.path)
    if isinstance(step, WorkflowStep):  # an action that its worker wants was refused
        for way in ways["approve"]:
            way["steps"].insert(0, {"step": step.step_id, "about": "does exactly this"})
    shown = list(request.shown.items())
    return {
        "key": key_of(request),
        "run": visible(request.run_id[:300]),
        "workflow": visible(run.machine.started.workflow[:200]),
        "goal": visible(run.machine.started.goal[:400]),
        "path": visible(request.path[:300]),
        "about": "" if step is None else visible(step.description[:1_000]),
        "prompt": visible(request.prompt),
        "hash": request.hash,
        "asked_at": request.asked_at,
        "deadline": request.deadline,
        "shown": [{"name": visible(name), **shown_value(value)} for name, value in shown[:MOST_VALUES]],
        "more": max(0, len(shown) - MOST_VALUES),
        "schema": sendable(request.schema),
        "ways": ways,
        "bar": bar_of(request),
    }


def key_of(request: Request) -> str:
    """Return what tells a question from every other: of which run, at which visit, and exactly what is asked."""
    plain = f"{request.run_id!a}{request.path!a}{request.hash}"
    return hashlib.sha256(plain.encode()).hexdigest()[:24]


def bar_of(request: Request) -> str:
    """Return why a question cannot be answered here, in words; empty where it can.

    The wording is that of the workflow which is known here. Where that is not what the run asked, an answer would be
    bound to something that nobody has seen.
    """
    asked = [request.path, request.kind, request.prompt, request.schema, request.shown]
    try:
        digest = hashlib.sha256(canonical(asked, "what is shown")).hexdigest()
    except OrchestrationError:
        digest = ""
    if digest == request.hash:
        return ""
    return (
        "The run asks this in other words than are known here: another version of its workflow is on record, or "
        "registered. Answer it where the run goes on, or register that version."
    )


def sendable(value: Any) -> Any:
    r"""Return plain data without what no message can hold: lone surrogates.

    >>> sendable({"title": "\ud800!"})
    {'title': '?!'}
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {sendable(key): sendable(one) for key, one in cast("dict[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [sendable(one) for one in cast("list[Any]", value)]
    return value


def shown_value(value: Any) -> dict[str, Any]:
    r"""Return a value for reading: `kind` is "text", "data" (JSON), or "fields" of a flat dict; `cut` what is missing.

    >>> shown_value("Pay 12\u202e Euro")
    {'kind': 'text', 'text': 'Pay 12\\u202e Euro', 'cut': 0}
    >>> shown_value({"amount": 12.5})["fields"]
    [['amount', '12.5']]
    """
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value)
        if 0 < len(entries) <= _MOST_FIELDS and all(_is_plain(one) for one in entries.values()):
            fields = [[visible(str(key)), visible(_plain(one))] for key, one in entries.items()]
            return {"kind": "fields", "text": "", "fields": fields, "cut": 0}
    if isinstance(value, str):
        return _cut("text", value)
    if isinstance(value, (dict, list, tuple)):
        try:
            text = json.dumps(value, indent=2, ensure_ascii=False, default=lambda one: short_text(one, 400))
        except (TypeError, ValueError, RecursionError):
            text = short_text(value, MOST_TEXT)
        return _cut("data", text)
    if value is None or isinstance(value, (bool, int, float)):
        return _cut("data", _plain(value))
    to_string = getattr(value, "to_string", None)
    if callable(to_string) and type(value).__module__.startswith("pandas"):
        return _cut("data", str(to_string(max_rows=40)))
    return _cut("data", short_text(value, MOST_TEXT))


def visible(text: str) -> str:
    r"""Return text in which everything that does not print is an escape, apart from ends of lines and tabs.

    >>> visible("one\ntwo \u202e \x07")
    'one\ntwo \\u202e \\x07'
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 400)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)[:400]


def _cut(kind: str, text: str) -> dict[str, Any]:
    return {"kind": kind, "text": visible(text[:MOST_TEXT]), "cut": max(0, len(text) - MOST_TEXT)}
