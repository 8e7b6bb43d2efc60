"""Events that are no attempts, to and from the parts of their rows. What the letters mean stands in `rows.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.events import (
    Answered,
    BranchesOpened,
    Event,
    EventReceived,
    LimitReached,
    RunFinished,
    WaitStarted,
)
from orchestration_kit.journal import codec
from orchestration_kit.journal.errors import NotRecordable

Value = Callable[[str, Any], Any]
"""Makes plain data of a value; the text says what it is."""

_ENDS = ("completed", "failed", "cancelled")
_WAITS = ("approval", "event", "time")
_ANSWERS = ("approved", "rejected", "event", "kept", "timeout", "time")


def mark_parts(event: Event, value: Value) -> list[Any] | None:
    """Return the parts of a row; None where the event is not of these kinds.

    Raises:
        NotRecordable: a value in it cannot be put on record.
    """
    if isinstance(event, BranchesOpened):
        path, keys, inputs, evaluated, opened_at = event
        named = None if keys is None else value("branches", list(keys))
        given = None if inputs is None else value(f"the items of {path}", inputs)
        return ["b", path, named, given, opened_at, *([conditions(evaluated)] if evaluated else ())]
    if isinstance(event, WaitStarted):
        path, kind, request, shown, asked_at, until = event
        return ["w", path, kind, request, value(f"what {path} shows", shown), asked_at, until]
    if isinstance(event, Answered):
        path, kind, answer, reason, request, answered_at = event
        given = value(f"the answer to {path}", answer)
        return ["q", path, kind, given, value("reason", reason), request, answered_at]
    if isinstance(event, EventReceived):
        name, payload, received_at = event
        return ["n", value("event", name), value(f"the payload of event {name!r}", payload), received_at]
    if isinstance(event, LimitReached):
        return ["l", event.limit, event.value, event.next_step, event.reached_at]
    if isinstance(event, RunFinished):
        return ["e", event.state, value("reason", event.reason), event.finished_at, event.steps]
    return None


def mark_of(run_id: str, parts: list[Any]) -> Event | None:
    """Return the event of a row; None where it is not of these kinds.

    Raises:
        ValueError: (or a TypeError, LookupError) it is not one that a journal writes.
    """
    kind = parts[0]
    if kind == "b":
        return _opened(*parts[1:])
    if kind == "w":
        _, path, waits_for, request, shown, asked_at, until = parts
        sort = cast('Literal["approval", "event", "time"]', _one_of(waits_for, _WAITS))
        end = None if until is None else float(until)
        return WaitStarted(exact_text(path), sort, exact_text(request), dict(shown), float(asked_at), end)
    if kind == "q":
        _, path, answer, value, reason, request, at = parts
        way = cast('Literal["approved", "rejected", "event", "kept", "timeout", "time"]', _one_of(answer, _ANSWERS))
        return Answered(exact_text(path), way, value, text(reason), exact_text(request), float(at))
    if kind == "n":
        _, name, payload, received_at = parts
        return EventReceived(exact_text(name), payload, float(received_at))
    if kind == "l":
        _, limit, value, next_step, reached_at = parts
        return LimitReached(exact_text(limit), exact_text(value), text(next_step), float(reached_at))
    if kind == "e":
        _, state, reason, finished_at, steps = parts
        return RunFinished(run_id, _one_of(state, _ENDS), text(reason), float(finished_at), int(steps))
    return None


def _opened(path: Any, keys: Any, inputs: Any, opened_at: Any, evaluated: Any = ()) -> BranchesOpened:
    if not (inputs is None or type(inputs) is list):
        raise TypeError(f"the items of a map are {str(cast('object', inputs))[:40]}")
    named = None if keys is None else tuple(map(exact_text, keys))
    return BranchesOpened(exact_text(path), named, inputs, evaluated_of(evaluated), float(opened_at))


def conditions(evaluated: tuple[Evaluated, ...]) -> list[Any]:
    """Return conditions that were evaluated as plain data."""
    return [[codec.encode(one.text, "text"), _inputs(one), one.result] for one in evaluated]


def _inputs(evaluated: Evaluated) -> Any:
    """Return what a condition looked at. It may be part of a rejected output, which need not fit on record."""
    try:
        return codec.encode(dict(evaluated.inputs), "what a condition looked at")
    except NotRecordable:
        return {key: f"{value!r:.200}" for key, value in evaluated.inputs.items()}


def evaluated_of(plain: Any) -> tuple[Evaluated, ...]:
    """Return conditions that were evaluated."""
    return tuple(Evaluated(exact_text(one), dict(inputs), result is True) for one, inputs, result in plain)


def _one_of(value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"one of {', '.join(known)} is {value!r:.40}")
    return value


def text(value: Any) -> str | None:
    """Return a text, or None; nothing else."""
    return None if value is None else exact_text(value)


def exact_text(value: Any) -> str:
    """Return a text; nothing else."""
    if type(value) is not str:
        raise ValueError(f"a text is {str(cast('object', value))[:40]}")
    return value
