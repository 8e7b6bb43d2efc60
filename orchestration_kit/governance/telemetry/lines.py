"""Events of a run become flat dicts, one line of the stream each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    BranchesOpened,
    Event,
    EventReceived,
    LimitReached,
    RunFinished,
    RunForked,
    RunResumed,
    RunStarted,
    WaitStarted,
)

if TYPE_CHECKING:
    from orchestration_kit.governance.telemetry.cleaning import Cleaner

SCHEMA = 1
"""`v` of each line. It goes up when a key changes its meaning; keys may be added any time."""


def line_of(  # noqa: C901 - a case for each kind of event
    event: Event, cleaner: Cleaner, *, contents: bool
) -> dict[str, Any] | None:
    """Return what the stream tells of an event, without run and workflow; None where it tells nothing.

    Args:
        event: What happened.
        cleaner: Takes out secrets, cuts texts.
        contents: Whether inputs, outputs, payloads and goals are told.
    """
    match event:
        case AttemptFinished():
            return _attempt(event, cleaner, contents=contents)
        case RunStarted():
            found = {"event": "started", "ts": event.started_at, "parent": event.parent, "forked_at": event.forked_at}
            return {**found, "goal": cleaner.content(event.goal)} if contents else found
        case RunResumed():
            return {"event": "resumed", "ts": event.resumed_at}
        case RunForked():
            return {"event": "forked", "ts": event.forked_at, "parent": event.parent, "forked_at": event.at}
        case BranchesOpened():
            count = len(event.keys if event.keys is not None else event.inputs or ())
            return {"event": "branches", "ts": event.opened_at, "path": event.path, "count": count}
        case WaitStarted():
            return {"event": "wait", "ts": event.asked_at, "path": event.path, "kind": event.kind}
        case Answered():
            found = {"event": "answered", "ts": event.answered_at, "path": event.path, "kind": event.kind}
            return {**found, "reason": event.reason} if event.reason is not None else found
        case EventReceived():
            return {"event": "received", "ts": event.received_at, "kind": event.name}
        case LimitReached():
            reason = f"{event.limit}: {event.value}"
            found = {"event": "limit", "ts": event.reached_at, "reason": reason, "next_step": event.next_step}
            return found if event.next_step is not None else {key: found[key] for key in ("event", "ts", "reason")}
        case RunFinished():
            found = {"event": "finished", "ts": event.finished_at, "state": event.state, "steps": event.steps}
            return {**found, "reason": event.reason} if event.reason is not None else found
        case _:
            return None


def _attempt(event: AttemptFinished, cleaner: Cleaner, *, contents: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "event": "attempt",
        "ts": event.started_at + max(0.0, event.duration_s),
        "seq": event.seq,
        "path": event.path,
        "step": event.step,
        "visit": event.visit,
        "attempt": event.attempt,
        "worker": event.worker,
        "worker_type": event.worker_type,
        "success": event.error is None,
        "started_at": event.started_at,
        "duration_s": event.duration_s,
        "next_step": event.next_step,
        "cached": event.cached,
    }
    if event.error is not None:
        found["error"], found["error_type"] = event.error.message, event.error.type
        if event.retry_in_s is not None:
            found["retry_in_s"] = event.retry_in_s
    if event.usage is not None:
        for name in ("input_tokens", "output_tokens", "cost_usd", "model"):
            found[name] = event.usage.get(name)
    if contents:
        found["input"], found["output"] = cleaner.content(event.input), cleaner.content(event.output)
    return found


TEXTS = ("error", "reason")
"""Entries that anything may stand in; all other texts are names."""


def cleaned(line: dict[str, Any], cleaner: Cleaner) -> dict[str, Any]:
    """Return a line without secrets, in its names too, and without what is missing."""
    return {
        key: value
        if not isinstance(value, str)
        else cleaner.text(value)
        if key in TEXTS
        else _name(key, value, cleaner)
        for key, value in line.items()
        if value is not None
    }


def _name(key: str, value: str, cleaner: Cleaner) -> str:
    return value if key in {"event", "input", "output", "goal"} else cleaner.name(value)
