"""The graph of one workflow with the figures of the runs that are shown: kept up to date, a little at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.ports import Clock
from orchestration_kit.journal.glances import Attempt
from orchestration_kit.visual.diagram import visualize
from orchestration_kit.widgets.approval_questions import visible
from orchestration_kit.widgets.live import LivePicture
from orchestration_kit.widgets.monitor.alerts import AlertRules
from orchestration_kit.widgets.monitor.figures import RunFigures, StepFigures, overlay_of_all, summed
from orchestration_kit.widgets.monitor.lines import RunLine
from orchestration_kit.widgets.monitor.source import Change

READS_S = 0.05
"""Seconds that one look may spend on reading runs from their beginning; the others come with the next looks."""
MOST_STEPS = 300
"""Steps that are told of."""


class Graph:
    """Of one workflow."""

    def __init__(self, workflow: str, definition: WorkflowDefinition, theme: str) -> None:
        self.workflow = workflow
        self._definition = definition
        self._diagram = visualize(definition, theme=theme, overlay=False)
        self._picture = LivePicture(self._diagram, theme=theme)
        self._runs: dict[str, RunFigures] = {}
        self.figures: dict[str, StepFigures] = {}
        """By the step's id in the diagram."""
        self.pending = 0
        """Runs that are not read yet."""

    @property
    def runs(self) -> int:
        """Runs that are counted in."""
        return len(self._runs)

    def use_theme(self, theme: str) -> None:
        """Paint in other colours."""
        self._picture.use_theme(theme)

    def take(
        self,
        lines: Iterable[RunLine],
        change: Change,
        attempts: Callable[[str], list[Attempt]],
        clock: Clock,
    ) -> bool:
        """Count what these runs did; return whether anything is other than before.

        Args:
            lines: The runs that are shown.
            change: What the last look found.
            attempts: Reads a run from the beginning.
            clock: Says when it is enough for this time.
        """
        wanted = {line.run_id for line in lines if line.state != "damaged"}
        gone = self._runs.keys() - wanted
        for run_id in gone:
            del self._runs[run_id]
        for run_id in change.anew & self._runs.keys():
            del self._runs[run_id]
        has_changed = bool(gone or change.anew & wanted)
        for run_id in change.attempts.keys() & self._runs.keys():
            self._runs[run_id].add(change.attempts[run_id])
            has_changed = True
        until = clock.monotonic() + READS_S
        missing = [line.run_id for line in lines if line.run_id in wanted and line.run_id not in self._runs]
        for at, run_id in enumerate(missing):
            if at and clock.monotonic() > until:
                break
            run = self._runs[run_id] = RunFigures(self._diagram.model)
            run.add(attempts(run_id))
            has_changed = True
        self.pending = len(wanted - self._runs.keys())
        return has_changed

    def sum_up(self, lines: Iterable[RunLine], rules: AlertRules) -> None:
        """Work out the figures, and what the picture shows of them."""
        runs = list(self._runs.values())
        self.figures = summed(runs, lines, self._diagram.model)
        self._picture.overlay = overlay_of_all(runs, self.figures, bad_rate=rules.failure_rate)

    def full(self) -> dict[str, Any]:
        """Return everything, for a page that shows it for the first time."""
        return {**self._told(), "svg": self._picture.full()}

    def changes(self) -> dict[str, Any]:
        """Return what is new since the last time."""
        groups = self._picture.changes()
        return self.full() if groups is None else {**self._told(), "groups": groups}

    def _told(self) -> dict[str, Any]:
        known = [*self._definition.steps, *(name for name in self.figures if name not in self._definition.steps)]
        rows = [_row(name, self.figures.get(name) or StepFigures()) for name in known[:MOST_STEPS]]
        return {
            "workflow": visible(self.workflow[:200]),
            "steps": rows,
            "runs": self.runs,
            "pending": self.pending,
            "more": max(0, len(known) - MOST_STEPS),
        }


def _row(name: str, figures: StepFigures) -> dict[str, Any]:
    return {
        "step": visible(name[:200]),
        "here": figures.here,
        "waiting": figures.waiting,
        "visits": figures.visits,
        "attempts": figures.attempts,
        "failures": figures.failures,
        "rate": figures.failure_rate,
        "p50": figures.quantile_s(0.5),
        "p95": figures.quantile_s(0.95),
        "cost": figures.cost_usd,
        "tokens": figures.tokens,
    }
