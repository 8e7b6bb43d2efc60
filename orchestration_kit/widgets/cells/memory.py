"""What earlier editions of a run have on record becomes what need not be made again, and what is stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.engine.events import Answered
from orchestration_kit.engine.reuse import Reuse
from orchestration_kit.widgets.cells.turns import turns_of

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.machine import Machine
    from orchestration_kit.engine.run import Run
    from orchestration_kit.engine.visits import Visit


class Memory(Reuse):
    """The records of several earlier runs, the nearest first: visits that met the same are taken over from them."""

    def __init__(self, earlier: list[Run]) -> None:
        self._all = [_Earlier(run.machine, shared=0) for run in earlier]

    def settles(self, run: Driven, visit: Visit) -> bool:
        """Settle a visit with what is on record of it, if it would only be repeated; whether that was so."""
        return any(one.settles(run, visit) for one in self._all)

    def repeats(self, visit: Visit) -> bool:
        """Whether an attempt would only be repeated."""
        return any(one.repeats(visit) for one in self._all)

    def answer_to(self, path: str, request: str) -> Answered | None:
        """Return what was answered to exactly this question."""
        return next((found for one in self._all if (found := one.answer_to(path, request)) is not None), None)


class _Earlier(Reuse):
    """One of them. Of its forks only those count that were given something: another input, or entries of the bus."""

    def __init__(self, old: Machine, *, shared: int) -> None:
        super().__init__(old, shared=shared)
        given = {at: fork for at, fork in self._forks.items() if fork.changes is not None or fork.input is not None}
        self._forks = given


def stale_turns(run: Run, earlier: list[Run]) -> list[str]:
    """Return the turns that earlier editions have on record, and that this one has not come to again, in their order.

    None once the run has ended: then nothing of them is left to do.
    """
    if run.machine.finished is not None and run.machine.coming() is None:
        return []
    own = {turn.key for turn in turns_of(run)}
    found: dict[str, None] = {}
    for one in earlier:
        found |= {turn.key: None for turn in turns_of(one) if turn.key not in own}
    return list(found)
