"""The sans-IO state machine: what next, and what does this event change?

It does no I/O, reads no clock, draws no random number and calls no worker. Drivers around it do: they take a
visit from `next()`, call its worker, write what came of it onto the visit, and hand it to `settle()`, which
decides (retry, edge, end) and folds that decision into the state. The same machine drives the sync loop, the
async loop, threads, one cell at a time, and replay: `replay()` folds recorded events and decides nothing.

The model is h11: a protocol without a socket (https://h11.readthedocs.io).

A visit belongs to a `Scope`, one sequential thread of control. A parallel step or a map opens a `Group`: a scope per
branch or item, each with a copy of its parent's bus. A visit is *ready*, *taken* (a driver works on it), *waiting* (for
a person, an event, a time), or it has opened branches and stays aside until they are to be joined. Identity is scope,
step and visit number, never who ended first; and a record is folded in the order in which it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    BranchesOpened,
    ErrorInfo,
    Event,
    EventReceived,
    LimitReached,
    RunFinished,
    RunForked,
    RunResumed,
    RunStarted,
    WaitStarted,
)
from orchestration_kit.engine.folding import one_by_one, visit_on_record
from orchestration_kit.engine.groups import is_undoing
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.plan import Plan
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.engine.visits import (
    STOPPED,
    Visit,
    another_attempt,
    choose_edge,
    done_in,
    may_retry,
    wait_s,
    way_of_failure,
)
from orchestration_kit.engine.waits import Waits
from orchestration_kit.errors import ConditionError, counted

_BEGUN = (BranchesOpened, WaitStarted)


class Machine(Waits):
    """The state of one run, and what it does next."""

    __slots__ = ()

    def __init__(self, plan: Plan, limits: RunLimits, started: RunStarted) -> None:
        super().__init__(plan, limits, started)
        self.arrive(self.root, plan.initial, started.goal if started.input is None else started.input[0])

    @property
    def is_stuck(self) -> bool:
        """Whether a visit was taken and never settled, or nothing is left to do, though the run has not ended."""
        return self.finished is None and (bool(self.taken) or not (self.ready or self.waiting))

    @property
    def is_retrying(self) -> bool:
        """Whether what was settled last is to be attempted again."""
        return bool(self.ready) and self.ready[-1].attempt > 1 and self.ready[-1].group is None

    def is_unsettled(self, visit: Visit) -> bool:
        """Whether an attempt is not on record yet."""
        last = self.last_record()
        return visit in self.taken and (last is None or (last.path, last.attempt) != (visit.path, visit.attempt))

    @property
    def data(self) -> dict[str, Any]:
        """The committed data bus."""
        return self.root.data

    @property
    def state(self) -> WorkflowState:
        """Where the run stands."""
        if self.finished is not None:
            return WorkflowState(self.finished.state)
        if self.waiting and not (self.ready or self.taken):
            return WorkflowState.BLOCKED if self.is_blocked else WorkflowState.WAITING
        is_untouched = not self._rows and not self.taken and not any(isinstance(mark, _BEGUN) for _, mark in self.marks)
        return WorkflowState.INITIALIZED if is_untouched else WorkflowState.IN_PROGRESS

    @property
    def current_step(self) -> str:
        """The step that is being worked on or comes next; after the end, the last one."""
        for visit in (*self.taken, *self.ready, *self.waiting.values()):
            return visit.step.step_id
        last = self.last_record()
        return self.plan.initial if last is None else last.step

    def upcoming(self) -> Visit | None:
        """The visit that `next()` would give, without taking it."""
        return self.ready[0] if self.ready else None

    def next(self) -> Visit | None:
        """Take the next visit to be worked on; None where the run has ended, or waits for others."""
        ready = self.ready
        if ready and len(self._rows) < self._max_steps and self.meter is None and self.stop is None:
            visit = ready.popleft()
            self.taken.add(visit)
            return visit
        return self._next_within_limits()

    def _next_within_limits(self) -> Visit | None:
        while self.ready and self.stop is None:
            visit = self.ready[0]
            is_long = len(self._rows) >= self._max_steps and not is_undoing(visit.scope)
            if is_long and self._count_of(visit) >= self._max_steps:
                self._end_at_limit("max_steps", counted(self._max_steps, "attempt"))
            elif self.meter is None or self._may_spend(visit):
                self.taken.add(visit)
                return self.ready.popleft()
            if self.taken:
                return None  # those under way may give back what was set aside for them
            if self.undos and not self._undo_first():
                return None
        return None

    def _count_of(self, visit: Visit) -> int:
        """Return how many attempts were made in the visit's thread of control."""
        if visit.scope.group is not None:
            return visit.scope.count
        return sum(not row[1] for row in self._rows) if self.is_branched else len(self._rows)

    def settle(  # noqa: C901 - the hot path of every attempt
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
            cancelled: Why the attempt was stopped: the run is being ended.
        """
        step, scope, more = visit.step, visit.scope, visit.more
        worker_name, fingerprint = step.worker_name, step.worker_fingerprint
        next_step: str | None = None
        retry_in_s: float | None = None
        if scope.group is not None and cancelled is None and self.is_unwanted(scope):
            message = self.why_unwanted(scope)
            kind = "BranchCancelled" if self.stop is None else "RunCancelled"  # the run's end, not the branch's
            output, error, cancelled = {"error": message}, ErrorInfo(kind, message), ""
            visit.detail = done_in(visit.detail)
        elif error is None:
            if more is None or not more.detail or "spawn" not in more.detail:
                next_step = step.on_success
                if step.branches:
                    try:
                        next_step = choose_edge(visit, output)
                    except ConditionError as failure:
                        # Deterministic, so that another attempt would only cost: no retry.
                        told = self.plan.services.cleaned(str(failure))
                        error = ErrorInfo("ConditionError", told, is_final=True)
                        output = {"error": error.message, "output": output}
                        next_step = step.on_failure
        elif cancelled is None:
            if "blocked" in (visit.detail or ()):
                retry_in_s = 0.0  # a person decides first
            elif may_retry(visit, error_types):
                retry_in_s = 0.0 if step.retry is None else wait_s(visit, step.retry, self.started.seed)
            else:
                next_step = way_of_failure(step, error)
        if more is not None and more.group is not None:
            worker_name = fingerprint = None
        rows = self._rows
        rows.append(
            (
                len(rows) + 1,
                scope.prefix,
                step.step_id,
                visit.number,
                visit.attempt,
                worker_name,
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
                fingerprint,
                None if more is None else more.detail,
            )
        )
        self._fold(visit, output, error, next_step, retry_in_s)
        if (cancelled or not self.is_simple) and self.finished is None:
            self._after(cancelled)

    def _after(self, cancelled: str | None) -> None:
        """Do what an attempt that is on record brings about."""
        if cancelled:
            if not self.taken:
                self.end("cancelled", cancelled)
            return
        if self.closing:
            self.close_groups()
        if self.stop is not None:
            if not self.taken:
                self._stop_now()
        elif self.meter is not None and (exceeded := self.meter.exceeded()) is not None:
            self._end_at_limit(*exceeded)

    def cancel(self, reason: str, at: float) -> RunFinished | None:
        """End the run as cancelled; None where it had ended before."""
        return None if self.finished else self.end("cancelled", reason, at)

    def replay(self, events: Iterable[Event], *, as_they_came: bool = True) -> None:
        """Fold recorded events into the state. Nothing is decided, no limit is held, and nobody is called.

        Args:
            events: What is on record.
            as_they_came: Whether in that order; else in the order of the workflow, as `events()` gives them.

        Raises:
            ValueError: an event does not follow from the ones before it.
        """
        for event in one_by_one(self, events) if as_they_came else events:
            if isinstance(event, AttemptFinished):
                visit = visit_on_record(self, event.path, event.attempt)
                if visit is None:
                    coming = self.upcoming()
                    at = "at its end" if coming is None else f"at {coming.path}, attempt {coming.attempt}"
                    raise ValueError(
                        f"event {event.seq} is attempt {event.attempt} of {event.path}; the run stands {at}"
                    )
                self._withdraw(visit)
                visit.duration_s, visit.usage, visit.changes = event.duration_s, event.usage, event.changes
                visit.detail, visit.given = event.detail, event.input
                self._rows.append(event)
                self._fold(visit, event.output, event.error, event.next_step, event.retry_in_s)
                if as_they_came:
                    self.close_groups()
            elif isinstance(event, (BranchesOpened, WaitStarted)):
                visit = visit_on_record(self, event.path)
                if visit is None:
                    raise ValueError(f"{event.path} is on record as begun, and the run did not come there")
                self._withdraw(visit)
                self.open(visit, event) if isinstance(event, BranchesOpened) else self.wait(visit, event)
            else:
                if not isinstance(event, (Answered, EventReceived)):
                    self.close_groups()
                self._replay_mark(event)
        self.close_groups()

    def _replay_mark(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self._put_away()
            self.finished = event
        elif isinstance(event, RunResumed):
            self.reopen(event)
        elif isinstance(event, RunForked):
            self.fork(event)
        elif isinstance(event, Answered):
            self.answer(event)
        elif isinstance(event, EventReceived):
            self.receive(event)
        elif isinstance(event, LimitReached):
            self.put_mark(event)
            self._fold_limit(event)

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
        return self.finished is None or bool(self._left or self.waiting)

    def follow(self, plan: Plan) -> None:
        """Go on by another plan, which has to lead where this one went."""
        if plan is not self.plan:
            self.plan = plan
            self.refold()

    def refold(self) -> None:
        """Work the state out anew from what is on record: an interrupt may have come between a row and its fold."""
        fresh = Machine(self.plan, self.limits, self.started)
        fresh.replay(self.arrivals())
        fresh.inherited = self.inherited
        self.take_state(fresh)

    def coming(self) -> Visit | None:
        """The visit that comes next, or would if the run went on."""
        return self.upcoming() or (self._left[0] if self._left else None)

    def reopen(self, event: RunResumed) -> None:
        """Go on after a crash, or after an end that left something to do."""
        if self.finished is not None:
            self.put_mark(self.finished)
            self.finished = None
            left, self._left = self._left, []
            for visit in left:
                if visit.group is not None and visit.group.is_joining:
                    self.reopen_group(visit)
                else:
                    self.ready.append(visit)
        self.put_mark(event)

    def fork(self, event: RunForked) -> None:
        """Let what follows be a fork's own, with what it was given."""
        self.put_mark(event)
        for shared in self.ready:
            if "asks" in (shared.detail or ()):  # what a person let happen happens in one of the two runs
                shared.answer = shared.wait = None
        visit = self.find(event.at)
        if event.changes is not None:
            event.changes.apply_to(self.root.data if visit is None else visit.scope.data)
        if event.input is not None and visit is not None:
            visit.input = visit.given = event.input[0]

    def _fold(
        self, visit: Visit, output: Any, error: ErrorInfo | None, next_step: str | None, retry_in_s: float | None
    ) -> None:
        """Change the state by what is on record of an attempt. Decides nothing: replay comes here too."""
        scope = visit.scope
        if retry_in_s is not None or visit.more is not None or not self.is_simple:
            if self._fold_first(visit, output, error, retry_in_s):
                return
        else:
            self.taken.discard(visit)
        if error is None and visit.changes is not None:
            visit.changes.apply_to(scope.data)
        scope.data[visit.step.output_key] = output
        if next_step is not None:
            visits = scope.visits  # as in arrive(), written out: this is the hot path
            visits[next_step] = number = visits.get(next_step, 0) + 1
            self.ready.append(Visit(scope, scope.steps[next_step], number, output))
        elif error is not None and (error.type in STOPPED or "stopped" in (visit.detail or ())):
            self.ready.append(another_attempt(visit, error))
        elif scope.group is not None:
            self.end_branch(visit, output, error)
        else:
            self._finish(visit, error)

    def _fold_first(self, visit: Visit, output: Any, error: ErrorInfo | None, retry_in_s: float | None) -> bool:
        """Fold what only some attempts bring about; whether that was all."""
        scope = visit.scope
        if self.meter is not None:
            self.meter.add(visit.duration_s, retry_in_s, visit.usage, visit.step)
            if visit in self.taken and visit.group is None:
                self.meter.release(visit.step)
        self.taken.discard(visit)
        if scope.group is not None:
            scope.count += 1
        if retry_in_s is not None:
            again = another_attempt(visit, error)
            again.wait_s = retry_in_s or None
            self.ready.append(again)
            return True
        if visit.more is not None or visit.step.compensate is not None:
            return self._fold_more(visit, output, error)
        if scope.group is not None and error is None and visit.changes is not None:
            scope.wrote(visit.changes)
        return False

    def _finish(self, visit: Visit, error: ErrorInfo | None) -> None:
        outcome = visit.step.outcome
        if error is not None:
            self._left.append(another_attempt(visit, error))
            self.fail(f"{visit.path} failed: {error.described()}")
        elif outcome == "completed":
            self.end(outcome, None)
        else:
            self.fail(f"the run ended at {visit.path}, whose outcome is {outcome}")
