"""A run in one line: what a list of runs shows, without its attempts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from orchestration_kit.errors import counted

_PLACES = re.compile(r"#\d+(\[[\d.-]+\])?")
"""Visit numbers and items in a scope."""


class Totals(NamedTuple):
    """Sums over the attempts of a run."""

    attempts: int = 0
    steps: int = 0
    """Different steps that were visited; a step of a map counts once, however many items there were."""
    failures: int = 0
    """Failed attempts; those that were cancelled because nobody waited for them do not count."""
    retries: int = 0
    """Attempts that were tried again."""
    cached: int = 0
    """Attempts that came from a recording."""
    duration_s: float = 0.0
    """Busy time: attempts and waits for retries."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    """None where no attempt told any."""


class RunSummary(NamedTuple):
    """One run in a list of runs. `runs_frame` takes a list of them."""

    run_id: str
    workflow: str
    state: str
    """A run whose driver died is in progress until it is resumed. `damaged`: its record is not what was written."""
    reason: str | None
    started_at: float
    """Seconds since the epoch, UTC."""
    finished_at: float | None
    parent: str | None
    """The run it was forked from, or, where `forked_at` is None, the one that it is a sub-workflow of."""
    forked_at: str | None
    """The visit it was forked at, e.g. `review_code#2`."""
    tags: dict[str, str]
    driver: str | None
    """The process that drives it, or died while it did; None where nobody does."""
    totals: Totals

    def __repr__(self) -> str:
        count = counted(self.totals.attempts, "attempt")
        origin = "" if self.forked_at is None else f", forked from {self.parent!r} at {self.forked_at}"
        origin = f", within {self.parent!r}" if self.parent is not None and self.forked_at is None else origin
        return f"<RunSummary {self.run_id!r} of {self.workflow}: {self.state}, {count}{origin}>"


class TotalsSoFar(NamedTuple):
    """Totals, and what is needed to go on adding."""

    totals: Totals = Totals()
    steps: frozenset[tuple[str, str]] = frozenset()

    def plus(self, records: Iterable[tuple[Any, ...]]) -> TotalsSoFar:
        """Return the totals with more attempts: `AttemptFinished`, or the same without its names."""
        attempts, _, failures, retries, cached, duration_s, *figures = self.totals
        used: list[Any] = list(figures)
        steps = set(self.steps)
        for record in records:
            _, scope, step, _, _, _, _, _, _, error, _, took_s, _, retry_in_s, _, _, usage, was_cached, _, _ = record
            attempts += 1
            steps.add((_PLACES.sub("", scope) if scope else scope, step))
            failures += error is not None and error.type != "BranchCancelled"
            cached += was_cached
            duration_s += took_s
            if retry_in_s is not None:
                retries += 1
                duration_s += retry_in_s
            if usage is not None:
                told = (usage.get(name) for name in ("input_tokens", "output_tokens", "cost_usd"))
                used = [_plus(old, new) for old, new in zip(used, told, strict=True)]
        return TotalsSoFar(Totals(attempts, len(steps), failures, retries, cached, duration_s, *used), frozenset(steps))


def _plus(old: Any, new: Any) -> Any:
    """Add a figure; one that was not told, or is no number, counts nothing."""
    return (old or 0) + new if isinstance(new, (int, float)) else old
