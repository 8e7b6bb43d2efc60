"""What is on record in a run, a context, a history or a list of events: one shape for all of them.

Reads, never changes. What is read is a snapshot: a run that goes on meanwhile does not move it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    AttemptStarted,
    BranchesOpened,
    Event,
    Mark,
    PartialOutput,
    RunFinished,
    RunForked,
    RunResumed,
    RunStarted,
    WaitStarted,
)
from orchestration_kit.engine.order import in_order
from orchestration_kit.engine.run import Run
from orchestration_kit.history.entries import records_of_entries
from orchestration_kit.history.places import judged_steps
from orchestration_kit.history.texts import a_type_of

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

_EVENTS = (RunStarted, AttemptStarted, PartialOutput, AttemptFinished, *get_args(Mark))
_READABLE = (
    "Give a Run, a WorkflowContext, a list of history entries (dicts), a list of events, "
    "or a list of runs and contexts."
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is on record of one run, at one moment.

    >>> found = recorded([{"step": "ask", "output": "yes"}, {"step": "tell", "output": "done"}])
    >>> [record.path for record in found.records], found.workflow is None
    (['ask#1', 'tell#1'], True)
    """

    run: str
    workflow: str | None
    """None where the record does not say."""
    fingerprint: str | None
    goal: str | None
    state: str | None
    reason: str | None
    """Why the run failed or was cancelled."""
    started_at: float | None
    """Seconds since the epoch, UTC."""
    finished_at: float | None
    """None while the run goes on."""
    records: list[AttemptFinished]
    """In the order of the workflow: branch by branch, whatever ended first."""
    initial: Mapping[str, Any]
    """The data bus as the run began."""
    data: Mapping[str, Any] | None
    """The data bus as it is; None where only a fold over the records tells."""
    judged: frozenset[str] = frozenset()
    """Keys of steps with a `success_when`, whose condition is evaluated before any branch; empty where the definition
    is gone."""
    parent: str | None = None
    """The run it was forked from; without `forked_at`, the one that it is a sub-workflow of."""
    forked_at: str | None = None
    """The visit it was forked at."""
    forks: tuple[tuple[int, Changes], ...] = ()
    """What forks set on the data bus, each with the number of attempts before it."""

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.state in ("completed", "failed", "cancelled")


def records_of(source: Any) -> list[AttemptFinished]:
    """Return every attempt on record in one run, context, history or list of events, in the order of the workflow.

    >>> [record.path for record in records_of([{"step": "draft", "visit": 2, "output": "text"}])]
    ['draft#2']

    Raises:
        TypeError: there is no record in `source`.
    """
    return recorded(source).records


def recorded(source: Any) -> Recorded:
    """Return what is on record of one run.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("say", "generic", "")]))
    >>> found = recorded(hub.execute_workflow("say", "hello", verbose=False))
    >>> found.goal, found.state, [record.output for record in found.records]
    ('hello', 'completed', ['HELLO'])

    Raises:
        TypeError: there is no record in `source`.
    """
    if isinstance(source, Recorded):
        return source
    if isinstance(source, Run):
        return _of_machine(source.machine, None)
    if isinstance(source, WorkflowContext):
        return _of_machine(source._machine, source)  # noqa: SLF001 - records, where `.history` would copy every value
    if _is_listing(source):
        items = list(cast("Iterable[Any]", source))
        if all(isinstance(item, Mapping) for item in items):
            return _of_entries(items)
        if all(isinstance(item, _EVENTS) for item in items):
            return _of_events(items)
    raise TypeError(f"There is no history in {a_type_of(source)}. {_READABLE}")


def recordings(sources: Any) -> list[Recorded]:
    """Return what is on record of each run in `sources`: one of them, or several.

    Raises:
        TypeError: something in it has no record.
    """
    if isinstance(sources, (Recorded, Run, WorkflowContext)) or not _is_listing(sources):
        return [recorded(sources)]
    items = list(cast("Iterable[Any]", sources))
    if items and isinstance(items[0], (Mapping, *_EVENTS)):
        return [recorded(items)]
    try:
        return [recorded(item) for item in items]
    except TypeError as error:
        raise TypeError(f"Not everything in this {type(sources).__name__} has a history. {error}") from None


def _is_listing(source: Any) -> bool:
    return isinstance(source, Iterable) and not isinstance(source, (str, bytes, Mapping, *_EVENTS))


def _of_machine(machine: Any, context: WorkflowContext | None) -> Recorded:
    """Read a machine, or what stands for one in a context made by hand."""
    started: RunStarted = machine.started
    finished: RunFinished | None = machine.finished
    records = list[AttemptFinished](machine.records)
    if not records and machine.plan is None and context is not None:
        records = records_of_entries(context.history)
    workflow = started.workflow or (context.metadata.get("workflow_name") if context is not None else None)
    return Recorded(
        run=started.run_id,
        workflow=None if workflow is None else str(workflow),
        fingerprint=started.fingerprint or None,
        goal=started.goal,
        state=str(machine.state),
        reason=None if finished is None else finished.reason,
        started_at=started.started_at,
        finished_at=None if finished is None else finished.finished_at,
        records=records,
        initial=started.data,
        data=dict(machine.data),
        judged=_judged(machine.plan, records),
        parent=started.parent,
        forked_at=started.forked_at,
        forks=_forks(getattr(machine, "marks", ())),
    )


def _judged(plan: Any, records: list[AttemptFinished]) -> frozenset[str]:
    definition: WorkflowDefinition | None = None if plan is None else plan.definition
    return judged_steps(definition, records)


def _of_entries(entries: list[Mapping[str, Any]]) -> Recorded:
    return _bare("history", records_of_entries(entries))


def _of_events(given: list[Any]) -> Recorded:
    events = _as_in_the_workflow(given)
    records = [event for event in events if isinstance(event, AttemptFinished)]
    started = next((event for event in events if isinstance(event, RunStarted)), None)
    ends = (event for event in reversed(events) if isinstance(event, (RunFinished, RunResumed)))
    last_end = next(ends, None)
    finished = last_end if isinstance(last_end, RunFinished) else None
    if started is None:
        return _bare("history" if finished is None else finished.run_id, records)
    return Recorded(
        run=started.run_id,
        workflow=started.workflow or None,
        fingerprint=started.fingerprint or None,
        goal=started.goal,
        state=_state_after(events) if finished is None else finished.state,
        reason=None if finished is None else finished.reason,
        started_at=started.started_at,
        finished_at=None if finished is None else finished.finished_at,
        records=records,
        initial=started.data,
        data=None,
        parent=started.parent,
        forked_at=started.forked_at,
        forks=_forks(_marks(events)),
    )


def _as_in_the_workflow(events: list[Any]) -> list[Any]:
    """Return what is on record in the order of the workflow; a journal and an observer have it as it came.

    Without branches that is the order given.
    """
    if not any(isinstance(event, BranchesOpened) or _has_branches(event) for event in events):
        return events
    on_record = [event for event in events if not isinstance(event, (AttemptStarted, PartialOutput))]
    try:
        ordered = in_order(cast("list[Event]", on_record))
    except ValueError:  # positions that no run makes
        return events
    seq = 0
    for at, event in enumerate(ordered):
        if isinstance(event, AttemptFinished):
            seq += 1
            ordered[at] = event._replace(seq=seq)
    return ordered


def _has_branches(event: Any) -> bool:
    detail = event.detail if isinstance(event, AttemptFinished) else None
    return detail is not None and ("spawn" in detail or "undoes" in detail)


def _state_after(events: list[Any]) -> str:
    """Where a run stands that has not ended, as far as events tell: one that waits may go on in another branch."""
    asked: set[str] = set()
    blocked: set[str] = set()
    for event in events:
        if isinstance(event, AttemptFinished) and "blocked" in (event.detail or ()):
            blocked.add(event.path)
        if isinstance(event, WaitStarted) and event.kind != "time":
            asked.add(event.path)
        elif isinstance(event, Answered):
            asked.discard(event.path)
        elif isinstance(event, AttemptFinished) and asked and "branches" in (event.detail or ()):
            asked = {path for path in asked if not path.startswith(f"{event.path}[")}  # nobody waits for them now
    if asked:
        return "blocked" if asked & blocked else "waiting"
    has_begun = any(isinstance(event, (AttemptFinished, BranchesOpened, WaitStarted)) for event in events)
    return "in_progress" if has_begun else "initialized"


def _marks(events: list[Any]) -> Iterable[tuple[int, Any]]:
    attempts = 0
    for event in events:
        if isinstance(event, AttemptFinished):
            attempts += 1
        else:
            yield attempts, event


def _forks(marks: Iterable[tuple[int, Any]]) -> tuple[tuple[int, Changes], ...]:
    return tuple((at, mark.changes) for at, mark in marks if isinstance(mark, RunForked) and mark.changes is not None)


def _bare(run: str, records: list[AttemptFinished]) -> Recorded:
    """What is known of attempts that stand alone."""
    began = records[0].started_at if records else None
    return Recorded(run, None, None, None, None, None, began, None, records, {}, None)
