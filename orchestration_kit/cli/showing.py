"""`runs show`: what a run did, an attempt a line, what it waits for, and what is on its data bus."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from orchestration_kit.cli.attempts import COLUMNS, rows_of
from orchestration_kit.cli.exporting import attempts_of, data_of, document, end_of, events_of, register_types
from orchestration_kit.cli.journals import driver_of, opened
from orchestration_kit.cli.questions import described, tell_questions
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
from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.context import to_entry
from orchestration_kit.engine.events import Event
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.summary import TotalsSoFar
from orchestration_kit.errors import counted, listed
from orchestration_kit.history.texts import short_text
from orchestration_kit.journal.loading import LoadedRun, load_run
from orchestration_kit.journal.port import StoredRun
from orchestration_kit.journal.questions import questions_of, runs_within

_HEADER = (Column(""), Column("", folds=True, least=20))
_DATA = (Column("key", folds=True), Column("type", rank=1), Column("value", least=16))
_LONGEST = 400
_RUNS = 6


def show_run(arguments: argparse.Namespace) -> int:
    """Print what is on record of a run."""
    register_types(arguments.module)
    with opened(arguments.journal) as journal:
        loaded = load_run(journal, arguments.run_id)
        stored = journal.find_run(arguments.run_id)
        driver, judgement = ("", "") if stored is None else driver_of(stored, journal)
        within = runs_within(journal, arguments.run_id)
        questions = [] if stored is None else questions_of(journal, stored)
        inner = [one for run in within for one in questions_of(journal, run)]
    if arguments.json:
        more = {
            "driver": driver or None,
            "driver_is": judgement or None,
            "waiting": [described(one) for one in [*questions, *inner]],
            "runs_within": [run.facts.run_id for run in within],
        }
        tell_json(document(loaded) | more)
    else:
        _tell_facts(loaded, _driven(driver, judgement), within)
        tell()
        _tell_attempts(events_of(loaded), questions)
        tell_questions([*questions, *inner], arguments.journal)
        if arguments.data:
            tell()
            _tell_data(data_of(loaded))
    if arguments.diagram is not None:
        return _draw(loaded, arguments.diagram, questions, is_quiet=arguments.json)
    return 0


def _tell_facts(loaded: LoadedRun, driver: str, within: list[StoredRun]) -> None:
    started, (state, finished) = loaded.started, end_of(loaded)
    totals = TotalsSoFar().plus(attempts_of(loaded)).totals
    tokens = (totals.input_tokens or 0) + (totals.output_tokens or 0)
    used = [
        counted(totals.attempts, "attempt"),
        f"{totals.failures} failed" if totals.failures else "",
        f"{totals.cached} from recordings" if totals.cached else "",
        duration(totals.duration_s),
        f"{tokens:,} tokens" if tokens else "",
        "" if totals.cost_usd is None else f"${totals.cost_usd:.4f}",
    ]
    parent = named(started.parent) if started.parent else ""
    runs = [f"{named(run.facts.run_id)} ({run.standing.state})" for run in within]
    tags = ", ".join(f"{key}={value}" for key, value in sorted((started.tags or {}).items()))
    facts = [
        ("run", Cell(named(started.run_id, _LONGEST), "bold")),
        ("workflow", Cell(named(started.workflow))),
        ("goal", Cell(short(started.goal, _LONGEST))),
        ("state", Cell(state, STYLES.get(state, ""))),
        ("reason", Cell(short((finished and finished.reason) or "", _LONGEST), STYLES.get(state, ""))),
        ("driver", Cell(driver, "red" if driver.startswith("dead") else "cyan")),
        ("started", Cell(local_time(started.started_at))),
        ("fork of", Cell(f"{parent} at {named(started.forked_at)}" if started.forked_at else "")),
        ("within", Cell("" if started.forked_at else parent)),
        ("runs in it", Cell(listed(runs, _RUNS) if runs else "")),
        ("tags", Cell(short(tags, _LONGEST))),
        ("used", Cell(", ".join(part for part in used if part))),
        ("limits", Cell(_limits(loaded.limits))),
    ]
    table(_HEADER, [(Cell(label, "dim"), cell) for label, cell in facts if cell.text])


def _tell_attempts(events: list[Event], questions: list[Request]) -> None:
    rows = list(rows_of(events, questions))
    if not rows:
        tell("Nothing was done yet.")
        return
    used = [at for at, _ in enumerate(COLUMNS) if any(row[at].text for row in rows)]
    table([COLUMNS[at] for at in used], [[row[at] for at in used] for row in rows])


def _tell_data(data: dict[str, Any]) -> None:
    if not data:
        tell("There is nothing on the data bus.")
        return
    rows = [
        (Cell(named(key, 80)), Cell(named(type(value).__name__, 40), "dim"), Cell(short_text(value, _LONGEST)))
        for key, value in data.items()
    ]
    table(_DATA, rows)


def _draw(loaded: LoadedRun, target: Path, questions: list[Request], *, is_quiet: bool) -> int:
    from orchestration_kit.visual import visualize

    history: Any = [to_entry(record) for record in attempts_of(loaded)]
    subject: Any = history
    if loaded.definition is not None:
        workflow = WorkflowDefinition.from_dict(loaded.definition)
        subject = SimpleNamespace(workflow=workflow, history=history, state=end_of(loaded)[0], waiting=questions)
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
