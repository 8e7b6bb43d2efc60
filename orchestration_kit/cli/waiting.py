"""`runs waiting`: what the runs of a journal wait for, where, since when and until when."""

from __future__ import annotations

import argparse

from orchestration_kit.cli.exporting import register_types
from orchestration_kit.cli.journals import driver_of, opened
from orchestration_kit.cli.questions import HASH_SHOWN, described, tell_questions, wording
from orchestration_kit.cli.terminal import Cell, Column, local_time, named, say, short, table, tell_json
from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.state import RESTING, WorkflowState
from orchestration_kit.errors import JournalError, UnknownRun
from orchestration_kit.history.texts import short_text
from orchestration_kit.journal.port import RunQuery, StoredRun
from orchestration_kit.journal.questions import questions_of, runs_within
from orchestration_kit.journal.sqlite import SQLiteJournal

_COLUMNS = (
    Column("run", folds=True),
    Column("visit", folds=True),
    Column("waits for", least=16),
    Column("since", rank=4),
    Column("until", rank=2),
    Column("shown", rank=5),
    Column("request", rank=3),
    Column("driver", rank=1),
)
_OPEN = (*RESTING, WorkflowState.IN_PROGRESS)
_MAX_SHOWN = 100


def list_questions(arguments: argparse.Namespace) -> int:
    """Print what is asked: of all runs in short, of one run with all that is shown."""
    register_types(arguments.module)
    with opened(arguments.journal) as journal:
        runs = _meant(journal, arguments.run_id)
        found = [(one, run) for run in runs for one in _questions(journal, run)]
        drivers = {run.facts.run_id: ": ".join(filter(None, driver_of(run, journal)[::-1])) for _, run in found}
    questions = [one for one, _ in found]
    if arguments.json:
        tell_json([described(one) | {"driver": drivers[one.run_id] or None} for one in questions])
    elif not questions:
        who = "No run" if arguments.run_id is None else f"Nothing in run {named(arguments.run_id)}"
        say(f"{who} waits for anybody or anything.")
    elif arguments.run_id is not None:
        tell_questions(questions, arguments.journal)
    else:
        _print(questions, drivers)
        say("(`orchestration-kit runs waiting RUN_ID` shows all of a question, and how to answer it.)")
    return 0


def _meant(journal: SQLiteJournal, run_id: str | None) -> list[StoredRun]:
    """Return the runs that may wait, the oldest first."""
    if run_id is not None:
        stored = journal.find_run(run_id)
        if stored is None:
            raise UnknownRun(run_id, [run.facts.run_id for run in journal.find_runs(RunQuery(limit=100))])
        return [stored, *runs_within(journal, run_id)]
    found = [run for state in _OPEN for run in journal.find_runs(RunQuery(state=str(state)))]
    return sorted(found, key=lambda run: (run.facts.started_at, run.facts.run_id))


def _questions(journal: SQLiteJournal, run: StoredRun) -> list[Request]:
    """Return what a run waits for; one that cannot be read is told of, and does not hide the others."""
    try:
        return questions_of(journal, run)
    except JournalError as error:
        say(f"Run {named(run.facts.run_id)} cannot be looked at. {error}")
        return []


def _print(questions: list[Request], drivers: dict[str, str]) -> None:
    rows = [_row(one, drivers[one.run_id]) for one in questions]
    used = [at for at, _ in enumerate(_COLUMNS) if any(row[at].text for row in rows)]
    table([_COLUMNS[at] for at in used], [[row[at] for at in used] for row in rows])


def _row(question: Request, driver: str) -> list[Cell]:
    shown = short_text(question.shown, _MAX_SHOWN) if question.kind == "approval" else ""
    return [
        Cell(named(question.run_id)),
        Cell(named(question.path, 80)),
        Cell(short(wording(question), _MAX_SHOWN), "magenta"),
        Cell(local_time(question.asked_at), "dim"),
        Cell(local_time(question.deadline)),
        Cell(shown, "dim"),
        Cell(question.hash[:HASH_SHOWN] if question.kind == "approval" else ""),
        Cell(driver, "cyan"),
    ]
