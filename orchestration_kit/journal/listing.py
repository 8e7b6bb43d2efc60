"""The runs of a journal, one line each, without reading the attempts of those that were put away in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from orchestration_kit.engine.events import AttemptFinished, ErrorInfo
from orchestration_kit.engine.summary import RunSummary, Totals, TotalsSoFar
from orchestration_kit.journal.chain import read_totals, verify_run
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.loading import read_rows
from orchestration_kit.journal.port import Journal, Row, RunQuery, StoredRun


def summaries(journal: Journal, query: RunQuery) -> list[RunSummary]:
    """Return the runs that are meant, newest first. One that is damaged is in the state `damaged`, with the reason.

    Damage may have hidden a run from the filters, so that damaged ones are listed last whatever is asked for. All
    runs are looked at for that when a journal is first asked.
    """
    found = [_summary_or_damage(journal, stored) for stored in journal.find_runs(query)]
    shown = {summary.run_id for summary in found}
    hidden = _damaged_runs(journal) if query != RunQuery() else ()
    return [*found, *(_damaged(stored, reason) for stored, reason in hidden if stored.facts.run_id not in shown)]


def summary(journal: Journal, stored: StoredRun) -> RunSummary:
    """Return a run in one line.

    Raises:
        JournalCorrupt: what is stored of it is not what was written.
    """
    verify_run(stored)
    facts, standing, holder = stored
    _, totals = read_totals(stored)
    if holder is not None:
        # Nobody wrote down where it stands: it is being driven, or its driver died.
        rows, _ = read_rows(journal, stored)
        totals = TotalsSoFar().plus(_counted(facts.run_id, rows)).totals
    return RunSummary(
        run_id=facts.run_id,
        workflow=facts.workflow,
        state=standing.state,
        reason=standing.reason,
        started_at=facts.started_at,
        finished_at=standing.finished_at,
        parent=facts.parent,
        forked_at=facts.forked_at,
        tags=dict(facts.tags),
        driver=None if holder is None else f"process {holder.owner.pid} on {holder.owner.host}",
        totals=totals,
    )


def _summary_or_damage(journal: Journal, stored: StoredRun) -> RunSummary:
    try:
        return summary(journal, stored)
    except JournalCorrupt as error:
        return _damaged(stored, error.reason)


def _damaged(stored: StoredRun, reason: str) -> RunSummary:
    facts = stored.facts
    return RunSummary(
        run_id=facts.run_id,
        workflow=facts.workflow,
        state="damaged",
        reason=reason,
        started_at=facts.started_at,
        finished_at=None,
        parent=facts.parent,
        forked_at=facts.forked_at,
        tags=dict(facts.tags),
        driver=None,
        totals=Totals(),
    )


_looked_at: WeakKeyDictionary[Journal, tuple[tuple[StoredRun, str], ...]] = WeakKeyDictionary()
"""By journal: its damaged runs, found when it was first asked."""


def _damaged_runs(journal: Journal) -> tuple[tuple[StoredRun, str], ...]:
    known = _looked_at.get(journal)
    if known is None:
        damaged: list[tuple[StoredRun, str]] = []
        for stored in journal.find_runs(RunQuery()):
            try:
                verify_run(stored)
            except JournalCorrupt as error:
                damaged.append((stored, error.reason))
        known = _looked_at[journal] = tuple(damaged)
    return known


def _counted(run_id: str, rows: Iterable[tuple[Row, object]]) -> Iterator[AttemptFinished]:
    """Yield what is counted of attempts. Their values are not restored: a list must not need their types."""
    for row, _ in rows:
        try:
            parts: list[Any] = msgspec.json.decode(row.body)
            if parts[0] != "a":
                continue
            _, scope, step, visit, attempt, started_at, duration_s, next_step, _, *more = parts
            extras: dict[str, Any] = more[0] if more else {}
            error = ErrorInfo("", "") if "e" in extras else None
            retry_in_s, usage, cached = extras.get("r"), extras.get("u"), extras.get("k") is True
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise JournalCorrupt(run_id, f"row {row.seq} cannot be read ({error})") from error
        yield AttemptFinished(
            row.seq, scope, step, visit, attempt, None, "", None, None, error, started_at, duration_s, next_step,
            retry_in_s, None, (), usage, cached,
        )  # fmt: skip
