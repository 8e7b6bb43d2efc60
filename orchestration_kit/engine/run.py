"""`Run`: the handle a person holds on one execution. Every door goes through it."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.context import WorkflowContext, context_of, to_entry
from orchestration_kit.engine.drivers import drive, drive_async
from orchestration_kit.engine.events import Event, HistoryEntry, RunStarted
from orchestration_kit.engine.machine import Machine, Visit
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.errors import RunStateError, StepTimeout, UnknownStep

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.interrupts import Guard
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.plan import Plan
    from orchestration_kit.engine.ports import Clock, Observer

_log = logging.getLogger("orchestration_kit")


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
        self, plan: Plan, limits: RunLimits, started: RunStarted, *, clock: Clock, observers: Sequence[Observer] = ()
    ) -> None:
        self.machine = Machine(plan, limits, started)
        """The state machine. Look, but leave it to the drivers."""
        self.clock = clock
        self.observers: list[Observer] = list(observers)
        self.exception: BaseException | None = None
        """The last exception a worker raised, with its traceback, for debugging."""
        self.cancel_reason: str | None = None
        self._wake: threading.Event | None = None
        self._lock = threading.Lock()
        self._driver: object | None = None
        self._told = 0
        """How many attempts the observers have heard of."""
        self._guard: Guard | None = None
        self._context: WorkflowContext | None = None
        self._told_start = self._told_end = False

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
        end = self.machine.finished
        return [self.machine.started, *self.machine.records, *([end] if end is not None else [])]

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

    def time_allowed(self, visit: Visit) -> tuple[float | None, StepTimeout]:
        """Return the seconds an attempt may take (None: any), and the error that says which limit it was."""
        step, max_seconds = visit.step, self.machine.limits.max_seconds
        used = 0.0 if self.machine.meter is None else self.machine.meter.busy_s
        left = math.inf if max_seconds is None else max(0.0, max_seconds - used)
        own = math.inf if step.timeout_s is None else step.timeout_s
        if max_seconds is None or own <= left:
            return None if own == math.inf else own, StepTimeout(step.step_id, own)
        return left, StepTimeout(step.step_id, max_seconds, "the run's limit max_seconds")

    def emit(self, event: Event) -> None:
        """Tell every observer. One that raises is reported and left out from then on; the run goes on."""
        for observer in tuple(self.observers):
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - an observer's trouble is not the run's
                self.observers = [other for other in self.observers if other is not observer]
                _log.exception("Observer %r raised and will not be called again in run %r", observer, self.run_id)

    def tell(self) -> None:
        """Tell the observers of the attempts they have not heard of. One that an interrupt hit may be told twice."""
        while self._told < self.machine.recorded:
            self.emit(self.machine.record(self._told))
            self._told += 1

    # --- inside

    def _drive(self, *, one_visit: bool) -> None:
        me = object()
        try:
            self._claim(me)
            self._tell_start()
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
            self._tell_start()
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

    def _interrupted(self, me: object, error: BaseException) -> None:
        """End the run where an interrupt hit between two visits; one within a visit has ended it already."""
        if self._driver is me:
            reason = self.cancel_reason or f"interrupted by {type(error).__name__}"
            self.machine.cancel(reason, self.clock.time())

    def _leave(self) -> None:
        """Tidy up after driving. A run that an interrupt left between two states ends here."""
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.close()
        if self.machine.is_stuck:
            self.machine.cancel(self.cancel_reason or "interrupted", self.clock.time())
        self._tell_end()

    def _end_if_idle(self) -> None:
        """End a run that was asked to cancel while nobody drove it."""
        if self.cancel_reason is None or self._told_end:
            return
        with self._lock:
            if self._driver is not None:
                return
            self.ended_by_cancel()
        self._tell_start()
        self._tell_end()

    def _tell_start(self) -> None:
        if not self._told_start:
            self._told_start = True
            if self.observers:
                self.emit(self.machine.started)

    def _tell_end(self) -> None:
        finished = self.machine.finished
        if finished is not None and not self._told_end:
            self._told_end = True
            if self.observers:
                self.tell()
                self.emit(finished)

    def _check_step(self, step_id: str) -> None:
        if not isinstance(step_id, str):
            raise TypeError(
                f"name a step by its id, a text such as {next(iter(self.machine.plan.steps))!r}, not {step_id!r:.80}"
            )
        if step_id not in self.machine.plan.steps:
            raise UnknownStep(self.machine.plan.workflow, step_id, list(self.machine.plan.steps))
