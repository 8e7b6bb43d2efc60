"""Lines become the rows that a page shows: filtered, sorted, cut, and short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from orchestration_kit.history.texts import shorten
from orchestration_kit.widgets.approval_questions import visible
from orchestration_kit.widgets.monitor.lines import RunLine

MOST_ROWS = 200
"""Rows that are sent to a page; the others are counted."""
_LONGEST = 300

MARKS = {
    "initialized": "\N{WHITE CIRCLE}",
    "in_progress": "\N{BLACK CIRCLE}",
    "waiting": "\N{HORIZONTAL ELLIPSIS}",
    "completed": "\N{CHECK MARK}",
    "failed": "\N{BALLOT X}",
    "blocked": "\N{HORIZONTAL ELLIPSIS}",
    "cancelled": "\N{CIRCLED DIVISION SLASH}",
    "damaged": "\N{WARNING SIGN}",
}
"""A sign per state, as on diagrams."""

SORTS: dict[str, Callable[[RunLine, float], Any]] = {
    "state": lambda line, _: line.state,
    "run": lambda line, _: line.run_id,
    "workflow": lambda line, _: line.workflow,
    "step": lambda line, _: line.at,
    "progress": lambda line, _: 1.0 if line.state == "completed" else line.visited / max(line.planned, 1),
    "started": lambda line, _: line.started_at,
    "time": lambda line, now: (line.finished_at or now) - line.started_at,
    "tokens": lambda line, _: -1 if line.tokens is None else line.tokens,
    "cost": lambda line, _: -1.0 if line.cost_usd is None else line.cost_usd,
    "errors": lambda line, _: line.failures,
}
"""What runs can be sorted by."""


@dataclass(frozen=True, slots=True)
class View:
    """What a person wants to see."""

    text: str = ""
    """Part of a run's id, workflow, step, error or tags; case does not matter."""
    workflow: str = ""
    state: str = ""
    sort: str = "started"
    descending: bool = True

    def changed(self, **to: Any) -> View:
        """Return the view with other choices.

        Raises:
            ValueError: there is no such choice.
        """
        given = replace(self, **to)
        if given.sort not in SORTS:
            raise ValueError(f"Runs cannot be sorted by {given.sort!r:.60}, but by: {', '.join(SORTS)}.")
        if given.state not in ("", *MARKS):
            raise ValueError(f"There is no state {given.state!r:.60}. There are: {', '.join(MARKS)}.")
        return replace(
            given, text=str(given.text)[:200], workflow=str(given.workflow), descending=bool(given.descending)
        )


def chosen(lines: Iterable[RunLine], view: View, now: float) -> list[RunLine]:
    """Return the lines that a view means, in its order; ties are broken by age, the newest first.

    >>> lines = [RunLine("a", "w", 1.0), RunLine("b", "w", 2.0, state="failed")]
    >>> [line.run_id for line in chosen(lines, View(), 0.0)], [line.run_id for line in chosen(lines, View("FAIL"), 0.0)]
    (['b', 'a'], ['b'])
    """
    wanted = view.text.casefold().split()
    found = [
        line
        for line in lines
        if (not view.workflow or line.workflow == view.workflow)
        and (not view.state or line.state == view.state)
        and (not wanted or _holds(line, wanted))
    ]
    key = SORTS[view.sort]
    found.sort(key=lambda line: (line.started_at, line.run_id), reverse=True)
    if view.sort != "started":
        found.sort(key=lambda line: key(line, now), reverse=view.descending)
    elif not view.descending:
        found.reverse()
    return found


def _holds(line: RunLine, words: list[str]) -> bool:
    tags = " ".join(f"{key}={value}" for key, value in line.tags.items())
    state = line.state.replace("_", " ")
    text = f"{line.run_id}\n{line.workflow}\n{line.at}\n{state}\n{line.error}\n{line.reason or ''}\n{tags}".casefold()
    return all(word in text for word in words)


def row_of(line: RunLine) -> dict[str, Any]:
    """Return a line as a page shows it."""
    asked = sum(wait.kind == "approval" for wait in line.waits.values())
    tags = ", ".join(f"{key}={value}" for key, value in sorted(line.tags.items()))
    is_gone = line.driver_is == "dead" and not line.is_over
    return {
        "id": line.run_id,
        "name": _short(line.run_id, 120),
        "workflow": _short(line.workflow, 80),
        "state": line.state,
        "mark": "\N{WARNING SIGN}" if is_gone else MARKS.get(line.state, "?"),
        "word": "driver gone" if is_gone else line.state.replace("_", " "),
        "step": "" if line.at == "-" else _short(line.at, 80),
        "done": line.planned if line.state == "completed" else min(line.visited, line.planned or line.visited),
        "of": line.planned,
        "attempts": line.attempts,
        "started": line.started_at,
        "ended": line.finished_at,
        "busy": round(line.busy_s, 3),
        "tokens": line.tokens,
        "cost": line.cost_usd,
        "errors": line.failures,
        "error": _short(line.error or (line.reason if line.state in ("failed", "damaged") else "") or "", _LONGEST),
        "reason": _short(line.reason or "", _LONGEST),
        "asks": asked,
        "origin": _short(f"fork of {line.parent} at {line.forked_at}" if line.forked_at else line.parent or "", 120),
        "tags": _short(tags, 120),
        "driver": _short(f"{line.driver}, {line.driver_is}" if line.driver else "", 120),
        "over": line.is_over or line.state == "damaged",
    }


def tallied(lines: Iterable[RunLine]) -> dict[str, int]:
    """Return how many runs there are in each state, in the order of `MARKS`."""
    counts = Counter(line.state for line in lines)
    return {state: counts[state] for state in MARKS if counts[state]}


def _short(text: str, limit: int) -> str:
    return shorten(visible(text[: limit + 1].replace("\n", " ").replace("\t", " ")), limit)
