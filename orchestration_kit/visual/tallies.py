"""Attempts at one step are added up, over visits and branches, to what a diagram shows on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from orchestration_kit.visual.overlay import StepOverlay, StepState, added
from orchestration_kit.visual.text import one_line

Outcome = Literal["ok", "failed", "cancelled", "waiting", "under way"]
CANCELLED = "BranchCancelled"
"""The type of the error of an attempt that was cut off because the join no longer needed it."""
_ENDS = ("completed", "failed", "cancelled", "not started")
"""How a branch can end, as joins put it on record."""
_OUTCOMES: tuple[Outcome, ...] = ("ok", "failed", "cancelled", "waiting", "under way")


@dataclass(slots=True)
class Tally:
    """Running sums over the attempts of one step."""

    visits: dict[tuple[str, str], Outcome] = field(default_factory=dict[tuple[str, str], Outcome])
    """By position and visit: what the last attempt came to."""
    scopes: set[str] = field(default_factory=set[str])
    """The branches in which it was visited."""
    ends: Counter[str] = field(default_factory=Counter[str])
    """Of a step with branches: how they ended, over all visits."""
    attempts: int = 0
    time_s: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    succeeded: bool = True
    error: str = ""
    retry_may_follow: bool = False

    def add(self, entry: Mapping[str, Any], scope: str) -> None:
        """Count one attempt."""
        self.scopes.add(scope)
        self.attempts += not _is_join(entry)
        if entry.get("worker", "") is not None:
            self.time_s = added(self.time_s, entry.get("duration_s"))
        usage = entry.get("usage")
        if isinstance(usage, Mapping):
            told = cast("Mapping[str, Any]", usage)
            for key in ("input_tokens", "output_tokens"):
                tokens = added(self.tokens, told.get(key))
                self.tokens = None if tokens is None else int(tokens)
            self.cost_usd = added(self.cost_usd, told.get("cost_usd"))
        self.succeeded = entry.get("success") is not False
        self.error = "" if self.succeeded else one_line(entry.get("error") or "failed", 600)
        self.retry_may_follow = not self.succeeded and entry.get("next_step") is None
        failed: Outcome = "cancelled" if entry.get("error_type") == CANCELLED else "failed"
        self.visits[str(entry.get("path", "")), str(entry.get("visit", 1))] = "ok" if self.succeeded else failed
        self.ends.update(branch_ends(entry))

    def overlay(self, going: Mapping[Outcome, int]) -> StepOverlay:
        """Return the sums; `going` says in how many branches it waits or is under way."""
        outcomes = Counter(self.visits.values())
        state: StepState = "succeeded" if self.succeeded else "failed"
        counts: Iterable[tuple[int, str]] = ()
        if self.ends:
            counts = [(self.ends[end], end) for end in _ENDS]
        elif len(self.scopes) > 1 or (self.scopes != {""} and going and outcomes):
            outcomes.update(going)
            counts = [(outcomes[one], one) for one in _OUTCOMES]
            state = "failed" if outcomes["failed"] else "succeeded" if outcomes["ok"] else "cancelled"
        elif outcomes["cancelled"] == len(self.visits):
            state = "cancelled"
        told = tuple((number, what) for number, what in counts if number)
        return StepOverlay(
            state, len(self.visits), self.attempts, self.time_s, self.tokens, self.cost_usd, self.error, counts=told
        )


def _is_join(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is no attempt of a worker, but tells how branches ended."""
    detail = entry.get("detail")
    return isinstance(detail, Mapping) and "branches" in detail


def branch_ends(entry: Mapping[str, Any]) -> list[str]:
    """Return how the branches of a join ended; nothing for other entries, and for the workflow that a worker spawned.

    >>> branch_ends({"detail": {"branches": {"0": "completed", "1": "failed"}}})
    ['completed', 'failed']
    """
    detail = entry.get("detail")
    branches = cast("Mapping[str, Any]", detail).get("branches") if isinstance(detail, Mapping) else None
    if not isinstance(branches, Mapping):
        return []
    ends = cast("Mapping[str, Any]", branches)
    return [] if set(ends) == {"spawn"} else [end if end in _ENDS else "cancelled" for end in map(str, ends.values())]
