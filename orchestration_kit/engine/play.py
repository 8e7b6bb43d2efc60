"""A run driven beside its caller: play, pause, wait; and by hand: skip, retry, another worker for this run alone."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.answers import Answerable
from orchestration_kit.engine.bar import progress_of
from orchestration_kit.engine.context import WorkflowContext, context_of, to_entry
from orchestration_kit.engine.events import RunResumed
from orchestration_kit.engine.past import SAME, check_fit, fork
from orchestration_kit.engine.stand_ins import bind_stand_in, check_skip, known_steps, put_output_by_hand
from orchestration_kit.engine.thread import GRACE_S, POLL_S
from orchestration_kit.engine.threadless import await_here, begin_on_loop, can_await_here, can_start_threads
from orchestration_kit.errors import RunStateError, UnknownStep

if TYPE_CHECKING:
    from orchestration_kit.engine.calls import BoundWorker
    from orchestration_kit.engine.events import HistoryEntry
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.plan import Plan
    from orchestration_kit.engine.run import Run

_log = logging.getLogger("orchestration_kit")


class Playable(Answerable):
    """A run that can be left alone and stopped, and whose next visit can be settled by hand."""

    _context: WorkflowContext | None = None

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
    def is_driven(self) -> bool:
        """Whether somebody works on it now, in this process."""
        return self._driver is not None or self.is_playing

    def play(self, *, visits: int | None = None, until: str | None = None) -> None:
        """Run on, in the background: to the end, until it waits for somebody, or until `pause()`. Returns at once.

        `wait()` waits for it, `await run` does so without blocking, `pause()` and `cancel()` stop it. Where there are
        no threads, in a browser, the event loop makes one visit after another; without a loop, all are made at once.

        Args:
            visits: How many visits to make at most; None: as many as there are.
            until: The step to stop before.

        Raises:
            RunStateError: it has ended, or somebody drives it already.
            UnknownStep: the workflow has no such step.
        """
        if until is not None:
            self._check_step(until)
        if visits is not None and visits < 1:
            raise ValueError(f"visits={visits!r}: make at least one.")
        if self.is_finished:
            raise RunStateError(self.run_id, self.state, "it has ended", "Fork it, resume it, or start another run.")
        if self.barrier is not None:
            raise self.barrier.with_traceback(None)
        done: Future[None] = Future()
        rested: Future[None] = Future()
        with self._lock:
            if self.is_driven:
                raise self._is_taken()
            self._playing, self._rested = done, rested
        if not can_start_threads():
            if not begin_on_loop(partial(self._play_async, (done, rested), visits, until)):
                self._play((done, rested), visits, until)
            return
        work = partial(contextvars.copy_context().run, self._play, (done, rested), visits, until)
        threading.Thread(target=work, name="orchestration_kit run", daemon=True).start()

    def pause(self) -> None:
        """Begin no further visit. What is under way is finished, sub-workflows included. From any thread.

        A run that nobody drives is paused already. A wait for a time is interrupted and goes on when the run does.
        """
        with self._lock:
            self.pausing = self._playing if self.is_playing else self._driver
            if self.pausing is not None:
                self.doze.set()

    @property
    def is_pausing(self) -> bool:
        """Whether it was asked to pause and what was under way is not finished yet."""
        return self.pausing is not None and self.is_driven

    def wait(self, timeout_s: float | None = None) -> WorkflowContext:
        """Wait until nobody works on it any more, after `play()`: it was paused, waits for somebody, or has ended.

        A keyboard interrupt cancels the run.

        Raises:
            RunStateError: it goes on in this very event loop, as in a browser: `await run` instead.
            TimeoutError: it still goes on after `timeout_s` seconds.
            JournalError: it could not be put on record; the run goes on from there when it is driven again.
        """
        try:
            with progress_of(self, None):
                self._wait_for_playing(timeout_s)
        except KeyboardInterrupt as error:
            self.cancel("interrupted by KeyboardInterrupt")
            _finish_soon(self._rested)
            error.add_note(f"Run {self.run_id!r} is {self.state.value}. It can be looked at, and resumed: {self!r}")
            raise
        return self.context

    def _wait_for_playing(self, timeout_s: float | None) -> None:
        playing, waited_s = self._rested, 0.0
        if playing is not None and not playing.done() and not can_start_threads():
            self._let_it_play(playing, timeout_s)
        while playing is not None:
            left = POLL_S if timeout_s is None else min(POLL_S, timeout_s - waited_s)
            try:
                playing.result(timeout=max(0.0, left))  # short, as an interrupt is not heard meanwhile everywhere
                break
            except NotYet:
                waited_s += left
                if timeout_s is not None and waited_s >= timeout_s:
                    raise TimeoutError(
                        f"Run {self.run_id!r} still goes on after {timeout_s:g} s. "
                        "Wait longer, or call run.pause() or run.cancel()."
                    ) from None

    def _let_it_play(self, playing: Future[None], timeout_s: float | None) -> None:
        if can_await_here():
            with suppress(NotYet):
                await_here(partial(_has_ended, playing), timeout_s, NotYet())
        elif timeout_s is None:
            reason = "it goes on in the event loop, which stands still while this call waits"
            raise RunStateError(self.run_id, self.state, reason, "Write `await run`.")

    def __await__(self) -> Generator[Any, Any, WorkflowContext]:
        return self._awaited().__await__()

    async def _awaited(self) -> WorkflowContext:
        import asyncio

        if not self.is_driven and not self.is_finished:
            self.play()
        playing = self._rested
        if playing is None:
            return self.context
        done = asyncio.wrap_future(playing)
        try:
            with progress_of(self, None):
                while not done.done():  # a notebook hears of an interrupt only when its loop wakes up
                    await asyncio.wait((done,), timeout=POLL_S)
        except BaseException as error:
            self.cancel(f"interrupted by {type(error).__name__}")
            _finish_soon(playing)
            raise
        done.result()
        return self.context

    def skip(self, output: Any = SAME) -> HistoryEntry | None:
        """Do not make the next visit: put out what is given here, or what goes into it. No worker is called.

        It is on record as an attempt by the worker "skipped", and judged like any output. Returns its entry.

        Raises:
            RunStateError: it has ended, waits, is driven, or a step without a worker comes next.
        """
        given = None if output is SAME else (output,)
        if self.is_driven:
            raise self._is_taken()
        check_skip(self)
        before = self.machine.recorded
        self._drive(one_visit=True, first=partial(put_output_by_hand, self, given))
        return self._last_entry(before)

    def retry(self) -> Run:
        """Return the run, ready to make the visit that failed last once more; `step()` or `run()` does it.

        Where the run stopped there it is this run; where it has gone on since, a fork that begins with that visit.

        Raises:
            RunStateError: no attempt has failed, or it is being driven.
        """
        if self.is_driven:
            raise self._is_taken()
        failed = next((record for record in reversed(self.machine.records) if record.error is not None), None)
        if failed is None:
            raise RunStateError(self.run_id, self.state, "no attempt of it has failed", "Fork it: run.fork(at=...).")
        coming = self.machine.coming()
        if coming is None or coming.path != failed.path:
            return fork(self._run, failed.path, data=None)
        if self.is_finished:
            self.go_on()
        return self._run

    def use(self, step_id: str, worker: Any, *, name: str | None = None) -> None:
        """Have a worker stand in at a step, in this run and its forks: a callable, or a `WorkerDefinition`.

        None gives the step back to the worker that is registered; twice is once. What is on record stays; attempts
        name their worker.

        Args:
            step_id: The step; also one within the workflow's branches.
            worker: Who is called from now on.
            name: What it is called on record; the function's own name where none is given.

        Raises:
            UnknownStep: the workflow has no such step.
            InvalidWorker: it cannot be called as a worker is.
            MissingWorkers: nobody stands in any more, and nobody is registered.
            RunStateError: it is being driven.
        """
        if worker is None and step_id not in self.stand_ins:
            if step_id not in (known := known_steps(self.machine.plan.definition)):
                raise UnknownStep(self.machine.plan.workflow, str(step_id), known)
            return  # nobody stands in there
        self._stand_in({step_id: None if worker is None else self._bound(step_id, worker, name)})

    def use_all(self, workers: Mapping[str, Any]) -> None:
        """Have several workers stand in at once, by step. Raises as `use` does."""
        self._stand_in({step_id: self._bound(step_id, worker, None) for step_id, worker in workers.items()})

    def _bound(self, step_id: str, worker: Any, name: str | None) -> BoundWorker:
        definition = self.machine.plan.definition
        known = known_steps(definition)
        if step_id not in known:
            raise UnknownStep(definition.name, str(step_id), known)
        return bind_stand_in(step_id, worker, name)

    def _stand_in(self, changes: Mapping[str, BoundWorker | None]) -> None:
        merged = {**self.stand_ins, **changes}
        stand_ins = {step_id: worker for step_id, worker in merged.items() if worker is not None}
        plan = self._hub.current_plan(self.machine.started.workflow, stand_ins)
        check_fit(self._run, plan)
        if self.is_playing:
            raise self._is_taken()
        me = object()
        try:
            self._claim(me, whatever=True)
            self.machine.follow(plan)
            self.barrier, self.stand_ins = None, stand_ins
        finally:
            if self._driver is me:
                self._driver = None
                if self.log is not None:
                    self.log.release()

    def go_on(self, limits: RunLimits | None = None, *, keep: bool = False) -> None:
        """Make it ready to go on where it stopped before its end, by the workflow and workers there are now.

        Raises:
            DefinitionChanged: they do not lead where it went.
        """
        if self.machine.may_resume:
            plan = self._hub.current_plan(self.machine.started.workflow, self.stand_ins)
            check_fit(self._run, plan)
            self.reopen(plan, limits, keep=keep)

    def reopen(self, plan: Plan, limits: RunLimits | None = None, *, keep: bool = False) -> None:
        """Make a run that stopped before its end ready to go on, by a plan that leads where it went.

        An attempt that was interrupted, or failed where no way led on, is made again. With `keep`, nobody else can
        drive it until it was driven here.
        """
        me = object()
        knew_end, self.audience.knows_end = self.audience.knows_end, False
        try:
            self._claim(me, whatever=True)
            fingerprint = None if plan.fingerprint == self.machine.fingerprint else plan.fingerprint
            self.machine.follow(plan)
            self.barrier = None
            self.machine.allow(limits or self._limits)
            resumed = RunResumed(self.run_id, self.clock.time(), fingerprint)
            self.machine.reopen(resumed)
            self.cancel_reason = self._wake = self._doze = self.exception = None
            self.audience.goes_on(resumed)
            if self.log is not None:
                self.log.sync() if keep else self.log.release()
        except BaseException:
            self.audience.knows_end = knew_end and self.is_finished
            raise
        finally:
            if self._driver is me:
                self._driver = None

    def _play(self, ends: tuple[Future[None], Future[None]], visits: int | None, until: str | None) -> None:
        done = ends[0]
        error: BaseException | None = None
        try:
            if visits is None and until is None:
                self._drive(one_visit=False, token=done)
            else:
                self._play_on(done, visits, until)
        except BaseException as raised:  # noqa: BLE001 - raised again by whoever waits
            error = raised
            _log.debug("Run %r stopped", self.run_id, exc_info=True)
        self._stop_playing(ends, error)

    async def _play_async(self, ends: tuple[Future[None], Future[None]], visits: int | None, until: str | None) -> None:
        """Play in the event loop. It comes up for air after each visit, so that a pause is heard."""
        import asyncio

        done, error, left, before = ends[0], None, visits, -1
        try:
            while not self.is_finished and self.next_step != until and left != 0:
                is_stuck = self.machine.count == before  # it waits, for a time or for somebody
                before, made = self.machine.count, self.machine.recorded
                await self._drive_async(one_visit=not is_stuck, token=done)
                if self.pausing is done or (is_stuck and self.machine.count == before):
                    break
                if left is not None and self.machine.recorded > made:
                    left -= 1
                await asyncio.sleep(0)
        except BaseException as raised:  # noqa: BLE001 - raised again by whoever waits
            error = raised
            _log.debug("Run %r stopped", self.run_id, exc_info=True)
        self._stop_playing(ends, error)

    def _stop_playing(self, ends: tuple[Future[None], Future[None]], error: BaseException | None) -> None:
        done, rested = ends
        done.set_result(None)
        try:
            self._take_what_is_left()
            self.tell_rest()
        except BaseException as raised:  # noqa: BLE001 - as above
            error = error or raised
        if error is None:  # last, and whatever happens: who waits finds everything up to date, and waits no more
            rested.set_result(None)
        else:
            rested.set_exception(error)

    def _play_on(self, done: Future[None], visits: int | None, until: str | None) -> None:
        left, before = visits, -1
        while not self.is_finished and self.next_step != until and left != 0 and self.machine.count > before:
            before = self.machine.count
            made = self.machine.recorded
            self._drive(one_visit=True, token=done)
            if self.pausing is done:
                break
            if left is not None and self.machine.recorded > made:
                left -= 1

    @property
    def _run(self) -> Run:
        raise NotImplementedError

    @property
    def _hub(self) -> Orchestrator:
        if self.hub is None:
            raise RunStateError(
                self.run_id, self.state, "it belongs to no orchestrator", "Start it with orchestrator.start."
            )
        return self.hub

    def _check_step(self, step_id: str) -> None:
        if not isinstance(step_id, str):
            raise TypeError(
                f"name a step by its id, a text such as {next(iter(self.machine.plan.steps))!r}, not {step_id!r:.80}"
            )
        if step_id not in self.machine.plan.steps:
            raise UnknownStep(self.machine.plan.workflow, step_id, list(self.machine.plan.steps))

    def _last_entry(self, before: int) -> HistoryEntry | None:
        """Return the entry of the last attempt, where there is one more than before."""
        last = self.machine.last_record()
        return None if last is None or self.machine.recorded == before else to_entry(last)


async def _has_ended(playing: Future[None]) -> None:
    import asyncio

    await asyncio.wait((asyncio.wrap_future(playing),))


def _finish_soon(playing: Future[None] | None) -> None:
    """Give what is under way a while to clean up."""
    if playing is not None:
        try:
            playing.exception(timeout=GRACE_S)
        except NotYet:
            _log.warning("A worker goes on although its run was cancelled: nothing can stop it safely")
