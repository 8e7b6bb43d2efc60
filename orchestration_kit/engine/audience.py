"""Who is told what happens in a run. Each attempt is told at least once, in order, before the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestration_kit.engine.events import RunFinished, RunForked, RunResumed

if TYPE_CHECKING:
    from orchestration_kit.engine.events import Event
    from orchestration_kit.engine.machine import Machine
    from orchestration_kit.engine.ports import Observer

_TOLD_ELSEWHERE = (RunForked, RunResumed, RunFinished)
_log = logging.getLogger("orchestration_kit")


class Audience:
    """The observers of a run, and what they have heard of."""

    def __init__(self, machine: Machine, observers: Sequence[Observer]) -> None:
        self._machine = machine
        self.observers: list[Observer] = list(observers)
        self.own: tuple[Observer, ...] = ()
        """Those that were named for this run alone."""
        self._told = machine.count - (machine.finished is not None)
        """How many events they have heard of, or are too old to be told."""
        self._turn = threading.RLock()
        self._opening: Event | None = machine.started
        self.knows_end = machine.finished is not None
        """Whether the end was told, or is too old to be."""

    def emit(self, event: Event) -> None:
        """Tell every observer, one event at a time. One that raises is reported and left out from then on."""
        with self._turn:
            for observer in tuple(self.observers):
                try:
                    observer(event)
                except Exception:  # noqa: BLE001 - an observer's trouble is not the run's
                    self.observers = [other for other in self.observers if other is not observer]
                    run_id = self._machine.started.run_id
                    _log.exception("Observer %r raised and will not be called again in run %r", observer, run_id)

    def tell(self) -> None:
        """Tell of the events that nobody has heard of. One that an interrupt hit may be told twice."""
        machine = self._machine
        while self._told < machine.count - (machine.finished is not None):
            event = machine.arrival(self._told)
            if not isinstance(event, _TOLD_ELSEWHERE):
                self.emit(event)
            self._told += 1

    def joins_late(self) -> None:
        """Do not tell that the run begins: it did elsewhere."""
        self._opening = None

    def tell_start(self) -> None:
        """Tell that the run begins, or goes on; once."""
        opening, self._opening = self._opening, None
        if opening is not None and self.observers:
            self.emit(opening)

    def tell_end(self) -> None:
        """Tell that the run has ended, if it has; once."""
        finished = self._machine.finished
        if finished is not None and not self.knows_end:
            self.knows_end = True
            if self.observers:
                self.tell()
                self.emit(finished)

    def goes_on(self, event: Event) -> None:
        """Have it told, before anything else, that the run goes on."""
        self._opening, self.knows_end = event, False
