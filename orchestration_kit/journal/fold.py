"""What the writer and the reader of a run's rows both know at a row, so that rows hold only what is new.

That is the input which the coming attempt gets, and the values on the data bus. To take the same event again
changes nothing, so that an interrupt in between does no harm.
"""

from __future__ import annotations

from typing import Any

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
            self.take_attempt(event, index)
            return
        if isinstance(event, RunForked):
            if event.changes is not None:
                event.changes.apply_to(self.data)
            if event.input is not None:
                self.input = event.input[0]
        elif isinstance(event, RunResumed):
            pass  # the input of the coming attempt is known from the last one
        self.at = index + 1

    def take_attempt(self, record: tuple[Any, ...], index: int) -> None:
        """Fold the attempt of row `index` (from 0)."""
        _, _, step, _, _, _, _, _, output, error, _, _, next_step, retry_in_s, changes, _, _, _, _ = record
        self._given = self.input if self.at == index else self._given
        if retry_in_s is None:
            if error is None and changes is not None:
                changes.apply_to(self.data)
            self.data[f"{step}_output"] = output
            # Where the run is resumed after a failure for good, the visit is attempted again.
            self.input = self._given if error is not None and next_step is None else output
        self.at = index + 1
