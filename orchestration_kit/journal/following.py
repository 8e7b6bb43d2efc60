"""What is new in a journal since the last look: for whoever watches many runs, most of which rest at the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestration_kit.journal.port import RunQuery

if TYPE_CHECKING:
    from orchestration_kit.journal.port import Journal, Row, StoredRun

MOST_RUNS = 2_000
"""Runs that are followed, the newest; further ones where they are not over."""


class News(NamedTuple):
    """What a look has found."""

    runs: list[StoredRun]
    """Runs that are new, or stand elsewhere, or are driven by somebody else, since the last look; newest first."""
    rows: dict[str, list[Row]]
    """By run: the rows that were added to runs that go on, in order; at first sight of such a run, all of its own."""
    gone: list[str]
    """Runs that were deleted."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing has happened."""
        return not (self.runs or self.rows or self.gone)


class Follower:
    """Looks at a journal again and again, and tells what is new. This one asks a journal of any kind.

    Rows are told of runs that are not over as they are first seen, or come to be not over later; those of other runs
    are in `journal.rows`. A sign of life alone (a beat) is no news. Not to be used by two threads at once.

    >>> from orchestration_kit.journal.memory import MemoryJournal
    >>> with MemoryJournal() as journal:
    ...     Follower(journal).look().is_empty
    True
    """

    def __init__(self, journal: Journal, newest: int = MOST_RUNS) -> None:
        self.journal, self.newest = journal, newest
        self.total = 0
        """Runs there are in the journal, those that are not followed included."""
        self._seen: dict[str, tuple[object, ...]] = {}
        self._at: dict[str, int] = {}
        """By run that goes on: the last row that was told."""

    def look(self) -> News:
        """Return what is new.

        Raises:
            JournalError: the journal cannot be read now.
        """
        every = self.journal.find_runs(RunQuery())
        found = [run for at, run in enumerate(every) if at < self.newest or run.standing.finished_at is None]
        self.total = len(every)
        fresh = [run for run in found if self._seen.get(run.facts.run_id) != signs_of(run)]
        gone = self._seen.keys() - {run.facts.run_id for run in found}
        for run_id in gone:
            self._seen.pop(run_id, None)
            self._at.pop(run_id, None)
        rows: dict[str, list[Row]] = {}
        for run in found:
            run_id = run.facts.run_id
            self._seen[run_id] = signs_of(run)
            if run.standing.finished_at is None:
                self._at.setdefault(run_id, 0)
            if run_id in self._at:
                if added := self.journal.rows(run_id, after=self._at[run_id]):
                    rows[run_id] = added
                    self._at[run_id] = added[-1].seq
                if run.standing.finished_at is not None:
                    del self._at[run_id]
        return News(fresh, rows, sorted(gone))


def signs_of(run: StoredRun) -> tuple[object, ...]:
    """Return what changes when a run stands elsewhere, or is driven by somebody else."""
    holder = run.holder
    return run.standing.check, None if holder is None else (holder.epoch, holder.owner.token)
