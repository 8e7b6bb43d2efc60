"""What is on record of one run after another, read without the handles: nothing is driven, and nothing is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.journaled import workers_of
from orchestration_kit.engine.values import isolate
from orchestration_kit.history.places import judged_steps
from orchestration_kit.history.sources import Recorded, recorded
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.visible_types import register_visible

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator


class Reader:
    """Reads runs of one workflow, from the hub's journal or from its memory."""

    def __init__(self, hub: Orchestrator, workflow: str) -> None:
        self._hub = hub
        plan = hub.current_plan(workflow)
        self._definition = plan.definition
        if hub.journal is not None:
            register_visible(worker.call for worker in workers_of(plan))  # once for all runs: it takes its time

    def recorded(self, run_id: str) -> Recorded:
        """Return what is on record of a run.

        Raises:
            UnknownRun: there is no such run.
            JournalError: it cannot be read.
        """
        journal = self._hub.journal
        if journal is None:
            return recorded(self._hub.get_run(run_id))
        loaded = load_run(journal, run_id)
        found = recorded([loaded.started, *loaded.events])
        return replace(found, judged=judged_steps(self._definition, found.records))

    def last_output(self, run_id: str) -> Any:
        """Return the last output of a run; None where there is none. Raises as `recorded` does."""
        if self._hub.journal is None:
            return self._hub.get_run(run_id).context.get_last_output()
        records = self.recorded(run_id).records
        return isolate(records[-1].output) if records else None
