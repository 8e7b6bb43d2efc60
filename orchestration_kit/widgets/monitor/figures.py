"""Figures per step over several runs of one workflow: how often, how well, how long; and a picture's overlay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration_kit.journal.glances import Attempt
from orchestration_kit.visual.model import DiagramModel
from orchestration_kit.visual.overlay import Overlay, StepOverlay, StepState
from orchestration_kit.visual.overlay_fold import Fold
from orchestration_kit.visual.places import Places
from orchestration_kit.widgets.monitor.lines import CANCELLED, RunLine


@dataclass(slots=True)
class StepFigures:
    """What happened at one step, over all runs that are shown.

    >>> StepFigures(attempts=4, failures=1).failure_rate
    0.25
    """

    runs: int = 0
    visits: int = 0
    attempts: int = 0
    failures: int = 0
    """Those that were cancelled, because nobody waited for the branch any more, do not count."""
    cancelled: int = 0
    durations_s: list[float] = field(default_factory=list[float])
    tokens: int | None = None
    cost_usd: float | None = None
    here: int = 0
    """Runs that stand there now."""
    waiting: int = 0
    """Those of them that wait for somebody or something."""

    @property
    def judged(self) -> int:
        """Attempts that came to an end of their own."""
        return self.attempts - self.cancelled

    @property
    def failure_rate(self) -> float | None:
        """Share of `judged` that failed; None where there are none."""
        return self.failures / self.judged if self.judged else None

    def quantile_s(self, share: float) -> float | None:
        """Return the duration that this share of attempts does not take longer than; linear, as pandas has it.

        >>> StepFigures(durations_s=[1.0, 2.0, 3.0]).quantile_s(0.5)
        2.0
        """
        ordered = sorted(self.durations_s)
        if not ordered:
            return None
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


class RunFigures:
    """What one run adds to the figures."""

    def __init__(self, model: DiagramModel) -> None:
        self.fold = Fold(model)
        self.steps: dict[str, StepFigures] = {}

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Take in the next attempts."""
        for one in attempts:
            entry = _entry(one)
            self.fold.add(entry)
            seen = self.steps.setdefault(self.fold.places.entry(entry), StepFigures(runs=1))
            seen.attempts += 1
            seen.visits += one.attempt == 1
            seen.durations_s.append(one.duration_s)
            if one.error is not None:
                is_cancelled = one.error[0] == CANCELLED
                seen.cancelled += is_cancelled
                seen.failures += not is_cancelled
            if one.usage is not None:
                told = [one.usage.get(name) for name in ("input_tokens", "output_tokens")]
                if any(isinstance(each, int) for each in told):
                    seen.tokens = (seen.tokens or 0) + sum(each for each in told if isinstance(each, int))
                if isinstance(cost := one.usage.get("cost_usd"), (int, float)):
                    seen.cost_usd = (seen.cost_usd or 0.0) + cost


def summed(runs: Iterable[RunFigures], lines: Iterable[RunLine], model: DiagramModel) -> dict[str, StepFigures]:
    """Return the figures of all runs together, by the step's id in the diagram; and how many stand where."""
    found: dict[str, StepFigures] = {}
    for run in runs:
        for name, one in run.steps.items():
            to = found.setdefault(name, StepFigures())
            for each in ("runs", "visits", "attempts", "failures", "cancelled"):
                setattr(to, each, getattr(to, each) + getattr(one, each))
            for each in ("tokens", "cost_usd"):
                if (told := getattr(one, each)) is not None:
                    setattr(to, each, (getattr(to, each) or 0) + told)
            to.durations_s += one.durations_s
    places = Places(model)
    for line in lines:
        if not line.is_over and line.at:
            to = found.setdefault(places.step("", line.at), StepFigures())
            to.here += 1
            to.waiting += bool(line.waits)
    return found


def overlay_of_all(
    runs: Iterable[RunFigures], steps: Mapping[str, StepFigures], *, bad_rate: float | None = None
) -> Overlay:
    """Return what a picture shows of many runs: counts, the median of an attempt, how often each edge was taken."""
    taken, ways = Counter[tuple[str, str, bool]](), Counter[tuple[str, str, bool, str]]()
    for run in runs:
        taken.update(run.fold.traversals)
        ways.update(run.fold.ways)
    shown = {name: _step_overlay(one, bad_rate) for name, one in steps.items()}
    return Overlay(
        shown,
        {edge: times for edge, times in taken.items() if times > 0},
        {way: times for way, times in ways.items() if times > 0},
    )


def _step_overlay(one: StepFigures, bad_rate: float | None) -> StepOverlay:
    rate = one.failure_rate or 0.0
    state: StepState = "succeeded"
    if one.waiting:
        state = "waiting"
    elif one.here:
        state = "running"
    elif bad_rate is not None and rate >= bad_rate:
        state = "failed"
    outcomes = (
        (one.judged - one.failures, "ok"),
        (one.failures, "failed"),
        (one.cancelled, "cancelled"),
        (one.waiting, "waiting"),
        (one.here - one.waiting, "here now"),
    )
    return StepOverlay(
        state,
        visits=one.visits,
        attempts=one.attempts,
        time_s=one.quantile_s(0.5),
        tokens=one.tokens,
        cost_usd=one.cost_usd,
        counts=tuple((number, what) for number, what in outcomes if number),
    )


def _entry(one: Attempt) -> dict[str, Any]:
    return {
        "step": one.step,
        "visit": one.visit,
        "attempt": one.attempt,
        "success": one.error is None,
        "error": None if one.error is None else one.error[1],
        "error_type": None if one.error is None else one.error[0],
        "duration_s": one.duration_s,
        "next_step": one.next_step,
        "retry_in_s": one.retry_in_s,
        "usage": one.usage,
        "path": one.path,
        "detail": None if one.undoes is None else {"undoes": one.undoes},
        "why": [{"text": text, "result": held} for text, held in one.why],
    }
