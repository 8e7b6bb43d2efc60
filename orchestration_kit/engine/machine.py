"""The sans-IO state machine: what next, and what does this event change?

It does no I/O, reads no clock, draws no random number and calls no worker. Drivers around it do: they take a
visit from `next()`, call its worker, write what came of it onto the visit, and hand it to `settle()`, which
decides (retry, edge, end) and folds that decision into the state. The same machine drives the sync loop, the
async loop, one cell at a time, and replay: `replay()` folds recorded events and decides nothing.

The model is h11: a protocol without a socket (https://h11.readthedocs.io).

How branches, items and joins will fit in (they are not there yet): each visit belongs to a `Scope`, one sequential
thread of control. A parallel step or a map opens a child scope per branch or item (`research#1[3]/`), each with a copy
of its parent's bus, and puts their first visits into `ready`. A scope that ends reports to its parent, which joins when
those that it activated have reported, and merges their changes in definition or input order. To wait for a person or a
time is a visit that is active but not ready. Identity is scope, step and visit number, never who ended first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from orchestration_kit.engine.events import (
    AttemptFinished,
    ErrorInfo,
    Event,
    RunFinished,
    RunForked,
    RunResumed,
    RunStarted,
)
from orchestration_kit.engine.limits import Meter, RunLimits
from orchestration_kit.engine.plan import Plan
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.engine.visits import Scope, Visit, another_attempt, choose_edge, may_retry, wait_s
from orchestration_kit.errors import ConditionError


class Machine:
    """The state of one run, and what it does next."""

    __slots__ = (
        "_left", "_made", "_max_steps", "_rows", "_steps", "active", "finished", "limits", "marks", "meter", "plan",
        "ready", "root", "started",
    )  # fmt: skip

    def __init__(self, plan: Plan, limits: RunLimits, started: RunStarted) -> None:
        self.plan = plan
        self.limits = limits
        self._max_steps = limits.max_steps
        self.started = started
        self.root = Scope("", dict(started.data))
        self._rows: list[Any] = []
        self._made = 0
        self._steps = plan.steps
        self.active: set[Visit] = set()
        self.ready: deque[Visit] = deque()
        self.meter = Meter(limits) if limits.needs_meter else None
        self.finished: RunFinished | None = None
        self.marks: list[tuple[int, Event]] = []
        """Events that are no attempts, each with the number of attempts before it: forks, resumes, and former ends."""
        self._left: list[Visit] = []
        """What was left to do when the run ended."""
        self._arrive(self.root, plan.initial, started.goal)

    @property
    def records(self) -> list[AttemptFinished]:
        """What is on record, one per attempt, in order."""
        # The hot path appends plain tuples, a third as dear; they get their names when somebody, on any thread, looks.
        rows, end = self._rows, len(self._rows)
        for index in range(self._made, end):
            rows[index] = AttemptFinished._make(rows[index])
        self._made = end
        return rows[:end]

    def rows_since(self, told: int) -> list[tuple[Any, ...]]:
        """`records_since` without their names."""
        return self._rows[told:]

    def records_since(self, told: int) -> list[AttemptFinished]:
        """The records after the first `told`, without touching those before them."""
        return [AttemptFinished._make(row) for row in self._rows[told:]]

    def record(self, index: int) -> AttemptFinished:
        """One of `records`, without making the others."""
        return AttemptFinished._make(self._rows[index])

    def row(self, index: int) -> tuple[Any, ...]:
        """`record(index)` without its names, for those who look at every attempt."""
        return self._rows[index]

    def last_record(self) -> AttemptFinished | None:
        """The last of `records`, without making the others."""
        return self.record(-1) if self._rows else None

    def events(self) -> list[Event]:
        """Every event so far, in order; folding them gives this state."""
        found: list[Event] = [self.started]
        records, at = self.records, 0
        for position, mark in self.marks:
            found += records[at:position]
            found.append(mark)
            at = position
        found += records[at:]
        return found if self.finished is None else [*found, self.finished]

    @property
    def count(self) -> int:
        """How many events there are after `RunStarted`."""
        return len(self._rows) + len(self.marks) + (self.finished is not None)

    def event(self, index: int) -> Event:
        """One of `events()[1:]`, without making the others."""
        if not self.marks and index < len(self._rows):
            return self.record(index)
        before = 0
        for position, mark in self.marks:
            if position + before == index:
                return mark
            if position + before > index:
                break
            before += 1
        if index - before < len(self._rows):
            return self.record(index - before)
        if self.finished is None:
            raise IndexError(index)
        return self.finished

    @property
    def is_stuck(self) -> bool:
        """Whether a visit was taken and never settled, or nothing is left to do, though the run has not ended."""
        return self.finished is None and (not self.ready or len(self.ready) != len(self.active))

    @property
    def is_retrying(self) -> bool:
        """Whether the visit that was settled last is to be attempted again."""
        return bool(self.ready) and self.ready[-1].attempt > 1

    def is_unsettled(self, visit: Visit) -> bool:
        """Whether an attempt is not on record yet."""
        last = self.last_record()
        is_last = last is not None and (last.path, last.attempt) == (visit.path, visit.attempt)
        return visit in self.active and not is_last

    @property
    def recorded(self) -> int:
        """How many attempts are on record."""
        return len(self._rows)

    @property
    def data(self) -> dict[str, Any]:
        """The committed data bus of the run."""
        return self.root.data

    @property
    def state(self) -> WorkflowState:
        """Where the run stands."""
        if self.finished is not None:
            return WorkflowState(self.finished.state)
        is_untouched = not self._rows and len(self.ready) == len(self.active)
        return WorkflowState.INITIALIZED if is_untouched else WorkflowState.IN_PROGRESS

    @property
    def current_step(self) -> str:
        """The step that is being worked on or comes next; after the end, the last one."""
        for visit in self.active:
            return visit.step.step_id
        last = self.last_record()
        return self.plan.initial if last is None else last.step

    def upcoming(self) -> Visit | None:
        """The visit that `next()` would give, without taking it."""
        return self.ready[0] if self.ready else None

    def next(self) -> Visit | None:
        """Take the next visit to be worked on; None where the run has ended, or waits for active ones."""
        if not self.ready:
            return None
        if len(self._rows) >= self._max_steps:
            self._end_at_limit("max_steps", f"{self._max_steps:,} attempts")
            return None
        return self.ready.popleft()

    def settle(
        self,
        visit: Visit,
        output: Any,
        error: ErrorInfo | None = None,
        error_types: tuple[str, ...] | None = (),
        cancelled: str | None = None,
    ) -> None:
        """Decide what follows from an attempt, and fold that into the state.

        Args:
            visit: The visit, with the notes of its attempt written on it.
            output: What goes on record: the output, or `{"error": ...}`.
            error: Why the attempt failed, or None.
            error_types: Class names of the error, for the step's retry policy; None where a retry cannot help.
            cancelled: Why the attempt was interrupted; the run then ends as cancelled.
        """
        step = visit.step
        next_step: str | None = None
        retry_in_s: float | None = None
        if error is None:
            next_step = step.on_success
            if step.branches:
                try:
                    next_step = choose_edge(visit, output)
                except ConditionError as failure:
                    # Deterministic, so that another attempt would only cost: no retry.
                    error = ErrorInfo("ConditionError", str(failure), is_final=True)
                    output = {"error": error.message, "output": output}
                    next_step = step.on_failure
        elif cancelled is None:
            if may_retry(visit, error_types):
                retry_in_s = 0.0 if step.retry is None else wait_s(visit, step.retry, self.started.seed)
            else:
                next_step = step.on_failure
        scope = visit.scope
        rows = self._rows
        rows.append(
            (
                len(rows) + 1,
                scope.prefix,
                step.step_id,
                visit.number,
                visit.attempt,
                step.worker_name,
                step.worker_type,
                visit.given,
                output,
                error,
                visit.started_at,
                visit.duration_s,
                next_step,
                retry_in_s,
                None if error is not None else visit.changes,
                visit.evaluated,
                visit.usage,
                visit.cached,
                step.worker_fingerprint,
            )
        )
        self._fold(visit, output, error, next_step, retry_in_s)
        if cancelled is not None:
            self._end("cancelled", cancelled)
        elif self.meter is not None and self.finished is None and (exceeded := self.meter.exceeded()) is not None:
            self._end_at_limit(*exceeded)

    def cancel(self, reason: str, at: float) -> RunFinished | None:
        """End the run as cancelled; None where it had ended before."""
        return None if self.finished else self._end("cancelled", reason, at)

    def replay(self, events: Iterable[Event]) -> None:
        """Fold recorded events into the state. Nothing is decided, no limit is held, and nobody is called.

        Raises:
            ValueError: an event does not follow from the ones before it.
        """
        for event in events:
            if isinstance(event, AttemptFinished):
                visit = self.upcoming()
                if visit is None or (visit.path, visit.attempt) != (event.path, event.attempt):
                    at = "at its end" if visit is None else f"at {visit.path}, attempt {visit.attempt}"
                    raise ValueError(
                        f"event {event.seq} is attempt {event.attempt} of {event.path}; the run stands {at}"
                    )
                self.ready.popleft()
                visit.duration_s, visit.usage, visit.changes = event.duration_s, event.usage, event.changes
                self._rows.append(event)
                self._fold(visit, event.output, event.error, event.next_step, event.retry_in_s)
            elif isinstance(event, RunFinished):
                self._put_away()
                self.finished = event
            elif isinstance(event, RunResumed):
                self.reopen(event)
            elif isinstance(event, RunForked):
                self.fork(event)

    @property
    def fingerprint(self) -> str:
        """Of what the run follows, as it is on record: what its last resume noted, or what it began with."""
        for _, mark in reversed(self.marks):
            if isinstance(mark, RunForked):
                break
            if isinstance(mark, RunResumed) and mark.fingerprint is not None:
                return mark.fingerprint
        return self.started.fingerprint

    @property
    def may_resume(self) -> bool:
        """Whether there is something left to do, also where the run has ended."""
        return self.finished is None or bool(self._left)

    def follow(self, plan: Plan) -> None:
        """Go on by another plan, which has to lead where this one went."""
        if plan is not self.plan:
            self.plan = plan
            self.refold()

    def refold(self) -> None:
        """Work the state out anew from what is on record: an interrupt may have come between a row and its fold."""
        fresh = Machine(self.plan, self.limits, self.started)
        fresh.replay(self.events()[1:])
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))

    def coming(self) -> Visit | None:
        """The visit that comes next, or would if the run went on."""
        return self.upcoming() or (self._left[0] if self._left else None)

    def allow(self, limits: RunLimits) -> None:
        """Hold other limits from now on; what was used so far counts."""
        self.limits, self._max_steps = limits, limits.max_steps
        self.meter = Meter(limits) if limits.needs_meter else None
        if self.meter is not None:
            for record in self.records:
                self.meter.add(record.duration_s, record.retry_in_s, record.usage)

    def reopen(self, event: RunResumed) -> None:
        """Go on after a crash, or after an end that left something to do."""
        if self.finished is not None:
            self.marks.append((len(self._rows), self.finished))
            self.finished = None
            self.ready.extend(self._left)
            self.active.update(self._left)
            self._left.clear()
        self.marks.append((len(self._rows), event))

    def fork(self, event: RunForked) -> None:
        """Let what follows be a fork's own, with what it was given."""
        self.marks.append((len(self._rows), event))
        if event.changes is not None:
            event.changes.apply_to(self.root.data)
        if event.input is not None:
            for visit in self.ready:
                visit.input = visit.given = event.input[0]

    def _arrive(self, scope: Scope, step_id: str, input_data: Any) -> None:
        number = scope.visits.get(step_id, 0) + 1
        scope.visits[step_id] = number
        visit = Visit(scope, self._steps[step_id], number, input_data)
        self.active.add(visit)
        self.ready.append(visit)

    def _fold(
        self, visit: Visit, output: Any, error: ErrorInfo | None, next_step: str | None, retry_in_s: float | None
    ) -> None:
        """Change the state by what is on record of an attempt. Decides nothing: replay comes here too."""
        if self.meter is not None:
            self.meter.add(visit.duration_s, retry_in_s, visit.usage)
        self.active.discard(visit)
        if retry_in_s is not None:
            again = another_attempt(visit, error)
            again.wait_s = retry_in_s or None
            self.active.add(again)
            self.ready.append(again)
        else:
            scope = visit.scope
            if error is None and visit.changes is not None:
                visit.changes.apply_to(scope.data)
            scope.data[visit.step.output_key] = output
            if next_step is not None:
                visits = scope.visits  # as in _arrive(), written out: this is the hot path
                visits[next_step] = number = visits.get(next_step, 0) + 1
                arrived = Visit(scope, self._steps[next_step], number, output)
                self.active.add(arrived)
                self.ready.append(arrived)
            else:
                self._finish(visit, error)

    def _finish(self, visit: Visit, error: ErrorInfo | None) -> None:
        outcome = visit.step.outcome
        if error is not None:
            self._end("failed", f"{visit.path} failed: {error.described()}")
            self._left.append(another_attempt(visit, error))
        elif outcome == "completed":
            self._end(outcome, None)
        else:
            self._end(outcome, f"the run ended at {visit.path}, whose outcome is {outcome}")

    def _end_at_limit(self, limit: str, value: str) -> None:
        before = f" before {self.ready[0].path}" if self.ready else ""
        self._end("failed", f"limit {limit} reached{before}: {value}")

    def _end(self, state: str, reason: str | None, at: float | None = None) -> RunFinished:
        if at is None:
            last = self.last_record()
            at = self.started.started_at if last is None else last.started_at + last.duration_s
        finished = self.finished = RunFinished(self.started.run_id, state, reason, at, len(self._rows))
        self._put_away()
        return finished

    def _put_away(self) -> None:
        """Keep what is left to do, for a run that is resumed although it has ended."""
        self._left += sorted(self.active, key=lambda visit: visit.path)
        self.ready.clear()
        self.active.clear()
