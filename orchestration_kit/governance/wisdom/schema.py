"""The tables of a file of lessons, as numbered migrations: each is one transaction with its own record.

The texts of approved lessons stand in one full-text table a layer (FTS5), so that a search looks at nothing else.
`words` counts in how many lessons of a layer a word stands: a query leaves out those that stand everywhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from orchestration_kit.governance.wisdom.errors import WisdomUnavailable
from orchestration_kit.governance.wisdom.lesson import LAYERS

APPLICATION_ID = 0x6F6B7731
"""`okw1`, in the header of the file."""


class Migration(NamedTuple):
    """One step from a version to the next."""

    description: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "lessons",
        (
            """CREATE TABLE migrations(
                version INTEGER PRIMARY KEY,
                description TEXT NOT NULL,
                applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
            )""",
            # AUTOINCREMENT: a number is never given again, as records of runs name lessons by it.
            """CREATE TABLE lessons(
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                text TEXT NOT NULL,
                layer TEXT NOT NULL,
                tags TEXT NOT NULL,
                step TEXT,
                worker TEXT,
                workflow TEXT,
                status TEXT NOT NULL,
                proposed_by TEXT,
                approved_by TEXT,
                reason TEXT,
                runs TEXT NOT NULL,
                seen INTEGER NOT NULL,
                use INTEGER NOT NULL,
                success INTEGER NOT NULL,
                model TEXT,
                created_at REAL NOT NULL,
                updated_at REAL NOT NULL,
                sameness TEXT NOT NULL UNIQUE
            )""",
            "CREATE INDEX lessons_by_step ON lessons(layer, step, id) WHERE status = 'approved'",
            "CREATE INDEX lessons_by_worker ON lessons(layer, worker, id) WHERE status = 'approved'",
            "CREATE INDEX lessons_by_status ON lessons(status, id)",
            """CREATE TABLE tagged(
                layer TEXT, tag TEXT, lesson INTEGER, PRIMARY KEY (layer, tag, lesson)
            ) WITHOUT ROWID""",
            """CREATE TABLE words(
                layer TEXT, word TEXT, lessons INTEGER NOT NULL, PRIMARY KEY (layer, word)
            ) WITHOUT ROWID""",
            # Attempts whose outcome was counted: one that is told again, in a resume or a replay, is not.
            """CREATE TABLE counted(
                run TEXT, path TEXT, attempt INTEGER, PRIMARY KEY (run, path, attempt)
            ) WITHOUT ROWID""",
            *(f"CREATE VIRTUAL TABLE found_{layer} USING fts5(words, tokenize = 'unicode61')" for layer in LAYERS),
        ),
    ),
)


def migrate(
    connection: sqlite3.Connection,
    path: str,
    begin: Callable[[sqlite3.Connection], None],
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring a file to the newest version, a transaction for each step.

    Raises:
        WisdomUnavailable: it was written by a newer version, or is another kind of database.
    """
    while True:
        begin(connection)
        try:
            version = _version_of(connection, path, len(migrations))
            if version < len(migrations):
                _step(connection, version + 1, migrations[version])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if version == len(migrations):
            return


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing in a file yet."""
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return (_number(connection, "application_id"), _number(connection, "user_version"), objects) == (0, 0, 0)


def _version_of(connection: sqlite3.Connection, path: str, newest: int) -> int:
    if is_new(connection):
        return 0
    if _number(connection, "application_id") != APPLICATION_ID:
        hint = "Choose another path; nothing in it was changed."
        raise WisdomUnavailable(path, "it is an SQLite database of another kind", hint)
    version = _number(connection, "user_version")
    if not 0 < version <= newest:
        hint = "Update orchestration-kit (pip install --upgrade orchestration-kit), or choose another path."
        raise WisdomUnavailable(path, f"it is of version {version}, and versions up to {newest} are known here", hint)
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
