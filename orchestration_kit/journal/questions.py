"""What runs on record wait for: read from the journal, or, where the workflow is in code, from the events alone."""

from __future__ import annotations

from orchestration_kit.engine.asking import Request
from orchestration_kit.engine.events import Answered, AttemptFinished, WaitStarted
from orchestration_kit.engine.inner import step_of
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.state import RESTING
from orchestration_kit.errors import UnknownWorkflow
from orchestration_kit.journal.loading import LoadedRun, load_run
from orchestration_kit.journal.port import Journal, RunQuery, StoredRun


def questions_of(journal: Journal, stored: StoredRun) -> list[Request]:
    """Return what a run itself waits for, in the order of the workflow.

    Raises:
        JournalError: it cannot be read.
    """
    run_id = stored.facts.run_id
    if stored.standing.finished_at is not None:
        return []
    try:
        run = Orchestrator(journal=journal).get_run(run_id)
    except UnknownWorkflow:  # it holds Python callables: what was asked is on record, its wording is not
        return _as_recorded(load_run(journal, run_id))
    return [one for one in run.waiting if one.run_id == run_id]


def runs_within(journal: Journal, run_id: str) -> list[StoredRun]:
    """Return the runs of a run's sub-workflows, and theirs, in the order in which they began."""
    found: list[StoredRun] = []
    for run in reversed(journal.find_runs(RunQuery(parent=run_id))):
        if run.facts.forked_at is None:
            found += [run, *runs_within(journal, run.facts.run_id)]
    return found


def outermost(journal: Journal, run_id: str) -> str:
    """Return the run that a run of a sub-workflow is within; a run that is within none itself."""
    stored = journal.find_run(run_id)
    while stored is not None and stored.facts.parent is not None and stored.facts.forked_at is None:
        run_id = stored.facts.parent
        stored = journal.find_run(run_id)
    return run_id


def _as_recorded(loaded: LoadedRun) -> list[Request]:
    """Return what a run waits for, as far as its events tell."""
    begun: dict[str, WaitStarted] = {}
    for event in loaded.events:
        if isinstance(event, WaitStarted):
            begun[event.path] = event
        elif isinstance(event, Answered):
            begun.pop(event.path, None)
        elif isinstance(event, AttemptFinished) and event.retry_in_s is None:
            over = event.path
            begun = {path: one for path, one in begun.items() if path != over and not path.startswith(f"{over}[")}
    run_id = loaded.started.run_id
    return [_request(run_id, one) for one in begun.values()] if loaded.place.state in RESTING else []


def _request(run_id: str, wait: WaitStarted) -> Request:
    return Request(
        run_id=run_id,
        path=wait.path,
        step=step_of(wait.path),
        kind=wait.kind,
        prompt="",
        shown=wait.shown,
        schema=None,
        hash=wait.request,
        asked_at=wait.asked_at,
        deadline=wait.until,
    )
