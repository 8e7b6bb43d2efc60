"""The record of a run as turns: what one cell did at once. A turn is a visit, or the same visit in all branches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestration_kit.engine.events import AttemptFinished

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run

_KEY = re.compile(r"\[[^\[\]]*\](?=/[^/]*$)")
_SPECIAL = frozenset({"parallel", "map", "approval", "wait"})


@dataclass(slots=True)
class Turn:
    """Visits that belong together."""

    key: str
    """`review#1`, or `summaries#1[]/summarize#1` for those of all branches."""
    step: str
    records: list[AttemptFinished] = field(default_factory=list[AttemptFinished])
    """All attempts, in the order in which they were made."""

    @property
    def visits(self) -> list[AttemptFinished]:
        """The last attempt of each visit, in the order of the workflow's branches."""
        last = {record.path: record for record in self.records}
        return list(last.values())

    @property
    def worker(self) -> str | None:
        """Who made it."""
        return self.records[-1].worker

    @property
    def failed(self) -> AttemptFinished | None:
        """The first visit of it that failed, where one did."""
        return next((record for record in self.visits if record.error is not None), None)


def turn_key(path: str) -> str:
    """Return what the same visit in all branches has in common.

    >>> turn_key("review#2"), turn_key("papers#1[3]/summarize#1")
    ('review#2', 'papers#1[]/summarize#1')
    """
    return _KEY.sub("[]", path)


def turns_of(run: Run) -> list[Turn]:
    """Return the turns of a run, in the order in which they were begun. Waits, openings and joins are none."""
    return turns_in(event for event in run.machine.arrivals() if isinstance(event, AttemptFinished))


def turns_in(records: Iterable[AttemptFinished]) -> list[Turn]:
    """Return the turns of these attempts."""
    found: dict[str, Turn] = {}
    for record in records:
        if not is_of_a_worker(record):
            continue
        key = turn_key(record.path)
        found.setdefault(key, Turn(key, record.step)).records.append(record)
    return list(found.values())


def is_of_a_worker(record: AttemptFinished) -> bool:
    """Whether an attempt is one of a step that a cell can be written for."""
    return record.worker is not None or not (
        record.worker_type in _SPECIAL or (record.detail and {"branches", "undoes"} & record.detail.keys())
    )
