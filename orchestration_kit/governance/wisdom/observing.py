"""Events of a run become what there is to learn from: failures, what a person rejected, and how lessons did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from orchestration_kit.engine.events import Answered, AttemptFinished, Event
from orchestration_kit.governance.wisdom.lesson import Layer

MAX_MESSAGE = 500
_NOT_THE_WORKER = frozenset(
    {
        "ApprovalRejected",  # told by the answer itself
        "BranchCancelled",
        "BudgetSpent",
        "JoinFailed",
        "RunCancelled",
        "SubworkflowFailed",  # the run inside tells it
        "WaitTimeout",
    }
)
"""Errors that a worker could not have done better about."""
_VARYING = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b|\d+(?:[.,]\d+)*", re.IGNORECASE)


class Finding(NamedTuple):
    """Something that went wrong, as it would be told in a lesson."""

    text: str
    layer: Layer
    step: str
    worker: str | None
    model: str | None
    sameness: str
    """The same for what goes wrong in the same way."""


class Outcome(NamedTuple):
    """What an attempt has to tell."""

    path: str
    attempt: int
    used: Sequence[int]
    """The lessons that it was given."""
    went_well: bool
    finding: Finding | None


def outcome_of(event: Event) -> Outcome | None:
    """Return what there is to learn from an event; None where there is nothing."""
    if isinstance(event, AttemptFinished):
        if event.cached:  # it was a recording that did well or badly
            return None
        used = _used(event.detail)
        finding = None if event.error is None or event.error.type in _NOT_THE_WORKER else _failure(event)
        if not used and finding is None:
            return None
        return Outcome(event.path, event.attempt, used, event.error is None, finding)
    if isinstance(event, Answered) and event.kind == "rejected" and event.reason:
        return Outcome(event.path, 0, used=(), went_well=False, finding=_rejection(event))
    return None


def alike(message: str) -> str:
    """Return a message without what varies from one time to the next.

    >>> alike("Timeout after 3.5 s at  0x7f3a") == alike("timeout after 12 s at 0x11")
    True
    """
    return " ".join(_VARYING.sub("#", message[:MAX_MESSAGE].lower()).split())


def _failure(event: AttemptFinished) -> Finding:
    error = cast("Any", event.error)
    message = str(error.message)
    told = message[:MAX_MESSAGE] + ("…" if len(message) > MAX_MESSAGE else "")
    text = f"Step {event.step!r} failed with {error.type}: {told}"
    model = (event.usage or {}).get("model") or event.worker_fingerprint
    return Finding(text, "safety", event.step, event.worker_type or None, model, f"{error.type} {alike(message)}")


def _rejection(event: Answered) -> Finding:
    step = event.path.rpartition("/")[2].rpartition("#")[0]
    reason = str(event.reason)
    told = reason[:MAX_MESSAGE] + ("…" if len(reason) > MAX_MESSAGE else "")
    text = f"A person rejected what came to step {step!r}: {told}"
    return Finding(text, "preference", step, None, None, f"rejected {alike(reason)}")


def _used(detail: dict[str, Any] | None) -> list[int]:
    listed = (detail or {}).get("lessons") or ()
    return [lesson for lesson in dict.fromkeys(listed) if isinstance(lesson, int)]
