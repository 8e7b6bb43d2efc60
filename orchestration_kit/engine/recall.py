"""What a hub knows of runs: those that were given an id, the last one, and those of its journal."""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.acting import carried_out
from orchestration_kit.engine.arguments import check_id, checked_observers
from orchestration_kit.engine.around import WATCHING, followers
from orchestration_kit.engine.events import Event
from orchestration_kit.engine.handles import Handles
from orchestration_kit.engine.journaled import (
    NewLog,
    delete_run,
    find_children,
    list_runs,
    load,
    past_of,
    with_cassette,
)
from orchestration_kit.engine.plan import Plan
from orchestration_kit.engine.ports import Clock, Observer
from orchestration_kit.engine.registry import Registry
from orchestration_kit.engine.stand_ins import StandIns
from orchestration_kit.engine.summary import RunSummary
from orchestration_kit.errors import UnknownRun

if TYPE_CHECKING:
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run
    from orchestration_kit.journal.cassette import Cassette
    from orchestration_kit.journal.port import Journal


class Recall(Registry):
    """Finds runs again, lists them and lets go of them."""

    observers: list[Observer]
    clock: Clock
    journal: Journal | None
    cassette: Cassette | None
    last_run: Run | None
    _named_runs: MutableMapping[str, Run]
    _handles: Handles

    @property
    def _hub(self) -> Orchestrator:
        raise NotImplementedError

    def get_run(self, run_id: str) -> Run:
        """Return a run that was given an id, the last one, or one of the journal.

        >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> _ = hub.execute_workflow("a_b", "hello", verbose=False, run_id="monday")
        >>> hub.get_run("monday").state.value
        'completed'

        Raises:
            UnknownRun: (a ValueError) no such run is known here.
            TypeError: the id is no text.
            JournalCorrupt: what is stored is not what was written.
        """
        check_id(run_id)
        known = self.last_run if self.last_run is not None and self.last_run.run_id == run_id else None
        known = known or self._named_runs.get(run_id) or self._handles.get(run_id)
        if known is not None and not (known.log is not None and known.log.is_behind):
            return known
        if self.journal is None:
            raise UnknownRun(str(run_id), list(self._named_runs))
        workers = self._by_name.values()
        run = load(self.journal, run_id, clock=self.clock, plan_of=self.current_plan, workers=workers)
        run.hub = self._hub
        if self.services.lends:
            run.machine.inherited = self._inherited(run)
        run.audience.observers = self._listening(run, verbose=False)
        run.audience.joins_late()
        self._named_runs[run_id] = run
        self._handles.put(run_id, run)
        find_children(run, self._hub)
        return run

    def _inherited(self, run: Run) -> list[dict[str, Any]]:
        """Return what was carried out before a run that is within another: rules hold across both."""
        started = run.machine.started
        if started.parent is None or not started.depth:
            return []
        try:
            outer = self.get_run(started.parent).machine
        except UnknownRun:  # it was deleted
            return []
        if started.forked_at is not None:
            return outer.inherited
        done = (carried_out((record.detail or {}).get("actions")) for record in outer.records)
        return [*outer.inherited, *(one for some in done for one in some)]

    def handles(self) -> list[Run]:
        """Return the handles of runs that somebody holds, in the order in which they were made.

        Runs of sub-workflows are not among them, nor what only the journal knows.
        """
        return self._handles.held()

    def runs(self, **filters: Any) -> list[RunSummary]:
        """Return the runs on record that fit, newest first: of the journal, or else those known here.

        `runs_frame(orchestrator.runs())` shows them as a frame.

        >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> for number, goal in enumerate(("hello", "bye")):
        ...     _ = hub.execute_workflow("a_b", goal, verbose=False, run_id=goal, tags={"number": str(number)})
        >>> [run.run_id for run in hub.runs(state="completed", tags={"number": "1"})]
        ['bye']

        Args:
            **filters: `workflow`, `state`, `parent`, `tags` (a dict), `run_id_contains`, `started_after` and
                `started_before` (a datetime, or seconds since the epoch), `limit`, `offset`.

        Raises:
            TypeError: there is no such filter.
        """
        known = dict(self._named_runs)
        if self.last_run is not None:
            known[self.last_run.run_id] = self.last_run
        return list_runs(self.journal, known.values(), filters)

    def forget(self, run_id: str) -> None:
        """Let go of a run: its record is deleted, also from the journal, and the id may be used again.

        Raises:
            UnknownRun: no such run is known here.
            RunStateError: forks share its past.
            RunLocked: somebody drives it.
        """
        check_id(run_id)
        deleted = [] if self.journal is None else delete_run(self.journal, run_id, clock=self.clock)
        is_last = self.last_run is not None and self.last_run.run_id == run_id
        if not deleted and not is_last and run_id not in self._named_runs:
            raise UnknownRun(str(run_id), list(self._named_runs))
        for gone in (run_id, *deleted):
            self._named_runs.pop(gone, None)
            self._handles.drop(gone)
        if is_last:
            self.last_run = None

    def current_plan(self, workflow_name: str, stand_ins: StandIns | None = None) -> Plan:
        """Return `plan_of` a workflow, with the recordings in use in the place of its workers."""
        return with_cassette(self.plan_of(workflow_name, stand_ins), self.cassette)

    def past_of(self, run: Run, index: int) -> tuple[list[Event], NewLog]:
        """Return the first events of a run, and how to make the log of a fork that shares them."""
        return past_of(self.journal, run, index)

    def _listening(self, run: Run, *, verbose: bool) -> list[Observer]:
        plan, lessons = run.machine.plan, self.services.lessons
        listening = checked_observers([*self.observers, *run.audience.own])
        if verbose:
            from orchestration_kit.engine.account import Account

            listening.append(Account(plan.definition))
        if lessons is not None:
            listening.append(partial(lessons.observe, workflow=plan.workflow, run_id=run.run_id))
        if WATCHING.followers:
            listening += followers(run)
        listener = getattr(plan, "listener", None)  # a plan with recordings hears of time limits and of the end
        return listening if listener is None else [*listening, listener]
