"""A run's history becomes an overlay: what to write on each step and how often each edge was taken.

Reads plain history entries and a state; never asks the engine, so that a run of last year, a loaded history
and a run still going are all the same to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from orchestration_kit.visual.model import DiagramCluster, DiagramNode
from orchestration_kit.visual.text import one_line

StepState = Literal["not visited", "running", "succeeded", "failed", "retrying", "waiting", "skipped"]

MARKS: Mapping[StepState, str] = {
    "not visited": "\N{WHITE CIRCLE}",
    "running": "\N{BLACK CIRCLE}",
    "succeeded": "\N{CHECK MARK}",
    "failed": "\N{BALLOT X}",
    "retrying": "\N{CLOCKWISE OPEN CIRCLE ARROW}",
    "waiting": "\N{HORIZONTAL ELLIPSIS}",
    "skipped": "\N{EN DASH}",
}
"""A sign per state: what the colours say is said without them too."""
_END = "\N{BLACK SQUARE}"

_LOUDEST: tuple[StepState, ...] = (
    "failed",
    "waiting",
    "retrying",
    "running",
    "succeeded",
    "skipped",
    "not visited",
)
_ENDED = frozenset({"completed", "failed", "cancelled"})
_PAUSED = frozenset({"waiting", "blocked"})
_POSITION = re.compile(r"(\[[^\]]*\])?(#\d+)?$")


@dataclass(frozen=True, slots=True)
class StepOverlay:
    """What happened at one step, over all visits and attempts.

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

    @property
    def mark(self) -> str:
        """The sign of the state."""
        return _END if self.ended == "unknown" else MARKS[self.state]

    @property
    def words(self) -> str:
        """The state in words."""
        return {"": self.state, "failed": "ended here: failed", "unknown": "ended here"}[self.ended]


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
    to itself after a failure: retries, or a failure edge that leads back."""
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
            time_s=_sum(one.time_s for one in found),
            tokens=_sum(one.tokens for one in found),
            cost_usd=_sum(one.cost_usd for one in found),
            error=next((one.error for one in found if one.error), ""),
        )

    def at(self, node: DiagramNode) -> StepOverlay:
        """Return what to show on a node: of its step, or of all the steps it hides.

        A terminal that ends the run as failed is a bad end, however well its own work went.
        """
        seen = self.step(*(node.members or (node.id,)))
        if not node.outcome or not seen.visits:
            return seen
        if node.outcome == "failed" and (seen.state == "succeeded" or (seen.state == "failed" and not seen.error)):
            return replace(seen, state="failed", ended="failed")
        return replace(seen, ended="") if seen.ended else seen


    def frame(self, cluster: DiagramCluster) -> StepOverlay | None:
        """Return what to show on the frame of a step with branches; None for other frames."""
        return self.step(cluster.id) if cluster.is_step else None


def _loudest(states: list[StepState]) -> StepState:
    return min(states, key=_LOUDEST.index)


def overlay_of(history: Iterable[Mapping[str, Any]], *, state: object = "", current_step: str | None = None) -> Overlay:
    """Return the overlay of a run from its history entries, its state and the step it stands at.

    A step's state is that of its last attempt. The current step of a run that goes on is running, waiting,
    or retrying; at the end of a run that reached a terminal without a worker, the terminal counts as visited,
    and shares the fate of the run.

    >>> entries = [{"step": "draft", "visit": 1, "success": True, "duration_s": 0.5, "next_step": "done"}]
    >>> overlay = overlay_of(entries, state="completed", current_step="done")
    >>> overlay.step("draft").time_s, overlay.step("done").state
    (0.5, 'succeeded')
    """
    tallies: dict[str, _Tally] = {}
    traversals: dict[tuple[str, str, bool], int] = {}
    previous: Mapping[str, Any] | None = None
    at_end = ""
    for entry in history:
        name = step_key(entry)
        tallies.setdefault(name, _Tally()).add(entry)
        if previous is not None and _is_retry(previous, entry):
            _count(traversals, (name, name, False))
        if isinstance(target := entry.get("next_step"), str):
            _count(traversals, (name, sibling(name, target), entry.get("success") is not False))
        at_end = name if _is_bare_end(previous, entry) else ""
        previous = entry
    run_state = str(getattr(state, "value", state) or "")
    steps = {name: tally.overlay() for name, tally in tallies.items()}
    if at_end:
        steps[at_end] = _at_bare_end(steps[at_end], run_state)
    if isinstance(current_step, str):
        steps[current_step] = _at_current(steps.get(current_step), run_state, tallies.get(current_step))
    return Overlay(steps, traversals, is_over=run_state in _ENDED, state=one_line(run_state, 40))


def step_key(entry: Mapping[str, Any]) -> str:
    """Return the id a diagram knows the step of an entry by: its path without items and visits.

    >>> step_key({"step": "draft", "path": "research[3]/draft#1"})
    'research/draft'
    """
    step, path = str(entry.get("step", "")), entry.get("path")
    if isinstance(path, str) and "/" in path and "/" not in step:
        return "/".join(_POSITION.sub("", part) for part in path.split("/"))
    return step


def sibling(name: str, target: str) -> str:
    """Return the id of the step `target` that stands beside the step `name`."""
    return f"{name.rpartition('/')[0]}/{target}" if "/" in name and "/" not in target else target


@dataclass(slots=True)
class _Tally:
    """Running sums over the attempts of one step."""

    visits: set[Any] = field(default_factory=set[Any])
    attempts: int = 0
    time_s: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    succeeded: bool = True
    error: str = ""
    retry_may_follow: bool = False

    def add(self, entry: Mapping[str, Any]) -> None:
        self.visits.add((str(entry.get("path", "")), str(entry.get("visit", 1))))
        self.attempts += 1
        if entry.get("worker", "") is not None:
            self.time_s = _add(self.time_s, entry.get("duration_s"))
        usage = entry.get("usage")
        if isinstance(usage, Mapping):
            for key in ("input_tokens", "output_tokens"):
                tokens = _add(self.tokens, usage.get(key))  # type: ignore[reportUnknownMemberType]
                self.tokens = None if tokens is None else int(tokens)
            self.cost_usd = _add(self.cost_usd, usage.get("cost_usd"))  # type: ignore[reportUnknownMemberType]
        self.succeeded = entry.get("success") is not False
        self.error = "" if self.succeeded else one_line(entry.get("error") or "failed", 600)
        self.retry_may_follow = not self.succeeded and entry.get("next_step") is None

    def overlay(self) -> StepOverlay:
        state: StepState = "succeeded" if self.succeeded else "failed"
        return StepOverlay(state, len(self.visits), self.attempts, self.time_s, self.tokens, self.cost_usd, self.error)


def _at_current(seen: StepOverlay | None, run_state: str, tally: _Tally | None) -> StepOverlay:
    if run_state in _ENDED:
        if seen is not None or run_state == "cancelled":
            return seen or StepOverlay("skipped")
        return StepOverlay("succeeded" if run_state == "completed" else "failed", visits=1)
    if run_state in _PAUSED:
        return replace(seen or StepOverlay(), state="waiting")
    if run_state == "initialized":
        return seen or StepOverlay()
    if tally is not None and tally.retry_may_follow:
        return replace(seen or StepOverlay(), state="retrying")
    return replace(seen or StepOverlay(), state="running")


def _is_bare_end(previous: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> bool:
    """Whether an entry is that of a terminal without a worker: nobody worked there, the run only ended."""
    if entry.get("worker", "") is not None or entry.get("success") is False or entry.get("next_step") is not None:
        return False
    return previous is None or previous.get("next_step") == entry.get("step")


def _at_bare_end(seen: StepOverlay, run_state: str) -> StepOverlay:
    if run_state == "failed":
        return replace(seen, state="failed", ended="failed")
    return seen if run_state else replace(seen, ended="unknown")


def _is_retry(previous: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    attempt = entry.get("attempt")
    return (
        isinstance(attempt, int)
        and attempt > 1
        and previous.get("success") is False
        and step_key(previous) == step_key(entry)
    )


def _count(counts: dict[tuple[str, str, bool], int], key: tuple[str, str, bool]) -> None:
    counts[key] = counts.get(key, 0) + 1


def _add(total: Any, more: object) -> Any:
    """Add a finite, non-negative number; anything else (None, NaN, infinity, text) changes nothing."""
    if isinstance(more, bool) or not isinstance(more, (int, float)):
        return total
    try:
        number = more if math.isfinite(more) and more >= 0 else None
    except OverflowError:  # an integer beyond the range of floats
        number = None
    return total if number is None else (total or 0) + number


def _sum(values: Iterable[Any]) -> Any:
    total: Any = None
    for value in values:
        total = _add(total, value)
    return total
