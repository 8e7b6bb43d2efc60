"""Short ways to make events and contexts for lessons."""

from __future__ import annotations

from typing import Any

from orchestration_kit.engine.events import Answered, AttemptFinished, ErrorInfo


class StoppedClock:
    """A clock that goes on only when it is told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def time(self) -> float:
        return self.now


def attempt(
    step: str = "write", *, error: ErrorInfo | None = None, visit: int = 1, number: int = 1, **fields: Any
) -> AttemptFinished:
    """An attempt of a step, as it goes on record."""
    values: dict[str, Any] = dict(
        seq=1, scope="", step=step, visit=visit, attempt=number, worker="Ann", worker_type="writer", input=None, output=None, error=error,
        started_at=0.0, duration_s=0.0, next_step=None, retry_in_s=None, changes=None, evaluated=(), usage=None,
    )  # fmt: skip
    return AttemptFinished(**{**values, **fields})


def failed(message: str = "the price has no euros", *, type: str = "ValueError", **fields: Any) -> AttemptFinished:
    """A failed attempt."""
    return attempt(error=ErrorInfo(type, message), **fields)


def rejected(reason: str, path: str = "sign_off#1") -> Answered:
    """What a person who rejects leaves on record."""
    return Answered(path, "rejected", None, reason, "0" * 64, 0.0)
