"""Forgets old runs, of any journal: never one that is driven, or goes on, or that a fork needs."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from orchestration_kit.engine.ports import Clock, SystemClock
from orchestration_kit.errors import UnknownRun
from orchestration_kit.journal.errors import RunLocked
from orchestration_kit.journal.families import Families
from orchestration_kit.journal.port import Journal, Lease, RunQuery, StoredRun
from orchestration_kit.journal.processes import judge


def prune(  # noqa: PLR0913 - which runs, said in words
    journal: Journal,
    *,
    keep_last: int | None = None,
    older_than: timedelta | float | None = None,
    workflow: str | None = None,
    state: str | None = None,
    include_unfinished: bool = False,
    dry_run: bool = False,
    clock: Clock | None = None,
) -> list[str]:
    """Delete old runs and return their ids, newest first.

    A run goes if all that is asked for holds, and the runs of its sub-workflows go with it; they are not counted. It
    stays, whatever is asked for, while somebody drives it or one of those, or while a run that was forked from it
    stays.

    >>> from orchestration_kit.journal.memory import MemoryJournal
    >>> prune(MemoryJournal(), keep_last=100, older_than=timedelta(days=30))
    []

    Args:
        journal: Where the runs are.
        keep_last: So many of the newest stay (of those meant by `workflow` and `state`).
        older_than: Those that ended less long ago stay; a timedelta, or seconds. For a run that has not ended, its
            start counts.
        workflow: Only runs of this workflow.
        state: Only runs in this state.
        include_unfinished: Also runs that could still be resumed, as their process died or they wait.
        dry_run: Only tell which would be deleted.
        clock: Tells how late it is.

    Raises:
        ValueError: neither `keep_last` nor `older_than` is given, or one of them is negative.
    """
    if keep_last is None and older_than is None:
        raise ValueError(
            "prune would delete every run; say which stay, with keep_last=100 or older_than=timedelta(30)."
        )
    age_s = older_than.total_seconds() if isinstance(older_than, timedelta) else older_than
    if (keep_last is not None and keep_last < 0) or (age_s is not None and not age_s >= 0):
        raise ValueError(f"keep_last is {keep_last!r}, older_than is {older_than!r}; neither can be less than none.")
    runs = journal.find_runs(RunQuery())
    families = Families(runs)
    query = RunQuery(workflow=workflow, state=state)
    outer = [run for run in runs if query.holds(run) and families.head_of(run.facts.run_id) == run.facts.run_id]
    meant = outer[keep_last or 0 :]
    now = (clock or SystemClock()).time()
    old = {run.facts.run_id for run in meant if age_s is None or _ended_at(run) < now - age_s}
    staying = {
        families.head_of(run.facts.run_id)
        for run in runs
        if not (_is_free(journal, run) and (include_unfinished or _is_over(run)))
    }
    going = old - staying
    going -= families.needed(going)
    doomed = [run for run in runs if families.head_of(run.facts.run_id) in going]
    return [run.facts.run_id for run in doomed] if dry_run else _deleted(journal, doomed)


def _deleted(journal: Journal, doomed: list[StoredRun]) -> list[str]:
    """Delete runs, apart from families of which somebody took hold of a run, or forked one, in the meantime."""
    leases: dict[str, Lease] = {}
    for run in doomed:
        with suppress(RunLocked, UnknownRun):
            leases[run.facts.run_id] = journal.claim(run.facts.run_id, run.holder)
    families = Families(journal.find_runs(RunQuery()))
    heads = {families.head_of(run_id) for run_id in leases}
    going = {head for head in heads if all(run_id in leases for run_id in families.members(head))}
    going -= families.needed(going)
    ids = [
        run.facts.run_id for run in doomed if run.facts.run_id in leases and families.head_of(run.facts.run_id) in going
    ]
    journal.delete(ids)
    for run_id in leases.keys() - set(ids):
        journal.append(leases[run_id], (), {}, release=True)
    return ids


def _ended_at(run: StoredRun) -> float:
    return run.facts.started_at if run.standing.finished_at is None else run.standing.finished_at


def _is_over(run: StoredRun) -> bool:
    return run.standing.finished_at is not None


def _is_free(journal: Journal, run: StoredRun) -> bool:
    return run.holder is None or judge(run.holder, journal.owner) == "dead"
