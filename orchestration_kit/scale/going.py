"""A set goes on: what is left of it is found out and made, here or in the background, by one at a time."""

from __future__ import annotations

import contextvars
import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from orchestration_kit.engine.bar import is_seen
from orchestration_kit.engine.thread import GRACE_S, POLL_S
from orchestration_kit.errors import counted
from orchestration_kit.scale.bar import SetBar
from orchestration_kit.scale.errors import RunSetBusy
from orchestration_kit.scale.making import FINISHED, Maker
from orchestration_kit.scale.parcel import parcel_of
from orchestration_kit.scale.survey import on_record
from orchestration_kit.scale.work import Work

if TYPE_CHECKING:
    from orchestration_kit.engine.executor_port import Executor
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.scale.plan import SetPlan

_busy: WeakKeyDictionary[Orchestrator, dict[str, Work]] = WeakKeyDictionary()
"""By hub and name: the sets whose runs it makes now."""
_owing: WeakKeyDictionary[Orchestrator, dict[str, Maker]] = WeakKeyDictionary()
"""By hub and name: the sets whose journal has yet to learn what their runs know, as it could not be written."""
_starting = threading.Lock()


class Going:
    """Has the runs of a set made.

    Args:
        hub: Who makes them.
        plan: Which runs there are to be.
        at_once: How many at the same time.
        executor: Where whole runs are made.
    """

    def __init__(self, hub: Orchestrator, plan: SetPlan, at_once: int | None, executor: Executor | None) -> None:
        self._hub, self._plan = hub, plan
        self._at_once, self._executor = at_once, executor
        self.work: Work | None = None
        """The last."""
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether runs are being made."""
        return self.work is not None and not self.work.done.is_set()

    def begin(self, *, retry_failed: bool, progress: bool, wait: bool) -> None:
        """Make what is left; see `RunSet.resume`."""
        name = self._plan.name
        with _starting:
            busy = _busy.setdefault(self._hub, {})
            if name in busy and not busy[name].done.is_set():
                raise RunSetBusy(name)
            work = self._left(retry_failed=retry_failed)
            self._thread = None
            self.work = busy[name] = work
        bar = None
        try:
            if progress and is_seen() and work.todo:
                bar = SetBar(work, name, len(self._plan.runs) - len(work.todo))
            if not wait:
                context = contextvars.copy_context()
                self._thread = threading.Thread(
                    target=context.run, args=(self._go_aside, work, bar), name="orchestration_kit set", daemon=True
                )
                self._thread.start()
                return
        except BaseException:
            work.done.set()
            raise
        self._go(work, bar)

    def cancel(self, reason: str) -> None:
        """Begin no further run, and cancel those under way."""
        if self.work is not None:
            self.work.stop(reason)

    def wait(self, timeout_s: float | None) -> None:
        """Wait until no run is being made any more; see `RunSet.wait`."""
        work, thread, waited_s = self.work, self._thread, 0.0
        if work is None or thread is None:
            return
        try:
            while thread.is_alive():  # in short waits, to hear of an interrupt everywhere
                left_s = POLL_S if timeout_s is None else min(POLL_S, timeout_s - waited_s)
                if left_s <= 0:
                    raise TimeoutError(
                        f"{counted(len(work.todo) - work.ended, 'run')} of {self._plan.name!r} are still to be made "
                        f"after {timeout_s:g} s. Wait longer, or call .cancel()."
                    )
                thread.join(left_s)
                waited_s += left_s
        except KeyboardInterrupt as error:
            self.cancel("interrupted by KeyboardInterrupt")
            thread.join(GRACE_S)
            self._say_how_to_go_on(work, error)
            raise
        if work.error is not None:
            raise work.error

    def flush(self) -> None:
        """See that what was made until now is on record."""
        if self.work is not None and self.is_busy:
            self.work.maker.flush()

    def _left(self, *, retry_failed: bool) -> Work:
        """Find out what is left."""
        hub, plan, executor = self._hub, self._plan, self._executor
        before = _owing.get(hub, {}).get(plan.name)
        if before is not None:
            before.flush()
            del _owing[hub][plan.name]
        held = {} if before is None else before.held
        states = on_record(hub, plan, held)
        over = ("completed",) if retry_failed else FINISHED
        todo = [run for run in plan.runs if states.get(run.run_id) not in over]
        parcel = parcel_of(hub, plan) if executor is not None and executor.is_remote and todo else None
        return Work(Maker(hub, plan, states, held), todo, at_once=self._at_once, executor=executor, parcel=parcel)

    def _go(self, work: Work, bar: SetBar | None) -> None:
        try:
            if bar is not None:
                bar.begin()
            work.go()
        except BaseException as error:
            self._say_how_to_go_on(work, error)
            raise
        finally:
            work.done.set()
            if bar is not None:
                bar.end()
            if work.maker.owes:
                _owing.setdefault(self._hub, {})[self._plan.name] = work.maker
            busy = _busy.get(self._hub, {})
            if busy.get(self._plan.name) is work:
                del busy[self._plan.name]

    def _go_aside(self, work: Work, bar: SetBar | None) -> None:
        try:
            self._go(work, bar)
        except BaseException:  # noqa: BLE001 - whoever waits raises it
            return

    def _say_how_to_go_on(self, work: Work, error: BaseException) -> None:
        runs, name = len(self._plan.runs), self._plan.name
        made = work.ended + runs - len(work.todo) - work.maker.held_back
        note = (
            f"{made:,} of {counted(runs, 'run')} of the set {name!r} were made, and are on record. To go on: "
            f"run_many(..., name={name!r}) with the same goals, or hub.last_many.resume()."
        )
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
