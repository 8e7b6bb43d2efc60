"""Attempts, the visit that comes next, the data bus and what is asked become what a player shows: short texts."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.events import AttemptFinished, ErrorInfo
from orchestration_kit.engine.visits import STOPPED
from orchestration_kit.history.differences import same_value
from orchestration_kit.history.divergence import way_on
from orchestration_kit.history.texts import short_text
from orchestration_kit.visual.facts import cost, count, duration
from orchestration_kit.visual.text import clean, one_line, shorten
from orchestration_kit.widgets.live import steady
from orchestration_kit.widgets.player_texts import value_text

if TYPE_CHECKING:
    from orchestration_kit.engine.asking import Request
    from orchestration_kit.engine.run import Run

WINDOW = 40
"""Attempts that are sent at a time."""
_MOST_KEYS = 120
_MOST_TRACEBACK = 8_000
_OK, _FAILED, _RETRIED = "\N{CHECK MARK}", "\N{BALLOT X}", "\N{CLOCKWISE OPEN CIRCLE ARROW}"


def visit_rows(run: Run, place: Callable[[str], str], last: int | None = None) -> dict[str, Any]:
    """Return a window on the attempts, as they came: up to number `last`, the newest where that is None."""
    total = run.machine.recorded
    end = total if last is None else max(min(last, total), min(WINDOW, total))
    first = max(0, end - WINDOW)
    records = steady(lambda: [run.machine.record(at) for at in range(first, end)])
    rows = [_row(first + at, record, place) for at, record in enumerate(records)]
    return {"total": total, "first": first, "last": end, "rows": rows}


def _row(at: int, record: AttemptFinished, place: Callable[[str], str]) -> dict[str, Any]:
    mark, words = outcome(record)
    return {
        "at": at, "path": one_line(record.path, 120), "attempt": record.attempt, "mark": mark, "words": words,
        "worker": one_line(record.worker or "", 60), "took": duration(record.duration_s),
        "to": one_line(way_on(record), 60), "node": place(record.path),
    }  # fmt: skip


def outcome(record: AttemptFinished) -> tuple[str, str]:
    """Return the sign and the words for what came of an attempt."""
    if record.error is None:
        return _OK, "recorded" if record.cached else "skipped" if record.worker == "skipped" else "ok"
    if record.error.type == "BranchCancelled":
        return "\N{CIRCLED DIVISION SLASH}", "cut off"
    if "blocked" in (record.detail or {}):
        return _RETRIED, "refused by a rule, so that a person is asked"
    return (_FAILED, "failed") if record.retry_in_s is None else (_RETRIED, "failed, tried again")


def visit_detail(run: Run, at: int, place: Callable[[str], str]) -> dict[str, Any]:
    """Return everything worth knowing of one attempt."""
    record = run.machine.record(at)
    mark, words = outcome(record)
    error, stopped_in = record.error, _exception_of(run, at, record)
    return {
        "at": at,
        "path": one_line(record.path, 200),
        "attempt": record.attempt,
        "node": place(record.path),
        "mark": mark,
        "words": words,
        "worker": one_line(record.worker or "no worker", 80),
        "facts": _facts(record),
        "input": value_text(record.input).sent(),
        "output": value_text(_output(record)).sent(),
        "error": None if error is None else _error(error),
        "traceback": stopped_in,
        "why": [_condition(one) for one in record.evaluated[:40]],
        "to": one_line(way_on(record), 120),
        "way": _way(record),
        "changed": _changes(record),
    }  # fmt: skip


def _error(error: ErrorInfo) -> dict[str, str]:
    return {"type": one_line(error.type, 80), "text": clean(shorten(error.message, 2_000))}


def _output(record: AttemptFinished) -> Any:
    """The output; of a failed attempt what was rejected, as the error stands by itself."""
    if record.error is not None and isinstance(record.output, Mapping):
        return cast("Mapping[str, Any]", record.output).get("output")
    return record.output


def _facts(record: AttemptFinished) -> list[str]:
    began = datetime.fromtimestamp(record.started_at, UTC).strftime("%H:%M:%S") if record.started_at else ""
    usage: Mapping[str, Any] = record.usage or {}
    tokens = (usage.get("input_tokens") or 0) + (usage.get("output_tokens") or 0)
    found = [duration(record.duration_s), f"at {began} UTC" if began else ""]
    found += [f"{count(tokens)} tokens" if tokens else "", one_line(usage.get("model") or "", 60)]
    found.append(cost(usage["cost_usd"]) if usage.get("cost_usd") else "")
    found.append("from a recording" if record.cached else "")
    detail = record.detail or {}
    if "branches" in detail:
        ends = list(map(str, detail["branches"].values()))
        told = [f"{ends.count(end)} {one_line(end, 20)}" for end in dict.fromkeys(ends)]
        found.append(f"branches: {', '.join(told) or 'none'}")
    found += [f"{name}: {one_line(detail[name], 80)}" for name in ("answer", "undoes") if name in detail]
    found.append("spawned a workflow" if "spawn" in detail else "")
    return [one for one in found if one]


def _way(record: AttemptFinished) -> str:
    """Why the run went on as it did, in words."""
    if "blocked" in (record.detail or {}):
        return "once a person has decided"
    if record.retry_in_s is not None:
        return f"tried again after {duration(record.retry_in_s)}" if record.retry_in_s else "tried again at once"
    if record.error is not None and record.next_step is None:
        is_stopped = record.error.type in STOPPED or "stopped" in (record.detail or {})
        return "the run was stopped here" if is_stopped else "no way leads on from this failure"
    if record.error is not None:
        return "the way on failure"
    if record.next_step is None:
        return "the end of the run" if not record.scope else "the end of its branch"
    held = bool(record.evaluated) and record.evaluated[-1].result is True
    return "the first condition that holds" if held else "the way on success"


def _condition(one: Any) -> dict[str, str]:
    inputs = ", ".join(
        f"{one_line(name, 60)} = {short_text(value, 80)}" for name, value in list(one.inputs.items())[:12]
    )
    held = "\N{CHECK MARK} holds" if one.result is True else "\N{BALLOT X} does not hold"
    return {"text": one_line(one.text, 400), "held": held, "inputs": inputs}


def _changes(record: AttemptFinished) -> list[dict[str, str]]:
    if record.changes is None:
        return []
    found = [
        {"key": one_line(k, 120), "text": short_text(v, 200)} for k, v in list(record.changes.updated.items())[:40]
    ]
    return found + [{"key": one_line(key, 120), "text": "removed"} for key in record.changes.removed[:40]]


def _exception_of(run: Run, at: int, record: AttemptFinished) -> str:
    """The traceback of an attempt, while the run still holds the exception: that is, of the last that failed."""
    error = run.exception
    if error is None or record.error is None or record.error.type != type(error).__name__:
        return ""
    later = steady(lambda: [row[9] for row in run.machine.rows_since(at + 1)])
    if any(one is not None for one in later):
        return ""
    return clean("".join(traceback.format_exception(error))[-_MOST_TRACEBACK:])


# --- what comes next, and what is there


def coming_visit(run: Run, place: Callable[[str], str]) -> dict[str, Any] | None:
    """Return the visit that comes next, with its input to look at and to edit; None where none does."""
    visit = steady(run.machine.coming)
    if visit is None or (run.is_driven and not run.machine.ready):
        return None
    worker = visit.step.worker_name or ("no worker" if visit.step.worker is None else "")
    shown = value_text(visit.input)
    again = f", attempt {visit.attempt}" if visit.attempt > 1 else ""
    return {
        "path": visit.path, "words": f"{one_line(visit.path, 120)}{again}", "node": place(visit.path),
        "worker": one_line(worker, 80), "input": shown.sent(), "joins": visit.group is not None,
    }  # fmt: skip


def data_rows(run: Run, opened: str | None) -> dict[str, Any]:
    """Return the entries of the data bus, those that the last attempt has changed marked and first told of."""
    data = steady(lambda: dict(run.machine.data))
    last = steady(run.machine.last_record)
    new: set[str] = set()
    if last is not None and not last.scope:
        new = {f"{last.step}_output"} | (set(last.changes.updated) if last.changes is not None else set())
    keys = sorted(data, key=lambda key: key not in new)[:_MOST_KEYS]  # stable: else in the order of the bus
    rows = [
        {"key": one_line(key, 120), "type": type(data[key]).__name__, "text": short_text(data[key], 160),
         "new": key in new, "name": key if len(key) < 400 else ""} for key in keys
    ]  # fmt: skip
    shown = value_text(data[opened]).sent() if opened is not None and opened in data else None
    return {
        "rows": rows, "more": len(data) - len(rows), "opened": opened if shown else None, "value": shown,
        "removed": [one_line(key, 80) for key in (last.changes.removed if last and last.changes else ())][:20],
    }  # fmt: skip


def asked(requests: list[Request]) -> list[dict[str, Any]]:
    """Return what a run waits for, as a person is asked."""
    return [
        {
            "path": one_line(one.path, 120), "kind": one.kind, "prompt": clean(shorten(one.prompt, 2_000)),
            "event": clean(shorten(one.event or "", 400)), "request": one.hash, "run": one_line(one.run_id, 120),
            "shown": [_shown(name, value) for name, value in list(one.shown.items())[:12]],
            "schema": "" if one.schema is None else value_text(one.schema, 2_000).text,
            "until": "" if one.deadline is None else _until(one.deadline, one.asked_at),
        }
        for one in requests[:12]
    ]  # fmt: skip


def _shown(name: str, value: Any) -> dict[str, Any]:
    return {"name": one_line(name, 80), **value_text(value, 2_000).sent()}


def _until(deadline: float, asked_at: float) -> str:
    left = deadline - asked_at
    clock = datetime.fromtimestamp(deadline, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"until {clock}" + (f", {duration(left)} after it was asked" if left > 0 else "")


def sub_runs(run: Run) -> list[dict[str, Any]]:
    """Return the runs of a run's sub-workflows."""
    children = steady(lambda: list(run.children.items()))
    return [
        {"run": child.run_id, "path": one_line(path, 120), "state": child.state.value,
         "workflow": one_line(child.workflow.name, 80), "attempts": child.machine.recorded}
        for path, child in children[:60]
    ]  # fmt: skip


def is_same_input(run: Run, value: Any) -> bool:
    """Whether a value is what the visit that comes next gets anyway."""
    visit = run.machine.coming()
    return visit is not None and same_value(visit.input, value)
