"""Is a journal healthy? Where it lies, whether it opens and is whole, how far its runs are, and who drives them."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from orchestration_kit.cli.doctor_packages import Finding
from orchestration_kit.cli.journals import driver_of, existing
from orchestration_kit.cli.keeping import problems_of
from orchestration_kit.cli.terminal import named
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.errors import JournalError, counted, listed
from orchestration_kit.journal.errors import JournalUnavailable
from orchestration_kit.journal.port import RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal
from orchestration_kit.journal.sqlite.schema import MIGRATIONS

_LARGE_LOG_BYTES = 256_000_000
_LITTLE_ROOM_BYTES = 200_000_000


def journal_findings(given: Path) -> Iterator[Finding]:
    """Yield what is found of a journal's file. What cannot be opened is told, and nothing is made."""
    try:
        path = existing(given)
        version = _version(path)
        with SQLiteJournal(path) as journal:
            yield from _file_findings(path, version)
            yield from _content_findings(journal)
            yield from _run_findings(journal, path)
    except (JournalError, OSError) as error:
        fix = error.hint if isinstance(error, JournalUnavailable) else "Restore it from a backup, or name another."
        yield Finding("journal", str(given), "broken", str(error), fix)


def _version(path: Path) -> int:
    """Return the version that a file says it is of; 0 where it says none. It is not changed."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error:
        return 0  # opening it as a journal tells what is wrong
    return version


def _file_findings(path: Path, version: int) -> Iterator[Finding]:
    size = path.stat().st_size
    log = Path(f"{path}-wal")
    log_bytes = log.stat().st_size if log.exists() else 0
    upgraded = f", now {len(MIGRATIONS)}" if 0 < version < len(MIGRATIONS) else ""
    found = f"{_megabytes(size)} and a log of {_megabytes(log_bytes)}, version {version}{upgraded}, on a disk of here"
    yield Finding("journal", str(path), "ok", found)
    if log_bytes > _LARGE_LOG_BYTES:
        fix = f"End what still reads it, then: orchestration-kit runs prune --keep-last 1000 --vacuum --journal {path}"
        yield Finding("journal", "log", "note", f"{_megabytes(log_bytes)} were not written back to the file yet", fix)
    free = shutil.disk_usage(path.resolve().parent).free
    if free < _LITTLE_ROOM_BYTES:
        yield Finding("journal", "disk", "note", f"{_megabytes(free)} are left on it", "Make space: runs stop without.")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        found = "others on this machine may read or write it, and a journal may hold what is private"
        yield Finding("journal", "access", "note", found, f"chmod 600 {path}")


def _content_findings(journal: SQLiteJournal) -> Iterator[Finding]:
    unread: dict[str, str] = {}
    problems = journal.integrity_check(run_problems=lambda run_id: problems_of(journal, run_id, unread))
    if problems:
        fix = "Restore it from a backup, or go on without the runs that are named: orchestration-kit runs check"
        yield Finding("journal", "content", "broken", listed(problems, 3), fix)
    else:
        yield Finding("journal", "content", "ok", "every page, row, blob and checksum fits")
    if unread:
        reason = next(iter(unread.values()))
        found = f"values of {counted(len(unread), 'run')} could not all be read here: {reason}"
        yield Finding("journal", "types", "note", found, "orchestration-kit runs check --import MODULE")


def _run_findings(journal: SQLiteJournal, path: Path) -> Iterator[Finding]:
    runs = journal.find_runs(RunQuery())
    counts = Counter(str(run.standing.state) for run in runs)
    yield Finding("journal", "runs", "ok", listed(f"{count:,} {state}" for state, count in sorted(counts.items())))
    going = [run for run in runs if run.standing.state == WorkflowState.IN_PROGRESS]
    drivers = {run.facts.run_id: driver_of(run, journal) for run in going}
    if alive := [run_id for run_id, (_, judgement) in drivers.items() if judgement == "alive"]:
        yield Finding("journal", "driven", "ok", f"{counted(len(alive), 'run')} driven now: {_ids(alive)}")
    if unknown := [run_id for run_id, (_, judgement) in drivers.items() if judgement == "unknown"]:
        found = f"whether the drivers of these still live cannot be seen from here: {_ids(unknown)}"
        yield Finding(
            "journal", "driven elsewhere", "note", found, "Look on the machine or in the container they ran in."
        )
    if dead := [run_id for run_id, (_, judgement) in drivers.items() if judgement == "dead"]:
        fix = f"orchestration-kit runs resume {named(dead[0])} --hub MODULE:NAME --journal {path}"
        found = f"the process that drove these has ended: {_ids(dead)}. What they had completed is kept"
        yield Finding("journal", "left behind", "note", found, fix)


def _ids(run_ids: list[str]) -> str:
    return listed([named(run_id, 40) for run_id in run_ids], 5)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
