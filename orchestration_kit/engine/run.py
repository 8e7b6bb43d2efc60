"""`Run`: the handle a person holds on one execution. Every door goes through it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.audience import Audience
from orchestration_kit.engine.context import WorkflowContext, context_of, to_entry
from orchestration_kit.engine.drivers import drive, drive_async
from orchestration_kit.engine.events import AttemptFinished, Event, HistoryEntry, RunResumed
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.past import SAME, Moment, fork, moment, refresh
from orchestration_kit.engine.visits import Visit
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.errors import JournalError, RunStateError, StepTimeout, UnknownStep

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.interrupts import Guard
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.ports import Clock, Observer, RunLog


class Run:
    """One execution of a workflow: step it, run it, cancel it, look at it.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> run = hub.start("a_b", "hello")
    >>> run.step()["output"], run.next_step
    ('HELLO', 'b')
    >>> run.run().state.value
    'completed'
    """

    def __init__(
        self,
        machine: Machine,
        *,
        clock: Clock,
        observers: Sequence[Observer] = (),
        hub: Orchestrator | None = None,
        log: RunLog | None = None,
    ) -> None:
        self.machine = machine
        """The state machine. Look, but leave it to the drivers."""
        self.hub = hub
        """Where its workers are registered; a fork is started there."""
        self.log = log
        """Its place in the journal; None where the hub has none."""
        self.barrier: Exception | None = None
        """Why it can be looked at but not driven."""
        self.clock = clock
        self.audience = Audience(machine, observers)
        """Its observers."""
        self.exception: BaseException | None = None
        """The last exception a worker raised, with its traceback, for debugging."""
        self.cancel_reason: str | None = None
        self._wake: threading.Event | None = None
        self._lock = threading.Lock()
        self._driver: object | None = None
        self._is_uncommitted = False
        self._guard: Guard | None = None
        self._context: WorkflowContext | None = None

    # --- looking

    @property
    def run_id(self) -> str:
        """The run's id; `context.workflow_id` is the same."""
        return self.machine.started.run_id

    @property
    def state(self) -> WorkflowState:
        """Where the run stands."""
        return self.machine.state

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended."""
        return self.machine.finished is not None

    @property
    def next_step(self) -> str | None:
        """The step that would be worked on next; None after the end."""
        visit = self.machine.upcoming()
        return None if visit is None else visit.step.step_id

    @property
    def context(self) -> WorkflowContext:
        """Goal, state, data and history as they are now."""
        if self._context is None:
            self._context = context_of(self.machine, None)
        return self._context

    @property
    def history(self) -> list[HistoryEntry]:
        """One entry per attempt so far."""
        return self.context.history

    @property
    def events(self) -> list[Event]:
        """Every recorded event so far, in order."""
        return self.machine.events()

    @property
    def workflow(self) -> WorkflowDefinition:
        """The definition the run follows, as it was registered."""
        return self.machine.plan.definition

    def to_frame(self) -> pd.DataFrame:
        """Return the history as a DataFrame, one row per attempt: `history_frame(run)`."""
        from orchestration_kit.history import history_frame

        return history_frame(self)

    def __repr__(self) -> str:
        at = f", next is {self.next_step}" if self.next_step else ""
        return f"<Run {self.run_id!r}: {self.state.value}, {self.machine.recorded} attempts{at}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from orchestration_kit.visual import mimebundle

        return mimebundle(self)

    # --- other times

    def at(self, visit: str) -> Moment:
        """Return how things stood when a visit began: its `context`, `input`, `history`. Nothing can be run there.

        Args:
            visit: A position such as `review_code#2`; the step's id alone where it was visited once.

        Raises:
            UnknownVisit: the run never came there.
        """
        return moment(self, visit)

    def fork(
        self,
        at: str,
        data: dict[str, Any] | None = None,
        *,
        input: Any = SAME,  # noqa: A002 - the step's word for it
        run_id: str | None = None,
        limits: RunLimits | None = None,
    ) -> Run:
        """Return a run that shares this one's past up to a visit, to go another way from there; this one stays.

        Workers and workflow are those that are registered now, as far as they fit the shared past.

        Args:
            at: The visit to begin with, e.g. `review_code#2`.
            data: What to set on the data bus first.
            input: What the visit gets, instead of what it got.
            run_id: The id of the fork; made up where none is given.
            limits: What the fork may use, shared past included.

        Raises:
            UnknownVisit: the run never came there.
            DefinitionChanged: the workflow registered now would not have come there.
        """
        return fork(self, at, data=data, given=input, run_id=run_id, limits=limits)

    def refresh(self, data: dict[str, Any] | None = None, *, goal: str | None = None, run_id: str | None = None) -> Run:
        """Run again what changed: from the first step whose worker, workflow or input is another one now.

        Visits that would meet the same worker with the same input and the same data bus are taken over as they are on
        record, also after that step; they are marked `cached`. Returns a fork, run to its end; this run itself where
        nothing changed.

        Args:
            data: Entries of the initial data that are other ones now.
            goal: The goal, where it is another one now.
            run_id: The id of the fork.
        """
        return refresh(self, data=data, goal=goal, run_id=run_id)

    @classmethod
    def resume(
        cls, run_id: str, orchestrator: Orchestrator, *, limits: RunLimits | None = None, wait_s: float | None = None
    ) -> Run:
        """Return a run that stopped before its end, ready to go on: to be stepped, or run.

        Raises:
            UnknownRun: neither the orchestrator nor its journal knows it.
            DefinitionChanged: the workflow registered now does not lead where the run went.
            RunLocked: somebody else drives it.
        """
        return orchestrator.reopen(run_id, limits=limits, wait_s=wait_s)

    def reopen(self, limits: RunLimits | None = None) -> None:
        """Make a run that stopped before its end ready to go on. One that has nothing left to do stays as it is.

        An attempt that was interrupted, or failed where no way led on, is made again.
        """
        if not self.machine.may_resume:
            return
        me = object()
        try:
            self._claim(me)
            if limits is not None:
                self.machine.allow(limits)
            resumed = RunResumed(self.run_id, self.clock.time())
            self.machine.reopen(resumed)
            self.cancel_reason = self._wake = self.exception = None
            self.audience.goes_on(resumed)
            if self.log is not None:
                self.log.release()
        finally:
            if self._driver is me:
                self._driver = None

    def put_on_record(self) -> None:
        """See that the journal knows the run, also where nothing was done yet."""
        me = object()
        try:
            self._claim(me)
            if self.log is not None:
                self.log.release()
        finally:
            if self._driver is me:
                self._driver = None

    def reuse(self, record: AttemptFinished) -> None:
        """Take over an attempt that is on record already, instead of making it."""
        me = object()
        try:
            self._claim(me)
            self.audience.tell_start()
            self.machine.replay([record])
            self.audience.tell()
        finally:
            if self._driver is me:
                try:
                    self._leave()
                finally:
                    self._driver = None

    # --- going on

    def step(self) -> HistoryEntry | None:
        """Make the next visit, retries included, and return the entry of its last attempt; None after the end."""
        before = self.machine.recorded
        self._drive(one_visit=True)
        return self._last_entry(before)

    def run_until(self, step_id: str) -> WorkflowContext:
        """Run until `step_id` is about to be worked on, or the run ends.

        Raises:
            UnknownStep: the workflow has no such step.
        """
        self._check_step(step_id)
        while not self.is_finished and self.next_step != step_id:
            self._drive(one_visit=True)
        return self.context

    def run(self) -> WorkflowContext:
        """Run to the end."""
        self._drive(one_visit=False)
        return self.context

    async def astep(self) -> HistoryEntry | None:
        """`step()` for a running event loop."""
        before = self.machine.recorded
        await self._drive_async(one_visit=True)
        return self._last_entry(before)

    async def arun_until(self, step_id: str) -> WorkflowContext:
        """`run_until()` for a running event loop."""
        self._check_step(step_id)
        while not self.is_finished and self.next_step != step_id:
            await self._drive_async(one_visit=True)
        return self.context

    async def arun(self) -> WorkflowContext:
        """`run()` for a running event loop."""
        await self._drive_async(one_visit=False)
        return self.context

    def cancel(self, reason: str = "cancelled") -> None:
        """End the run as cancelled. From any thread; twice is once.

        An async worker is interrupted, and so is one that yields pieces; another sync worker is waited for, as nothing
        can stop it safely. Cancelling a finished run changes nothing.
        """
        if self.cancel_reason is not None or self.is_finished:
            return
        self.cancel_reason = str(reason) or "cancelled"
        if self._wake is not None:
            self._wake.set()
        guard = self._guard
        if guard is not None and not guard.cancel(self.cancel_reason):
            self._driver = self._guard = None  # its loop was closed: nobody drives it any more
        self._end_if_idle()

    # --- for the drivers

    @property
    def wake(self) -> threading.Event:
        """Set when the run is cancelled, so that a wait ends."""
        if self._wake is None:
            self._wake = threading.Event()
            if self.cancel_reason is not None:
                self._wake.set()
        return self._wake

    def ended_by_cancel(self) -> bool:
        """End the run if it was asked to cancel; whether that was so."""
        if self.cancel_reason is None:
            return False
        self.machine.cancel(self.cancel_reason, self.clock.time())
        return True

    def raise_if_cancelled(self) -> None:
        """Lead out of a blocking wait.

        Raises:
            RunCancelled: the run was asked to cancel.
        """
        if self.cancel_reason is not None:
            from orchestration_kit.engine.interrupts import RunCancelled

            raise RunCancelled(self.cancel_reason)

    @property
    def guard(self) -> Guard:
        """What stops the worker that is awaited now."""
        if self._guard is None:
            raise RuntimeError("the run is not being awaited")
        return self._guard

    # --- inside

    def _drive(self, *, one_visit: bool) -> None:
        me = object()
        try:
            self._claim(me)
            self.audience.tell_start()
            drive(self, one_visit=one_visit)
        except BaseException as error:
            self._interrupted(me, error)
            raise
        finally:
            # Written out, here and below: in a call of its own an interrupt could hit before the first line.
            if self._driver is me:
                try:
                    self._leave()
                finally:
                    self._driver = None
        self._end_if_idle()

    async def _drive_async(self, *, one_visit: bool) -> None:
        from orchestration_kit.engine.interrupts import Guard

        me = object()
        try:
            self._claim(me)
            self.audience.tell_start()
            self._guard = Guard()
            await drive_async(self, one_visit=one_visit)
        except BaseException as error:
            self._interrupted(me, error)
            raise
        finally:
            if self._driver is me:
                try:
                    self._leave()
                finally:
                    self._driver = None
        self._end_if_idle()

    def _last_entry(self, before: int) -> HistoryEntry | None:
        """Return the entry of the last attempt, where there is one more than before."""
        last = self.machine.last_record()
        return None if last is None or self.machine.recorded == before else to_entry(last)

    def _claim(self, me: object) -> None:
        """Keep others out. One attribute says who drives, so that no interrupt can leave a lock behind."""
        with self._lock:
            if self._driver is None:
                self._driver = me
        if self._driver is not me:
            raise RunStateError(
                self.run_id, self.state, "it is being driven already", "Wait for that call, or cancel the run."
            )
        try:
            if self.barrier is not None:
                raise self.barrier
            if self.log is not None and not self.audience.knows_end:
                self.log.claim()
                self.log.sync()
        except BaseException:
            self._driver = None
            raise

    def _interrupted(self, me: object, error: BaseException) -> None:
        """End the run where an interrupt hit between two visits; one within a visit has ended it already."""
        if self._driver is not me:
            return
        self._is_uncommitted = isinstance(error, JournalError)
        if not self._is_uncommitted:  # else nothing is lost: it is committed when the run is driven again
            reason = self.cancel_reason or f"interrupted by {type(error).__name__}"
            self.machine.cancel(reason, self.clock.time())

    def _leave(self) -> None:
        """Tidy up after driving. A run that an interrupt left between two states ends here."""
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.close()
        if self.machine.is_stuck:
            self.machine.cancel(self.cancel_reason or "interrupted", self.clock.time())
        if self._is_uncommitted:
            self._is_uncommitted = False
            return
        if self.log is not None:
            self.log.release()
        self.audience.tell_end()

    def _end_if_idle(self) -> None:
        """End a run that was asked to cancel while nobody drove it."""
        if self.cancel_reason is None or self.audience.knows_end:
            return
        with self._lock:
            if self._driver is not None:
                return
            self._end_on_record()
        self.audience.tell_start()
        self.audience.tell_end()

    def _end_on_record(self) -> None:
        log = None if self.is_finished else self.log
        try:
            if log is not None:
                log.claim()
        except BaseException:
            self.cancel_reason = self._wake = None  # it goes on elsewhere, or nobody can say
            raise
        self.ended_by_cancel()
        if log is not None:
            log.release()

    def _check_step(self, step_id: str) -> None:
        if not isinstance(step_id, str):
            raise TypeError(
                f"name a step by its id, a text such as {next(iter(self.machine.plan.steps))!r}, not {step_id!r:.80}"
            )
        if step_id not in self.machine.plan.steps:
            raise UnknownStep(self.machine.plan.workflow, step_id, list(self.machine.plan.steps))
