"""`runs prune`, `runs backup`, `runs check`: looks after the file of a journal."""

from __future__ import annotations

import argparse

from orchestration_kit.cli.exporting import register_types
from orchestration_kit.cli.journals import opened
from orchestration_kit.cli.terminal import STYLES, Cell, Column, local_time, named, say, table, tell
from orchestration_kit.errors import JournalError
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.retention import prune
from orchestration_kit.journal.sqlite import SQLiteJournal

_GOING = (
    Column("run", folds=True, least=12),
    Column("workflow", rank=2),
    Column("state"),
    Column("started", rank=1),
)


def prune_runs(arguments: argparse.Namespace) -> int:
    """Delete old runs, and print which."""
    if arguments.keep_last is None and arguments.older_than is None:
        say(
            "orchestration-kit: runs prune needs to know which runs stay: --keep-last 100, --older-than 30d, or both. "
            "Nothing was deleted. (--dry-run only tells which would be.)"
        )
        return 2
    with opened(arguments.journal) as journal:
        before = {run.facts.run_id: run for run in journal.find_runs(RunQuery())}
        gone = prune(
            journal,
            keep_last=arguments.keep_last,
            older_than=arguments.older_than,
            workflow=arguments.workflow,
            state=arguments.state,
            include_unfinished=arguments.unfinished,
            dry_run=arguments.dry_run,
        )
        rows = [
            (
                Cell(named(run_id)),
                Cell(named(before[run_id].facts.workflow, 40)),
                Cell(before[run_id].standing.state, STYLES.get(before[run_id].standing.state, "")),
                Cell(local_time(before[run_id].facts.started_at), "dim"),
            )
            for run_id in gone
            if run_id in before
        ]
        if rows:
            table(_GOING, rows)
        left = len(before) - len(gone)
        verb = "would be deleted" if arguments.dry_run else "deleted"
        tell(f"{_runs(len(gone))} {verb}, {left} left.")
        if arguments.vacuum and not arguments.dry_run:
            tell(f"{_megabytes(journal.vacuum())} given back to the disk.")
    return 0


def backup_journal(arguments: argparse.Namespace) -> int:
    """Copy a journal to another file."""
    with opened(arguments.journal) as journal:
        try:
            made = journal.backup(arguments.output, overwrite=arguments.overwrite)
        except FileExistsError:
            say(f"orchestration-kit: {arguments.output} is there already. To replace it: --overwrite.")
            return 1
        count = len(journal.find_runs(RunQuery()))
    tell(f"{made} ({_runs(count)}, {_megabytes(made.stat().st_size)})")
    return 0


def check_journal(arguments: argparse.Namespace) -> int:
    """Look for damage, and print what was found; 0 where there is none."""
    register_types(arguments.module)
    with opened(arguments.journal) as journal:
        unread: dict[str, str] = {}
        problems = journal.integrity_check(run_problems=lambda run_id: problems_of(journal, run_id, unread))
        count = len(journal.find_runs(RunQuery())) if not problems else None
        path = str(journal.path)
    for problem in problems:
        tell(problem)
    for run_id, reason in unread.items():
        say(f"Run {named(run_id)}: its checksums fit, but its values were not all read. {reason}")
    if problems:
        tell(f"{path} is damaged. Restore it from a backup, or go on without the runs that are named above.")
        return 1
    tell(f"{path} is sound: {_runs(count or 0)}.")
    return 0


def problems_of(journal: SQLiteJournal, run_id: str, unread: dict[str, str]) -> list[str]:
    """Return what is wrong with the record of a run; why values could not be read is put into `unread`."""
    try:
        load_run(journal, run_id)
    except JournalCorrupt as error:
        return [error.reason]
    except JournalError as error:  # a type that is not registered here, or a library that is not installed
        unread[run_id] = str(error)
    return []


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"


def _megabytes(size_bytes: int) -> str:
    return f"{max(size_bytes, 0) / 1e6:.1f} MB"
