"""The handles of runs that somebody holds, by run id: to be found again, and not kept alive.

A `WeakValueDictionary` does the same, and takes as long as a step of a run for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from orchestration_kit.engine.run import Run

_FEW = 64


class Handles:
    """Runs by id, as long as somebody else holds them.

    >>> from orchestration_kit import Orchestrator, WorkflowDefinition, worker_from
    >>> hub = Orchestrator()
    >>> hub.register_worker(worker_from(str.upper, worker_type="shout"))
    >>> hub.register_workflow(WorkflowDefinition.from_edges("one", [], workers={"a": "shout"}))
    >>> run, known = hub.start("one", "hello"), Handles()
    >>> known.put(run.run_id, run)
    >>> known.get(run.run_id) is run, known.get("another")
    (True, None)
    """

    def __init__(self) -> None:
        self._known: dict[str, ref[Run]] = {}
        self._most = _FEW

    def put(self, run_id: str, run: Run) -> None:
        """Know a run."""
        self._known[run_id] = ref(run)
        if len(self._known) > self._most:
            self._tidy()

    def get(self, run_id: str) -> Run | None:
        """Return a run that somebody holds."""
        handle = self._known.get(run_id)
        return None if handle is None else handle()

    def drop(self, run_id: str) -> None:
        """Know a run no more."""
        self._known.pop(run_id, None)

    def held(self) -> list[Run]:
        """Return the runs that somebody holds, in the order in which they were first put."""
        return [run for handle in [*self._known.values()] if (run := handle()) is not None]

    def _tidy(self) -> None:
        for run_id, handle in [*self._known.items()]:
            if handle() is None and self._known.get(run_id) is handle:
                self._known.pop(run_id, None)
        self._most = _FEW + 2 * len(self._known)
