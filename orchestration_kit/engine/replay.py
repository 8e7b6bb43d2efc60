"""Fold a record again, deciding anew at each attempt: does a workflow lead where the run went? Calls no worker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, NamedTuple, cast

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.context import WorkflowContext, context_of
from orchestration_kit.engine.events import AttemptFinished, BranchesOpened, Event, RunFinished, RunStarted
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.plan import Plan, PlannedStep, compile_plan
from orchestration_kit.engine.stand_ins import SKIPPED
from orchestration_kit.engine.visits import INTERRUPTS, Visit, choose_edge, way_of_failure
from orchestration_kit.errors import AttemptError, ConditionError, counted

_SPECIAL = frozenset({"parallel", "map", "approval", "wait"})
_UNBOUND = RunLimits(max_steps=2**62)
_FINAL = frozenset({"NotRecordable", *(cls.__name__ for cls in AttemptError.__subclasses__() if cls.is_final)})


class Parting(NamedTuple):
    """Where a workflow leads elsewhere than the run went."""

    path: str
    """The visit, e.g. `review_code#2`."""
    attempt: int
    recorded: str
    """What the record says."""
    expected: str
    """What the workflow says."""

    def __str__(self) -> str:
        return f"{self.path}, attempt {self.attempt}: on record, {self.recorded}; by this workflow, {self.expected}"


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay."""

    run_id: str
    attempts: int
    """How many attempts were followed before the two parted, or the record ended."""
    parting: Parting | None
    """Where the workflow leads elsewhere; None where it takes the same path."""
    context: WorkflowContext
    """How things stand after the last attempt that was followed."""

    @property
    def is_same(self) -> bool:
        """Whether the workflow takes the path on record, all of it."""
        return self.parting is None

    def __str__(self) -> str:
        attempts = counted(self.attempts, "attempt")
        if self.parting is None:
            return f"Run {self.run_id!r}: the same path, {attempts}, no worker called."
        path, attempt, recorded, expected = self.parting
        return (
            f"Run {self.run_id!r} parts after {attempts}, at {path}, attempt {attempt}:\n"
            f"  on record, {recorded}\n"
            f"  by this workflow, {expected}"
        )

    __repr__ = __str__


def replay(run: Any, workflow: WorkflowDefinition | None = None) -> Replay:
    """Fold the record of a run again and decide anew at each attempt, without calling a worker.

    Args:
        run: A `Run`, or the context that `execute_workflow` returned.
        workflow: Another workflow to hold against the record; the run's own where none is given.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> context = hub.execute_workflow("a_b", "hello", verbose=False, run_id="r1")
    >>> replay(context)
    Run 'r1': the same path, 2 attempts, no worker called.

    Raises:
        TypeError: there is no run in `run`.
        InvalidWorkflow: the checks refuse the other workflow.
    """
    machine = _machine_of(run)
    plan = machine.plan if workflow is None else _unbound(workflow, machine.plan)
    events = machine.arrivals()
    again, parting = follow(plan, machine.started, events)
    return Replay(machine.started.run_id, again.recorded, parting, context_of(again, None))


def follow(plan: Plan, started: RunStarted, events: Iterable[Event]) -> tuple[Machine, Parting | None]:
    """Fold events for as long as the plan leads where they went; return where that stands, and where they part."""
    machine = Machine(plan, _UNBOUND, started)
    all_events = list(events)
    for event, after in zip_longest(all_events, all_events[1:]):
        if isinstance(event, AttemptFinished):
            was_cancelled = isinstance(after, RunFinished) and after.state == "cancelled" and event.error is not None
            parting = None if was_cancelled and event.next_step is None else parting_at(machine, event)
            if parting is not None:
                return machine, parting
        elif isinstance(event, RunFinished) and machine.finished is not None and machine.finished.state != event.state:
            last = machine.last_record()
            if event.state != "cancelled" and last is not None:
                reached = f"the run is {machine.finished.state} there"
                return machine, Parting(last.path, last.attempt, f"the run was {event.state} there", reached)
        try:
            machine.replay([event])
        except ValueError as error:
            path = getattr(event, "path", None)
            if path is None or isinstance(event, AttemptFinished):
                raise
            return machine, Parting(path, 1, _begun(event), str(error))
    return machine, None


def _begun(event: Event) -> str:
    return "branches were opened there" if isinstance(event, BranchesOpened) else "the run waited there"


def _machine_of(run: Any) -> Machine:
    machine = getattr(run, "machine", None) or getattr(run, "_machine", None)
    if not isinstance(machine, Machine):
        raise TypeError(
            f"replay takes a Run or the context of one, not {run!r:.80}. "
            "A run of a journal is orchestrator.get_run(run_id)."
        )
    return machine


def _unbound(workflow: WorkflowDefinition, like: Plan) -> Plan:
    """Compile a workflow, with the workers of a plan where it has the same steps."""
    plan = compile_plan(workflow)
    steps = {
        step_id: replace(step, worker=like.steps[step_id].worker)
        if step_id in like.steps and not step.is_special
        else step
        for step_id, step in plan.steps.items()
    }
    return replace(plan, steps=steps, bind=like.bind)


def parting_at(machine: Machine, record: AttemptFinished) -> Parting | None:
    """Return where the plan leads elsewhere than an attempt and what followed from it."""
    visit = machine.find(record.path, record.attempt)
    if visit is None:
        coming = machine.upcoming()
        there = "the run is over" if coming is None else f"{coming.path}, attempt {coming.attempt}, comes next"
        return Parting(record.path, record.attempt, "this attempt was made", there)
    if record.error is not None and record.error.type in INTERRUPTS:
        return None
    if record.detail is not None and "spawn" in record.detail:
        return None
    if visit.step.is_special != (record.worker is None and record.worker_type in _SPECIAL) and visit.group is None:
        kind = visit.step.definition.kind
        return Parting(record.path, record.attempt, f"it was of the kind {record.worker_type}", f"it is a {kind} step")
    if record.worker == SKIPPED and record.retry_in_s is None:
        visit.step = replace(visit.step, max_retries=0)
    evaluated, visit.started_at = visit.evaluated, record.started_at
    try:
        expected = _way(machine, visit, record)
    except ConditionError:
        expected = _told(visit.step.on_failure)
    finally:
        visit.evaluated, visit.facts, visit.output, visit.started_at = evaluated, None, None, 0.0
    recorded = _told(record.next_step, is_retry=record.retry_in_s is not None)
    return None if expected == recorded else Parting(record.path, record.attempt, recorded, expected)


def _way(machine: Machine, visit: Visit, record: AttemptFinished) -> str:
    """Say what follows from an attempt, deciding as the machine would."""
    error = record.error
    if error is None:
        return _way_on(machine, visit, record, record.output)
    was_rejected = error.type == "OutputRejected" and bool(record.evaluated) and not record.evaluated[-1].result
    if error.type == "ConditionError" or was_rejected:
        output = cast("dict[str, Any]", record.output if isinstance(record.output, dict) else {})
        rejected = output.get("output", _ABSENT)
        if rejected is not _ABSENT:
            return _way_on(machine, visit, record, rejected)
    return _way_of_failure(visit, record)


def _way_on(machine: Machine, visit: Visit, record: AttemptFinished, output: Any) -> str:
    """Say what follows from an output, which may count as a failure."""
    step, condition = visit.step, visit.step.success_when
    context = context_of(machine, visit)
    if record.changes is not None:  # a worker's own writes are there when its output is judged
        view = context.data
        view.update(record.changes.updated)
        for key in record.changes.removed:
            view.pop(key, None)
    if condition is not None:
        holds = _verdict(step, record)
        if holds is None:
            holds = condition.evaluate(step.step_id, output, context).result
        if not holds:
            return _way_of_failure(visit, record)
    visit.facts, visit.output = context, output
    return _told(choose_edge(visit, output))


def _verdict(step: PlannedStep, record: AttemptFinished) -> bool | None:
    """Return what `success_when` said, where it is the same text, or cannot be asked again; else None."""
    condition = step.success_when
    is_transformed = step.worker is not None and step.worker.output_transformer is not None
    if condition is None or (condition.calls_code and not is_transformed):
        return None
    first = record.evaluated[0] if record.evaluated else None
    if first is not None and first.text == condition.text:
        return first.result
    return True if is_transformed and record.error is None else None


def _way_of_failure(visit: Visit, record: AttemptFinished) -> str:
    """Say what follows from a failure. Where that hangs on the class of an error, the record is believed."""
    step, error = visit.step, record.error
    if "blocked" in (record.detail or ()):  # a person was asked
        return _told(None, is_retry=True)
    is_final = error is not None and (error.is_final or error.type in _FINAL)
    may_retry = not is_final and record.worker is not None and visit.attempt - visit.interrupted <= step.max_retries
    if may_retry and step.retry is not None and (step.retry.retry_on or step.retry.give_up_on):
        may_retry = record.retry_in_s is not None
    way = step.on_failure if error is None else way_of_failure(step, error)
    return _told(None if may_retry else way, is_retry=may_retry)


def _told(next_step: str | None, *, is_retry: bool = False) -> str:
    if is_retry:
        return "it is tried again"
    return "the run ends there" if next_step is None else f"it goes on to {next_step!r}"


_ABSENT: Any = object()
