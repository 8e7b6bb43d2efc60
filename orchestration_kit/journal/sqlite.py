"""The journal in one SQLite file: what was committed survives the process, and two processes never drive one run.

Standard library only. Rows, facts and standings are kept as they are given; checksums are the caller's to verify.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import finalize

from orchestration_kit.errors import DuplicateRun
from orchestration_kit.journal import upkeep
from orchestration_kit.journal.arguments import MAX_SEQ, check_query, check_rows, check_run, check_standing
from orchestration_kit.journal.database import RAW, Database, Durability, translated
from orchestration_kit.journal.errors import (
    JournalCorrupt,
    JournalError,
    JournalUnavailable,
    LeaseLost,
    RunLocked,
    UnknownRun,
)
from orchestration_kit.journal.forks import survive_forks
from orchestration_kit.journal.group import MAX_WAIT_S, Buffer
from orchestration_kit.journal.leases import described
from orchestration_kit.journal.port import Facts, Holder, Journal, Lease, Owner, Row, RunQuery, Standing, StoredRun
from orchestration_kit.journal.processes import this_process
from orchestration_kit.journal.pulse import Pulse
from orchestration_kit.journal.records import (
    COLUMNS,
    INSERT_RUN,
    MAX_RUNS,
    SELECT_RUN,
    UPDATE_HOLDER,
    UPDATE_STANDING,
    RunRecord,
    holder_values,
    row_of,
    run_values,
    standing_values,
    where,
)
from orchestration_kit.journal.schema import text_to_bytes
from orchestration_kit.journal.statements import (
    INSERT_FENCED,
    RELEASE,
    RENEW,
    Position,
    delete_runs,
    has_rows,
    highest_seq,
    holds,
    put_blobs,
    put_rows,
)

T = TypeVar("T")
_RETRY_S = 0.25


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
            in the last 5 ms. What else is committed (a new run, a standing, a release) is committed at once.
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
        self._owner = this_process()
        self._database = Database(_path_of(path), durability=durability, busy_timeout_s=busy_timeout_s)
        self._held: dict[Lease, Position] = {}
        self._buffer = Buffer() if group_commit else None
        self._failing = False
        """The last group commit failed: the next append has to say so."""
        self._ticking = self._beating = False
        self._next_beat = 0.0
        self._ticks = Pulse(self._tick, name="orchestration-kit group commit", linger_s=5.0)
        self._beats = Pulse(self._beat, name="orchestration-kit heartbeat", linger_s=lease_s)
        pulses = (self._ticks, self._beats)
        self._shut = finalize(self, _shut, self._database, self._buffer, self._held, pulses)
        survive_forks(self)

    def __repr__(self) -> str:
        return f"SQLiteJournal({self._database.path!r})"

    @property
    def owner(self) -> Owner:
        """Who this process is."""
        return self._owner

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self._database.path)

    def create(self, facts: Facts, standing: Standing, blobs: Mapping[str, bytes]) -> Lease:
        """Put a run on record and take its lease."""
        check_run(facts, standing)
        values = run_values(facts, standing, Holder(self._owner, 1, 0))

        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(INSERT_RUN, values)
            if not cursor.rowcount:
                there = _record(connection, facts.run_id)
                raise DuplicateRun(facts.run_id, "there" if there is None else there.run.standing.state)
            number = cursor.lastrowid or 0
            if number > MAX_RUNS:
                raise JournalUnavailable(
                    self._database.path,
                    f"it has had {MAX_RUNS} runs",
                    "Go on in a new file; this one can still be read.",
                )
            put_blobs(connection, number, blobs)
            return number

        return self._hold(Lease(facts.run_id, 1), self._write(work), 0)

    def claim(self, run_id: str, expected: Holder | None) -> Lease:
        """Take the lease of a run, if its holder still is `expected`."""

        def work(connection: sqlite3.Connection) -> tuple[Lease, int, int]:
            record = _record(connection, run_id)
            if record is None:
                raise UnknownRun(run_id, self._database.path)
            if record.run.holder != expected:
                raise RunLocked(run_id, *described(record.run.holder, self._owner, self.lease_s))
            mine = Holder(self._owner, record.epoch + 1, 0)
            connection.execute(UPDATE_HOLDER, holder_values(mine, record.number))
            return Lease(run_id, mine.epoch), record.number, highest_seq(connection, record.number)

        with self._database.lock:
            lease, number, highest = self._write(work)
            for older in [held for held in self._held if held.run_id == run_id]:
                self._let_go(older)
            return self._hold(lease, number, highest)

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
        if not (blobs or release) and standing is None:
            position = self._held.get(lease)
            if position is not None:
                if self._buffer is not None:
                    if self._append_later(self._buffer, lease, position, rows):
                        return
                elif len(rows) == 1 and self._append_one(position, rows[0]):
                    return
        self._append_now(lease, rows, blobs, standing, release=release)

    def renew(self, lease: Lease) -> None:
        """Say that the holder is alive."""
        position = self._position(lease)
        if not self._database.write(lambda connection: connection.execute(RENEW, position).rowcount):
            self._let_go(lease)
            raise LeaseLost(lease.run_id)

    def find_run(self, run_id: str) -> StoredRun | None:
        """Return a run, or None."""
        found = self._read(SELECT_RUN, (text_to_bytes(run_id),))
        return RunRecord(found[0]).run if found else None

    def find_runs(self, query: RunQuery) -> list[StoredRun]:
        """Return the runs that are meant, newest first."""
        check_query(query)
        condition, values = where(query)
        # In two steps, so that headers are read of those runs alone that are listed.
        found = self._read(
            f"SELECT {COLUMNS} FROM runs WHERE number IN (SELECT number FROM runs WHERE {condition}) "  # noqa: S608 - constants
            "ORDER BY started_at DESC, run_id DESC",
            values,
        )
        return [RunRecord(cells).run for cells in found]

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

    def delete(self, run_ids: Collection[str]) -> int:
        """Delete runs, and the blobs that no other run names."""
        gone = set(run_ids)
        with self._database.lock:
            count = self._write(lambda connection: delete_runs(connection, gone))
            for lease in [held for held in self._held if held.run_id in gone]:
                self._let_go(lease)
        return count

    def close(self) -> None:
        """Commit what is left, let go of leases, files and threads.

        Raises:
            JournalUnavailable: rows that wait for a group commit cannot be committed. The journal stays open, and
                keeps them: close it again when there is space.
        """
        with self._database.lock:
            if not self._database.closed:
                self._flush()
                self._shut()

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
        self._flush()
        return upkeep.backup(self._database, _path_of(path), overwrite=overwrite)

    def vacuum(self) -> int:
        """Give space of deleted runs back to the disk; return how many bytes that were."""
        before = self.size_bytes
        with self._database.lock:
            self._flush()
            upkeep.vacuum(self._database)
        return before - self.size_bytes

    def integrity_check(
        self,
        *,
        run_problems: Callable[[str], Sequence[str]] | None = None,
        blob_problem: Callable[[str, bytes], str | None] | None = None,
    ) -> list[str]:
        """Return what is wrong with the file, in words; nothing is changed.

        Args:
            run_problems: What is wrong with a run, by its id: checksums are not known here.
            blob_problem: What is wrong with a blob, by its digest and content.
        """
        self._flush()
        return upkeep.problems(self._database, run_problems, blob_problem)

    def before_fork(self) -> None:
        """Commit what is left and close the file; it opens again when it is needed."""
        self._database.lock.acquire()
        with suppress(JournalError):
            self._flush()
        self._database.before_fork()

    def after_fork(self, *, in_child: bool) -> None:
        """Go on; a child is another process: what its parent held, and was about to commit, is its parent's."""
        self._database.lock.release()
        self._database.after_fork(in_child=in_child)
        if in_child:
            self._owner = this_process()
            self._held.clear()
            self._failing = self._ticking = self._beating = False
            if self._buffer is not None:
                self._buffer.clear()
            self._ticks.reset()
            self._beats.reset()

    def _append_one(self, position: Position, row: Row) -> bool:
        """Commit one row, in as few calls as can be; False where it takes a closer look."""
        seq, body, check = row
        if not 0 < seq <= MAX_SEQ:
            return False
        number, epoch, token = position
        database = self._database
        with database.lock:
            connection = database.writer()
            execute = connection.execute
            try:
                try:
                    execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    database.begin(connection)
                values = ((number << 32) + seq, body, check, number, epoch, token)
                if execute(INSERT_FENCED, values).rowcount == 1:
                    execute("COMMIT")
                    return True
            except sqlite3.IntegrityError:
                pass  # a row is there already
            except BaseException as error:
                database.undo(connection)
                if isinstance(error, RAW):
                    raise translated(error, database.path) from error
                raise
            database.undo(connection)
        return False

    def _append_later(self, buffer: Buffer, lease: Lease, position: Position, rows: Sequence[Row]) -> bool:
        """Keep rows for the next group commit; False where they have to be compared with what is there."""
        with self._database.lock:
            self._database.writer()  # closed?
            if self._failing:
                self._flush()
            if lease not in self._held or not buffer.takes(lease, rows):
                return False
            buffer.put(lease, position, rows)
            try:
                if buffer.is_full:
                    self._flush()
                elif not self._ticking:
                    self._ticking = self._ticks.ask()
                    if not self._ticking:
                        self._flush()
            except BaseException:
                buffer.take_back(lease, rows)
                raise
            return True

    def _append_now(
        self,
        lease: Lease,
        rows: Sequence[Row],
        blobs: Mapping[str, bytes],
        standing: Standing | None,
        *,
        release: bool,
    ) -> None:
        check_rows(rows)
        if standing is not None:
            check_standing(standing)

        def work(connection: sqlite3.Connection) -> int:
            position = self._held.get(lease)
            if position is None or not holds(connection, position):
                if release and _is_left(connection, lease, rows, standing):
                    return 0
                raise LeaseLost(lease.run_id)
            put_rows(connection, lease.run_id, position, rows)
            put_blobs(connection, position.number, blobs)
            if standing is not None:
                connection.execute(UPDATE_STANDING, standing_values(standing, position.number))
            if release:
                connection.execute(RELEASE, position)
            return highest_seq(connection, position.number) if self._buffer is not None else 0

        with self._database.lock:
            if self._buffer is not None and lease in self._buffer.lost:
                raise self._buffer.lost[lease]
            try:
                highest = self._write(work, lease)
            except LeaseLost:
                self._let_go(lease)
                raise
            if release:
                self._let_go(lease)
            elif self._buffer is not None:
                self._buffer.open(lease, highest)

    def _write(self, work: Callable[[sqlite3.Connection], T], lease: Lease | None = None) -> T:
        """Commit `work`, and with it what waits for a group commit."""
        buffer = self._buffer
        if buffer is None:
            return self._database.write(work)

        def all_of_it(connection: sqlite3.Connection) -> tuple[dict[Lease, JournalError], T]:
            lost = buffer.write(connection)
            if lease in lost:
                raise lost[lease]
            return lost, work(connection)

        with self._database.lock:
            lost, result = self._database.write(all_of_it)
            buffer.written(lost)
            for each in lost:
                self._let_go(each)
            self._failing = False
            return result

    def _flush(self) -> None:
        with self._database.lock:
            if self._buffer:
                self._write(lambda _: None)

    def _read(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self._buffer:
            self._flush()
        return self._database.read(query, values)

    def _position(self, lease: Lease) -> Position:
        with self._database.lock:
            self._database.writer()  # closed?
            if lease not in self._held:
                raise LeaseLost(lease.run_id)
            return self._held[lease]

    def _hold(self, lease: Lease, number: int, highest: int) -> Lease:
        self._held[lease] = Position(number, lease.epoch, text_to_bytes(self._owner.token))
        if self._buffer is not None:
            self._buffer.lost.pop(lease, None)
            self._buffer.open(lease, highest)
        if not self._beating:
            self._next_beat = time.monotonic() + self.lease_s / 3
            self._beating = self._beats.ask()
        return lease

    def _let_go(self, lease: Lease) -> None:
        self._held.pop(lease, None)
        if self._buffer is not None:
            self._buffer.close(lease)

    def _tick(self) -> float | None:
        """Commit what has waited long enough; return when to look again."""
        with self._database.lock:
            if not self._buffer or self._database.closed:
                self._ticking = False
                return None
            left_s = self._buffer.left_s
            if left_s > 0:
                return left_s
            try:
                self._flush()
            except JournalError:
                self._failing = True
                return _RETRY_S
            return MAX_WAIT_S

    def _beat(self) -> float | None:
        """Give a sign of life for every lease held; return when to do so again."""
        left_s = self._next_beat - time.monotonic()
        if left_s > 0:
            return left_s
        with self._database.lock:
            if not self._held or self._database.closed:
                self._beating = False
                return None
            leases = list(self._held)
        for lease in leases:
            with suppress(JournalError):  # a lost lease says so at the next append; a full disk may have space by then
                self.renew(lease)
        self._next_beat = time.monotonic() + self.lease_s / 3
        return self.lease_s / 3


def _record(connection: sqlite3.Connection, run_id: str) -> RunRecord | None:
    found = connection.execute(SELECT_RUN, (text_to_bytes(run_id),)).fetchone()
    return None if found is None else RunRecord(found)


def _is_left(connection: sqlite3.Connection, lease: Lease, rows: Sequence[Row], standing: Standing | None) -> bool:
    """Whether a run is as an append that let go left it: the append is being repeated."""
    record = _record(connection, lease.run_id)
    return (
        record is not None
        and record.run.holder is None
        and record.epoch == lease.epoch
        and has_rows(connection, record.number, rows)
        and (standing is None or record.run.standing == standing)
    )


def _shut(database: Database, buffer: Buffer | None, held: dict[Lease, Position], pulses: Sequence[Pulse]) -> None:
    """Close a journal: when it is told to, when it is garbage, or when the interpreter ends."""
    for pulse in pulses:
        pulse.stop()

    def work(connection: sqlite3.Connection) -> None:
        if buffer is not None:
            buffer.write(connection)
        connection.executemany(RELEASE, list(held.values()))

    try:
        if buffer or held:
            database.write(work)
    except JournalError:
        if buffer:
            raise
    finally:
        database.close()


def _path_of(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if text in ("", ":memory:"):
        raise JournalUnavailable(
            repr(text), "it names no file", "Use MemoryJournal() for a journal that is gone with the process."
        )
    return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - keeps what is no path for the message
