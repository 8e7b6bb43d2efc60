"""A `Reliability` becomes text, and a small table for notebooks. Names of workflows and steps are data: escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from orchestration_kit.errors import counted

if TYPE_CHECKING:
    from orchestration_kit.reliability.posterior import Estimate
    from orchestration_kit.reliability.report import Reliability

_MOST_LOST = 4
_NOTHING = 1e-9
"""What is below that is told as 0."""
_QUICK = 3_000
"""Visits up to which the test of fit takes a quarter of a second."""
_STYLE = "text-align:left;padding:2px 12px 2px 0;font-weight:normal;vertical-align:top"


def text_of(found: Reliability) -> str:
    """Return the figures, a line each."""
    rows = _rows(found)
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {text}" for name, text in rows]
    return "\n".join([f"<Reliability of {found.chain.workflow!r}, {_origin(found)}>", *lines])


def html_of(found: Reliability) -> str:
    """Return the figures as an HTML table; everything in it is escaped."""
    cells = "".join(
        f'<tr><th scope="row" style="{_STYLE}">{escape(name)}</th><td style="text-align:left">{escape(text)}</td></tr>'
        for name, text in _rows(found)
    )
    title = f"Reliability of <b>{escape(found.chain.workflow)}</b>, {escape(_origin(found))}"
    return f'<table><caption style="text-align:left">{title}</caption><tbody>{cells}</tbody></table>'


def _origin(found: Reliability) -> str:
    changed = f", {', '.join(found.changed)} changed" if found.changed else ""
    if found.counts is None:
        return f"by given rates{changed}"
    paths = found.counts.paths
    cut_off = sum(path.end is None for path in paths)
    more = f", {cut_off:,} of them cut off" if cut_off else ""
    attempts = int(found.counts.success.sum() + found.counts.failure.sum())
    return f"from {counted(len(paths), 'run')} ({counted(attempts, 'attempt')}){more}{changed}"


def _rows(found: Reliability) -> list[tuple[str, str]]:
    rows = [("P(success)", _chance(found)), ("steps", _said(found, found.steps_expected))]
    for name, one in (("time", found.time_s), ("tokens", found.tokens), ("cost", found.cost_usd)):
        if one is not None:
            rows.append((name, _said(found, one, "$" if name == "cost" else "", " s" if name == "time" else "")))
    where = found.lost().head(_MOST_LOST)
    lost = [f"{step} {100 * share:.3g} %" for step, share in zip(where["step"], where["lost"], strict=True)]
    rows.append(("runs lost at", ", ".join(lost) or "no step"))
    if found.counts is not None and not found.changed:
        words = "taken to be alike, as none was repeated" if found.frailty is None else found.frailty.words
        rows.append(("goals", words))
        rows.append(("chain", _fit(found)))
    return rows


def _fit(found: Reliability) -> str:
    """Say whether the chain explains the runs, where that takes no time to speak of."""
    paths = () if found.counts is None else found.counts.paths
    if all(path.end is None for path in paths):
        return "not tested, as no run came to its end"
    if not found.has_been_tested and sum(len(path.visits) for path in paths) > _QUICK:
        return "not tested yet; .fit() does, in a moment"
    return str(found.fit())


def _said(found: Reliability, one: Estimate, before: str = "", after: str = "") -> str:
    value, low, high = (f"{before}{figure:,.{_digits(figure)}f}{after}" for figure in (one.value, one.low, one.high))
    return value if found.draws is None else f"{value} ({100 * one.level:g} %: {low} to {high})"


def _chance(found: Reliability) -> str:
    """Say a probability with three digits of it, or of what is left to 1."""
    one = found.p_success
    digits = max(3, _digits(1 - one.value if one.value > 0.9 else one.value))
    value, low, high = (f"{p:.{digits}f}" for p in (one.value, one.low, one.high))
    return value if found.draws is None else f"{value} ({100 * one.level:g} %: {low} to {high})"


def _digits(figure: float) -> int:
    """Return how many decimals say three digits."""
    size, digits = abs(figure), 0
    if size < _NOTHING:
        return 0
    while 0 < size < 100 and digits < 8:
        size *= 10
        digits += 1
    return min(digits, 3) if abs(figure) >= 1 else digits
