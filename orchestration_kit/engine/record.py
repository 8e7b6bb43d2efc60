"""What is on record of a run: attempts and marks, in the order in which they came, and in that of the workflow.

A journal keeps events as they come; people look at them in the order of the workflow, which no timing can change.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from orchestration_kit.engine.acted import Acted, line_of
from orchestration_kit.engine.events import AttemptFinished, Event, Mark, RunFinished, RunStarted
from orchestration_kit.engine.order import in_order, opener_of, scope_of


class Record:
    """The events of one run."""

    __slots__ = ("_acted", "_mark_at", "_ordered", "_rows", "finished", "inherited", "is_branched", "marks", "started")

    def __init__(self, started: RunStarted) -> None:
        self.started = started
        self.inherited: list[dict[str, Any]] = []
        """Actions of the run that this one is within, from before it began."""
        self._rows: list[Any] = []
        self._acted: Acted | None = None
        self._mark_at: list[int] = []
        self._ordered: tuple[int, list[Event], list[AttemptFinished]] | None = None
        self.finished: RunFinished | None = None
        self.marks: list[tuple[int, Mark]] = []
        """Events that are no attempts, each with the number of attempts that came before it."""
        self.is_branched = False
        """Whether branches were opened, so that the order of arrival is not that of the workflow."""

    def put_mark(self, mark: Mark) -> None:
        """Put an event on record that is no attempt."""
        self._mark_at.append(len(self._rows) + len(self.marks))
        self.marks.append((len(self._rows), mark))

    # --- as they came

    @property
    def recorded(self) -> int:
        """How many attempts are on record."""
        return len(self._rows)

    @property
    def count(self) -> int:
        """How many events there are after `RunStarted`."""
        return len(self._rows) + len(self.marks) + (self.finished is not None)

    def row(self, index: int) -> tuple[Any, ...]:
        """An attempt, by when it came, without its names: for those who look at every attempt."""
        return self._rows[index]

    def rows_since(self, told: int) -> list[tuple[Any, ...]]:
        """The attempts that came after the first `told`, without their names."""
        return self._rows[told:]

    def record(self, index: int) -> AttemptFinished:
        """An attempt, by when it came."""
        return AttemptFinished._make(self._rows[index])

    def last_record(self) -> AttemptFinished | None:
        """The attempt that came last."""
        return self.record(-1) if self._rows else None

    def arrival(self, index: int) -> Event:
        """An event after `RunStarted`, by when it came."""
        before = bisect_right(self._mark_at, index)
        if before and self._mark_at[before - 1] == index:
            return self.marks[before - 1][1]
        if index - before < len(self._rows):
            return self.record(index - before)
        if self.finished is None or index >= self.count:
            raise IndexError(index)
        return self.finished

    def is_row(self, index: int) -> int | None:
        """Which attempt the event is that came as number `index`; None where it is none."""
        if not self._mark_at:
            return index if index < len(self._rows) else None
        before = bisect_right(self._mark_at, index)
        is_mark = before and self._mark_at[before - 1] == index
        return None if is_mark or index - before >= len(self._rows) else index - before

    def arrivals(self) -> list[Event]:
        """Every event after `RunStarted`, as they came."""
        rows = self._rows
        found: list[Event] = []
        at = 0
        for position, mark in self.marks:
            found += map(AttemptFinished._make, rows[at:position])
            found.append(mark)
            at = position
        found += map(AttemptFinished._make, rows[at:])
        return found if self.finished is None else [*found, self.finished]

    # --- in the order of the workflow

    @property
    def records(self) -> list[AttemptFinished]:
        """What is on record, one per attempt, in the order of the workflow."""
        if not self.is_branched:
            return [AttemptFinished._make(row) for row in self._rows]
        return self._in_order()[1]

    def records_since(self, told: int) -> list[AttemptFinished]:
        """The records after the first `told`."""
        if not self.is_branched:
            return [AttemptFinished._make(row) for row in self._rows[told:]]
        return self._in_order()[1][told:]

    def events(self) -> list[Event]:
        """Every event so far, in the order of the workflow: for people. What is folded are `arrivals()`."""
        if not self.is_branched:
            return [self.started, *self.arrivals()]
        return [self.started, *self._in_order()[0]]

    def _in_order(self) -> tuple[list[Event], list[AttemptFinished]]:
        known, count = self._ordered, self.count  # counted first: others may put something on record meanwhile
        if known is None or known[0] != count:
            events: list[Event] = []
            records: list[AttemptFinished] = []
            for event in in_order(self.arrivals()):
                if isinstance(event, AttemptFinished):
                    placed = event._replace(seq=len(records) + 1)
                    records.append(placed)
                    events.append(placed)
                else:
                    events.append(event)
            known = self._ordered = (count, events, records)
        return list(known[1]), list(known[2])

    def seen_from(self, prefix: str) -> list[AttemptFinished]:
        """The records that a branch can know of: its own, and those of what had ended when it was opened.

        What other branches did meanwhile is left out: it hangs on timing.
        """
        if not self.is_branched:
            return self.records
        line = line_of(prefix)
        records = self._in_order()[1]
        joined = {record.path for record in records if record.scope in line}
        return [one for one in records if one.scope in line or _is_within(one.scope, joined, line)]

    def actions_from(self, prefix: str) -> list[dict[str, Any]] | None:
        """The actions of `seen_from`, without a look at the whole record; None where that needs one."""
        acted = self._acted
        if acted is None:
            acted = self._acted = Acted()
        return acted.seen_from(self._rows, prefix, is_branched=self.is_branched)


def _is_within(scope: str, joined: set[str], line: set[str]) -> bool:
    """Whether a scope was opened, directly or not, by a visit that is over for those in the line."""
    while scope and scope not in line:
        opener = opener_of(scope)[0]
        if opener in joined:
            return True
        scope = scope_of(opener)
    return False
