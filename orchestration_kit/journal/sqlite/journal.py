"""The journal in one SQLite file: what was committed survives the process, and two processes never drive one run.

Standard library only. Rows, facts and standings are kept as they are given; checksums are the caller's to verify.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestration_kit.errors import DuplicateRun, UnknownRun
from orchestration_kit.journal.arguments import MAX_SEQ, check_query, check_rows, check_run, check_standing
from orchestration_kit.journal.errors import JournalCorrupt, JournalUnavailable, RunLocked
from orchestration_kit.journal.following import MOST_RUNS
from orchestration_kit.journal.leases import described
from orchestration_kit.journal.port import (
    CHECK_BYTES,
    Facts,
    Holder,
    Journal,
    Lease,
    Owner,
    Row,
    RunQuery,
    Standing,
    StoredRun,
    WholeRun,
)
from orchestration_kit.journal.sqlite import upkeep
from orchestration_kit.journal.sqlite.database import Database, Durability
from orchestration_kit.journal.sqlite.following import SQLiteFollower
from orchestration_kit.journal.sqlite.group import MAX_WAIT_S
from orchestration_kit.journal.sqlite.records import (
    COLUMNS,
    INSERT_RUN,
    MAX_RUNS,
    SELECT_ALL,
    SELECT_RUN,
    UPDATE_HOLDER,
    RunRecord,
    find_record,
    holder_values,
    row_of,
    run_values,
    where,
)
from orchestration_kit.journal.sqlite.schema import text_to_bytes
from orchestration_kit.journal.sqlite.statements import (
    Position,
    combined,
    delete_runs,
    highest_seq,
    note_runs,
    put_blobs,
    put_rows,
)
from orchestration_kit.journal.sqlite.whole import put_whole
from orchestration_kit.journal.sqlite.writer import Writer


class SQLiteJournal(Journal):
    """Keeps runs in an SQLite file, made for its owner alone if it is not there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, SQLiteJournal(f"{folder}/runs.db") as journal:
    ...     journal.find_runs(RunQuery())
    []

    Args:
        path: The file; `~` is the home folder. Not on a network share.
        durability: `"normal"`: a commit survives the end of the process, however it comes. `"full"`: a power cut too;
            a commit then waits for the disk.
        group_commit: Commit appends together, after 32 rows or 5 ms: faster, and what a crash may take is what came
            in the last 5 ms. What else is committed (a new run, a standing, a release) is committed at once; but for
            the short runs of a set (`run_many`), which may wait as long from their beginning to their end.
        lease_s: Seconds of silence after which the lease of a driver that may be dead counts as free; the journal gives
            a sign of life for each lease it holds every third of that.
        busy_timeout_s: How long a commit waits for other processes.

    Raises:
        JournalUnavailable: the file cannot be opened, made or written.
        JournalVersion: it is no journal, or one of a newer version.
        JournalCorrupt: it is damaged.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "normal",
        group_commit: bool = False,
        lease_s: float = 10.0,
        busy_timeout_s: float = 30.0,
    ) -> None:
        if durability not in ("normal", "full"):
            raise ValueError(f'durability is {durability!r}; give "normal" or "full".')
        if not lease_s > 0:
            raise ValueError(f"lease_s is {lease_s!r}; give seconds, more than 0.")
        self.lease_s = lease_s
        self.may_lose_s = MAX_WAIT_S if group_commit else 0.0
        self._database = Database(_path_of(path), durability=durability, busy_timeout_s=busy_timeout_s)
        self._writer = Writer(self._database, group_commit=group_commit, lease_s=lease_s)

    def __repr__(self) -> str:
        return f"SQLiteJournal({self._database.path!r})"

    @property
    def owner(self) -> Owner:
        """Who this process is."""
        return self._writer.owner

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self._database.path)

    def create(self, facts: Facts, standing: Standing, blobs: Mapping[str, bytes], rows: Sequence[Row] = ()) -> Lease:
        """Put a run on record and take its lease."""
        check_run(facts, standing, blobs)
        check_rows(rows, {})
        values = run_values(facts, standing, Holder(self._writer.owner, 1, 0))
        last = rows[-1].seq if rows else 0

        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(INSERT_RUN, values)
            if not cursor.rowcount:
                there = find_record(connection, facts.run_id)
                raise DuplicateRun(facts.run_id, "there" if there is None else there.run.standing.state)
            number = cursor.lastrowid or 0
            self._check_number(number)
            note_runs(connection, +1, [facts.check])
            put_rows(connection, facts.run_id, Position(number, 1, b""), rows)
            put_blobs(connection, number, blobs)
            return number

        with self._database.lock:
            return self._writer.hold(Lease(facts.run_id, 1), self._writer.commit(work), last)

    def put(self, runs: Sequence[WholeRun]) -> None:
        """Put whole runs on record, driven by nobody, in one commit."""
        for facts, standing, rows, blobs in runs:
            check_run(facts, standing, blobs)
            check_rows(rows, {})

        def work(connection: sqlite3.Connection) -> None:
            self._check_number(put_whole(connection, runs))

        with self._database.lock:
            self._writer.commit(work)

    def claim(self, run_id: str, expected: Holder | None) -> Lease:
        """Take the lease of a run, if its holder still is `expected`."""

        def work(connection: sqlite3.Connection) -> tuple[Lease, int, int]:
            record = find_record(connection, run_id)
            if record is None:
                raise UnknownRun(run_id, [])
            if record.run.holder != expected:
                raise RunLocked(run_id, *described(record.run.holder, self._writer.owner, self.lease_s))
            mine = Holder(self._writer.owner, record.epoch + 1, 0)
            connection.execute(UPDATE_HOLDER, holder_values(mine, record.number))
            return Lease(run_id, mine.epoch), record.number, highest_seq(connection, record.number)

        with self._database.lock:
            return self._writer.hold(*self._writer.commit(work))

    def append(
        self,
        lease: Lease,
        rows: Sequence[Row],
        blobs: Mapping[str, bytes],
        *,
        standing: Standing | None = None,
        release: bool = False,
    ) -> None:
        """Add rows, blobs and the new standing; let go if told."""
        if not (blobs or release) and standing is None and self._writer.append(lease, rows):
            return
        check_rows(rows, blobs)
        if standing is not None:
            check_standing(standing)
        self._writer.commit_append(lease, rows, blobs, standing, release=release)

    def renew(self, lease: Lease) -> None:
        """Say that the holder is alive."""
        self._writer.renew(lease)

    def find_run(self, run_id: str) -> StoredRun | None:
        """Return a run, or None."""
        found = self._read(SELECT_RUN, (text_to_bytes(run_id),))
        return RunRecord(found[0]).run if found else None

    def find_runs(self, query: RunQuery) -> list[StoredRun]:
        """Return the runs that are meant, newest first."""
        check_query(query)
        if query == RunQuery():
            return self._all_runs()
        condition, values = where(query)
        # In two steps, so that headers are read of those runs alone that are listed.
        found = self._read(
            f"SELECT {COLUMNS} FROM runs WHERE number IN (SELECT number FROM runs WHERE {condition}) "  # noqa: S608 - constants
            "ORDER BY started_at DESC, run_id DESC",
            values,
        )
        return [RunRecord(cells).run for cells in found]

    def _check_number(self, number: int) -> None:
        if number > MAX_RUNS:
            raise JournalUnavailable(
                self._database.path,
                f"it has had {MAX_RUNS} runs",
                "Go on in a new file; this one can still be read.",
            )

    def _all_runs(self) -> list[StoredRun]:
        """Return all runs, and see that none is missing.

        Raises:
            JournalCorrupt: they are not those that were put on record.
        """
        # One statement, so that runs and catalog are of the same moment.
        found = self._read(SELECT_ALL, ())
        runs = [RunRecord(cells[:-2]).run for cells in found if cells[0] is not None]
        mark = combined(bytes(CHECK_BYTES), (run.facts.check for run in runs))
        if not found or found[0][-2:] != (len(runs), mark):
            raise JournalCorrupt(None, f"it holds {len(runs)} runs, which are not all those that were put on record")
        return runs

    def rows(self, run_id: str, *, after: int = 0) -> list[Row]:
        """Return the run's own rows with a higher `seq` than `after`, in order."""
        found = self._read(
            'SELECT r.id, r.body, r."check" FROM runs, rows AS r WHERE runs.run_id = ? '
            "AND r.id > (runs.number << 32) + ? AND r.id <= (runs.number << 32) + 4294967295 ORDER BY r.id",
            (text_to_bytes(run_id), min(max(after, 0), MAX_SEQ)),
        )
        return [row_of(run_id, cells) for cells in found]

    def blob(self, digest: str) -> bytes | None:
        """Return a blob, or None."""
        found = self._read("SELECT content FROM blobs WHERE digest = ?", (text_to_bytes(digest),))
        if found and not isinstance(found[0][0], bytes):
            raise JournalCorrupt(None, f"blob {digest} holds {type(found[0][0]).__name__} in place of bytes")
        return found[0][0] if found else None

    def follow(self, *, newest: int | None = None) -> SQLiteFollower:
        """Return a follower that asks little of the file."""
        return SQLiteFollower(self, self._read, MOST_RUNS if newest is None else newest)

    def delete(self, run_ids: Collection[str]) -> int:
        """Delete runs, and the blobs that no other run names."""
        gone = set(run_ids)
        with self._database.lock:
            count = self._writer.commit(lambda connection: delete_runs(connection, gone))
            for lease in [held for held in self._writer.held if held.run_id in gone]:
                self._writer.let_go(lease)
        return count

    def close(self) -> None:
        """Commit what is left, let go of leases, files and threads.

        Raises:
            JournalUnavailable: rows that wait for a group commit cannot be committed. The journal stays open, and
                keeps them: close it again when there is space.
        """
        self._writer.close()

    @property
    def size_bytes(self) -> int:
        """What the journal takes on the disk, its log included."""
        return upkeep.size_bytes(self._database.path)

    def backup(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Copy the journal to another file, whole or not at all, while runs go on; return where.

        The copy opens as a journal, and may lie on a network share. Never copy the file by other means: what was
        committed last is in its log.

        Raises:
            FileExistsError: there is a file, and `overwrite` is not set.
            JournalUnavailable: it cannot be written there.
        """
        self._writer.flush()
        return upkeep.backup(self._database, _path_of(path), overwrite=overwrite)

    def vacuum(self) -> int:
        """Give space of deleted runs back to the disk; return how many bytes that were."""
        before = self.size_bytes
        with self._database.lock:
            self._writer.flush()
            upkeep.vacuum(self._database)
        return before - self.size_bytes

    def integrity_check(
        self,
        *,
        run_problems: Callable[[str], Sequence[str]] | None = None,
    ) -> list[str]:
        """Return what is wrong with the file, in words; nothing is changed.

        Args:
            run_problems: What is wrong with a run, by its id: checksums are not known here.
        """
        self._writer.flush()
        return upkeep.problems(self._database, run_problems)

    def _read(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        self._writer.flush()
        return self._database.read(query, values)


def _path_of(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if text in ("", ":memory:"):
        raise JournalUnavailable(
            repr(text), "it names no file", "Use MemoryJournal() for a journal that is gone with the process."
        )
    try:
        named = b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        named = False
    if not named:
        raise JournalUnavailable(repr(text), "no file can have such a name", "Choose another path.")
    return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - keeps what is no path for the message
