"""The journal that lives in memory: it is gone with the process. For tests, and for runs nobody needs to resume."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from orchestration_kit.errors import DuplicateRun, UnknownRun
from orchestration_kit.journal.arguments import check_query, check_rows, check_run, check_standing
from orchestration_kit.journal.errors import JournalCorrupt, JournalUnavailable, LeaseLost, RunLocked
from orchestration_kit.journal.forks import survive_forks
from orchestration_kit.journal.leases import described
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
from orchestration_kit.journal.processes import this_process


class MemoryJournal(Journal):
    """Keeps runs in dicts, for as long as the process lives.

    >>> with MemoryJournal() as journal:
    ...     journal.find_runs(RunQuery())
    []
    """

    def __init__(self, *, lease_s: float = 10.0) -> None:
        self.lease_s = lease_s
        self._lock = threading.RLock()
        self._owner = this_process()
        self._runs: dict[str, _Run] = {}
        self._blobs: dict[str, bytes] = {}
        self._users: Counter[str] = Counter()
        self._closed = False
        survive_forks(self)

    def __repr__(self) -> str:
        return f"<MemoryJournal: {len(self._runs)} runs{', closed' if self._closed else ''}>"

    @property
    def owner(self) -> Owner:
        """Who this process is."""
        return self._owner

    def create(self, facts: Facts, standing: Standing, blobs: Mapping[str, bytes], rows: Sequence[Row] = ()) -> Lease:
        """Put a run on record and take its lease."""
        check_run(facts, standing, blobs)
        check_rows(rows, {})
        with self._lock:
            self._check_open()
            if (there := self._runs.get(facts.run_id)) is not None:
                raise DuplicateRun(facts.run_id, there.standing.state)
            run = _Run(facts._replace(tags=dict(facts.tags)), standing, Holder(self._owner, 1, 0))
            run.put(rows)
            self._keep(run, blobs)  # before the run is there: an interrupt must not leave it without them
            self._runs[facts.run_id] = run
            return Lease(facts.run_id, 1)

    def put(self, runs: Sequence[WholeRun]) -> None:
        """Put whole runs on record, driven by nobody: all of them, or none."""
        made: dict[str, _Run] = {}
        for facts, standing, rows, blobs in runs:
            check_run(facts, standing, blobs)
            check_rows(rows, {})
            if facts.run_id in made:
                raise DuplicateRun(facts.run_id, standing.state)
            made[facts.run_id] = run = _Run(facts._replace(tags=dict(facts.tags)), standing, None)
            run.put(rows)
        with self._lock:
            self._check_open()
            for run_id in made:
                if (there := self._runs.get(run_id)) is not None:
                    raise DuplicateRun(run_id, there.standing.state)
            for run, whole in zip(made.values(), runs, strict=True):
                self._keep(run, whole.blobs)
            self._runs |= made

    def claim(self, run_id: str, expected: Holder | None) -> Lease:
        """Take the lease of a run, if its holder still is `expected`."""
        with self._lock:
            self._check_open()
            run = self._runs.get(run_id)
            if run is None:
                raise UnknownRun(run_id, list(self._runs))
            if run.holder != expected:
                raise RunLocked(run_id, *described(run.holder, self._owner, self.lease_s))
            run.epoch += 1
            run.holder = Holder(self._owner, run.epoch, 0)
            return Lease(run_id, run.epoch)

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
        check_rows(rows, blobs)
        if standing is not None:
            check_standing(standing)
        with self._lock:
            self._check_open()
            run = self._runs.get(lease.run_id)
            if run is None or not self._holds(lease):
                if run is not None and release and run.is_left_by(lease, rows, standing):
                    return
                raise LeaseLost(lease.run_id)
            for row in rows:
                there = run.rows.get(row.seq)
                if there is not None and (there.check != row.check or there.body != row.body):
                    raise JournalCorrupt(lease.run_id, f"another row is there in the place of row {row.seq}")
            run.put(rows)
            self._keep(run, blobs)
            if standing is not None:
                run.standing = standing
            if release:
                run.holder = None

    def renew(self, lease: Lease) -> None:
        """Say that the holder is alive."""
        with self._lock:
            self._check_open()
            run = self._runs.get(lease.run_id)
            if run is None or run.holder is None or not self._holds(lease):
                raise LeaseLost(lease.run_id)
            run.holder = run.holder._replace(beat=run.holder.beat + 1)

    def find_run(self, run_id: str) -> StoredRun | None:
        """Return a run, or None."""
        with self._lock:
            self._check_open()
            run = self._runs.get(run_id)
            return None if run is None else run.stored()

    def find_runs(self, query: RunQuery) -> list[StoredRun]:
        """Return the runs that are meant, newest first."""
        check_query(query)
        with self._lock:
            self._check_open()
            meant = [stored for run in self._runs.values() if query.holds(stored := run.stored())]
        meant.sort(key=lambda stored: (stored.facts.started_at, stored.facts.run_id), reverse=True)
        return meant[query.offset :] if query.limit is None else meant[query.offset : query.offset + query.limit]

    def rows(self, run_id: str, *, after: int = 0) -> list[Row]:
        """Return the run's own rows with a higher `seq` than `after`, in order."""
        with self._lock:
            self._check_open()
            run = self._runs.get(run_id)
            return [] if run is None else [run.rows[seq] for seq in run.seqs[bisect_right(run.seqs, after) :]]

    def blob(self, digest: str) -> bytes | None:
        """Return a blob, or None."""
        with self._lock:
            self._check_open()
            return self._blobs.get(digest)

    def whole(self, run_id: str) -> WholeRun:
        """Return all there is of a run, to be put into another journal.

        Raises:
            UnknownRun: no such run.
        """
        with self._lock:
            self._check_open()
            run = self._runs.get(run_id)
            if run is None:
                raise UnknownRun(run_id, list(self._runs))
            blobs = {digest: self._blobs[digest] for digest in run.blobs}
            return WholeRun(run.stored().facts, run.standing, [run.rows[seq] for seq in run.seqs], blobs)

    def delete(self, run_ids: Collection[str]) -> int:
        """Delete runs, and the blobs that no other run names."""
        with self._lock:
            self._check_open()
            gone = [self._runs.pop(run_id) for run_id in dict.fromkeys(run_ids) if run_id in self._runs]
            for run in gone:
                for digest in run.blobs:
                    self._users[digest] -= 1
                    if not self._users[digest]:
                        del self._users[digest], self._blobs[digest]
            return len(gone)

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._closed = True
            self._runs.clear()
            self._blobs.clear()
            self._users.clear()

    def before_fork(self) -> None:
        """Let no other thread be inside while the process is copied."""
        self._lock.acquire()

    def after_fork(self, *, in_child: bool) -> None:
        """Let others in again; a child is another process, and what its parent held it does not hold."""
        self._lock.release()
        if in_child:
            self._owner = this_process()

    def _check_open(self) -> None:
        if self._closed:
            raise JournalUnavailable("in memory", "it is closed", "Make a new one with MemoryJournal().")

    def _holds(self, lease: Lease) -> bool:
        holder = self._runs[lease.run_id].holder
        return holder is not None and (holder.epoch, holder.owner.token) == (lease.epoch, self._owner.token)

    def _keep(self, run: _Run, blobs: Mapping[str, bytes]) -> None:
        for digest, content in blobs.items():
            self._blobs.setdefault(digest, content)
            if digest not in run.blobs:
                run.blobs.add(digest)
                self._users[digest] += 1


@dataclass(slots=True)
class _Run:
    facts: Facts
    standing: Standing
    holder: Holder | None
    epoch: int = 1
    rows: dict[int, Row] = field(default_factory=dict[int, Row])
    seqs: list[int] = field(default_factory=list[int])
    """Of the rows, ascending."""
    blobs: set[str] = field(default_factory=set[str])

    def put(self, rows: Sequence[Row]) -> None:
        for row in rows:  # in this order, an interrupted put can be repeated
            self.rows[row.seq] = row
            at = bisect_left(self.seqs, row.seq)
            if self.seqs[at : at + 1] != [row.seq]:
                self.seqs.insert(at, row.seq)

    def stored(self) -> StoredRun:
        return StoredRun(self.facts._replace(tags=dict(self.facts.tags)), self.standing, self.holder)

    def is_left_by(self, lease: Lease, rows: Sequence[Row], standing: Standing | None) -> bool:
        """Whether this is the run as an append that let go left it: the append is being repeated."""
        return (
            self.holder is None
            and self.epoch == lease.epoch
            and all(self.rows.get(row.seq) == row for row in rows)
            and (standing is None or self.standing == standing)
        )
