"""Where a monitor's runs come from: lines that are brought up to date by looking, and what is needed to act on one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.errors import UnknownRun, UnknownWorkflow
from orchestration_kit.journal.glances import Attempt
from orchestration_kit.widgets.approval_desks import Desk
from orchestration_kit.widgets.monitor.lines import RunLine


class Change(NamedTuple):
    """What a look has found."""

    lines: set[str]
    """Runs whose line is another one."""
    attempts: dict[str, list[Attempt]]
    """By run: attempts that were made since."""
    anew: set[str]
    """Runs that have to be read from the beginning."""


class Source(ABC):
    """Runs, as they are looked at again and again."""

    def __init__(self, hub: Orchestrator, desk: Desk) -> None:
        self.hub, self.desk = hub, desk
        self.lines: dict[str, RunLine] = {}
        """By id."""
        self.total = 0
        """Runs there are, those that are not followed included."""

    @abstractmethod
    def look(self) -> Change:
        """Bring the lines up to date."""

    @abstractmethod
    def attempts(self, run_id: str) -> list[Attempt]:
        """Return all attempts that a run made itself by the last look; none where it cannot be read."""

    def fill_in(self, line: RunLine) -> bool:  # noqa: ARG002 - most know all there is
        """Read what a line does not tell yet, as it is about to be shown; return whether that is anything."""
        return False

    def definition(self, line: RunLine) -> WorkflowDefinition | None:
        """Return the workflow of a run; None where it is in code that is not known here."""
        try:
            return self.hub.plan_of(line.workflow).definition
        except UnknownWorkflow:
            return None

    def handle(self, run_id: str) -> Run:
        """Return a run, to act on it or to look into it.

        Raises:
            UnknownRun: it is gone.
            OrchestrationError: it cannot be read here.
        """
        held = next((run for run in self.hub.handles() if run.run_id == run_id), None)
        if held is not None and not (held.log is not None and held.log.is_behind):
            return held
        if run_id not in self.lines:
            raise UnknownRun(run_id, list(self.lines)[:100])
        return self.hub.get_run(run_id)

    @abstractmethod
    def close(self) -> None:
        """Let go of what was opened for looking."""
