"""The runs of a set are made one after another, here or on some threads, until all are, or something stops them.

A run that fails stops nothing. What is no run's own business does: an interrupt, a journal that cannot be written.
Then no further run is begun, those under way are stopped, all that is finished is on record, and the error says how to
go on.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orchestration_kit.engine.thread import GRACE_S, POLL_S

if TYPE_CHECKING:
    from orchestration_kit.engine.executor_port import Executor
    from orchestration_kit.scale.making import Maker
    from orchestration_kit.scale.parcel import Parcel
    from orchestration_kit.scale.plan import Planned

MAX_AT_ONCE = 1_000
_log = logging.getLogger("orchestration_kit")


class Work:
    """Makes what is left of a set."""

    def __init__(
        self,
        maker: Maker,
        todo: Sequence[Planned],
        *,
        at_once: int | None,
        executor: Executor | None = None,
        parcel: Parcel | None = None,
    ) -> None:
        self.maker, self.todo, self.at_once = maker, todo, at_once
        self.executor, self.parcel = executor, parcel
        self.states: Counter[str] = Counter()
        """Of the runs made so far."""
        self.stopped: str | None = None
        """Why no further run is begun."""
        self.error: BaseException | None = None
        """What stopped it that is no run's business."""
        self.done = threading.Event()
        """Nothing is under way any more."""
        self._lock = threading.Lock()
        self._left = iter(todo)

    @property
    def ended(self) -> int:
        """How many runs were made."""
        return self.states.total()

    def note(self, state: str) -> None:
        """Note where a run stands that was made."""
        with self._lock:
            self.states[state] += 1

    def stop(self, reason: str) -> None:
        """Begin no further run, and cancel those under way. From any thread; twice is once."""
        if self.stopped is None and not self.done.is_set():
            self.stopped = reason
            self.maker.stop(reason)

    def stop_for(self, error: BaseException) -> None:
        """Stop for an error: at once for an interrupt, else after the visits that are under way."""
        with self._lock:
            self.error = self.error or error
            was_stopped, self.stopped = self.stopped, self.stopped or f"interrupted by {type(error).__name__}"
        if was_stopped is None:
            self.maker.stop(None if isinstance(error, Exception) else self.stopped)

    def go(self) -> None:
        """Make the runs.

        Raises:
            JournalError: they cannot be put on record.
            BaseException: an interrupt.
        """
        try:
            try:
                self._go()
            finally:
                self.maker.close()
        except BaseException as error:
            self.error = self.error or error
            raise
        finally:
            self.done.set()

    def _go(self) -> None:
        if not self.todo:
            return
        if self.executor is not None:
            self._through(self.executor)
        elif self.at_once in {None, 1}:
            self._work()
        else:
            self._on_threads(min(self.at_once or 1, len(self.todo)))
        if self.error is not None:
            raise self.error

    def _through(self, executor: Executor) -> None:
        from orchestration_kit.scale.through import go_through, lanes_of

        lanes = list(lanes_of(self.maker, list(self.todo), executor, self.parcel, self.at_once))
        try:
            go_through(self, lanes, self.parcel)
        finally:
            for lane in lanes[1:]:  # our own
                lane.executor.close()

    def _on_threads(self, count: int) -> None:
        threads: list[threading.Thread] = []
        try:
            for number in range(count):
                work: Callable[[], None] = self._work
                context = contextvars.copy_context()
                thread = threading.Thread(
                    target=context.run, args=(work,), name=f"orchestration_kit many {number + 1}", daemon=True
                )
                threads.append(thread)
                thread.start()
            for thread in threads:
                while thread.is_alive():  # in short waits, as an interrupt is not heard meanwhile everywhere
                    thread.join(POLL_S)
        except BaseException as error:  # of whoever waits here
            self.stop_for(error)
            until = time.monotonic() + GRACE_S
            for thread in threads:
                if thread.ident is not None:
                    thread.join(max(0.0, until - time.monotonic()))
            if any(thread.is_alive() for thread in threads):
                _log.warning("Workers go on although their runs were cancelled: nothing can stop them safely")
            raise

    def _work(self) -> None:
        """Make one run after another."""
        make = self.maker.make
        try:
            while self.stopped is None:
                with self._lock:
                    planned = next(self._left, None)
                if planned is None:
                    return
                state = make(planned)
                self.note(state)
        except BaseException as error:
            self.stop_for(error)
            if threading.current_thread().name.startswith("orchestration_kit many "):
                return  # whoever waits for the threads raises it
            raise
