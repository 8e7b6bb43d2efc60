"""The writes of a journal's file, each inside a transaction that its caller began."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.port import CHECK_BYTES, Row
from orchestration_kit.journal.sqlite.schema import text_to_bytes

FENCE = "EXISTS (SELECT 1 FROM runs WHERE number = ? AND epoch = ? AND token = ?)"
INSERT_FENCED = f'INSERT INTO rows(id, body, "check") SELECT ?, ?, ? WHERE {FENCE}'
RENEW = "UPDATE runs SET beat = beat + 1 WHERE number = ? AND epoch = ? AND token = ?"
RELEASE = (
    "UPDATE runs SET token = NULL, host = NULL, boot = NULL, namespace = NULL, pid = NULL, process_start = NULL "
    "WHERE number = ? AND epoch = ? AND token = ?"
)
_HOLDS = "SELECT 1 FROM runs WHERE number = ? AND epoch = ? AND token = ?"
INSERT_ROW = 'INSERT INTO rows(id, body, "check") VALUES (?, ?, ?)'
_INSERT = f"{INSERT_ROW} ON CONFLICT(id) DO NOTHING"
_THERE = 'SELECT body, "check" FROM rows WHERE id = ?'


class Position(NamedTuple):
    """Where the rows of a lease go, and what has to hold while they are written."""

    number: int
    """Of the run."""
    epoch: int
    token: bytes

    @property
    def base(self) -> int:
        """The id of a row is this plus its `seq`."""
        return self.number << 32


def holds(connection: sqlite3.Connection, position: Position) -> bool:
    """Whether the lease still is whose it was."""
    return connection.execute(_HOLDS, position).fetchone() is not None


def put_rows(connection: sqlite3.Connection, run_id: str, position: Position, rows: Sequence[Row]) -> None:
    """Add rows; those that are there already with the same check stay as they are.

    Raises:
        JournalCorrupt: another row is there in the place of one of these; none of these was added.
    """
    base = position.base
    values = [(base + row.seq, row.body, row.check) for row in rows]
    cursor = connection.executemany(_INSERT, values)
    if cursor.rowcount == len(values):
        return
    for row_id, body, check in values:
        if connection.execute(_THERE, (row_id,)).fetchone() != (body, check):
            raise JournalCorrupt(run_id, f"another row is there in the place of row {row_id - base}")


def has_rows(connection: sqlite3.Connection, number: int, rows: Sequence[Row]) -> bool:
    """Whether all these rows are there."""
    base = number << 32
    return all(connection.execute(_THERE, (base + row.seq,)).fetchone() == (row.body, row.check) for row in rows)


def highest_seq(connection: sqlite3.Connection, number: int) -> int:
    """Return the position of the last row, 0 where there is none."""
    found = connection.execute(
        "SELECT id FROM rows WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
        (number << 32, (number << 32) + 0xFFFFFFFF),
    ).fetchone()
    return 0 if found is None else found[0] & 0xFFFFFFFF


def put_blobs(connection: sqlite3.Connection, number: int, blobs: Mapping[str, bytes]) -> None:
    """Add blobs that are new, and that this run names them."""
    for digest, content in blobs.items():
        name = text_to_bytes(digest)
        connection.execute(
            "INSERT INTO blobs(digest, content) VALUES (?, ?) ON CONFLICT(digest) DO NOTHING", (name, content)
        )
        connection.execute(
            "INSERT INTO uses(blob, run) SELECT number, ? FROM blobs WHERE digest = ? ON CONFLICT DO NOTHING",
            (number, name),
        )


def put_uses(connection: sqlite3.Connection, blobs: Mapping[str, bytes], users: Mapping[str, Sequence[int]]) -> None:
    """Add blobs that are new, and by their digests the numbers of the runs that name them."""
    for digest, content in blobs.items():
        name = text_to_bytes(digest)
        connection.execute(
            "INSERT INTO blobs(digest, content) VALUES (?, ?) ON CONFLICT(digest) DO NOTHING", (name, content)
        )
        (blob,) = connection.execute("SELECT number FROM blobs WHERE digest = ?", (name,)).fetchone()
        connection.executemany(
            "INSERT INTO uses(blob, run) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(blob, number) for number in users[digest]],
        )


def note_runs(connection: sqlite3.Connection, change: int, checks: Iterable[bytes]) -> None:
    """Note in the catalog that runs with these checks came (+1) or went (-1).

    Raises:
        JournalCorrupt: the catalog is not what was written.
    """
    found = connection.execute("SELECT total, mark FROM catalog WHERE id = 1").fetchone()
    if found is None or type(found[0]) is not int or type(found[1]) is not bytes:
        raise JournalCorrupt(None, "its catalog of runs is missing, or holds what was never written to it")
    checks = list(checks)
    mark = combined(found[1], checks)
    connection.execute("UPDATE catalog SET total = ?, mark = ? WHERE id = 1", (found[0] + change * len(checks), mark))


def combined(mark: bytes, checks: Iterable[bytes]) -> bytes:
    """Return a mark with checks taken in; taking one in again takes it out.

    >>> combined(combined(bytes(16), [b"a" * 16, b"b" * 16]), [b"a" * 16]) == b"b" * 16
    True
    """
    number = int.from_bytes(mark, "big")
    for check in checks:
        number ^= int.from_bytes(check[:CHECK_BYTES].ljust(CHECK_BYTES, b"\0"), "big")
    return (number % (1 << 8 * CHECK_BYTES)).to_bytes(CHECK_BYTES, "big")


def delete_runs(connection: sqlite3.Connection, run_ids: Collection[str]) -> int:
    """Delete runs, their rows, and the blobs that no other run names; return how many runs there were."""
    numbers: list[int] = []
    checks: list[bytes] = []
    for run_id in dict.fromkeys(run_ids):
        found = connection.execute(
            "SELECT number, facts_check FROM runs WHERE run_id = ?", (text_to_bytes(run_id),)
        ).fetchone()
        if found is not None:
            numbers.append(found[0])
            checks.append(found[1])
    if checks:
        note_runs(connection, -1, checks)
    blobs: set[int] = set()
    for number in numbers:
        blobs.update(blob for (blob,) in connection.execute("SELECT blob FROM uses WHERE run = ?", (number,)))
        connection.execute("DELETE FROM uses WHERE run = ?", (number,))
        connection.execute("DELETE FROM rows WHERE id BETWEEN ? AND ?", (number << 32, (number << 32) + 0xFFFFFFFF))
        connection.execute("DELETE FROM runs WHERE number = ?", (number,))
    connection.executemany(
        "DELETE FROM blobs WHERE number = ? AND NOT EXISTS (SELECT 1 FROM uses WHERE blob = blobs.number)",
        [(blob,) for blob in blobs],
    )
    return len(numbers)
