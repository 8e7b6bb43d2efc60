"""The runs of a journal, one line each, without reading the attempts of those that were put away in order."""

from __future__ import annotations

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.engine.summary import RunSummary, TotalsSoFar
from orchestration_kit.journal.chain import read_totals, verify_run
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.port import Journal, RunQuery, StoredRun


def summaries(journal: Journal, query: RunQuery) -> list[RunSummary]:
    """Return the runs that are meant, newest first.

    Raises:
        JournalCorrupt: what is stored of one of them is not what was written.
    """
    return [summary(journal, stored) for stored in journal.find_runs(query)]


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
        events = load_run(journal, facts.run_id).events
        totals = TotalsSoFar().plus(event for event in events if isinstance(event, AttemptFinished)).totals
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
