"""A run that was made elsewhere becomes one of a hub that keeps its runs in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestration_kit.engine.journaled import load, workers_of
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.journal.port import WholeRun

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator


def keep(hub: Orchestrator, runs: Sequence[WholeRun]) -> None:
    """Have a hub know these runs.

    Raises:
        DuplicateRun: the id of one is taken.
    """
    with MemoryJournal() as journal:
        journal.put(runs)
        for run in runs:
            workers = workers_of(hub.plan_of(run.facts.workflow))
            found = load(journal, run.facts.run_id, clock=hub.clock, plan_of=hub.current_plan, workers=workers)
            hub.adopt(found.machine, None, named=True, is_child=found.machine.started.depth > 0)
