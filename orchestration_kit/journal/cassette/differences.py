"""What is recorded that comes nearest to what a run asks for, and what differs: for the message of a miss."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.journal.cassette.recording import Recording, natural
from orchestration_kit.journal.cassette.tape_text import render

_MAX_LINES = 12
_MAX_COMPARED = 2000
_WIDTH = 100


def nearest(wanted: Recording, recordings: Iterable[Recording]) -> str:
    """Say what is recorded instead of what is wanted (a recording without an outcome)."""
    known = sorted(recordings, key=lambda one: one.order)
    if not known:
        return "Nothing is recorded in it."
    step = wanted.step
    of_step = [one for one in known if one.step == step]
    if not of_step:
        steps = sorted({one.step for one in known}, key=natural)
        return f"It has no recording of step {step!r}.{did_you_mean(step, steps)} Recorded steps: {listed(steps)}."
    same_input = next((one for one in of_step if one.hash == wanted.hash), None)
    if same_input is not None:
        return f"The same input is recorded for {_named(same_input, wanted)}."
    near = max(of_step, key=lambda one: _nearness(one, wanted))
    differences = what_differs(_given(near), _given(wanted))
    return f"Nearest is {_named(near, wanted)}, with another input. What differs (- recorded, + now):\n{differences}"


def _named(one: Recording, wanted: Recording) -> str:
    """Name a recording by what sets it apart from what is wanted."""
    parts = [one.path]
    if one.attempt != wanted.attempt or one.attempt > 1:
        parts.append(f"attempt {one.attempt}")
    if one.worker != wanted.worker:
        parts.append(f"worker {one.worker!r}")
    return ", ".join(parts)


def _nearness(one: Recording, wanted: Recording) -> tuple[bool, bool, bool, float]:
    ours, theirs = _lines(_given(wanted))[:200], _lines(_given(one))[:200]
    alike = difflib.SequenceMatcher(None, "\n".join(ours)[:2000], "\n".join(theirs)[:2000]).quick_ratio()
    return (one.worker == wanted.worker, one.path == wanted.path, one.attempt == wanted.attempt, alike)


def _given(one: Recording) -> Any:
    reads = one.body.get("reads")
    return one.body["input"] if reads is None else {"input": one.body["input"], "reads": reads}


def what_differs(recorded: Any, now: Any) -> str:
    """Return the lines in which two plain values differ, long ones cut to where they do.

    >>> print(what_differs({"goal": "a bakery in Bonn", "pages": 3}, {"goal": "a bakery in Berlin", "pages": 3}))
      - goal: a bakery in Bonn
      + goal: a bakery in Berlin
    """
    old, new = _lines(recorded), _lines(now)
    shown: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        before, after = old[a:b], new[c:d]
        if len(before) == len(after):
            for one, other in zip(before, after, strict=True):
                start = _first_difference(one, other)
                shown += [f"  - {_cut(one, start)}", f"  + {_cut(other, start)}"]
        else:
            shown += [f"  - {_cut(line, 0)}" for line in before] + [f"  + {_cut(line, 0)}" for line in after]
    if not shown:
        return "  nothing that can be read: a kind of value, or something past the first lines"
    more = len(shown) - _MAX_LINES
    return "\n".join(shown[:_MAX_LINES] + ([f"  and {more} lines more"] if more > 0 else []))


def _lines(plain: Any) -> list[str]:
    return render(plain)[:_MAX_COMPARED]


def _first_difference(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _cut(line: str, at: int) -> str:
    """Return the part of a long line around a position."""
    line = line.strip()
    if len(line) <= _WIDTH:
        return line
    start = max(0, min(at - _WIDTH // 3, len(line) - _WIDTH))
    end = start + _WIDTH
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"
