"""A comparison as lines of text and as an HTML table, side by side. All text from runs is escaped.

Nothing is said by colour: a sign and a word stand in front of every line.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.history.differences import Difference
from orchestration_kit.history.divergence import Pair, way_on
from orchestration_kit.history.texts import PLAIN, one_line, short_text, shorten

if TYPE_CHECKING:
    from orchestration_kit.engine.events import AttemptFinished
    from orchestration_kit.history.branch_pairs import BranchPair
    from orchestration_kit.history.comparison import Comparison
    from orchestration_kit.history.sources import Recorded

_MOST_LINES, _MOST_ENTRIES, _MOST_BRANCHES = 30, 12, 12
_CELL = "padding:2px 10px;text-align:left;vertical-align:top;"
_CODE = "font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere;"


class _Line(NamedTuple):
    """One line of the steps: a sign, the attempt, what A and B made of it."""

    sign: str
    attempt: str
    a: str
    b: str
    differs: str


def as_text(comparison: Comparison) -> str:
    """Return a comparison as an outline."""
    lines = [f"Comparison: {verdict(comparison)}", *(f"  {fact}" for fact in facts(comparison))]
    if (parts := comparison.first_divergence) is not None:
        lines += ["", f"They part at {one_line(where(comparison))}"]
        lines += _side_by_side(parts.differences)
    if comparison.branch_pairs:
        lines += ["", _branches_counted(comparison), *(f"  {' '.join(row)}" for row in _branches(comparison))]
    if comparison.pairs:
        lines += ["", f"Attempts ({_counts(comparison.pairs)})"]
        lines += [_step_text(line) for line in _capped(comparison)]
    data = _data(comparison)
    lines += ["", f"Data at the end: {'the same' if comparison.same_data else 'different'}", *_side_by_side(data)]
    lines += ["", "Totals", *_totals_text(comparison)]
    return "\n".join(lines)


def as_html(comparison: Comparison) -> str:
    """Return a comparison as HTML tables: what differs first, then every attempt side by side, data and totals."""
    a, b = (f"{side}: {run.run}" for side, run in (("A", comparison.a), ("B", comparison.b)))
    blocks = [
        f"<p><strong>Comparison: {_html(verdict(comparison))}</strong></p>",
        *map(_paragraph, facts(comparison)),
    ]
    if (parts := comparison.first_divergence) is not None:
        rows = [(one.where, one.a, one.b) for one in parts.differences]
        blocks.append(_table(f"They part at {where(comparison)}", ("where", a, b), rows))
    if comparison.branch_pairs:
        branches = [(f"{sign} {path}", state) for sign, path, state in _branches(comparison)]
        blocks.append(_table(_branches_counted(comparison), ("branch", "how it ended"), branches))
    if comparison.pairs:
        steps = [(f"{line.sign} {line.attempt}", line.a, line.b, line.differs) for line in _capped(comparison)]
        caption = f"Attempts ({_counts(comparison.pairs)})"
        blocks.append(_table(caption, ("attempt", a, b, "differs"), steps))
    data = [(one.where, one.a, one.b) for one in _data(comparison)]
    if data:
        blocks.append(_table("Data at the end", ("entry", a, b), data))
    blocks.append(_table("Totals", ("measure", a, b, "B less A"), totals(comparison)))
    return f'<div class="{PLAIN}">{"".join(blocks)}</div>'


def verdict(comparison: Comparison) -> str:
    """Return in a line how two runs compare."""
    if not comparison.pairs:
        return "neither has an attempt on record"
    if comparison.same:
        return "the same way, the same outcome"
    for side, run in (("A", comparison.a), ("B", comparison.b)):
        if not run.records:
            return f"{side} has no attempt on record"
    if not any(pair.a and pair.b for pair in comparison.pairs):
        return "they have no step in common"
    way = "the same way" if comparison.same_way else "different ways"
    return f"{way}, {'the same data' if comparison.same_data else 'different data'} at the end"


def facts(comparison: Comparison) -> list[str]:
    """Return what has to be known of the two runs, a line each."""
    a, b = comparison.a, comparison.b
    found = [f"A  {_run(a)}", f"B  {_run(b)}"]
    if a.workflow and b.workflow and a.workflow != b.workflow:
        found.append(f"Different workflows: {short_text(a.workflow)} and {short_text(b.workflow)}.")
    elif a.fingerprint and b.fingerprint and a.fingerprint != b.fingerprint:
        found.append("The workflow, or a worker of it, changed between them (the fingerprints differ).")
    if a.goal is not None and b.goal is not None and a.goal != b.goal:
        found.append(f"Different goals: {short_text(a.goal, 80)} and {short_text(b.goal, 80)}.")
    found += [
        f"{side} has not ended; it may still do what only the other did."
        for side, run in (("A", a), ("B", b))
        if run.state is not None and not run.is_over
    ]
    return found


def _run(run: Recorded) -> str:
    workflow = f" of {one_line(run.workflow, 80)}" if run.workflow else ""
    reason = f" ({one_line(run.reason, 160)})" if run.reason else ""
    return f"{one_line(run.run, 80)}{workflow}: {run.state or 'state not on record'}{reason}"


def where(comparison: Comparison) -> str:
    """Return where two runs part, in words."""
    parts = comparison.first_divergence
    if parts is None or parts.only_in is None:
        return str(parts)
    other, run = ("B", comparison.b) if parts.only_in == "A" else ("A", comparison.a)
    why = "has not ended" if run.state is not None and not run.is_over else "never made it"
    return f"{parts}; {other} {why}"


def _counts(pairs: list[Pair]) -> str:
    same = sum(pair.same for pair in pairs)
    only_a, only_b = sum(pair.b is None for pair in pairs), sum(pair.a is None for pair in pairs)
    return f"{same:,} alike, {len(pairs) - same - only_a - only_b:,} differ, {only_a:,} only in A, {only_b:,} only in B"


def _branches_counted(comparison: Comparison) -> str:
    every = comparison.branch_pairs
    same, only = sum(one.same for one in every), {side: sum(one.found_in == side for one in every) for side in "AB"}
    differ = len(every) - same - only["A"] - only["B"]
    return f"Branches ({same:,} alike, {differ:,} differ, {only['A']:,} only in A, {only['B']:,} only in B)"


def _branches(comparison: Comparison) -> list[tuple[str, str, str]]:
    """A sign, the position and the ends of each branch that differs; of nested ones, also those around them."""
    differing = [one for one in comparison.branch_pairs if not one.same]
    found = [(_sign(one), one_line(one.path, 120), _ends(one)) for one in differing[:_MOST_BRANCHES]]
    left = len(differing) - len(found)
    return found + ([("\N{HORIZONTAL ELLIPSIS}", f"and {left:,} more; .branches has them all", "")] if left else [])


def _sign(branch: BranchPair) -> str:
    return "\N{NOT EQUAL TO}" if branch.found_in == "both" else branch.found_in


def _ends(branch: BranchPair) -> str:
    if branch.found_in != "both":
        ended = branch.state_a or branch.state_b or "not joined"
        return f"only in {branch.found_in}, {one_line(ended, 40)}"
    a, b = (one_line(state or "not joined", 40) for state in (branch.state_a, branch.state_b))
    return f"both {a}" if a == b else f"A {a}, B {b}"


def _capped(comparison: Comparison) -> Iterator[_Line]:
    lines = _lines(comparison.pairs)
    yield from islice(lines, _MOST_LINES)
    left = sum(1 for _ in lines)
    if left:
        yield _Line("\N{HORIZONTAL ELLIPSIS}", f"and {left:,} lines more; .steps has them all", "", "", "")


def _lines(pairs: list[Pair]) -> Iterator[_Line]:
    """One line per attempt; attempts in a row that are alike share one."""
    for alike, group in groupby(pairs, key=lambda pair: pair.same):
        found = list(group)
        if alike and len(found) > 3:
            first, last = found[0].either, found[-1].either
            yield _Line("=", f"{_name(first)} to {_name(last)}: {len(found):,} attempts alike", "", "", "")
        else:
            yield from map(_line, found)


def _line(pair: Pair) -> _Line:
    sign = "=" if pair.same else "A" if pair.b is None else "B" if pair.a is None else "\N{NOT EQUAL TO}"
    differs = ", ".join(pair.aspects) or ("" if pair.same else f"only in {sign}")
    return _Line(sign, _name(pair.either), told(pair.a), told(pair.b), differs)


def _name(record: AttemptFinished) -> str:
    again = f" attempt {record.attempt}" if record.attempt > 1 else ""
    return f"{one_line(record.path, 120)}{again}"


def told(record: AttemptFinished | None) -> str:
    """Return in short what came of an attempt, and where the run went on to."""
    if record is None:
        return "\N{EN DASH}"
    came = f"failed: {one_line(str(record.error), 80)}" if record.error is not None else short_text(record.output, 60)
    return f"{came} \N{RIGHTWARDS ARROW} {one_line(way_on(record), 60)}"


def _step_text(line: _Line) -> str:
    head = f"  {line.sign} {line.attempt}{f'  [{line.differs}]' if line.differs else ''}"
    if not line.a or line.sign == "=":
        return head
    return f"{head}\n      A {line.a}\n      B {line.b}"


def _data(comparison: Comparison) -> list[Difference]:
    rows = comparison.data.itertuples(index=False)
    found = [
        Difference(*(_or_absent(cell) for cell in (row.where, row.a, row.b))) for row in islice(rows, _MOST_ENTRIES)
    ]
    left = len(comparison.data) - len(found)
    return found + ([Difference(f"and {left:,} more; .data has them all", "", "")] if left else [])


def _or_absent(cell: object) -> str:
    return cell if isinstance(cell, str) else "absent"


def _side_by_side(found: tuple[Difference, ...] | list[Difference]) -> list[str]:
    lines: list[str] = []
    for one in found:
        lines.append(f"  {one_line(one.where)}")
        if one.a or one.b:
            lines += [f"      A {one.a}", f"      B {one.b}"]
    return lines


def totals(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the measures, each with those of A and B and the difference, as texts."""
    known = comparison.totals.dropna(subset=["a", "b"], how="all")
    return [
        (str(row.measure), _number(row.a), _number(row.b), _number(row.delta, sign="+"))
        for row in known.itertuples(index=False)
    ]


def _totals_text(comparison: Comparison) -> list[str]:
    return [f"  {name:<14} A {a:>12}   B {b:>12}   {delta:>12}" for name, a, b, delta in totals(comparison)]


def _number(value: Any, sign: str = "") -> str:
    if not isinstance(value, float):
        return "not told"
    if value == 0.0:
        return "0"
    return f"{value:{sign},.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:{sign},.4g}"


def _table(caption: str, headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col" style="{_CELL}">{_html(name)}</th>' for name in headers)
    body = "".join(
        f'<tr><th scope="row" style="{_CELL}{_CODE}">{_html(first)}</th>'
        + "".join(f'<td style="{_CELL}{_CODE}">{_html(cell)}</td>' for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    title = f'<caption style="text-align:left;font-weight:bold;">{_html(caption)}</caption>'
    whole = f"{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<table style="margin:10px 0;border-collapse:collapse;">{whole}</table>'


def _paragraph(text: str) -> str:
    return f"<p>{_html(text)}</p>"


def _html(text: str) -> str:
    return escape(one_line(shorten(text, 500)))
