"""What a journal is: the port that every backend fills. It keeps rows in order, and knows who may add to a run.

A backend knows nothing of events, values or workflows: rows are bytes to it, made and read by `rows.py`. It decides
nothing either, apart from one compare-and-set (`claim`) and one fence (`append`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from orchestration_kit.journal.following import Follower

CHECK_BYTES = 16


class Row(NamedTuple):
    """One event of a run, as it is stored."""

    seq: int
    """Position in the run, from 1. A fork's own rows go on counting after those it shares with its parent."""
    body: bytes
    """UTF-8 JSON."""
    check: bytes
    """16 bytes: the chain of checksums up to here."""


class Facts(NamedTuple):
    """What is known of a run as it begins. Written once, never changed."""

    run_id: str
    workflow: str
    started_at: float
    """Seconds since the epoch, UTC."""
    parent: str | None
    """The run it was forked from; or, where `forked_at` is None, the one that it is a sub-workflow of."""
    forked_at: str | None
    """The visit it was forked at, e.g. `review_code#2`."""
    shared: int
    """How many rows of its parent are its own past."""
    tags: Mapping[str, str]
    header: bytes
    """UTF-8 JSON: everything else."""
    check: bytes
    """16 bytes: the checksum of all the fields above. The chain of the rows begins with it, where nothing is shared."""


class Standing(NamedTuple):
    """Where a run stands. Written as it begins, whenever nobody drives it any more, and as it ends."""

    state: str
    reason: str | None
    finished_at: float | None
    seq: int
    """The last row there is."""
    totals: bytes
    """UTF-8 JSON: the check of that row; attempts, failures, time, tokens, cost up to there."""
    check: bytes
    """16 bytes: the checksum of the run's id and the fields above."""


class Owner(NamedTuple):
    """A process that may drive runs, and how to find out whether it is alive."""

    token: str
    """Random, one per journal object."""
    host: str
    boot: str
    """Changes when the machine starts anew; empty where that cannot be known."""
    namespace: str
    """Process ids mean the same within one; empty where that cannot be known."""
    pid: int
    process_start: str
    """Tells a process from a later one with the same id; empty where that cannot be known."""


class Holder(NamedTuple):
    """Who holds the lease of a run."""

    owner: Owner
    epoch: int
    """Goes up by one whenever the lease is taken."""
    beat: int
    """Goes up by one whenever it is renewed."""


class Lease(NamedTuple):
    """The right to add rows to a run, for as long as nobody took it with a higher epoch."""

    run_id: str
    epoch: int


class WholeRun(NamedTuple):
    """A run that was made elsewhere, or in one go: all there is of it, with nobody driving it."""

    facts: Facts
    standing: Standing
    rows: Sequence[Row]
    blobs: Mapping[str, bytes]


class StoredRun(NamedTuple):
    """A run as a list of runs shows it."""

    facts: Facts
    standing: Standing
    holder: Holder | None
    """None where nobody drives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs to list: those for which all that is given holds. The newest comes first.

    >>> from orchestration_kit import MemoryJournal, Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> journal = MemoryJournal()
    >>> hub = Orchestrator(journal=journal)
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("say", "generic", "")]))
    >>> for day in ("monday", "tuesday"):
    ...     _ = hub.execute_workflow("say", "hello", verbose=False, run_id=day, tags={"day": day})
    >>> [run.facts.run_id for run in journal.find_runs(RunQuery(state="completed", tags={"day": "monday"}))]
    ['monday']
    """

    workflow: str | None = None
    state: str | None = None
    """Of the standing: a run whose driver died stands where it stood last."""
    parent: str | None = None
    """Its forks, and the runs of its sub-workflows."""
    started_after: float | None = None
    """Seconds since the epoch; this moment included."""
    started_before: float | None = None
    """Seconds since the epoch; this moment not included."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """All of these, with these values."""
    run_id_contains: str | None = None
    """Case matters."""
    limit: int | None = None
    offset: int = 0

    def holds(self, run: StoredRun) -> bool:
        """Whether a run is meant: what a backend's own filter has to agree with."""
        return self.fits(run.facts, run.standing.state)

    def fits(self, facts: Any, state: str) -> bool:
        """Whether a run with these facts (or a summary that has the same fields) and this state is meant."""
        return (
            (self.workflow is None or facts.workflow == self.workflow)
            and (self.state is None or state == self.state)
            and (self.parent is None or facts.parent == self.parent)
            and (self.started_after is None or facts.started_at >= self.started_after)
            and (self.started_before is None or facts.started_at < self.started_before)
            and all(facts.tags.get(key) == value for key, value in self.tags.items())
            and (self.run_id_contains is None or self.run_id_contains in facts.run_id)
        )


class Journal(ABC):
    """Keeps runs. Safe to use from several threads; what a call committed is there for every later one.

    A backend of your own: fill the methods below, and prove it with the conformance suite,
    `orchestration_kit.journal.conformance.JournalConformance`.

    >>> from orchestration_kit import MemoryJournal, Orchestrator, SQLiteJournal
    >>> issubclass(SQLiteJournal, Journal), isinstance(Orchestrator(journal=MemoryJournal()).journal, Journal)
    (True, True)
    """

    lease_s: float = 10.0
    """Seconds of silence after which the lease of a driver that may be dead counts as free."""
    may_lose_s: float = 0.0
    """Seconds: what came within so many before a crash of this process may be gone with it. 0: nothing is."""

    @property
    @abstractmethod
    def owner(self) -> Owner:
        """Who this process is."""

    @abstractmethod
    def create(self, facts: Facts, standing: Standing, blobs: Mapping[str, bytes], rows: Sequence[Row] = ()) -> Lease:
        """Put a run on record with its first rows, and take its lease (epoch 1), all in one commit.

        Raises:
            DuplicateRun: the id is taken; nothing was changed.
        """

    def put(self, runs: Sequence[WholeRun]) -> None:
        """Put whole runs on record, driven by nobody. A backend that can does it in one commit: all of them, or none.

        Raises:
            DuplicateRun: the id of one of them is taken.
        """
        for facts, standing, rows, blobs in runs:
            lease = self.create(facts, standing, blobs, rows)
            self.append(lease, (), {}, release=True)

    @abstractmethod
    def claim(self, run_id: str, expected: Holder | None) -> Lease:
        """Take the lease of a run, if its holder still is `expected` (None: nobody); the epoch goes up by one.

        Raises:
            UnknownRun: no such run.
            RunLocked: somebody else holds it; nothing was changed.
        """

    @abstractmethod
    def append(
        self,
        lease: Lease,
        rows: Sequence[Row],
        blobs: Mapping[str, bytes],
        *,
        standing: Standing | None = None,
        release: bool = False,
    ) -> None:
        """Add rows, the blobs that they are the first to name, and the new standing, in one commit; let go if told.

        Rows that are there already with the same check are left as they are: a commit whose success its caller could
        not see may be repeated, also one that let go. A backend that commits in groups may show rows to other journals
        a little later than to this one; what carries blobs, a standing or a release is there at once.

        Raises:
            LeaseLost: the lease was taken by somebody else, or let go; nothing was changed.
            JournalCorrupt: another row is there in the place of one of these; nothing was changed.
            JournalUnavailable: nothing was changed, and the same call may be made again.
        """

    @abstractmethod
    def renew(self, lease: Lease) -> None:
        """Say that the holder is alive: its beat goes up by one.

        Raises:
            LeaseLost: the lease was taken by somebody else, or let go.
        """

    @abstractmethod
    def find_run(self, run_id: str) -> StoredRun | None:
        """Return a run, or None."""

    @abstractmethod
    def find_runs(self, query: RunQuery) -> list[StoredRun]:
        """Return the runs that are meant, newest first (by `started_at`, then by id, both descending)."""

    @abstractmethod
    def rows(self, run_id: str, *, after: int = 0) -> list[Row]:
        """Return the run's own rows with a higher `seq` than `after`, in order; none where there is no such run."""

    @abstractmethod
    def blob(self, digest: str) -> bytes | None:
        """Return a blob, as it is stored, or None."""

    @abstractmethod
    def delete(self, run_ids: Collection[str]) -> int:
        """Delete runs, and the blobs that no other run names; return how many runs there were.

        The caller sees to it that nobody drives them and that no fork shares their rows.
        """

    def follow(self, *, newest: int | None = None) -> Follower:
        """Return a follower, whose `look()` tells what is new: for a monitor of many runs.

        Args:
            newest: How many runs it follows besides those that are not over; None: as many as a monitor shows.
        """
        from orchestration_kit.journal.following import MOST_RUNS, Follower

        return Follower(self, MOST_RUNS if newest is None else newest)

    @abstractmethod
    def close(self) -> None:
        """Let go of leases, files and threads; twice is once. The journal cannot be used any more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
