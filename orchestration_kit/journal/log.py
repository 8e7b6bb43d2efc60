"""One run's place in a journal, as the engine uses it: takes the lease, writes what is new, lets go.

What is new is worked out from the machine: rows stand for `machine.arrival(0)`, `machine.arrival(1)`, ... So an
interrupt or an error anywhere loses nothing and doubles nothing: the next `sync` goes on where the journal stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import finalize

from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.state import RESTING, WorkflowState
from orchestration_kit.engine.summary import TotalsSoFar
from orchestration_kit.errors import DuplicateRun, JournalError, RunStateError
from orchestration_kit.journal.blobs import NewBlobs
from orchestration_kit.journal.chain import next_check, seal_standing, write_totals
from orchestration_kit.journal.errors import LeaseLost
from orchestration_kit.journal.fold import Fold
from orchestration_kit.journal.header import facts_of
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import Facts, Journal, Lease, Row, Standing
from orchestration_kit.journal.rows import RowWriter
from orchestration_kit.journal.skeleton import Worker, workers_of

if TYPE_CHECKING:
    from orchestration_kit.engine.data import Changes
    from orchestration_kit.engine.ports import Clock


_GOES_ON = str(WorkflowState.IN_PROGRESS)


class Place(NamedTuple):
    """A row, and what is known there."""

    seq: int
    check: bytes
    fold: Fold
    workers: Mapping[str, Worker]
    """Of the run's header, by step."""
    state: str = _GOES_ON
    """Where the journal says the run stands."""


class JournalLog:
    """Writes the record of one run into a journal."""

    def __init__(
        self,
        journal: Journal,
        machine: Machine,
        clock: Clock,
        *,
        shared: Place | None = None,
        stored: Place | None = None,
    ) -> None:
        """Make the log of a new run, of a fork whose past ends at `shared`, or of one that stands at `stored`."""
        self.journal = journal
        self._machine = machine
        self._clock = clock
        self._is_created = stored is not None
        self._prepared: Facts | None = None
        self._is_claiming = False
        """Whether a claim was begun and not seen to succeed: the lease may be held, and nobody here know it."""
        self._is_releasing = False
        """Whether letting go was begun and not seen to succeed."""
        self._held: list[Lease] = []
        # A handle that nobody holds any more lets go of its run.
        finalize(self, _let_go, journal, self._held).atexit = False
        place = stored or shared
        self._shared = 0 if shared is None else shared.seq
        self.seq = 0 if place is None else place.seq
        """The last row that is known to be committed."""
        self._check = b"" if place is None else place.check
        self._pending: list[Row] = []
        self._blobs = NewBlobs()
        self._stands = _GOES_ON if stored is None else stored.state
        """Where the journal says the run stands."""
        self._fold = Fold(machine.started) if place is None else place.fold
        workers = workers_of(machine.plan) if stored is None else stored.workers
        self._writer = RowWriter(self._fold, workers, self._blobs, lambda: machine.plan)
        self._totals: tuple[int, TotalsSoFar] = (0, TotalsSoFar())
        self.wait_s: float | None = None
        """How long `claim` may watch a driver that may be dead; None: as long as its lease."""

    @property
    def _lease(self) -> Lease | None:
        return self._held[0] if self._held else None

    @_lease.setter
    def _lease(self, lease: Lease | None) -> None:
        self._held[:] = () if lease is None else (lease,)

    @property
    def epoch(self) -> int:
        """The number of the lease that is held; 0 where none is."""
        lease = self._lease
        return 0 if lease is None else lease.epoch

    @property
    def is_on_record(self) -> bool:
        """Whether the journal knows all there is."""
        return self._is_created and not self._pending and self.seq == self._machine.count

    @property
    def is_behind(self) -> bool:
        """Whether the run has gone on elsewhere."""
        seq = self.seq
        if not self._is_created or self._lease is not None or not self._newer():
            return False
        return self._lease is None and self.seq == seq  # else it has begun to be driven here meanwhile

    def prepare(self) -> None:
        """See that the run can be put on record, before anything is done for it.

        Raises:
            NotRecordable: its initial data cannot be.
            DuplicateRun: the id is taken.
        """
        if not self._is_created:
            facts = self._facts()
            if not self._shared:
                self._check = facts.check
            self._build_new()
            there = self.journal.find_run(self._machine.started.run_id)
            if there is not None:
                raise DuplicateRun(there.facts.run_id, there.standing.state)

    def claim(self) -> None:
        """Become the one who drives the run.

        Raises:
            RunLocked: somebody else drives it.
            RunStateError: it has gone on elsewhere.
            DuplicateRun: it is new, and its id is taken.
            JournalUnavailable: the journal cannot be written now.
        """
        if self._lease is not None and self._is_releasing:
            with suppress(LeaseLost):  # it was let go of, and somebody else has it by now
                self._commit(self._lease, release=True)
            self._lease, self._is_releasing = None, False
        if self._lease is not None:
            return
        if not self._is_created:
            self._create()
            return
        run_id = self._machine.started.run_id
        self._lease = self._take()
        self._is_claiming = False
        newer = self._newer()
        if newer:
            self.journal.append(self._lease, (), {}, release=True)
            self._lease = None
            raise RunStateError(
                run_id,
                self._machine.state,
                f"it has gone on elsewhere: the journal holds {len(newer)} more events than this handle knows",
                f"Get it as it is now with orchestrator.get_run({run_id!r}).",
            )

    def _create(self) -> None:
        """Put the run on record, with what happened before: where a fork begins, or that it was cancelled."""
        facts, pending = self._facts(), self._pending
        if not self._shared:
            self._check = facts.check
        self._build_new()
        standing = self._standing(pending[-1].check if pending else self._check)
        was_interrupted, self._is_claiming = self._is_claiming, True
        try:
            self._lease = self.journal.create(facts, standing, self._blobs.waiting, tuple(pending))
        except DuplicateRun:
            there = self.journal.find_run(facts.run_id) if was_interrupted else None
            if there is None or there.facts.check != facts.check:
                self._is_claiming = False
                raise
            self._lease = self._take()  # it is ours: an interrupt came between its commit and our hearing of it
        self._is_created, self._is_claiming, self._stands = True, False, standing.state
        self._committed()

    def _take(self) -> Lease:
        was_interrupted, self._is_claiming = self._is_claiming, True
        run_id = self._machine.started.run_id
        try:
            return take(self.journal, run_id, wait_s=self.wait_s, clock=self._clock, retake=was_interrupted)
        except Exception:
            self._is_claiming = False  # else the next call would take it from whoever drives it here
            raise

    def stage(self, where: str, value: Any) -> None:
        """See that a value can be put on record.

        Raises:
            NotRecordable: it cannot be.
        """
        self._writer.stage(where, value)

    def stage_changes(self, changes: Changes, scope: str = "") -> None:
        """See that what an attempt in a scope changed on its data bus can be put on record.

        Raises:
            NotRecordable: part of it cannot be.
        """
        self._writer.stage_changes(changes, scope)

    def sync(self) -> None:
        """Commit what is new; a run that has ended is let go of.

        Raises:
            JournalError: it could not be committed. Nothing is lost: the same call may be made again.
        """
        machine, index = self._machine, self.seq
        is_one_more = machine.count == index + 1 == self._fold.at + 1 and not self._pending
        if is_one_more and machine.finished is None and self._stands == _GOES_ON:
            at = machine.is_row(index)
            if at is not None:
                self._write_one(machine.row(at), index)
                return
        self._build_new()
        if self._pending and self._lease is not None:
            self._commit(self._lease, release=machine.finished is not None)

    def release(self) -> None:
        """Commit what is new, and let somebody else drive."""
        self.sync()
        if self._lease is not None:
            self._commit(self._lease, release=True)

    def _write_one(self, record: tuple[Any, ...], index: int) -> None:
        """Write the row of one attempt: what `_build` and `_commit` do, in the way of every commit."""
        seq = index + 1
        body = self._writer.attempt_body(record)
        row = Row(seq, body, next_check(self._check, seq, body))
        self._pending.append(row)
        self._fold.take_attempt(record, index)
        self._writer.forget_staged()
        if self._lease is not None:
            self.journal.append(self._lease, (row,), self._blobs.waiting)
            self._committed()

    def _committed(self) -> None:
        """Note that what was pending is on record."""
        pending = self._pending
        if pending:
            self.seq, self._check = pending[-1].seq, pending[-1].check
            pending.clear()
        self._blobs.committed()

    def _build_new(self) -> None:
        """Make the rows of all events that have none yet."""
        end = self._machine.count
        seq = self._pending[-1].seq if self._pending else self.seq
        while seq < end:
            self._build(seq)
            seq += 1
        self._writer.forget_staged()

    def _build(self, index: int) -> None:
        """Make the row of an event. Nothing is done twice when an interrupt hits in between."""
        machine, fold, pending = self._machine, self._fold, self._pending
        while fold.at < index:
            fold.take(machine.arrival(fold.at), fold.at)
        event = machine.arrival(index)
        body = self._writer.body(event)
        before = pending[-1].check if pending else self._check
        pending.append(Row(index + 1, body, next_check(before, index + 1, body)))
        fold.take(event, index)

    def _commit(self, lease: Lease, *, release: bool) -> None:
        pending = self._pending
        check = pending[-1].check if pending else self._check
        # A run that waited, or had ended, is said to go on as soon as it does: if its driver dies, it can be resumed.
        standing = self._standing(check) if release or self._stands != _GOES_ON else None
        self._is_releasing = release
        self.journal.append(lease, tuple(pending), self._blobs.waiting, standing=standing, release=release)
        self._committed()
        if standing is not None:
            self._stands = standing.state
        if release:
            self._lease, self._is_releasing = None, False

    def _facts(self) -> Facts:
        if self._prepared is None:
            machine = self._machine
            self._prepared = facts_of(
                machine.started, machine.plan, machine.limits, shared=self._shared, put_blob=self._blobs.put
            )
        return self._prepared

    def _standing(self, last_check: bytes) -> Standing:
        machine = self._machine
        counted, totals = self._totals
        if machine.recorded > counted:
            totals = totals.plus(machine.rows_since(counted))
            self._totals = (machine.recorded, totals)
        finished, state = machine.finished, machine.state
        standing = Standing(
            state=str(state) if finished is not None or state in RESTING else _GOES_ON,
            reason=None if finished is None else finished.reason,
            finished_at=None if finished is None else finished.finished_at,
            seq=self._pending[-1].seq if self._pending else self.seq,
            totals=write_totals(last_check, totals.totals),
            check=b"",
        )
        return seal_standing(machine.started.run_id, standing)

    def _newer(self) -> list[Row]:
        return self.journal.rows(self._machine.started.run_id, after=self.seq)


def _let_go(journal: Journal, held: list[Lease]) -> None:
    for lease in held:
        with suppress(JournalError):
            journal.append(lease, (), {}, release=True)
