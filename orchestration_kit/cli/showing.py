"""`runs show`: what a run did, an attempt a line, and what is on its data bus."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from orchestration_kit.cli.exporting import attempts_of, data_of, document, end_of, register_types
from orchestration_kit.cli.journals import driver_of, opened
from orchestration_kit.cli.terminal import (
    STYLES,
    Cell,
    Column,
    local_time,
    named,
    say,
    short,
    table,
    tell,
    tell_json,
)
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.account import duration
from orchestration_kit.engine.context import to_entry
from orchestration_kit.engine.events import AttemptFinished, Event, RunForked, RunResumed
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.summary import TotalsSoFar
from orchestration_kit.history.texts import short_text
from orchestration_kit.journal.loading import LoadedRun, load_run

_ATTEMPTS = (
    Column("#", rank=6, is_number=True),
    Column("visit", folds=True),
    Column("attempt", rank=4, is_number=True),
    Column("worker", rank=5),
    Column("result"),
    Column("took", rank=3, is_number=True),
    Column("went on to", rank=2),
    Column("note", rank=1, least=16),
)
_HEADER = (Column(""), Column("", folds=True, least=20))
_DATA = (Column("key", folds=True), Column("type", rank=1), Column("value", least=16))
_LONGEST = 400


def show_run(arguments: argparse.Namespace) -> int:
    """Print what is on record of a run."""
    register_types(arguments.module)
    with opened(arguments.journal) as journal:
        loaded = load_run(journal, arguments.run_id)
        stored = journal.find_run(arguments.run_id)
        driver, judgement = ("", "") if stored is None else driver_of(stored, journal)
    if arguments.json:
        tell_json(document(loaded) | {"driver": driver or None, "driver_is": judgement or None})
    else:
        _tell_facts(loaded, _driven(driver, judgement))
        tell()
        _tell_attempts(loaded.events)
        if arguments.data:
            tell()
            _tell_data(data_of(loaded))
    if arguments.diagram is not None:
        return _draw(loaded, arguments.diagram, is_quiet=arguments.json)
    return 0


def _tell_facts(loaded: LoadedRun, driver: str) -> None:
    started, (state, finished) = loaded.started, end_of(loaded)
    totals = TotalsSoFar().plus(attempts_of(loaded)).totals
    tokens = (totals.input_tokens or 0) + (totals.output_tokens or 0)
    used = [
        _counted(totals.attempts, "attempt"),
        f"{totals.failures} failed" if totals.failures else "",
        f"{totals.cached} from recordings" if totals.cached else "",
        duration(totals.duration_s),
        f"{tokens:,} tokens" if tokens else "",
        "" if totals.cost_usd is None else f"${totals.cost_usd:.4f}",
    ]
    fork = f"{named(started.parent)} at {named(started.forked_at or '?')}" if started.parent else ""
    tags = ", ".join(f"{key}={value}" for key, value in sorted((started.tags or {}).items()))
    facts = [
        ("run", Cell(named(started.run_id, _LONGEST), "bold")),
        ("workflow", Cell(named(started.workflow))),
        ("goal", Cell(short(started.goal, _LONGEST))),
        ("state", Cell(state, STYLES.get(state, ""))),
        ("reason", Cell(short((finished and finished.reason) or "", _LONGEST), STYLES.get(state, ""))),
        ("driver", Cell(driver, "red" if driver.startswith("dead") else "cyan")),
        ("started", Cell(local_time(started.started_at))),
        ("fork of", Cell(fork)),
        ("tags", Cell(short(tags, _LONGEST))),
        ("used", Cell(", ".join(part for part in used if part))),
        ("limits", Cell(_limits(loaded.limits))),
    ]
    table(_HEADER, [(Cell(label, "dim"), cell) for label, cell in facts if cell.text])


def _tell_attempts(events: list[Event]) -> None:
    rows = [row for event in events if (row := _row(event)) is not None]
    if not rows:
        tell("Nothing was done yet.")
        return
    used = [at for at, _ in enumerate(_ATTEMPTS) if any(row[at].text for row in rows)]
    table([_ATTEMPTS[at] for at in used], [[row[at] for at in used] for row in rows])


def _row(event: Event) -> list[Cell] | None:
    if isinstance(event, AttemptFinished):
        return _attempt(event)
    if isinstance(event, RunResumed):
        return _mark(f"resumed {local_time(event.resumed_at)}")
    if isinstance(event, RunForked):
        keys = [] if event.changes is None else [*event.changes.updated, *event.changes.removed]
        changed = f", with another {', '.join(named(key, 40) for key in keys)}" if keys else ""
        given = "" if event.input is None else ", with another input"
        return _mark(f"forked from {named(event.parent)} at {named(event.at)}{changed}{given}")
    return None


def _attempt(record: AttemptFinished) -> list[Cell]:
    error = record.error
    if error is not None:
        result = Cell("FAILED", "red") if record.retry_in_s is None else Cell("retried", "yellow")
        what = Cell(short(error.described(), _LONGEST), result.style)
    else:
        result = Cell("ok", "green")
        what = Cell("from a recording" if record.cached else "", "dim")
    return [
        Cell(str(record.seq), "dim"),
        Cell(named(record.path, 80)),
        Cell(str(record.attempt) if record.attempt > 1 else ""),
        Cell(named(record.worker, 40) if record.worker else "", "dim"),
        result,
        Cell(duration(record.duration_s)),
        Cell(named(record.next_step, 40) if record.next_step else ""),
        what,
    ]


def _mark(text: str) -> list[Cell]:
    return [*(Cell("") for _ in _ATTEMPTS[:-1]), Cell(short(text, _LONGEST), "cyan")]


def _tell_data(data: dict[str, Any]) -> None:
    if not data:
        tell("There is nothing on the data bus.")
        return
    rows = [
        (Cell(named(key, 80)), Cell(named(type(value).__name__, 40), "dim"), Cell(short_text(value, _LONGEST)))
        for key, value in data.items()
    ]
    table(_DATA, rows)


def _draw(loaded: LoadedRun, target: Path, *, is_quiet: bool) -> int:
    from orchestration_kit.visual import visualize

    history: Any = [to_entry(record) for record in attempts_of(loaded)]
    subject: Any = history
    if loaded.definition is not None:
        workflow = WorkflowDefinition.from_dict(loaded.definition)
        subject = SimpleNamespace(workflow=workflow, history=history, state=end_of(loaded)[0])
    try:
        diagram = visualize(subject)
        diagram.save(target)
    except ValueError as error:
        say(f"orchestration-kit: {error}")
        return 1
    (say if is_quiet else tell)(f"{target} (drawn by {diagram.renderer})")
    return 0


def _driven(driver: str, judgement: str) -> str:
    hint = " (`orchestration-kit runs resume` goes on with the run)" if judgement == "dead" else ""
    return f"{judgement}: {driver}{hint}" if driver else ""


def _limits(limits: RunLimits) -> str:
    found = {
        "steps": limits.max_steps,
        "s": limits.max_seconds,
        "USD": limits.max_cost_usd,
        "tokens": limits.max_tokens,
    }
    return ", ".join(f"{value:,} {unit}" for unit, value in found.items() if value is not None)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
