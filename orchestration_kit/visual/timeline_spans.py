"""A run on record becomes spans of time: attempts, waits for retries, for people, times or the next cell, branches.

Reads what `history` reads; asks no clock, so that an open wait has no end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.events import AttemptFinished
    from orchestration_kit.history import Recorded

SpanState = Literal["success", "failed", "cancelled", "retry wait", "waiting", "branches"]
STATES: tuple[SpanState, ...] = ("success", "failed", "cancelled", "retry wait", "waiting", "branches")
MAIN = "main"
"""The lane of the run itself; a branch or an item has a lane named by its position."""
SHORTEST_WAIT_S = 0.01
"""A shorter gap between two attempts is the engine's own time, not a wait."""


class Span(NamedTuple):
    """Something that took time."""

    seq: int | None
    """The attempt; None for a wait."""
    path: str | None
    """Position and visit: of the attempt, or of the one that was waited for, where that came."""
    lane: str
    step: str
    attempt: int | None
    worker: str | None
    state: SpanState
    start_s: float
    """Seconds since the run began; NaN where the record has no time."""
    end_s: float
    """NaN where it is not over, or the record has no time."""

    @property
    def is_open(self) -> bool:
        """Whether it is a wait that is not over."""
        return self.seq is None and math.isnan(self.end_s)

    @property
    def known_end_s(self) -> float:
        """The end; the start of an attempt whose duration is not on record."""
        return self.start_s if math.isnan(self.end_s) else self.end_s


def spans_of(run: Recorded) -> list[Span]:
    """Return every span of a run, in the order of the record; a wait stands before what it waited for.

    The attempt of an approval or a wait is the moment of its answer.
    """
    began = _beginning(run)
    found: list[Span] = []
    last: dict[str, tuple[AttemptFinished | None, float]] = {"": (None, 0.0)}
    for record in run.records:
        start_s = _finite(record.started_at - began)
        end_s = _finite(start_s + record.duration_s)
        before, free_s = last.get(record.scope, (None, math.nan))
        waited, why = _gap(before, record)
        if start_s - free_s >= (SHORTEST_WAIT_S if why == "waiting" else 1e-6):
            found.append(_wait(waited, why, free_s, start_s))
        state: SpanState = "success"
        if record.error is not None:
            state = "cancelled" if record.error.type == "BranchCancelled" else "failed"
        lane = lane_of(record.scope)
        if (answered_s := _answered(record, began)) >= start_s:
            if answered_s - start_s >= 1e-6:
                found.append(_wait(record, "waiting", start_s, answered_s))
            start_s, end_s = answered_s, answered_s + (end_s - start_s)
        found.append(
            Span(record.seq, record.path, lane, record.step, record.attempt, record.worker, state, start_s, end_s)
        )
        last[record.scope] = record, end_s if math.isfinite(end_s) else free_s
    return found if run.is_over else found + _open_waits(run, last)


def lane_of(scope: str) -> str:
    """Return the name of a scope's lane.

    >>> lane_of(""), lane_of("research#1[3]/"), lane_of("[undo]/")
    ('main', 'research#1[3]', 'undo')
    """
    return "undo" if scope == "[undo]/" else scope.removesuffix("/") or MAIN


def spans_frame(spans: list[Span]) -> pd.DataFrame:
    """Return spans as a frame, one row a span; see `Timeline.frame`."""
    import pandas as pd

    from orchestration_kit.history import columns

    columns_of = list(zip(*spans, strict=True)) or [()] * len(Span._fields)
    seq, path, lane, step, attempt, worker, state, start_s, end_s = columns_of
    frame = {
        "seq": columns.integers(seq),
        "path": columns.text(path),
        "lane": columns.category(lane),
        "step": columns.category(step),
        "attempt": columns.integers(attempt),
        "worker": columns.category(worker),
        "state": columns.category(state, STATES),
        "start_s": columns.floats(start_s).column(),
        "end_s": columns.floats(end_s).column(),
    }
    return pd.DataFrame(frame, copy=False)


def _beginning(run: Recorded) -> float:
    """When the run began; a clock that was set back does not make times negative."""
    times = [record.started_at for record in run.records]
    times += [run.started_at] if run.started_at is not None else []
    return min((time for time in times if math.isfinite(time)), default=0.0)


def _finite(seconds: float) -> float:
    return seconds if math.isfinite(seconds) else math.nan


def _answered(record: AttemptFinished, began: float) -> float:
    """When the question of an approval or a wait was answered; NaN for other attempts."""
    at = (record.detail or {}).get("answered_at")
    return _finite(at - began) if isinstance(at, (int, float)) else math.nan


def _gap(before: AttemptFinished | None, record: AttemptFinished) -> tuple[AttemptFinished, SpanState]:
    """Whose the time before an attempt is, and what it is."""
    if before is not None and before.retry_in_s is not None:
        return record, "retry wait"
    if "branches" in (record.detail or {}):
        return record, "branches"
    asked = (before.detail or {}) if before is not None else {}
    if before is not None and "answer" in asked and "answered_at" not in asked:
        return before, "waiting"  # its attempt is the moment when it began to wait; when that ended is not on record
    return record, "waiting"


def _wait(record: AttemptFinished, state: SpanState, start_s: float, end_s: float) -> Span:
    return Span(None, record.path, lane_of(record.scope), record.step, record.attempt, None, state, start_s, end_s)


def _open_waits(run: Recorded, last: dict[str, tuple[AttemptFinished | None, float]]) -> list[Span]:
    """What a run that goes on is waiting for: retries that were announced, and a person or a time."""
    found: list[Span] = []
    for record, free_s in last.values():
        if record is None:
            continue
        if record.retry_in_s:
            announced = record._replace(attempt=record.attempt + 1)
            found.append(_wait(announced, "retry wait", free_s, free_s + record.retry_in_s))
        elif run.state in ("waiting", "blocked") and record.next_step is not None:
            lane, opened = lane_of(record.scope), f"{record.scope}{record.next_step}#"
            state: SpanState = "branches" if any(scope.startswith(opened) for scope in last) else "waiting"
            found.append(Span(None, None, lane, record.next_step, None, None, state, free_s, math.nan))
    return found
