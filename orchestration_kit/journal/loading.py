"""A run, read back from a journal: verified, decoded, ready to be folded. Writes nothing, executes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestration_kit.engine.events import Event, RunForked, RunResumed, RunStarted
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.errors import UnknownRun
from orchestration_kit.journal.chain import verify_end, verify_rows, verify_run
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.fold import Fold
from orchestration_kit.journal.header import Header, header_of
from orchestration_kit.journal.log import Place
from orchestration_kit.journal.port import Facts, Journal, Row, RunQuery, StoredRun
from orchestration_kit.journal.row_reader import RowReader

_MAX_ANCESTORS = 1_000


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """What a journal holds of one run."""

    started: RunStarted
    limits: RunLimits
    definition: dict[str, Any] | None
    """The workflow as plain data; None where it holds Python callables."""
    events: list[Event]
    """What happened after `started`, in order."""
    place: Place
    """Where the journal stands."""

    @property
    def fingerprint(self) -> str:
        """Of what the run follows: what its last resume noted, or what it began with."""
        for event in reversed(self.events):
            if isinstance(event, RunForked):
                break
            if isinstance(event, RunResumed) and event.fingerprint is not None:
                return event.fingerprint
        return self.started.fingerprint


def load_run(journal: Journal, run_id: str, *, upto: int | None = None) -> LoadedRun:
    """Return what a journal holds of a run, all of it or its first `upto` rows.

    Raises:
        UnknownRun: there is no such run.
        JournalCorrupt: what is stored is not what was written.
        UnknownType: it holds a value of a type that is not registered here.
    """
    stored = _stored(journal, run_id)
    rows, check = read_rows(journal, stored)
    header = rows[-1][1] if rows and rows[-1][1].started.run_id == run_id else header_of(stored.facts, journal.blob)
    fold = Fold(header.started)
    reader = RowReader(journal.blob)
    events: list[Event] = []
    under: Header | None = None
    for row, written_under in rows[:upto]:
        if written_under is not under:
            under = written_under
            reader.turn_to(under.started, under.skeleton)
        event = reader.event(row.body, fold)
        try:
            fold.take(event, len(events))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise JournalCorrupt(run_id, f"row {row.seq} does not fit the rows before it ({error})") from error
        events.append(event)
        check = row.check
    # What it follows now: what its last resume noted, if that was its own; else what it began with.
    is_own = under is not None and under.started.run_id == run_id
    skeleton = reader.skeleton if is_own and reader.skeleton is not None else header.skeleton
    place = Place(len(events), check, fold, skeleton.workers, stored.standing.state)
    return LoadedRun(header.started, header.limits, skeleton.definition, events, place)


def _stored(journal: Journal, run_id: str) -> StoredRun:
    stored = journal.find_run(run_id)
    if stored is None:
        raise UnknownRun(run_id, [run.facts.run_id for run in journal.find_runs(RunQuery(limit=100))])
    verify_run(stored)
    return stored


def forked_from(facts: Facts) -> str | None:
    """Return the run whose rows are the past of another; a sub-workflow's run has a parent, and a past of its own."""
    return None if facts.forked_at is None else facts.parent


def _line(journal: Journal, stored: StoredRun) -> list[StoredRun]:
    """Return the runs whose rows are the run's past, the eldest first, and the run itself."""
    line = [stored]
    while (parent := forked_from(line[-1].facts)) is not None:
        child = line[-1].facts.run_id
        if len(line) > _MAX_ANCESTORS:
            raise JournalCorrupt(child, f"it has more than {_MAX_ANCESTORS:,} ancestors")
        try:
            line.append(_stored(journal, parent))
        except UnknownRun:
            raise JournalCorrupt(child, f"its parent {parent!r} is missing") from None
    return line[::-1]


def read_rows(journal: Journal, stored: StoredRun) -> tuple[list[tuple[Row, Header]], bytes]:
    """Return the rows of a run, those that it shares with its ancestors first, and the check before the first."""
    found: list[tuple[Row, Header]] = []
    origin = b""
    for run in _line(journal, stored):
        run_id, shared = run.facts.run_id, run.facts.shared
        if len(found) < shared:
            raise JournalCorrupt(run_id, f"it shares {shared} rows with its parent, which has {len(found)}")
        del found[shared:]
        check = found[-1][0].check if found else run.facts.check
        origin = origin if found else check
        rows = journal.rows(run_id)
        verify_rows(run_id, rows, shared, check)
        verify_end(run, rows, check)
        header = header_of(run.facts, journal.blob)
        found += [(row, header) for row in rows]
    return found, origin
