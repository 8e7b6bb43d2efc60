"""History entries (plain dicts, as a context shows them or a person wrote them) become records again.

An entry may leave out anything. What it does not say is not made up: times are then NaN and changes None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo


def records_of_entries(entries: Iterable[Mapping[str, Any]]) -> list[AttemptFinished]:
    """Return a record for each entry.

    A failed entry that does not say whether it was retried was, where the next attempt of its visit follows.

    >>> first, second = records_of_entries([
    ...     {"step": "a", "attempt": 1, "success": False, "error": "no"}, {"step": "a", "attempt": 2},
    ... ])
    >>> first.retry_in_s, second.retry_in_s, second.path
    (0.0, None, 'a#1')
    """
    records: list[AttemptFinished] = []
    visits: dict[tuple[str, str], int] = {}
    open_at: dict[tuple[str, str, int], int] = {}
    for seq, entry in enumerate(entries, 1):
        scope = _scope(entry)
        step = str(entry.get("step") or "")
        attempt = _whole(entry.get("attempt"), 1)
        visit = _whole(entry.get("visit"), 0)
        if visit == 0:  # made by hand: count them
            visit = visits.get((scope, step), 0) + (attempt <= 1 or (scope, step) not in visits)
        visits[scope, step] = visit
        record = _record(entry, seq, (scope, step, visit, max(attempt, 1)))
        before = open_at.pop((scope, step, visit), None)
        if before is not None and record.attempt == records[before].attempt + 1:
            records[before] = records[before]._replace(retry_in_s=0.0)
        if record.error is not None and record.next_step is None and "retry_in_s" not in entry:
            open_at[scope, step, visit] = len(records)
        records.append(record)
    return records


def _record(entry: Mapping[str, Any], seq: int, position: tuple[str, str, int, int]) -> AttemptFinished:
    scope, step, visit, attempt = position
    usage = entry.get("usage")
    next_step, detail = entry.get("next_step"), entry.get("detail")
    return AttemptFinished(
        seq=_whole(entry.get("seq"), seq),
        scope=scope,
        step=step,
        visit=visit,
        attempt=attempt,
        worker=_text(entry.get("worker")),
        worker_type=str(entry.get("worker_type") or ""),
        input=entry.get("input"),
        output=entry.get("output"),
        error=_error(entry),
        started_at=_moment(entry.get("timestamp")),
        duration_s=_seconds(entry.get("duration_s")),
        next_step=_text(next_step),
        retry_in_s=_wait(entry.get("retry_in_s")),
        changes=None,
        evaluated=_evaluated(entry.get("why")),
        usage=dict(cast("Mapping[str, Any]", usage)) if isinstance(usage, Mapping) else None,
        cached=entry.get("cached") is True,
        detail=dict(cast("Mapping[str, Any]", detail)) if isinstance(detail, Mapping) else None,
    )


def _scope(entry: Mapping[str, Any]) -> str:
    """Everything before the last part of the path."""
    path = entry.get("path")
    return path[: path.rindex("/") + 1] if isinstance(path, str) and "/" in path else ""


def _error(entry: Mapping[str, Any]) -> ErrorInfo | None:
    error = entry.get("error")
    if error is None and entry.get("success") is not False:
        return None
    return ErrorInfo(_text(entry.get("error_type")) or "Exception", "failed" if error is None else str(error))


def _evaluated(why: Any) -> tuple[Evaluated, ...]:
    if not isinstance(why, (list, tuple)):
        return ()
    return tuple(
        Evaluated(str(one.get("text")), one.get("inputs") or {}, one.get("result") is True)
        for one in cast("Iterable[dict[str, Any]]", why)
        if hasattr(one, "get")
    )


def _moment(timestamp: Any) -> float:
    if isinstance(timestamp, (int, float)):
        return _seconds(timestamp)
    try:
        moment = timestamp if isinstance(timestamp, datetime) else datetime.fromisoformat(str(timestamp))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _seconds(value: Any) -> float:
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _wait(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value >= 0 else None


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and 0 < value < 2**63 else default


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
