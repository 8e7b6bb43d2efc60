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
    "success": "\N{FULL BLOCK}", "failed": "x", "cancelled": "/", "retry wait": "~", "waiting": ".", "branches": "-",
}  # fmt: skip
_LOUDEST: tuple[SpanState, ...] = ("branches", "waiting", "retry wait", "cancelled", "success", "failed")
MOST_ROWS = 40
"""Rows of a step each; a run with more has a row a branch."""
MOST_BRANCHES = 24
"""Branches with a row of their own, in a run with more rows."""
_UNITS = (("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3_600.0), ("days", 86_400.0))
UNIT_NAMES = {"µs": "microseconds", "ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours"}
_SMALL = 1.0
"""Up to seconds, a unit is used from one of it on; above, from two."""


@dataclass(frozen=True, slots=True)
class Row:
    """A step within its lane, and what happened there; without a step, all of the lane."""

    lane: str
    step: str
    spans: list[Span] = field(default_factory=list[Span])

    @property
    def label(self) -> str:
        """The step, behind its lane where that is not the run itself; at most 36 characters."""
        parts = (self.step,) if self.lane == MAIN else (self.lane, self.step)
        text = one_line("/".join(part for part in parts if part), 1_000)
        return text if len(text) <= 36 else f"{text[:17]}{ELLIPSIS}{text[-18:]}"

    @property
    def summary(self) -> str:
        """How many attempts, how many of them failed, and how long they took."""
        attempts = [span for span in self.spans if span.seq is not None]
        if not attempts:
            return "branches at work" if any(span.state == "branches" for span in self.spans) else "waiting"
        failed, cancelled = (sum(span.state == state for span in attempts) for state in ("failed", "cancelled"))
        times = [span.end_s - span.start_s for span in attempts]
        known = [time for time in times if math.isfinite(time)]
        took = in_words(sum(known)) if known else "no time on record"
        for state, words in (("waiting", "{} of waiting"), ("branches", "{} of branches")):
            spent = sum(span.known_end_s - span.start_s for span in self.spans if span.state == state)
            if spent > 0 and all(span.worker is None for span in attempts):  # no worker took part
                took = words.format(in_words(spent))
        count = f"{len(attempts):,} attempts" if len(attempts) > 1 else ""
        bad = [f"{failed:,} failed" if failed else "", f"{cancelled:,} cancelled" if cancelled else ""]
        return ", ".join(part for part in (took, count, *bad) if part)


def rows_of(spans: Iterable[Span]) -> list[Row]:
    """Return the rows: lane by lane, the run itself first, in each the steps as they were first reached.

    Where that would be more than `MOST_ROWS`, a branch has one row; of more than `MOST_BRANCHES`, the first ones and
    those that failed do, and one row stands for the others.
    """
    lanes: dict[str, dict[str, Row]] = {MAIN: {}}
    for span in spans:
        lanes.setdefault(span.lane, {}).setdefault(span.step, Row(span.lane, span.step)).spans.append(span)
    rows = [row for lane in lanes.values() for row in lane.values()]
    if len(rows) <= MOST_ROWS or len(lanes) <= 2:
        return rows
    branches = [_in_one(lane, "", steps.values()) for lane, steps in lanes.items() if lane != MAIN]
    return [*lanes[MAIN].values(), *_fewer(branches)]


def _fewer(branches: list[Row]) -> list[Row]:
    """As many branches as there is room for, and one row for the others."""
    if len(branches) <= MOST_BRANCHES:
        return branches
    bad = [at for at, row in enumerate(branches) if any(span.state == "failed" for span in row.spans)]
    shown = set(bad[: MOST_BRANCHES // 2])
    shown.update([at for at in range(len(branches)) if at not in shown][: MOST_BRANCHES - len(shown)])
    others = [row for at, row in enumerate(branches) if at not in shown]
    rest = _in_one(f"and {len(others):,} more", "", others)
    return [*(row for at, row in enumerate(branches) if at in shown), rest]


def _in_one(lane: str, step: str, rows: Iterable[Row]) -> Row:
    spans = [span for row in rows for span in row.spans]
    return Row(lane, step, sorted(spans, key=lambda span: (math.isnan(span.start_s), span.start_s)))


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
    loudest = [" ", *(_MARKS[state] for state in _LOUDEST)]
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
