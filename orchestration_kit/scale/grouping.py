"""Short runs of a set reach the journal together, as far as the journal says that a crash may take what came last.

A journal that commits in groups (`SQLiteJournal(..., group_commit=True)`) promises all but its last milliseconds.
Within these, a run may begin, be made and end; it is then committed as a whole, with others that ended meanwhile. What
is older is committed, by a thread of its own where workers take long. To any other journal, all is passed on as it
comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from orchestration_kit.errors import DuplicateRun, JournalError
from orchestration_kit.journal.leases import take
from orchestration_kit.journal.port import (
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
from orchestration_kit.journal.sqlite.pulse import Pulse

MAX_BYTES = 1_000_000
"""Held back at most; more is committed however young it is."""
_RETRY_S = 0.25


@dataclass(slots=True)
class _Young:
    """A run that is not in the journal yet."""

    facts: Facts
    standing: Standing
    blobs: dict[str, bytes]
    rows: list[Row]
    is_free: bool = False
    """Whether nobody drives it any more."""

    def takes(self, rows: Sequence[Row]) -> bool:
        """Whether rows follow on those that are there, and somebody may add some."""
        last = self.rows[-1].seq if self.rows else 0
        for row in rows:
            if row.seq <= last:
                return False
            last = row.seq
        return not self.is_free


@dataclass(slots=True)
class _Waiting:
    runs: dict[str, _Young] = field(default_factory=dict[str, _Young])
    since: float = 0.0
    bytes: int = 0


class GroupedJournal(Journal):
    """A journal for the runs of a set, before the hub's own; `close()` commits what is held back.

    Args:
        journal: The hub's.
        new: Ids of runs that are not in it, as somebody has just looked.
    """

    def __init__(self, journal: Journal, new: Collection[str] = ()) -> None:
        self.inner = journal
        self._new = set(new)
        self.lease_s = journal.lease_s
        self.may_lose_s = journal.may_lose_s
        self._lock = threading.RLock()
        self._waiting = _Waiting()
        self._is_flushing = False
        self._has_failed = False
        """What is held back could not be committed: the next call tries again, and says so."""
        self._retaken: dict[str, Lease] = {}
        """Of runs whose lease an interrupt had us take twice."""
        self._is_ticking = False
        self._ticks = Pulse(self._tick, name="orchestration-kit many", linger_s=1.0)
        self._is_closed = journal.may_lose_s <= 0

    @property
    def owner(self) -> Owner:
        """Who this process is."""
        return self.inner.owner

    def create(self, facts: Facts, standing: Standing, blobs: Mapping[str, bytes], rows: Sequence[Row] = ()) -> Lease:
        """Take a run, and hold it back for a moment."""
        if self._is_closed or facts.shared or facts.parent is not None:
            return self.inner.create(facts, standing, blobs, rows)
        with self._lock:
            self._look()
            if facts.run_id in self._waiting.runs:
                raise DuplicateRun(facts.run_id, self._waiting.runs[facts.run_id].standing.state)
            self._take(_Young(facts, standing, dict(blobs), list(rows)))
        return Lease(facts.run_id, 1)

    def append(
        self,
        lease: Lease,
        rows: Sequence[Row],
        blobs: Mapping[str, bytes],
        *,
        standing: Standing | None = None,
        release: bool = False,
    ) -> None:
        """Add to a run that is held back; of any other, it is passed on."""
        runs = self._waiting.runs
        if lease.run_id in runs:
            with self._lock:
                self._look()
                young = runs.get(lease.run_id)
                if young is not None and lease.epoch == 1 and young.takes(rows):
                    self._add(young, rows, blobs, standing)
                    young.is_free = release
                    return
                self.flush()  # a call that an interrupt hit is made again, say: the journal itself compares
        held = self._retaken.get(lease.run_id, lease) if lease.epoch == 1 else lease
        self.inner.append(held, rows, blobs, standing=standing, release=release)

    @property
    def held_back(self) -> int:
        """How many runs are not in the journal yet."""
        return len(self._waiting.runs)

    def flush(self) -> None:
        """Commit what is held back.

        Raises:
            JournalError: it could not be; it is held back still.
        """
        with self._lock:
            if self._is_flushing:  # a run that nobody holds any more let go of its lease, in the midst of this
                return
            self._is_flushing = True
            try:
                self._flush()
            finally:
                self._is_flushing = False

    def _flush(self) -> None:
        waiting = self._waiting
        self._has_failed = bool(waiting.runs)
        self._put([young for young in waiting.runs.values() if young.is_free])
        for young in [young for young in waiting.runs.values() if not young.is_free]:
            run_id = young.facts.run_id
            self._begin(young)
            del waiting.runs[run_id]
            if young.is_free:  # meanwhile
                self.inner.append(self._retaken.get(run_id, Lease(run_id, 1)), (), {}, release=True)
        waiting.bytes, self._has_failed = 0, False

    def close(self) -> None:
        """Commit what is held back, and hold back nothing any more; the hub's journal stays open."""
        try:
            self.flush()
        finally:
            self._is_closed = True
            self._ticks.stop()

    # --- passed on, after what is held back

    def put(self, runs: Sequence[WholeRun]) -> None:
        """Put whole runs on record."""
        self.inner.put(runs)

    def claim(self, run_id: str, expected: Holder | None) -> Lease:
        """Take the lease of a run."""
        self.flush()
        return self.inner.claim(run_id, expected)

    def renew(self, lease: Lease) -> None:
        """Say that the holder is alive."""
        self.flush()
        self.inner.renew(lease)

    def find_run(self, run_id: str) -> StoredRun | None:
        """Return a run, or None."""
        if run_id in self._new:  # it is looked at once, as it is made; one that somebody else has made comes to light
            self._new.discard(run_id)  # when it is put on record
            return None
        if run_id in self._waiting.runs:
            self.flush()
        return self.inner.find_run(run_id)

    def find_runs(self, query: RunQuery) -> list[StoredRun]:
        """Return the runs that are meant, newest first."""
        self.flush()
        return self.inner.find_runs(query)

    def rows(self, run_id: str, *, after: int = 0) -> list[Row]:
        """Return the run's own rows."""
        if run_id in self._waiting.runs:
            self.flush()
        return self.inner.rows(run_id, after=after)

    def blob(self, digest: str) -> bytes | None:
        """Return a blob, or None."""
        if any(digest in young.blobs for young in list(self._waiting.runs.values())):
            self.flush()
        return self.inner.blob(digest)

    def delete(self, run_ids: Collection[str]) -> int:
        """Delete runs."""
        self.flush()
        return self.inner.delete(run_ids)

    # --- inside; the caller holds the lock

    def _take(self, young: _Young) -> None:
        waiting = self._waiting
        if not waiting.runs:
            waiting.since = time.monotonic()
        waiting.runs[young.facts.run_id] = young
        waiting.bytes += len(young.facts.header) + sum(map(len, young.blobs.values()))
        if not self._is_ticking:
            self._is_ticking = self._ticks.ask()

    def _add(self, young: _Young, rows: Sequence[Row], blobs: Mapping[str, bytes], standing: Standing | None) -> None:
        young.rows += rows
        for row in rows:
            self._waiting.bytes += len(row.body)
        for digest, content in blobs.items():
            young.blobs[digest] = content
            self._waiting.bytes += len(content)
        if standing is not None:
            young.standing = standing

    def _look(self) -> None:
        """Commit what has waited long enough."""
        waiting = self._waiting
        if waiting.runs and (
            self._has_failed or waiting.bytes > MAX_BYTES or time.monotonic() - waiting.since >= self.may_lose_s
        ):
            self.flush()

    def _put(self, free: list[_Young]) -> None:
        if not free:
            return
        whole = [WholeRun(young.facts, young.standing, young.rows, young.blobs) for young in free]
        try:
            self.inner.put(whole)
        except DuplicateRun:
            for run in whole:
                self._put_one(run)
        for run in whole:
            self._waiting.runs.pop(run.facts.run_id, None)

    def _put_one(self, run: WholeRun) -> None:
        """Put a run on record that may be there: an interrupt came between its commit and our hearing of it."""
        run_id = run.facts.run_id
        there = self.inner.find_run(run_id)
        if there is None:
            self.inner.put([run])
        elif there.facts.check != run.facts.check:
            del self._waiting.runs[run_id]  # what somebody else made there stays
            raise DuplicateRun(run_id, there.standing.state)

    def _begin(self, young: _Young) -> None:
        """Put a run on record that is under way, and hold its lease."""
        run_id = young.facts.run_id
        try:
            self.inner.create(young.facts, young.standing, young.blobs, young.rows)
        except DuplicateRun:
            there = self.inner.find_run(run_id)
            if there is None or there.facts.check != young.facts.check:
                del self._waiting.runs[run_id]
                raise
            # As above; it is ours.
            self._retaken[run_id] = lease = take(self.inner, run_id, retake=True)
            self.inner.append(lease, young.rows, young.blobs)

    # --- the thread

    def _tick(self) -> float | None:
        """Commit what has waited long enough, also while workers take their time; return when to look again."""
        with self._lock:
            waiting = self._waiting
            if not waiting.runs:
                self._is_ticking = False
                return None
            left_s = waiting.since + self.may_lose_s - time.monotonic()
            if left_s > 0:
                return left_s
            try:
                self.flush()
            except (JournalError, DuplicateRun):  # the next call says so
                return _RETRY_S
            return self.may_lose_s
