"""What is new in a journal's file, for a few queries a look: none but one where nothing was committed since.

A thousand runs that go on are asked for in one statement each for where they stand and for what was added to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.journal.following import MOST_RUNS, Follower, News
from orchestration_kit.journal.port import Row
from orchestration_kit.journal.sqlite.records import COLUMNS, RunRecord, row_of

if TYPE_CHECKING:
    from orchestration_kit.journal.port import Journal

_VERSION = "PRAGMA data_version"
_TOTAL = "SELECT total FROM catalog WHERE id = 1"
_NEWEST = (
    "SELECT number FROM (SELECT number FROM runs ORDER BY started_at DESC, run_id DESC LIMIT ?) "
    "UNION SELECT number FROM runs WHERE finished_at IS NULL"
)
_ADDED = "SELECT number FROM runs WHERE number > ?"
_SIGNS = (
    "SELECT number, epoch, standing_check, token FROM runs WHERE number IN (SELECT json_each.value FROM json_each(?))"
)
_RUNS = f"SELECT {COLUMNS} FROM runs WHERE number IN (SELECT json_each.value FROM json_each(?))"  # noqa: S608
_ROWS = (
    'SELECT r.id, r.body, r."check" FROM json_each(?) AS known CROSS JOIN rows AS r '
    "ON r.id > known.value AND r.id <= (known.value | 4294967295)"
)
_SWEEP_EVERY = 30
"""Looks after which runs that are not followed are looked through for one that goes on again."""


class SQLiteFollower(Follower):
    """Looks at a journal's file again and again, and tells what is new."""

    def __init__(
        self,
        journal: Journal,
        read: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]],
        newest: int = MOST_RUNS,
    ) -> None:
        super().__init__(journal, newest)
        self._read = read
        self._version: Any = None
        self._looks = 0
        self._names: dict[int, str] = {}
        """By number: the runs that are followed."""
        self._signs: dict[int, tuple[Any, ...]] = {}
        self._last: dict[int, int] = {}
        """By number of a run that goes on: the id of the last row that was told."""
        self._highest = 0

    def look(self) -> News:
        """Return what is new. Raises as `Follower.look` does."""
        (version,) = self._read(_VERSION, ())
        if version == self._version:
            return News([], {}, [])
        numbers, gone = self._followed()
        signs = {row[0]: row for row in self._read(_SIGNS, (json.dumps(numbers),))}
        changed = [number for number, sign in signs.items() if self._signs.get(number) != sign]
        records = [RunRecord(cells) for cells in self._read(_RUNS, (json.dumps(changed),))] if changed else []
        for record in records:
            number, run = record.number, record.run
            self._names[number] = run.facts.run_id
            if run.standing.finished_at is None:
                self._last.setdefault(number, number << 32)
        self._signs = signs
        rows = self._rows()
        for record in records:
            if record.run.standing.finished_at is not None:
                self._last.pop(record.number, None)
        self._version = version  # only now: what could not be read is looked at again
        found = [record.run for record in records]
        runs = sorted(found, key=lambda run: (run.facts.started_at, run.facts.run_id), reverse=True)
        return News(runs, rows, gone)

    def _followed(self) -> tuple[list[int], list[str]]:
        """Return the numbers of the runs that are followed, and the ids of those that were deleted."""
        ((total,),) = self._read(_TOTAL, ())
        is_sweep = self._looks % _SWEEP_EVERY == 0
        self._looks += 1
        added = [number for (number,) in self._read(_ADDED, (self._highest,))]
        if is_sweep or total != self.total + len(added):
            numbers = [number for (number,) in self._read(_NEWEST, (self.newest,))]
        else:
            numbers = [*self._signs, *added]
        self.total = total
        self._highest = max([self._highest, *added])
        there = set(numbers)
        gone = [self._names.pop(number) for number in list(self._names) if number not in there]
        for number in [number for number in self._last if number not in there]:
            del self._last[number]
        return numbers, gone

    def _rows(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        if not self._last:
            return found
        for cells in self._read(_ROWS, (json.dumps(list(self._last.values())),)):
            number = cells[0] >> 32
            run_id = self._names[number]
            found.setdefault(run_id, []).append(row_of(run_id, cells))
            self._last[number] = max(self._last[number], cells[0])
        return found
