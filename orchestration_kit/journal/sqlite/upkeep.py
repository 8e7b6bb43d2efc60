"""Looks after a journal's file: copies it, makes it smaller, and looks for damage."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from orchestration_kit.journal.errors import JournalCorrupt, JournalError, JournalUnavailable, JournalVersion
from orchestration_kit.journal.sqlite.database import RAW, Database, translated
from orchestration_kit.journal.sqlite.records import COLUMNS, RunRecord
from orchestration_kit.journal.sqlite.schema import bytes_to_text

_RUN_ID = COLUMNS.split(", ").index("run_id")
_MAX_PROBLEMS = 100


def size_bytes(path: str) -> int:
    """Return what a file and its log take on the disk."""
    total = 0
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            total += Path(path + suffix).stat().st_size
    return total


def backup(database: Database, path: str, *, overwrite: bool) -> Path:
    """Copy a journal to another file: under another name first, then renamed.

    Raises:
        FileExistsError: there is a file, and `overwrite` is not set.
        JournalUnavailable: it cannot be written there.
    """
    target = Path(path)
    if os.path.realpath(path) == os.path.realpath(database.path):
        raise JournalUnavailable(path, "it is the journal itself", "Name another file for the backup.")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{path} is there already. To put the backup in its place: overwrite=True.")
    try:
        handle, made = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        try:
            _copy(database, made)
            _leave_wal(made)
            Path(made).replace(target)
        finally:
            for suffix in ("", "-journal", "-wal", "-shm"):
                Path(made + suffix).unlink(missing_ok=True)
    except OSError as error:
        if isinstance(error, JournalUnavailable):
            raise
        reason = error.strerror or str(error)
        raise JournalUnavailable(
            path, f"a backup cannot be written there ({reason})", "Choose another folder, or make space."
        ) from error
    return target


def vacuum(database: Database) -> None:
    """Rewrite a file without its free pages, and empty its log; the caller holds the database's lock."""
    connection = database.writer()
    database.check_place()
    try:
        database.patiently(lambda: connection.execute("VACUUM"))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except RAW as error:
        raise translated(error, database.path) from error


def problems(database: Database, run_problems: Callable[[str], Sequence[str]] | None) -> list[str]:
    """Return what is wrong with a file, in words, at most a hundred of each kind."""
    found: list[str] = []
    for look in (_damaged_pages, _lost_rows, _lost_blobs, _damaged_blobs):
        found += _sentences(look(database))
    return found + _sentences(_damaged_runs(database, run_problems))


def _copy(database: Database, made: str) -> None:
    try:
        # No locks: nobody else knows of this file, and a network share may not have any.
        uri = f"{Path(made).as_uri()}?mode=rw&nolock=1"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")
            with closing(database.open_reader()) as source:
                database.patiently(lambda: source.backup(copy))
    except RAW as error:
        raise translated(error, database.path) from error


def _leave_wal(made: str) -> None:
    """Set a copy to SQLite's plain format, so that it is whole in one file; as a journal it goes back to the log."""
    with Path(made).open("r+b") as file:
        file.seek(18)  # https://www.sqlite.org/fileformat2.html#file_format_version_numbers
        file.write(b"\x01\x01")
        file.flush()
        os.fsync(file.fileno())


def _sentences(look: Iterator[str]) -> list[str]:
    """Return what a look at the file yields; damage that stops it is the last thing."""
    found: list[str] = []
    try:
        for sentence in look:
            found.append(sentence)
            if len(found) == _MAX_PROBLEMS:
                found.append("and more of this kind")
                break
    except (JournalCorrupt, JournalVersion) as error:
        found.append(str(error))
    return found


def _damaged_pages(database: Database) -> Iterator[str]:
    for (line,) in database.read(f"PRAGMA integrity_check({_MAX_PROBLEMS})"):
        text = line.decode("utf-8", "replace")
        if text != "ok":
            yield f"SQLite: {text}"


def _lost_rows(database: Database) -> Iterator[str]:
    for (number,) in database.read(
        "SELECT DISTINCT id >> 32 FROM rows WHERE id >> 32 NOT IN (SELECT number FROM runs) LIMIT 101"
    ):
        yield f"There are rows of a run that is not there (number {number})."


def _lost_blobs(database: Database) -> Iterator[str]:
    for run_id, count in database.read(
        "SELECT run_id, count(*) FROM uses JOIN runs ON runs.number = uses.run "
        "WHERE blob NOT IN (SELECT number FROM blobs) GROUP BY runs.number LIMIT 101"
    ):
        yield f"Run {_shown(run_id)} names {count} blobs that are not there."
    for (number,) in database.read(
        "SELECT DISTINCT run FROM uses WHERE run NOT IN (SELECT number FROM runs) LIMIT 101"
    ):
        yield f"Blobs are kept for a run that is not there (number {number})."
    for (digest,) in database.read("SELECT digest FROM blobs WHERE number NOT IN (SELECT blob FROM uses) LIMIT 101"):
        yield f"Blob {_shown(digest)} is kept for no run."


def _damaged_runs(database: Database, run_problems: Callable[[str], Sequence[str]] | None) -> Iterator[str]:
    for (number,) in database.read("SELECT number FROM runs ORDER BY number"):
        try:
            (cells,) = database.read(f"SELECT {COLUMNS} FROM runs WHERE number = ?", (number,))  # noqa: S608
            run_id = RunRecord(cells).run.facts.run_id
            more = () if run_problems is None else run_problems(run_id)
        except (JournalError, ValueError) as error:
            yield str(error)
        else:
            yield from (f"Run {run_id!r}: {problem}" for problem in more)


def _damaged_blobs(database: Database) -> Iterator[str]:
    from orchestration_kit.journal.codec.writing import content_digest  # the codec, which nothing else here needs

    for (number,) in database.read("SELECT number FROM blobs ORDER BY number"):
        for digest, content in database.read("SELECT digest, content FROM blobs WHERE number = ?", (number,)):
            if not (isinstance(digest, bytes) and isinstance(content, bytes)):
                yield f"Blob number {number} holds values of another type than were written."
            elif content_digest(content) != _shown(digest):
                yield f"Blob {_shown(digest)} is not what was written."


def _shown(stored: Any) -> str:
    try:
        return bytes_to_text(stored) if isinstance(stored, bytes) else repr(stored)
    except UnicodeDecodeError:
        return repr(stored)
