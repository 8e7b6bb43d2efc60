"""The tables of a journal file, as numbered migrations: each is one transaction with its own record.

Text is stored as bytes (`text_to_bytes`), as SQLite's own text ends at a NUL for some functions and cannot hold
surrogates. A row's id is its run's number and its position in one, so that rows need no index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from typing import Any, NamedTuple

from orchestration_kit.journal.errors import JournalCorrupt, JournalVersion

APPLICATION_ID = 0x6F6B6A31
"""`okj1`, in the header of the file: what tells a journal from another SQLite database."""
PAGE_SIZE = 8192
"""A page of 4 KB holds three rows of 1 KB, and wastes a fourth; larger ones than 8 KB cost time in each commit."""


class Migration(NamedTuple):
    """One step from a version to the next."""

    description: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "runs, rows and blobs",
        (
            """CREATE TABLE migrations(
                version INTEGER PRIMARY KEY,
                description TEXT NOT NULL,
                applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
            )""",
            # AUTOINCREMENT: the number of a deleted run is never given again, so a lease of it opens nothing.
            """CREATE TABLE runs(
                number INTEGER PRIMARY KEY AUTOINCREMENT,
                epoch INTEGER NOT NULL,
                token BLOB,
                beat INTEGER NOT NULL,
                run_id BLOB NOT NULL UNIQUE,
                workflow BLOB NOT NULL,
                started_at REAL NOT NULL,
                parent BLOB,
                state BLOB NOT NULL,
                tags BLOB NOT NULL,
                reason BLOB,
                finished_at REAL,
                seq INTEGER NOT NULL,
                standing_check BLOB NOT NULL,
                forked_at BLOB,
                shared INTEGER NOT NULL,
                facts_check BLOB NOT NULL,
                host BLOB,
                boot BLOB,
                namespace BLOB,
                pid INTEGER,
                process_start BLOB,
                totals BLOB NOT NULL,
                header BLOB NOT NULL
            )""",
            'CREATE TABLE rows(id INTEGER PRIMARY KEY, body BLOB NOT NULL, "check" BLOB NOT NULL)',
            "CREATE TABLE blobs(number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, content BLOB NOT NULL)",
            "CREATE TABLE uses(blob INTEGER, run INTEGER, PRIMARY KEY (blob, run)) WITHOUT ROWID",
            "CREATE INDEX uses_by_run ON uses(run)",
            # One row: how many runs there are, and their checks combined, so that one that vanished is missed.
            "CREATE TABLE catalog(id INTEGER PRIMARY KEY, total INTEGER NOT NULL, mark BLOB NOT NULL)",
            "INSERT INTO catalog(id, total, mark) VALUES (1, 0, zeroblob(16))",
        ),
    ),
)


def text_to_bytes(text: str) -> bytes:
    r"""Return text as it is stored: UTF-8, lone surrogates too, in the order of the text itself.

    >>> text_to_bytes("é\ud800")
    b'\xc3\xa9\xed\xa0\x80'
    """
    return text.encode("utf-8", "surrogatepass")


def bytes_to_text(stored: bytes) -> str:
    """Return what `text_to_bytes` took.

    Raises:
        UnicodeDecodeError: these bytes never came from it.
    """
    return stored.decode("utf-8", "surrogatepass")


def migrate(connection: sqlite3.Connection, path: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a file to the newest version, a transaction for each step, and see that its tables are a journal's.

    Where another process is in the way, it can be called again: what was done stays done.

    Args:
        connection: The file, in no transaction.
        path: Its name, for messages.
        migrations: All there are; the version of a file is how many it has seen.

    Raises:
        sqlite3.OperationalError: another process is in the way, or the file fails.
        JournalVersion: it was written by a newer version, or is another kind of database.
        JournalCorrupt: its tables are not those of a journal.
    """
    while True:
        connection.execute("BEGIN")
        try:
            version = _version_of(connection, path, len(migrations))
        finally:
            connection.execute("ROLLBACK")
        if version == len(migrations):
            break
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version_of(connection, path, len(migrations)) == version:  # else another process was faster
                _step(connection, version + 1, migrations[version])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    if _tables_of(connection) != _tables_after(tuple(migrations)):
        raise JournalCorrupt(None, f"{path} has other tables than a journal of version {version}")


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing in a file yet."""
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return (_number(connection, "application_id"), _number(connection, "user_version"), objects) == (0, 0, 0)


def _version_of(connection: sqlite3.Connection, path: str, newest: int) -> int:
    if is_new(connection):
        return 0
    if _number(connection, "application_id") != APPLICATION_ID:
        raise JournalVersion(
            path, "it is an SQLite database of another program", "Choose another path; nothing in it was changed."
        )
    version = _number(connection, "user_version")
    if not 0 < version <= newest:
        raise JournalVersion(
            path,
            f"it is of version {version}, and this program knows versions up to {newest}",
            "Update orchestration-kit (pip install --upgrade orchestration-kit), or choose another path; "
            "nothing in it was changed.",
        )
    return version


def _step(connection: sqlite3.Connection, version: int, migration: Migration) -> None:
    for statement in migration.statements:
        connection.execute(statement)
    connection.execute("INSERT INTO migrations(version, description) VALUES (?, ?)", (version, migration.description))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version:d}")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return value


def _tables_of(connection: sqlite3.Connection) -> list[Any]:
    return connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT IN "
        "('sqlite_stat1', 'sqlite_stat2', 'sqlite_stat3', 'sqlite_stat4') ORDER BY name"  # what ANALYZE leaves
    ).fetchall()


@cache
def _tables_after(migrations: tuple[Migration, ...]) -> list[Any]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        scratch.text_factory = bytes
        for version, migration in enumerate(migrations, 1):
            _step(scratch, version, migration)
        return _tables_of(scratch)
