"""One turn of a run: the visit that comes next is made, in all branches that have come to it, and no other.

What needs nobody's code is done on the way: branches are opened and joined, and people are asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.widgets.cells.ahead import Coming, coming, first
from orchestration_kit.widgets.cells.turns import is_of_a_worker, turn_key

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a turn."""

    records: list[AttemptFinished]
    """Its attempts."""
    error: BaseException | None
    """What its last failed attempt raised."""


def make_turn(run: Run, meant: Coming) -> Made:
    """Make what comes next. A run that an interrupt or a failure had ended goes on.

    Raises:
        KeyboardInterrupt: it was interrupted; the run is cancelled, and goes on when it is driven again.
        RunStateError: somebody else drives it.
        JournalError: it cannot be put on record.
    """
    if run.is_finished:
        run.go_on()
    run.exception = None
    made: list[AttemptFinished] = []
    key: str | None = None
    while True:
        new = _step(run)
        made += [record for record in new if is_of_a_worker(record) and record.step == meant.step.step_id]
        if made:
            key = turn_key(made[-1].path)
        one = first(coming(run))
        is_same = one is not None and one.path is not None and turn_key(one.path) == key
        if not new or run.is_finished or not is_same:
            break
    settle(run)
    return Made(made, run.exception)


def settle(run: Run) -> None:
    """Do what needs nobody's code and is next: join branches, take answers, ask people."""
    while not run.is_finished:
        found = coming(run)
        one = first(found)
        is_auto = one is not None and one.kind == "auto"
        asks = one is None and any(other.kind == "ask" for other in found)
        if not (is_auto or asks):
            return
        before = (run.machine.count, len(run.machine.waiting))
        run.step()
        if (run.machine.count, len(run.machine.waiting)) == before:
            return


def _step(run: Run) -> list[AttemptFinished]:
    before = run.machine.recorded
    run.step()
    return [AttemptFinished._make(row) for row in run.machine.rows_since(before)]
