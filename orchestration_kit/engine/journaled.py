"""Where the hub meets a journal. The journal is a higher layer: it is imported when somebody asks for one."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.calls import BoundWorker
from orchestration_kit.engine.events import Event
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.plan import Plan, compile_plan
from orchestration_kit.engine.ports import Clock, RunLog
from orchestration_kit.engine.replay import follow
from orchestration_kit.engine.run import Run
from orchestration_kit.engine.state import RESTING
from orchestration_kit.engine.subruns import child_run_id
from orchestration_kit.engine.summary import RunSummary, TotalsSoFar
from orchestration_kit.errors import (
    DefinitionChanged,
    InvalidWorkflow,
    MissingWorkers,
    OrchestrationError,
    UnknownWorkflow,
    did_you_mean,
    listed,
)

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.journal.cassette import Cassette
    from orchestration_kit.journal.loading import LoadedRun
    from orchestration_kit.journal.port import Journal

NewLog = Callable[[Machine], RunLog | None]


def open_journal(journal: Any) -> Journal | None:
    """Return a journal: as given, or the SQLite file of a path; None where none is wanted.

    Raises:
        TypeError: it is neither.
    """
    if journal is None:
        return None
    from orchestration_kit.journal import Journal, SQLiteJournal

    if isinstance(journal, (str, PathLike)):
        return SQLiteJournal(cast("str | PathLike[str]", journal))
    if isinstance(journal, Journal):
        return journal
    raise TypeError(f'journal is the path of a file such as "runs.db", or a Journal, not {journal!r:.80}.')


def new_log(journal: Journal | None, machine: Machine, clock: Clock) -> RunLog | None:
    """Return the log of a run that is not on record yet."""
    if journal is None:
        return None
    from orchestration_kit.journal.log import JournalLog

    return JournalLog(journal, machine, clock)


def past_of(journal: Journal | None, run: Run, index: int) -> tuple[list[Event], NewLog]:
    """Return the first `index` events of a run, and how to make the log of a run that shares them."""
    if journal is None or run.log is None:
        return run.machine.arrivals()[:index], lambda machine: new_log(journal, machine, run.clock)
    from orchestration_kit.journal.loading import load_run
    from orchestration_kit.journal.log import JournalLog

    run.put_on_record()
    loaded = load_run(journal, run.run_id, upto=index)
    return loaded.events, lambda machine: JournalLog(journal, machine, run.clock, shared=loaded.place)


def load(
    journal: Journal, run_id: str, *, clock: Clock, plan_of: Callable[[str], Plan], workers: Iterable[BoundWorker]
) -> Run:
    """Return a run of a journal. Where the workflow and workers registered now do not fit, it can only be looked at.

    Raises:
        UnknownRun: the journal does not know it.
        JournalError: it cannot be read.
    """
    from orchestration_kit.journal.errors import JournalCorrupt
    from orchestration_kit.journal.loading import load_run
    from orchestration_kit.journal.log import JournalLog

    _make_types_known(workers)
    loaded = load_run(journal, run_id)
    try:
        try:
            plan, barrier = _fitting(loaded, plan_of)
            machine = Machine(plan, loaded.limits, loaded.started)
            machine.replay(loaded.events)
        except (MissingWorkers, InvalidWorkflow) as error:  # of a workflow that a worker made
            if loaded.definition is None:
                raise
            barrier = error
            machine = Machine(_recorded(loaded), loaded.limits, loaded.started)
            machine.replay(loaded.events)
    except OrchestrationError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # somebody wrote it by hand
        raise JournalCorrupt(run_id, f"its events do not follow from one another ({error})") from error
    log = JournalLog(journal, machine, clock, stored=loaded.place)
    run = Run(machine, clock=clock, log=log)
    run.barrier = barrier
    return run


def _fitting(loaded: LoadedRun, plan_of: Callable[[str], Plan]) -> tuple[Plan, Exception | None]:
    """Return the plan to follow, or the one on record with the reason why it cannot be gone on with."""
    started = loaded.started
    try:
        plan = plan_of(started.workflow)
    except (UnknownWorkflow, MissingWorkers) as error:
        if loaded.definition is None:
            raise
        return _recorded(loaded), error
    if plan.fingerprint == loaded.fingerprint:
        return plan, None
    _, parting = follow(plan, started, loaded.events)
    if parting is None:
        return plan, None
    error = DefinitionChanged(started.run_id, parting.path, parting.recorded, parting.expected)
    if loaded.definition is None:
        raise error
    return _recorded(loaded), error


def _recorded(loaded: LoadedRun) -> Plan:
    return compile_plan(WorkflowDefinition.from_dict(loaded.definition))


def delete_run(journal: Journal, run_id: str, *, clock: Clock) -> list[str]:
    """Delete a run from a journal, with those of its sub-workflows; return their ids, none where there is no such run.

    Raises:
        RunStateError: forks share the past of one of them.
        RunLocked: somebody drives one of them.
    """
    from orchestration_kit.journal.families import delete_with_inner_runs

    return delete_with_inner_runs(journal, run_id, clock=clock)


def find_children(run: Run, hub: Orchestrator) -> None:
    """Find the runs of sub-workflows that a run stands in, so that one that waits is seen to."""
    journal = hub.journal
    for visit in list(run.machine.ready):
        if journal is None or visit.step.worker is None or visit.step.worker.runs is None:
            continue
        child_id = child_run_id(run.run_id, visit)
        if journal.find_run(child_id) is not None:
            child = run.children[visit.path] = hub.get_run(child_id)
            if child.state in RESTING:
                run.machine.park_ready(visit)


def list_runs(journal: Journal | None, known: Iterable[Run], filters: dict[str, Any]) -> list[RunSummary]:
    """Return the runs that fit: of the journal, or else of those known."""
    from orchestration_kit.journal.arguments import check_query
    from orchestration_kit.journal.listing import summaries as read_summaries
    from orchestration_kit.journal.port import RunQuery

    possible = [field.name for field in dataclasses.fields(RunQuery)]
    for name in filters:
        if name not in possible:
            raise TypeError(
                f"There is no filter {name!r}.{did_you_mean(name, possible)} There are: {listed(possible)}."
            )
    if filters.get("tags", {}) is None:
        del filters["tags"]
    dated = {name: value for name, value in filters.items() if isinstance(value, datetime)}
    moments: dict[str, Any] = {name: value.timestamp() for name, value in dated.items()}
    query = RunQuery(**(filters | moments))
    if journal is not None:
        return read_summaries(journal, query)
    check_query(query)
    summaries = [summary_of(run) for run in known]
    meant = [summary for summary in summaries if query.fits(summary, summary.state)]
    meant.sort(key=lambda summary: (summary.started_at, summary.run_id), reverse=True)
    return meant[query.offset :] if query.limit is None else meant[query.offset : query.offset + query.limit]


def summary_of(run: Run) -> RunSummary:
    """Return a run in one line."""
    machine, started = run.machine, run.machine.started
    finished = machine.finished
    return RunSummary(
        run_id=started.run_id,
        workflow=started.workflow,
        state=str(machine.state),
        reason=None if finished is None else finished.reason,
        started_at=started.started_at,
        finished_at=None if finished is None else finished.finished_at,
        parent=started.parent,
        forked_at=started.forked_at,
        tags=dict(started.tags or {}),
        driver=None,
        totals=TotalsSoFar().plus(machine.records).totals,
    )


def canonical(value: Any, where: str) -> bytes:
    """Return a value as bytes that are the same wherever it is, so that it can be hashed.

    Raises:
        NotRecordable: it cannot be put on record.
    """
    from orchestration_kit.journal import codec

    return codec.dumps(codec.encode(value, where))


def open_cassette(cassette: Any) -> Cassette | None:
    """Return a cassette: as given, or the one in a file; None where none is wanted."""
    if cassette is None:
        return None
    from orchestration_kit.journal.cassette import as_cassette

    return as_cassette(cassette)


def with_cassette(plan: Plan, own: Cassette | None) -> Plan:
    """Return a plan whose workers are stood in for by the recordings that are in use here, if any."""
    module = sys.modules.get("orchestration_kit.journal.cassette")
    active = own if module is None else (module.current_cassette() or own)
    if active is None:
        return plan
    _make_types_known(workers_of(plan))
    return active.wrap(plan)


def workers_of(plan: Plan) -> list[BoundWorker]:
    """Return the workers of a plan, and of the workflows within it."""
    found: list[BoundWorker] = []
    for step in plan.steps.values():
        found += [] if step.worker is None else [step.worker]
        for target in () if step.opens is None else step.opens.targets.values():
            found += [] if target.plan is None else workers_of(target.plan)
    return found


def _make_types_known(workers: Iterable[BoundWorker]) -> None:
    from orchestration_kit.journal.visible_types import register_visible

    register_visible(worker.call for worker in workers)
