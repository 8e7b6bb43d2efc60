"""Where a run stands becomes a few lines: of text that is the same each time it is run, and of HTML.

No ids and no times are in the text, so that a saved notebook can be compared with a new execution. A `Standing` holds
lines, not values: what cells put out is not kept alive by a notebook's `Out`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.errors import counted, listed
from orchestration_kit.history.texts import PLAIN, one_line, short_text
from orchestration_kit.widgets.cells.ahead import Coming, coming, first, vacant
from orchestration_kit.widgets.cells.turns import Turn, turns_of

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run

MOST_TURNS = 8
"""Turns that the trail shows."""
_STATES = {"initialized": "not begun", "in_progress": "in progress", "waiting": "waiting"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands: what was just done, the way so far, and what comes next. Shows itself in a notebook."""

    told: tuple[str, ...]
    """What was just done, in sentences."""
    trail: str
    ahead: tuple[str, ...]
    """What comes next, and what to type, which stands after two spaces."""
    stale: tuple[str, ...]
    """What an earlier edition has on record and this one has not come to again."""

    @property
    def lines(self) -> list[str]:
        """All of it, line by line."""
        stale = f"Stale: {listed(self.stale, 5)}. To make again what has changed:  %refresh" if self.stale else ""
        return [line for line in (*self.told, self.trail, *self.ahead, stale) if line]

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        lines = "".join(f"<div>{_html(line, is_strong=line == self.trail)}</div>" for line in self.lines)
        style = "border-left:3px solid #0072b2;padding:2px 0 2px 10px;margin:4px 0;"
        return {"text/html": f'<div class="{PLAIN}" style="{style}">{lines}</div>', "text/plain": repr(self)}


def standing(run: Run, stale: list[str], *told: str, place: int | None = None) -> Standing:
    """Return where a run stands.

    Args:
        run: The run.
        stale: What an earlier edition has on record and this one has not come to again.
        *told: What was just done.
        place: How many turns of the record the notebook has come past; all where it is not given.
    """
    turns = turns_of(run)
    if place is None or place >= len(turns):
        return Standing(told, trail(run, turns), ahead(run), tuple(stale))
    name = turns[place].step
    on_record = f"Next: {name}, on record. To take it over, not executed, run its cell or type  %run_next"
    return Standing(told, trail(run, turns, place), (on_record,), tuple(stale))


def trail(run: Run, turns: list[Turn], place: int | None = None) -> str:
    """Return the way of a run in one line: `draft ✓ → review ✗ → draft ?`."""
    read = turns[:place]
    shown = [_mark(turn) for turn in read[-MOST_TURNS:]]
    if len(read) > MOST_TURNS:
        shown.insert(0, f"… {counted(len(read) - MOST_TURNS, 'turn')} before")
    if place is not None:
        coming_up = turns[place : place + MOST_TURNS]
        more = " → …" if place + MOST_TURNS < len(turns) else ""
        shown.append(f"({' → '.join(map(_mark, coming_up))}{more} on record)")
    elif not run.is_finished:
        shown += [f"{name} ?" for name in _next_names(run)[:3]]
    return f"{one_line(run.workflow.name, 60)}:  {' → '.join(shown)}"


def ahead(run: Run) -> tuple[str, ...]:
    """Say what comes next, and what to type."""
    found = coming(run)
    one, lacking = first(found), vacant(found)
    if run.is_finished:
        reason = "" if run.context.error is None else f" ({one_line(run.context.error, 200)})"
        left = one or lacking
        again = f" To go on, run the cell of {left.step.step_id!r} again, or type  %run_next" if left else ""
        return (f"The run is {run.state}{reason}.{again}",)
    if one is not None:
        return (_next_line(one),)
    lines = [_asked_line(request) for request in run.waiting if request.kind in ("approval", "event")]
    if lacking is not None:
        name = lacking.step.step_id
        lines.append(f"Next: {name}, which has no worker. Write a cell for it:  #| step {name}")
    return tuple(lines) or (f"The run is {_STATES.get(run.state, str(run.state))}.",)


MADE = "was made"
TAKEN = "was taken over from the record, not executed again"
KNOWN = "is on record, by this very code"


def how_it_went(turn: Turn, verb: str) -> str:
    """Say what came of a turn: `review#1 was made and failed: success_when was false: ...`.

    Args:
        turn: The turn.
        verb: `MADE`, `TAKEN` or `KNOWN`.
    """
    visits = turn.visits
    is_made = verb == MADE and not _is_cached(visits)
    verb = verb if is_made or verb != MADE else "met the same as before: taken over, not executed"
    label = turn.key if len(visits) > 1 else visits[0].path
    branches = f" in {len(visits):,} branches" if len(visits) > 1 and is_made else ""
    failed = turn.failed
    if failed is None:
        attempts = max(record.attempt for record in visits)
        after = f", at attempt {attempts}" if attempts > 1 and is_made else ""
        return f"{label} {verb}{branches}{after}."
    what = one_line(failed.error.described() if failed.error else "", 300)
    way = f"; the run goes on to {failed.next_step!r}" if failed.next_step else ""
    attempts = f" after {counted(failed.attempt, 'attempt')}" if failed.attempt > 1 else ""
    where = f" at {failed.path}" if len(visits) > 1 else ""
    and_failed = " and failed" if is_made else "; it failed"
    return f"{label} {verb}{branches}{and_failed}{attempts}{where}: {what}{way}."


def _is_cached(visits: list[AttemptFinished]) -> bool:
    return all(record.cached for record in visits)


def _mark(turn: Turn) -> str:
    name = one_line(turn.step, 40)
    many = f" ×{len(turn.visits)}" if len(turn.visits) > 1 else ""
    return f"{name} {'✓' if turn.failed is None else '✗'}{many}"


def _next_names(run: Run) -> list[str]:
    found = coming(run)
    one = first(found)
    meant = [one] if one is not None else [other for other in found if other.is_vacant]
    names = [other.step.step_id for other in meant] or [request.step for request in run.waiting]
    return list(dict.fromkeys(names))


def _next_line(one: Coming) -> str:
    name = one.step.step_id
    if one.kind == "time":
        return f"Next: {name}. To wait for its time:  %run_next"
    if one.kind == "pass":
        return f"Next: {name}, which needs no worker:  %run_next"
    if one.kind == "auto":
        return f"Next: {name}:  %run_next"
    worker = one.step.worker_name or ""
    if worker.startswith("cell "):
        return f"Next: {name}, by its cell. Run the cell, or type  %run_next"
    return f"Next: {name}, by worker {one_line(worker, 60)!r}; or write a cell for it. To call the worker:  %run_next"


def _asked_line(request: Any) -> str:
    if request.kind == "event":
        what = one_line(request.prompt, 80)
        return (
            f"{request.path} waits for {what}. Send it, and then %run_next:  session.run.send({request.event!r}, ...)"
        )
    prompt = f": {one_line(request.prompt, 200)}" if request.prompt else ""
    shown = "".join(f" [{one_line(str(name), 60)}: {short_text(value, 200)}]" for name, value in request.shown.items())
    return f"{request.path} asks for approval{prompt}{shown}  %approve  or  %reject WHY"


def _html(line: str, *, is_strong: bool) -> str:
    """Return a line as HTML; what is to be typed stands after two spaces."""
    if is_strong:
        return f"<strong>{escape(line)}</strong>"
    said, spaces, typed = line.partition("  ")
    return f"{escape(said)} <code>{escape(typed)}</code>" if spaces else escape(line)
