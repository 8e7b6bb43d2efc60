"""One execution as it is driven: by whom, what is told and committed, and how it is stopped. `Run` adds the handle."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.audience import Audience
from orchestration_kit.engine.drivers import drive, drive_async
from orchestration_kit.engine.gates import Gates
from orchestration_kit.engine.rest import take_letters
from orchestration_kit.engine.stand_ins import NOBODY, StandIns
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.errors import JournalError, RunStateError

if TYPE_CHECKING:
    from orchestration_kit.engine.interrupts import Guard
    from orchestration_kit.engine.machine import Machine
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.ports import Clock, Observer, RunLog
    from orchestration_kit.engine.reuse import Reuse
    from orchestration_kit.engine.run import Run


NO_GATES = Gates()
FREE_TURN = nullcontext()
"""Of runs that one thread works on."""
_log = logging.getLogger("orchestration_kit")


class Driven:
    """Lets one driver at a time go on with a run, and leaves it in order whatever interrupts it."""

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
        self._limits = machine.limits
        """What it was started with."""
        self._guard: Guard | None = None
        self.turn: AbstractContextManager[Any] = FREE_TURN
        """Held while the machine or the log is used: a lock, where threads work on branches."""
        self.gates: Gates = NO_GATES if hub is None else hub.gates
        self.children: dict[str, Run] = {}
        """The runs of its sub-workflows, by position."""
        self.timers: dict[str, float] = {}
        """By position: when a wait is over, by a clock that nobody sets."""
        self.past: Reuse | None = None
        """What another run has on record, while it is made use of."""
        self.letters: list[Callable[[], None]] = []
        """What others have sent while it is being driven."""
        self.stand_ins: StandIns = NOBODY
        """Workers of this run alone, by step."""
        self.pausing: object | None = None
        """Whose driving was asked to pause."""
        self.resting_observers: list[Callable[[], None]] = []
        """Called when nobody drives the run any more, on the thread that did, or one within it was answered then."""
        self._playing: Future[None] | None = None
        """Of the last `play()`: done when nobody drives any more."""
        self._rested: Future[None] | None = None
        """And when that was told."""
        self._doze: threading.Event | None = None
        self.is_beside = False
        """Whether a thread of its own drives it: sync workers then get yet another, or nobody could stop them."""
        self.poke: Callable[[], None] | None = None
        """Has whoever works on branches look at the letters."""

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

    def cancel(self, reason: str = "cancelled") -> None:
        """End the run as cancelled. From any thread; twice is once.

        An async worker is interrupted, and so is one that yields pieces; another sync worker is waited for, as nothing
        can stop it safely. Cancelling a finished run changes nothing.
        """
        if self.cancel_reason is not None or self.is_finished:
            return
        self.cancel_reason = reason = str(self.machine.plan.services.cleaned(str(reason) or "cancelled"))
        for event in (self._wake, self._doze):
            if event is not None:
                event.set()
        for child in tuple(self.children.values()):
            child.cancel(reason)
        guard = self._guard
        if guard is not None and not guard.cancel(reason):
            self._driver = self._guard = None  # its loop was closed: nobody drives it any more
        self._end_if_idle()

    def put_on_record(self) -> None:
        """See that the journal knows the run, also where nothing was done yet."""
        log = self.log
        if log is None or log.is_on_record:
            return
        me = object()
        try:
            self._claim(me, whatever=True)
            log.release()
        finally:
            if self._driver is me:
                self._driver = None

    def post(self, act: Callable[[], None]) -> None:
        """Do something to the run: at once, or, while it is being driven, when its driver looks.

        Raises:
            RunStateError: it has ended, or cannot be driven.
        """
        if self.is_finished:
            raise RunStateError(self.run_id, self.state, "it has ended", "Resume it, or start another run.")
        me = object()
        if not self._claim_or_leave(me, act):
            return
        try:
            self._claim(me)
            self.audience.tell_start()
            act()
            self.audience.tell()
        finally:
            if self._driver is me:
                try:
                    self._leave()
                finally:
                    self._driver = None
        self._take_what_is_left()

    def stir(self) -> None:
        """Have its driver, or else who looks at it, look at the runs within it: one of them was answered."""
        if not self.is_finished and self._claim_or_leave(None, lambda: None):  # says nothing: the driver looks around
            self.tell_rest()

    def _claim_or_leave(self, me: object, act: Callable[[], None]) -> bool:
        """Become the driver, or leave a letter for whoever is; whether it is the first."""
        with self._lock:
            if self._driver is None and not self.is_playing:
                self._driver = me
                return True
            self.letters.append(act)
        if (poke := self.poke) is not None:
            poke()
        return False

    def _take_what_is_left(self) -> None:
        """See to what was sent when a driver had looked for the last time: whoever sent it believes it arrived."""
        with self._lock:
            is_left = bool(self.letters) and self._driver is None and not self.is_finished
        if is_left:
            try:
                self.post(partial(take_letters, self))
            except (RunStateError, JournalError) as error:  # it is taken when the run is driven next
                _log.warning("What was sent to run %r has to wait: %s", self.run_id, error)

    # --- for the drivers

    @property
    def wake(self) -> threading.Event:
        """Set when the run is cancelled, so that a wait ends."""
        if self._wake is None:
            self._wake = threading.Event()
            if self.cancel_reason is not None:
                self._wake.set()
        return self._wake

    @property
    def doze(self) -> threading.Event:
        """Set when the run is cancelled or asked to pause, so that a wait for a time ends."""
        if self._doze is None:
            self._doze = threading.Event()
            if self.cancel_reason is not None:
                self._doze.set()
        return self._doze

    def tell_rest(self) -> None:
        """Tell that nobody drives the run any more. One that raises is reported and not called again."""
        for observer in tuple(self.resting_observers):
            try:
                observer()
            except Exception:  # noqa: BLE001 - an observer's trouble is not the run's
                self.resting_observers.remove(observer)
                _log.exception("%r raised and will not be called again for run %r", observer, self.run_id)

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

    def _drive(self, *, one_visit: bool, token: object | None = None, first: Callable[[], None] | None = None) -> None:
        me = token or object()
        try:
            if token is None and self.is_playing:
                raise self._is_taken()
            self._claim(me)
            self.is_beside = token is not None
            if token is None:
                self._rested = None  # what ended the last `play()` is past
            self.audience.tell_start()
            if first is not None:
                first()
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
            if self.resting_observers and token is None:
                self.tell_rest()
        self._end_if_idle()
        if token is None:
            self._take_what_is_left()

    async def _drive_async(self, *, one_visit: bool, token: object | None = None) -> None:
        from orchestration_kit.engine.interrupts import Guard
        from orchestration_kit.engine.keyboard import heard

        me = token or object()
        try:
            if token is None and self.is_playing:
                raise self._is_taken()
            self._claim(me)
            if token is None:
                self._rested = None
            self.audience.tell_start()
            self._guard = Guard()
            with heard(self):
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
            if self.resting_observers and token is None:
                self.tell_rest()
        self._end_if_idle()
        if token is None:
            self._take_what_is_left()

    def _claim(self, me: object, *, whatever: bool = False) -> None:
        """Keep others out; with `whatever`, of a run that can only be looked at too.

        One attribute says who drives, so that no interrupt can leave a lock behind.
        """
        with self._lock:
            if self._driver is None:
                self._driver = me
        if self._driver is not me:
            raise self._is_taken()
        if self.pausing is not None and self.pausing is not me:
            self.pausing = None  # of a driving that is over
            if self.cancel_reason is None:
                self._doze = None
        try:
            if self.barrier is not None and not whatever:
                raise self.barrier.with_traceback(None)
            if self.log is not None and not self.audience.knows_end:
                self.log.claim()
                self.log.sync()
        except BaseException as error:
            self._give_back(error)
            self._driver = None
            raise

    @property
    def is_playing(self) -> bool:
        """Whether a thread of its own works on it, or is about to."""
        return self._playing is not None and not self._playing.done()

    def _is_taken(self) -> RunStateError:
        return RunStateError(
            self.run_id, self.state, "it is being driven already", "Wait for that call, or pause or cancel the run."
        )

    def _give_back(self, error: BaseException) -> None:
        """Let go of the lease where an interrupt came while it was taken or given back."""
        if self.log is not None and not isinstance(error, Exception):
            with suppress(Exception):
                self.log.release()

    def _interrupted(self, me: object, error: BaseException) -> None:
        """End the run where an interrupt hit between two visits; one within a visit has ended it already."""
        if self._driver is not me:
            return
        self._is_uncommitted = isinstance(error, JournalError)
        if not self._is_uncommitted:  # else nothing is lost: it is committed when the run is driven again
            reason = self.cancel_reason or f"interrupted by {type(error).__name__}"
            if self.machine.finished is None:
                self.machine.refold()  # a visit may have been on its way from ready to taken
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
            try:
                self.log.release()
            except BaseException as error:
                self._give_back(error)
                raise
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
            self.cancel_reason = self._wake = self._doze = None  # it goes on elsewhere, or nobody can say
            raise
        self.ended_by_cancel()
        if log is not None:
            log.release()
