"""Group commit: rows of several appends, kept in memory for a moment and then committed together.

A commit costs the same for one row as for thirty. What a crash may take is what came in the last 5 ms.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

from orchestration_kit.journal.arguments import MAX_SEQ
from orchestration_kit.journal.errors import JournalError, LeaseLost
from orchestration_kit.journal.port import Lease, Row
from orchestration_kit.journal.sqlite.statements import Position, holds, put_rows

MAX_ROWS = 32
MAX_WAIT_S = 0.005
MAX_BODY_BYTES = 65_536
"""Larger rows are committed at once: there is little to gain, and memory to lose."""


class Buffer:
    """Rows that were appended and are not committed yet. The caller holds the database's lock."""

    def __init__(self) -> None:
        self.lost: dict[Lease, JournalError] = {}
        """Leases whose rows could not be committed, and never can be: their rows are gone."""
        self._rows: dict[Lease, tuple[Position, list[Row]]] = {}
        self._highest: dict[Lease, int] = {}
        self._count = 0
        self._since = 0.0

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether it is time to commit, however young the rows are."""
        return self._count >= MAX_ROWS

    @property
    def left_s(self) -> float:
        """How long the rows may still wait."""
        return self._since + MAX_WAIT_S - time.monotonic()

    def open(self, lease: Lease, highest: int) -> None:
        """Take rows of a lease that come after row `highest`, the last one there is."""
        self._highest[lease] = highest

    def takes(self, lease: Lease, rows: Sequence[Row]) -> bool:
        """Whether rows can wait: they are in order and follow on what is there, so that nothing is to be compared."""
        last = self._highest.get(lease)
        if last is None:
            return False
        for seq, body, check in rows:
            fits = last < seq <= MAX_SEQ and type(body) is type(check) is bytes and len(body) <= MAX_BODY_BYTES
            if not fits:
                return False
            last = seq
        return True

    def put(self, lease: Lease, position: Position, rows: Sequence[Row]) -> None:
        """Keep rows until the next commit."""
        if not rows:
            return
        if not self._count:
            self._since = time.monotonic()
        self._rows.setdefault(lease, (position, []))[1].extend(rows)
        self._highest[lease] = rows[-1].seq
        self._count += len(rows)

    def take_back(self, lease: Lease, rows: Sequence[Row]) -> None:
        """Undo `put`, as the call is going to fail."""
        if not rows or lease not in self._rows:
            return
        kept = self._rows[lease][1]
        del kept[len(kept) - len(rows) :]
        self._highest[lease] = rows[0].seq - 1
        self._count -= len(rows)

    def write(self, connection: sqlite3.Connection) -> dict[Lease, JournalError]:
        """Write all rows, inside the caller's transaction; return the leases whose rows cannot be, with the reason."""
        lost: dict[Lease, JournalError] = {}
        for lease, (position, rows) in self._rows.items():
            if not rows:
                continue
            if not holds(connection, position):
                lost[lease] = LeaseLost(lease.run_id)
                continue
            connection.execute("SAVEPOINT lease")
            try:
                put_rows(connection, lease.run_id, position, rows)
            except JournalError as error:
                connection.execute("ROLLBACK TO lease")
                lost[lease] = error
            connection.execute("RELEASE lease")
        return lost

    def written(self, lost: dict[Lease, JournalError]) -> None:
        """Forget the rows: they are committed, apart from those of lost leases, which are gone."""
        self.lost |= lost
        for lease in lost:
            self._highest.pop(lease, None)
        self._rows.clear()
        self._count = 0

    def clear(self) -> None:
        """Forget everything, in a child process: all of it is its parent's."""
        self.__init__()

    def close(self, lease: Lease) -> None:
        """Forget a lease."""
        self._rows.pop(lease, None)
        self._highest.pop(lease, None)
        self._count = sum(len(rows) for _, rows in self._rows.values())
