"""Spans become the rows of a timeline, and the rows become text. Knows nothing of pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestration_kit.visual.text import ELLIPSIS, one_line
from orchestration_kit.visual.timeline_spans import MAIN, STATES, Span, SpanState

if TYPE_CHECKING:
    from orchestration_kit.history import Recorded

_WIDTH = 60
"""Characters of a bar in the text form."""
_MOST_LINES = 60
_MARKS: dict[SpanState, str] = {
    "success": "\N{FULL BLOCK}", "failed": "x", "retry wait": "~", "waiting": ".",
}  # fmt: skip
_UNITS = (("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3_600.0), ("days", 86_400.0))
UNIT_NAMES = {"µs": "microseconds", "ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours"}
_SMALL = 1.0
"""Up to seconds, a unit is used from one of it on; above, from two."""


@dataclass(frozen=True, slots=True)
class Row:
    """A step within its lane, and what happened there."""

    lane: str
    step: str
    spans: list[Span] = field(default_factory=list[Span])

    @property
    def label(self) -> str:
        """The step, behind its lane where that is not the run itself; at most 36 characters."""
        text = one_line(self.step if self.lane == MAIN else f"{self.lane}/{self.step}", 1_000)
        return text if len(text) <= 36 else f"{text[:17]}{ELLIPSIS}{text[-18:]}"

    @property
    def summary(self) -> str:
        """How many attempts, how many of them failed, and how long they took."""
        attempts = [span for span in self.spans if span.seq is not None]
        if not attempts:
            return "waiting"
        failed = sum(span.state == "failed" for span in attempts)
        times = [span.end_s - span.start_s for span in attempts]
        known = [time for time in times if math.isfinite(time)]
        took = in_words(sum(known)) if known else "no time on record"
        count = f"{len(attempts):,} attempts" if len(attempts) > 1 else ""
        return ", ".join(part for part in (took, count, f"{failed:,} failed" if failed else "") if part)


def rows_of(spans: Iterable[Span]) -> list[Row]:
    """Return the rows: lane by lane, in each the steps as they were first reached."""
    lanes: dict[str, dict[str, Row]] = {}
    for span in spans:
        lanes.setdefault(span.lane, {}).setdefault(span.step, Row(span.lane, span.step)).spans.append(span)
    return [row for lane in lanes.values() for row in lane.values()]


def end_of(rows: Iterable[Row]) -> float:
    """Return the last moment that is on record, in seconds since the run began; 0 where there is none."""
    moments = (time for row in rows for span in row.spans for time in (span.start_s, span.end_s))
    return max((time for time in moments if math.isfinite(time)), default=0.0)


def unit_for(seconds: float) -> tuple[str, float]:
    """Return the unit in which some seconds read well, and its length in seconds.

    >>> unit_for(0.02), unit_for(90), unit_for(7_300)
    (('ms', 0.001), ('s', 1.0), ('h', 3600.0))
    """
    fitting = (unit for unit in reversed(_UNITS) if seconds >= unit[1] * (1 if unit[1] <= _SMALL else 2))
    return next(fitting, _UNITS[0])


def in_words(seconds: float) -> str:
    """Return seconds for a person.

    >>> in_words(0.0123), in_words(75), in_words(0)
    ('12.3 ms', '75 s', '0 s')
    """
    if seconds <= 0:
        return "0 s"
    unit, length = unit_for(seconds)
    value = seconds / length
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def title_of(run: Recorded) -> str:
    """Return the run's id, workflow and state on one line."""
    parts = (run.run, run.workflow, run.state)
    return " \N{MIDDLE DOT} ".join(one_line(part, 60) for part in parts if part)


def as_text(run: Recorded, rows: Sequence[Row]) -> str:
    """Return a timeline as text: a line a row, a character a slice of time."""
    end_s = end_of(rows)
    head = f"Timeline of {title_of(run)}"
    if not rows:
        return f"{head}\n  no attempt on record"
    shown = rows[:_MOST_LINES]
    names = [row.label for row in shown]
    wide = max(map(len, names))
    lines = [f"  {name:<{wide}} |{_bar(row, end_s)}| {row.summary}" for name, row in zip(names, shown, strict=True)]
    if len(rows) > len(shown):
        lines.append(f"  and {len(rows) - len(shown):,} rows more; .frame has them all")
    used = {span.state for row in rows for span in row.spans}
    legend = "   ".join(f"{_MARKS[state]} {state}" for state in STATES if state in used)
    return "\n".join([f"{head}: {in_words(end_s)}", *lines, f"  {legend}"])


def _bar(row: Row, end_s: float) -> str:
    """The row as characters; where several spans fall into one, a failure is shown before all else."""
    cells = [" "] * _WIDTH
    loudest = [" ", *(_MARKS[state] for state in ("waiting", "retry wait", "success", "failed"))]
    for span in row.spans:
        if not math.isfinite(span.start_s):
            continue
        start, stop = (time / end_s * _WIDTH if end_s > 0 else 0.0 for time in (span.start_s, span.known_end_s))
        first, last = min(_WIDTH - 1, int(start)), _WIDTH if span.is_open else min(_WIDTH, math.ceil(stop))
        mark = _MARKS[span.state]
        for at in range(first, max(last, first + 1)):
            if loudest.index(mark) > loudest.index(cells[at]):
                cells[at] = mark
    return "".join(cells)
