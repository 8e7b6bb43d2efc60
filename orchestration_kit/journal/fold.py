"""What the writer and the reader of a run's rows both know at a row, so that rows hold only what is new.

That is the input which the coming attempt gets, and the values on the data bus. To take the same event again
changes nothing, so that an interrupt in between does no harm.
"""

from __future__ import annotations

from typing import Any

from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, Event, RunForked, RunResumed, RunStarted


class Fold:
    """A run's data bus and coming input after its first `at` rows."""

    __slots__ = ("_given", "at", "data", "input")

    def __init__(self, started: RunStarted) -> None:
        self.at = 0
        self.data: dict[str, Any] = dict(started.data)
        self.input: Any = started.goal
        """What the coming attempt gets, if its input transformer makes nothing else of it."""
        self._given: Any = started.goal
        """What the visit of the last attempt got."""

    def take(self, event: Event, index: int) -> None:
        """Fold the event of row `index` (from 0)."""
        if isinstance(event, AttemptFinished):
            self._given = self.input if self.at == index else self._given
            if event.retry_in_s is None:
                if event.error is None and event.changes is not None:
                    self._merge(event.changes)
                self.data[f"{event.step}_output"] = event.output
                self.input = event.output
                if event.error is not None and event.next_step is None:
                    self.input = self._given  # where the run is resumed, the visit is attempted again
        elif isinstance(event, RunForked):
            if event.changes is not None:
                self._merge(event.changes)
            if event.input is not None:
                self.input = event.input[0]
        elif isinstance(event, RunResumed):
            pass  # the input of the coming attempt is known from the last one
        self.at = index + 1

    def _merge(self, changes: Changes) -> None:
        self.data.update(changes.updated)
        for key in changes.removed:
            self.data.pop(key, None)
