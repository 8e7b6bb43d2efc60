"""A set of runs as a person sees it in a notebook: how its runs stand, and why some failed. All text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from orchestration_kit.errors import counted
from orchestration_kit.scale.frames import NOT_STARTED

_SHOWN = 5
_WIDEST = 200
_ORDER = (
    "completed",
    "failed",
    "waiting",
    "blocked",
    "in_progress",
    "initialized",
    "cancelled",
    "damaged",
    NOT_STARTED,
)
_TABLE = 'style="border-collapse:collapse;text-align:left"'
_CELL = 'style="padding:2px 12px 2px 0;text-align:left;vertical-align:top"'


def in_words(states: Mapping[str, int]) -> str:
    """Return how runs stand, in words.

    >>> in_words({"failed": 1, "completed": 1200})
    '1,201 runs: 1,200 completed, 1 failed'
    """
    parts = [f"{count:,} {state.replace('_', ' ')}" for state, count in ordered(states).items()]
    return f"{counted(sum(states.values()), 'run')}: {', '.join(parts)}" if parts else "no runs"


def ordered(states: Mapping[str, int]) -> dict[str, int]:
    """Return counts of states, the finished ones first, without those that no run is in."""
    places = {state: at for at, state in enumerate(_ORDER)}
    kept = [(state, count) for state, count in states.items() if count]
    return dict(sorted(kept, key=lambda one: (places.get(one[0], len(places)), one[0])))


def as_html(
    name: str, workflow: str, states: Mapping[str, int], figures: Mapping[str, str], failures: Sequence[tuple[str, str]]
) -> str:
    """Return a table of a set.

    Args:
        name: Of the set.
        workflow: Its name.
        states: How many runs are in each.
        figures: What else is told, in words, by what it is called.
        failures: Runs that failed, and why; the first few are shown.
    """
    rows = [*((state.replace("_", " "), f"{count:,}") for state, count in ordered(states).items()), *figures.items()]
    cells = "".join(f"<tr><th {_CELL}>{escape(head)}</th><td {_CELL}>{escape(text)}</td></tr>" for head, text in rows)
    parts = [f"<p><b>{escape(name)}</b>, {counted(sum(states.values()), 'run')} of <code>{escape(workflow)}</code></p>"]
    parts.append(f"<table {_TABLE}><caption hidden>Runs by state</caption><tbody>{cells}</tbody></table>")
    if failures:
        shown = "".join(
            f"<tr><td {_CELL}><code>{escape(run)}</code></td><td {_CELL}>{escape(_short(why))}</td></tr>"
            for run, why in failures[:_SHOWN]
        )
        more = len(failures) - _SHOWN
        rest = f"<p>and {more:,} more: <code>.failures()</code></p>" if more > 0 else ""
        parts.append(f"<p>Failed:</p><table {_TABLE}><tbody>{shown}</tbody></table>{rest}")
    return f"<div>{''.join(parts)}</div>"


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}\N{HORIZONTAL ELLIPSIS}"
