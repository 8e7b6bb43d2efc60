"""What running a cell means, given what is on record: a pure decision, from turns to one of five.

The notebook is read against the record. `place` says how far it has been read: behind the last turn in a session that
makes its run, at the beginning in one that goes on with a run of an earlier kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration_kit.widgets.cells.turns import Turn


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The turn is on record, made by the same code, and the notebook comes to it now: it is shown."""

    index: int


@dataclass(frozen=True, slots=True)
class OnRecord:
    """The turn is on record, made by the same code, and the notebook was there before: nothing is done."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class MakeNext:
    """The step is next: its turn is made."""


@dataclass(frozen=True, slots=True)
class MakeAgain:
    """The turn is on record, made by other code: it is made again in a fork."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Refuse:
    """The run has not come to the step."""


Decision = TakeOver | OnRecord | MakeNext | MakeAgain | Refuse


@dataclass(frozen=True, slots=True)
class Record:
    """How far a run has come, and how far the notebook was read against it."""

    turns: Sequence[Turn]
    place: int
    """How many turns the notebook has come past."""
    next_step: str | None
    """The step that is next."""
    next_key: str | None
    """The turn it belongs to; one of `turns` where that was begun and not finished."""


def decide(record: Record, step: str, worker: str, *, again: bool = False) -> Decision:
    """Say what is to be done for a cell of `step` whose code is called `worker` on record."""
    of_step = [index for index, turn in enumerate(record.turns) if turn.step == step]
    ahead = [index for index in of_step if index >= record.place]
    alike = [index for index in ahead if record.turns[index].worker == worker]
    last = record.turns[of_step[-1]] if of_step else None
    is_next = record.next_step == step
    is_open = is_next and last is not None and last.key == record.next_key
    if again and last is not None:
        return MakeAgain(record.turns[[*alike, *ahead, of_step[-1]][0]])
    if alike:
        is_begun = is_open and alike[0] == of_step[-1]
        return MakeNext() if is_begun else TakeOver(alike[0])
    if ahead:
        return MakeAgain(record.turns[ahead[0]])
    if is_next:
        return MakeAgain(last) if is_open and last is not None and last.worker != worker else MakeNext()
    if last is not None:
        return OnRecord(last) if last.worker == worker else MakeAgain(last)
    return Refuse()
