"""The side of a journal's file that writes: commits for leases it holds, and says that their holder is alive."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar
from weakref import finalize

from orchestration_kit.journal.arguments import MAX_SEQ
from orchestration_kit.journal.errors import JournalError, LeaseLost
from orchestration_kit.journal.forks import survive_forks
from orchestration_kit.journal.port import Lease, Row, Standing
from orchestration_kit.journal.processes import this_process
from orchestration_kit.journal.sqlite.database import RAW, Database, is_busy, translated
from orchestration_kit.journal.sqlite.group import MAX_WAIT_S, Buffer
from orchestration_kit.journal.sqlite.pulse import Pulse
from orchestration_kit.journal.sqlite.records import UPDATE_STANDING, find_record, standing_values
from orchestration_kit.journal.sqlite.schema import text_to_bytes
from orchestration_kit.journal.sqlite.statements import (
    INSERT_FENCED,
    RELEASE,
    RENEW,
    Position,
    has_rows,
    highest_seq,
    holds,
    put_blobs,
    put_rows,
)

T = TypeVar("T")
_RETRY_S = 0.25


class Writer:
    """Writes to a journal's file for this process, from any of its threads."""

    def __init__(self, database: Database, *, group_commit: bool, lease_s: float) -> None:
        self.database = database
        self.owner = this_process()
        self.held: dict[Lease, Position] = {}
        """Leases that this process has, as far as it knows."""
        self._beat_s = lease_s / 3
        self._buffer = Buffer() if group_commit else None
        self._failing = False
        """The last group commit failed: the next append has to say so."""
        self._ticking = self._beating = False
        self._next_beat = 0.0
        self._ticks = Pulse(self._tick, name="orchestration-kit group commit", linger_s=5.0)
        self._beats = Pulse(self._beat, name="orchestration-kit heartbeat", linger_s=lease_s)
        self._shut = finalize(self, _shut, database, self._buffer, self.held, (self._ticks, self._beats))
        survive_forks(self)

    def append(self, lease: Lease, rows: Sequence[Row]) -> bool:
        """Add rows in the fastest way; False where it takes `commit_append`."""
        position = self.held.get(lease)
        if position is None:
            return False
        if self._buffer is not None:
            return self._append_later(self._buffer, lease, position, rows)
        return len(rows) == 1 and self._append_one(position, rows[0])

    def commit_append(
        self,
        lease: Lease,
        rows: Sequence[Row],
        blobs: Mapping[str, bytes],
        standing: Standing | None,
        *,
        release: bool,
    ) -> None:
        """Add rows, blobs and the new standing in one commit; let go if told."""

        def work(connection: sqlite3.Connection) -> int:
            position = self.held.get(lease)
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
            return 0 if self._buffer is None else highest_seq(connection, position.number)

        with self.database.lock:
            self._check_not_lost(lease)
            try:
                highest = self.commit(work, lease)
            except LeaseLost:
                self.let_go(lease)
                raise
            if release:
                self.let_go(lease)
            elif self._buffer is not None:
                self._buffer.open(lease, highest)

    def commit(self, work: Callable[[sqlite3.Connection], T], lease: Lease | None = None) -> T:
        """Commit `work`, which is for a lease, and with it what waits for a group commit."""
        buffer = self._buffer
        if buffer is None:
            return self.database.write(work)

        def all_of_it(connection: sqlite3.Connection) -> tuple[dict[Lease, JournalError], T]:
            lost = buffer.write(connection)
            if lease is not None and lease in lost:
                raise lost[lease]
            return lost, work(connection)

        with self.database.lock:
            lost, result = self.database.write(all_of_it)
            buffer.written(lost)
            for each in lost:
                self.let_go(each)
            self._failing = False
            return result

    def flush(self) -> None:
        """Commit what waits for a group commit."""
        if self._buffer:
            with self.database.lock:
                if self._buffer:
                    self.commit(lambda _: None)

    def renew(self, lease: Lease) -> None:
        """Say that the holder of a lease is alive."""
        with self.database.lock:
            self.database.writer()  # closed?
            position = self.held.get(lease)
            if position is None or not self.database.write(
                lambda connection: connection.execute(RENEW, position).rowcount
            ):
                self.let_go(lease)
                raise LeaseLost(lease.run_id)

    def hold(self, lease: Lease, number: int, highest: int) -> Lease:
        """Hold a lease that was just taken, on run `number`, whose last row is `highest`; renew it from now on."""
        with self.database.lock:
            for older in [held for held in self.held if held.run_id == lease.run_id]:
                self.let_go(older)
            self.held[lease] = Position(number, lease.epoch, text_to_bytes(self.owner.token))
            if self._buffer is not None:
                self._buffer.lost.pop(lease, None)
                self._buffer.open(lease, highest)
            if not self._beating:
                self._next_beat = time.monotonic() + self._beat_s
                self._beating = self._beats.ask()
        return lease

    def let_go(self, lease: Lease) -> None:
        """Hold a lease no longer."""
        self.held.pop(lease, None)
        if self._buffer is not None:
            self._buffer.close(lease)

    def close(self) -> None:
        """Commit what is left, and close the file; where it cannot be committed, the file stays open."""
        with self.database.lock:
            if not self.database.closed:
                self.flush()
                self._shut()

    def before_fork(self) -> None:
        """Commit what is left and close the file; it opens again when it is needed."""
        self.database.lock.acquire()
        with suppress(JournalError):
            self.flush()
        self.database.before_fork()

    def after_fork(self, *, in_child: bool) -> None:
        """Go on; a child is another process: what its parent held, and was about to commit, is its parent's."""
        self.database.lock.release()
        self.database.after_fork(in_child=in_child)
        if in_child:
            self.owner = this_process()
            self.held.clear()
            self._failing = self._ticking = self._beating = False
            if self._buffer is not None:
                self._buffer.clear()
            self._ticks.reset()
            self._beats.reset()

    def _append_one(self, position: Position, row: Row) -> bool:
        """Commit one row, in one statement; False where it takes a closer look.

        A statement of its own is its own transaction. One that writes takes the write lock before it reads anything,
        as BEGIN IMMEDIATE does, so the fence holds; it saves two calls a step.
        """
        seq, body, check = row
        if not (0 < seq <= MAX_SEQ and type(body) is type(check) is bytes):
            return False
        number, epoch, token = position
        database = self.database
        with database.lock:
            hand = database.hand()
            if hand.connection.in_transaction:  # an interrupt came between a commit's failure and its undoing
                return False
            try:
                hand.execute(INSERT_FENCED, ((number << 32) + seq, body, check, number, epoch, token))
            except sqlite3.IntegrityError:
                return False  # a row is there already
            except RAW as error:
                if is_busy(error):
                    return False
                raise translated(error, database.path) from error
            return hand.rowcount == 1

    def _append_later(self, buffer: Buffer, lease: Lease, position: Position, rows: Sequence[Row]) -> bool:
        """Keep rows for the next group commit; False where they have to be compared with what is there."""
        with self.database.lock:
            self.database.writer()  # closed?
            if self._failing:
                self.flush()
            if lease not in self.held or not buffer.takes(lease, rows):
                return False
            buffer.put(lease, position, rows)
            try:
                if buffer.is_full or not self._tick_soon():
                    self.flush()
            except BaseException:
                buffer.take_back(lease, rows)
                raise
            self._check_not_lost(lease)
            return True

    def _check_not_lost(self, lease: Lease) -> None:
        if self._buffer is not None and lease in self._buffer.lost:
            raise self._buffer.lost[lease]

    def _tick_soon(self) -> bool:
        if not self._ticking:
            self._ticking = self._ticks.ask()
        return self._ticking

    def _tick(self) -> float | None:
        """Commit what has waited long enough; return when to look again."""
        with self.database.lock:
            if not self._buffer or self.database.closed:
                self._ticking = False
                return None
            left_s = self._buffer.left_s
            if left_s > 0:
                return left_s
            try:
                self.flush()
            except JournalError:
                self._failing = True
                return _RETRY_S
            return MAX_WAIT_S

    def _beat(self) -> float | None:
        """Give a sign of life for every lease held; return when to do so again."""
        left_s = self._next_beat - time.monotonic()
        if left_s > 0:
            return left_s
        with self.database.lock:
            if not self.held or self.database.closed:
                self._beating = False
                return None
            leases = list(self.held)
        for lease in leases:
            with suppress(JournalError):  # a lost lease says so at the next append; a full disk may have space by then
                self.renew(lease)
        self._next_beat = time.monotonic() + self._beat_s
        return self._beat_s


def _is_left(connection: sqlite3.Connection, lease: Lease, rows: Sequence[Row], standing: Standing | None) -> bool:
    """Whether a run is as an append that let go left it: the append is being repeated."""
    record = find_record(connection, lease.run_id)
    return (
        record is not None
        and record.run.holder is None
        and record.epoch == lease.epoch
        and has_rows(connection, record.number, rows)
        and (standing is None or record.run.standing == standing)
    )


def _shut(database: Database, buffer: Buffer | None, held: dict[Lease, Position], pulses: Sequence[Pulse]) -> None:
    """Close a file: when it is told to, when nobody has it any more, or when the interpreter ends."""
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
