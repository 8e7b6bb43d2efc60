"""The figures of a run, written short for a box and in full for a tooltip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestration_kit.visual.layout import NOTE_SIZE
from orchestration_kit.visual.overlay import StepOverlay
from orchestration_kit.visual.text import fit, width

_DOT = " \N{MIDDLE DOT} "


def run_lines(seen: StepOverlay, room: float, *, one: bool = False) -> list[str]:
    """Return at most two short lines (or just one): what became of the step, and what it took."""
    figures = list(_figures(seen))
    if one:
        heads = list(_headlines(seen))
        return [_first_that_fits([_DOT.join([head, *figures[:1]]) for head in heads[:1]] + heads, room)]
    lines = [_first_that_fits(_headlines(seen), room)]
    if figures:
        lines.append(_first_that_fits([_DOT.join(figures), " ".join(figures), _DOT.join(figures[:2])], room))
    return lines


def spoken(seen: StepOverlay | None) -> str:
    """Return all that is known of a step in a run, as lines of text; nothing without a run."""
    if seen is None:
        return ""
    visits = _times(seen.visits, "visit") if seen.visits else ""
    counts = f"{visits}, {_times(seen.attempts, 'attempt')}" if seen.attempts else visits
    lines = [f"{seen.mark} {seen.words}", counts, ", ".join(_figures(seen))]
    if seen.error:
        lines.append(f"error: {seen.error}")
    return "\n".join(line for line in lines if line)


def duration(seconds: float) -> str:
    """Return a duration for reading.

    >>> duration(4.09e-6), duration(0.0042), duration(1.234), duration(75), duration(7200)
    ('4.1 µs', '4.2 ms', '1.23 s', '1 min 15 s', '2 h')
    """
    if seconds < 5e-9:
        return "0 s"
    if seconds < 0.0009995:
        microseconds = seconds * 1e6
        return f"{microseconds:.2g} \N{MICRO SIGN}s" if microseconds < 10 else f"{microseconds:.0f} \N{MICRO SIGN}s"
    if seconds < 0.9995:
        return f"{seconds * 1_000:.3g} ms"
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    minutes = int(seconds // 60)
    if minutes >= 60:
        return f"{minutes // 60:,} h {minutes % 60} min".removesuffix(" 0 min")
    return f"{minutes} min {int(seconds % 60)} s".removesuffix(" 0 s")


def cost(cost_usd: float) -> str:
    """Return dollars for reading: cents, or as many digits as a small amount needs.

    >>> cost(12.5), cost(0.00234)
    ('$12.50', '$0.0023')
    """
    return f"${cost_usd:,.2f}" if cost_usd >= 0.1 or cost_usd == 0 else f"${cost_usd:.2g}"


def count(number: int) -> str:
    """Return a large number for reading.

    >>> count(950), count(12_345), count(3_400_000)
    ('950', '12.3k', '3.4M')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def _headlines(seen: StepOverlay) -> Iterator[str]:
    """The same facts from long to short."""
    said = f"{seen.mark} {seen.words}"
    if seen.counts:
        yield f"{seen.mark} {seen.words.replace(', ', _DOT)}"
        yield f"{seen.mark} {'/'.join(count(number) for number, _ in seen.counts)}"
        return
    if seen.visits > 1 and seen.attempts > seen.visits:
        counts = f"{seen.visits} visits{_DOT}{seen.attempts} attempts"
    elif seen.visits > 1:
        counts = f"{seen.visits} visits"
    elif seen.attempts > 1:
        counts = f"{seen.attempts} attempts"
    else:
        counts = ""
    if counts:
        yield f"{said}{_DOT}{counts}"
        yield f"{seen.mark} {counts}"
        yield f"{seen.mark} {count(seen.visits)}/{count(seen.attempts)}"
    yield said


def _figures(seen: StepOverlay) -> Iterator[str]:
    if seen.time_s is not None:
        yield duration(seen.time_s)
    if seen.tokens:  # usage without tokens is on record as 0
        yield f"{count(seen.tokens)} tok"
    if seen.cost_usd is not None:
        yield cost(seen.cost_usd)


def _times(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _first_that_fits(texts: Iterable[str], room: float) -> str:
    candidates = list(texts)
    return next((text for text in candidates if width(text, NOTE_SIZE) <= room), fit(candidates[-1], room, NOTE_SIZE))
