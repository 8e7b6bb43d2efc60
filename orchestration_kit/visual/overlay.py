"""What happened at each step and along each edge of a run: what a diagram shows over the workflow.

Plain frozen data, made by `overlay_fold.py` from a history, or by hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from orchestration_kit.visual.model import DiagramCluster, DiagramNode

StepState = Literal["not visited", "running", "succeeded", "failed", "retrying", "waiting", "skipped", "cancelled"]

MARKS: Mapping[StepState, str] = {
    "not visited": "\N{WHITE CIRCLE}",
    "running": "\N{BLACK CIRCLE}",
    "succeeded": "\N{CHECK MARK}",
    "failed": "\N{BALLOT X}",
    "retrying": "\N{CLOCKWISE OPEN CIRCLE ARROW}",
    "waiting": "\N{HORIZONTAL ELLIPSIS}",
    "skipped": "\N{EN DASH}",
    "cancelled": "\N{CIRCLED DIVISION SLASH}",
}
"""A sign per state: what the colours say is said without them too."""
_END = "\N{BLACK SQUARE}"

_LOUDEST: tuple[StepState, ...] = (
    "failed",
    "waiting",
    "retrying",
    "running",
    "succeeded",
    "cancelled",
    "skipped",
    "not visited",
)


@dataclass(frozen=True, slots=True)
class StepOverlay:
    """What happened at one step, over all visits and attempts, in all branches.

    >>> StepOverlay("succeeded", visits=2, attempts=3).mark
    '✓'
    """

    state: StepState = "not visited"
    visits: int = 0
    attempts: int = 0
    time_s: float | None = None
    """Seconds workers took, summed; None when no worker took part, or no entry had a finite duration."""
    tokens: int | None = None
    cost_usd: float | None = None
    error: str = ""
    """Of the last attempt, if it failed."""
    ended: Literal["", "failed", "unknown"] = ""
    """Where the run ended without a success of this step: as failed, or in a way that its history does not tell."""
    counts: tuple[tuple[int, str], ...] = ()
    """Over several branches: how many of them came to what, e.g. `((97, "ok"), (3, "failed"))`."""
    undone: int = 0
    """How many visits were undone by `compensate` steps."""

    @property
    def mark(self) -> str:
        """The sign of the state."""
        return _END if self.ended == "unknown" else MARKS[self.state]

    @property
    def words(self) -> str:
        """The state in words; over several branches, how many came to what.

        >>> StepOverlay("failed", counts=((97, "ok"), (3, "failed"))).words
        '97 ok, 3 failed'
        """
        if self.counts:
            undone = ((self.undone, "undone"),) if self.undone else ()
            return ", ".join(f"{number:,} {what}" for number, what in (*self.counts, *undone))
        words = {"": self.state, "failed": "ended here: failed", "unknown": "ended here"}[self.ended]
        return f"{words}, undone" if self.undone else words


@dataclass(frozen=True, slots=True)
class Overlay:
    """What happened in a run, by step id and by edge.

    >>> overlay = Overlay({"a": StepOverlay("running")}, {("a", "b", True): 2})
    >>> overlay.step("a").state, overlay.step("b").state
    ('running', 'not visited')
    """

    steps: Mapping[str, StepOverlay] = field(default_factory=dict[str, StepOverlay])
    traversals: Mapping[tuple[str, str, bool], int] = field(default_factory=dict[tuple[str, str, bool], int])
    """How often a run went from a step to a step; the flag says whether the step had succeeded. From a step
    to itself after a failure: retries, or a failure edge that leads back. A step with branches counts as the source
    where they begin, and as the target where they end."""
    ways: Mapping[tuple[str, str, bool, str], int] = field(default_factory=dict[tuple[str, str, bool, str], int])
    """The same by what tells edges with the same ends apart: the edge's `told`, or "retry", "timeout", "budget"."""
    is_over: bool = False
    """Whether the run has ended; steps it never reached are then `skipped`."""
    state: str = ""
    """The state of the run, as it calls it."""

    def step(self, *ids: str) -> StepOverlay:
        """Return what to show for a step, or for several taken together (a folded cluster)."""
        found = [self.steps[name] for name in ids if name in self.steps]
        if not found:
            return StepOverlay("skipped" if self.is_over else "not visited")
        if len(found) == 1 and len(ids) == 1:
            return found[0]
        return StepOverlay(
            _loudest([one.state for one in found]),
            visits=sum(one.visits for one in found),
            attempts=sum(one.attempts for one in found),
            time_s=summed(one.time_s for one in found),
            tokens=summed(one.tokens for one in found),
            cost_usd=summed(one.cost_usd for one in found),
            error=next((one.error for one in found if one.error), ""),
        )

    def at(self, node: DiagramNode) -> StepOverlay:
        """Return what to show on a node: of its step, or of all the steps it hides.

        A terminal that ends the run as failed is a bad end, however well its own work went.
        """
        seen = self.step(node.id) if node.id in self.steps else self.step(*(node.members or (node.id,)))
        if not node.outcome or not seen.visits:
            return seen
        if seen.counts:
            is_bad = node.outcome == "failed" and seen.state == "succeeded"
            return replace(seen, state="failed", counts=((seen.visits, "ended here"),)) if is_bad else seen
        if node.outcome == "failed" and (seen.state == "succeeded" or (seen.state == "failed" and not seen.error)):
            return replace(seen, state="failed", ended="failed")
        return replace(seen, ended="") if seen.ended else seen

    def frame(self, cluster: DiagramCluster) -> StepOverlay | None:
        """Return what to show on the frame of a step with branches; None for other frames."""
        return self.step(cluster.id) if cluster.is_step else None


def _loudest(states: list[StepState]) -> StepState:
    return min(states, key=_LOUDEST.index)


def added(total: Any, more: object) -> Any:
    """Add a finite, non-negative number; anything else (None, NaN, infinity, text) changes nothing."""
    if isinstance(more, bool) or not isinstance(more, (int, float)):
        return total
    try:
        number = more if math.isfinite(more) and more >= 0 else None
    except OverflowError:  # an integer beyond the range of floats
        number = None
    return total if number is None else (total or 0) + number


def summed(values: Iterable[Any]) -> Any:
    """Return the sum of what `added` adds; None where that is nothing."""
    total: Any = None
    for value in values:
        total = added(total, value)
    return total
