"""An answer that a notebook gives again when it is run from the top: it is on record, and goes to no other question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from orchestration_kit.engine.events import Answered, AttemptFinished
from orchestration_kit.engine.values import same
from orchestration_kit.widgets.cells.errors import BadCommand
from orchestration_kit.widgets.cells.turns import is_of_a_worker, turn_key, turns_of

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run


def answer_on_record(run: Run, place: int, kind: Literal["approved", "rejected"], given: Any) -> str | None:
    """Return what is to be told of an answer that is on record where the notebook has come to; None if it is a new one.

    Args:
        run: The run.
        place: How many turns of the record the notebook has come past.
        kind: What the person says.
        given: The value that is approved, or the reason.

    Raises:
        BadCommand: nothing like it is on record there, and the run is further on: it may ask something else by now.
    """
    turns = turns_of(run)
    is_behind = place < len(turns)
    if not is_behind and any(one.kind == "approval" for one in run.waiting):
        return None
    here = _answers_at(run, place)
    found = next((one for one in here if one.kind == kind and same(_given(one), given)), None)
    if found is not None:
        return f"{found.path} was {kind} so, on record."
    if not is_behind:
        return None
    was = f"{here[-1].path} was {here[-1].kind} there in other words" if here else "nobody was asked there"
    step, path = turns[place].step, turns[place].records[0].path
    raise BadCommand(
        f"The notebook has not come to where the run stands: {step!r} is next, on record; {was}. Nothing was answered.",
        f"%run_next   to take {step!r} over, or   %goto {path}   to go on from there, in a fork",
    )


def _given(one: Answered) -> Any:
    return one.value if one.kind == "approved" else one.reason


def _answers_at(run: Run, place: int) -> list[Answered]:
    """Return what people answered after that many turns were begun, and before the next was."""
    begun: set[str] = set()
    found: list[Answered] = []
    for event in run.machine.arrivals():
        if isinstance(event, AttemptFinished) and is_of_a_worker(event):
            begun.add(turn_key(event.path))
        elif isinstance(event, Answered) and event.kind in ("approved", "rejected") and len(begun) == place:
            found.append(event)
    return found
