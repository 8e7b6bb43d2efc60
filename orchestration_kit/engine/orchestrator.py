"""`Orchestrator`: the hub. Workers and workflows are registered with it; every call to a worker goes through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import Executor as Pool
from os import PathLike
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.arguments import (
    check_goal,
    check_options,
    check_workflow_name,
    checked_data,
    checked_tags,
)
from orchestration_kit.engine.bar import progress_of
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.elsewhere import open_place
from orchestration_kit.engine.events import RunStarted
from orchestration_kit.engine.executor_port import Executor
from orchestration_kit.engine.gates import Gates
from orchestration_kit.engine.handles import Handles
from orchestration_kit.engine.journaled import (
    new_log,
    open_cassette,
    open_journal,
)
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.ports import Clock, Gate, Lessons, Observer, RunLog, SystemClock
from orchestration_kit.engine.recall import Recall
from orchestration_kit.engine.run import Run
from orchestration_kit.engine.services import Hand, Services, checked_hands, checked_redaction, open_wisdom
from orchestration_kit.engine.stand_ins import NOBODY, StandIns, bind_stand_ins
from orchestration_kit.errors import DuplicateRun

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.journal.cassette import Cassette
    from orchestration_kit.journal.port import Journal


SpawnCheck = Callable[[WorkflowDefinition], str | None]
"""Says why a workflow that a worker made must not run; None where it may. One that raises refuses it."""


class Orchestrator(Recall):
    """The hub: a deterministic state machine between probabilistic workers.

    >>> from orchestration_kit import WorkerDefinition, WorkflowStep
    >>> hub = Orchestrator()
    >>> hub.register_worker(
    ...     WorkerDefinition(worker_type="generic", name="greeter", executor=lambda goal: f"Hi, {goal}")
    ... )
    >>> workflow = WorkflowDefinition(name="greet")
    >>> workflow.add_step(WorkflowStep(step_id="greet", worker_type="generic", is_terminal=True), is_initial=True)
    >>> hub.register_workflow(workflow)
    >>> hub.execute_workflow("greet", goal="Ada", verbose=False).data["greet_output"]
    'Hi, Ada'
    """

    def __init__(  # noqa: PLR0913 - what a hub is made of
        self,
        *,
        limits: RunLimits | None = None,
        observers: Iterable[Observer] = (),
        clock: Clock | None = None,
        journal: Journal | PathLike[str] | str | None = None,
        cassette: Cassette | PathLike[str] | str | None = None,
        locks: Mapping[str, int] | None = None,
        spawn_checks: Iterable[SpawnCheck] = (),
        constraints: Gate | None = None,
        actions: Mapping[str, Hand] | None = None,
        wisdom: Lessons | PathLike[str] | str | None = None,
        redact: bool | Iterable[str] = True,
        executor: Executor | Pool | None = None,
    ) -> None:
        super().__init__()
        self.place = open_place(executor)
        """Where workers are called: by an executor, e.g. `ProcessesExecutor(4)`; None: by the hub itself."""
        self.observers: list[Observer] = list(observers)
        """Called with every event of every run."""
        check_options(None, limits)
        self.limits = limits or RunLimits()
        """For runs that bring none of their own."""
        self.clock: Clock = clock or SystemClock()
        self.journal: Journal | None = open_journal(journal)
        """Where runs are kept, so that they survive this process; None: in memory, as long as somebody holds them."""
        self.cassette: Cassette | None = open_cassette(cassette)
        """Recordings that stand in for workers, in every run that is started outside a `with cassette(...)`."""
        self.last_run: Run | None = None
        """The run started last, also when it raised."""
        self.last_many: Any = None
        """The set of runs made last, a `RunSet`, also when `run_many` raised."""
        self.gates = Gates(locks)
        """The locks and rates that steps name."""
        self.spawn_checks: list[SpawnCheck] = list(spawn_checks)
        """Called with each workflow that a worker made, before a step of it runs."""
        self.services = Services(
            gate=constraints,
            hands=checked_hands(actions, constraints),
            lessons=open_wisdom(wisdom),
            scrub=checked_redaction(redact),
            clock=self.clock,
        )
        """What is lent to workers: constraints, hands for actions, lessons; and who keeps secrets off records."""
        # What is in a journal can be read again, so that a handle lives as long as somebody holds it.
        self._named_runs: MutableMapping[str, Run] = {} if self.journal is None else WeakValueDictionary()
        self._handles = Handles()

    def execute_workflow(  # noqa: PLR0913 - the mission's signature and the run's options
        self,
        workflow_name: str,
        goal: str,
        initial_data: dict[str, Any] | None = None,
        verbose: bool = True,  # noqa: FBT001, FBT002 - the mission's signature
        *,
        run_id: str | None = None,
        limits: RunLimits | None = None,
        seed: int | None = None,
        tags: dict[str, str] | None = None,
    ) -> WorkflowContext:
        """Run a workflow to its end and return its context: look at `.state`, `.data`, `.history`.

        A failing worker does not raise here: it takes its failure path, and the context says what happened. Where the
        run waits for somebody, its state is `waiting`, and `orchestrator.last_run` is to be answered. Works inside a
        running event loop (a notebook), with sync and async workers alike.

        Args:
            workflow_name: A registered workflow.
            goal: What the run is for. The first step's worker gets it as input.
            initial_data: The data bus to begin with.
            verbose: Print a live account of the run.
            run_id: The run's id; made up where none is given.
            limits: What the run may use.
            seed: Seed of `context.random`; without one it is the run's id.
            tags: What you want to find the run by: `orchestrator.runs(tags=...)`.

        Raises:
            UnknownWorkflow: no such workflow is registered.
            MissingWorkers: before the first step runs, naming all that are missing.
            InvalidGoal: the goal is empty or far too long.
            DuplicateRun: the run id is taken.
        """
        run = self.start(
            workflow_name, goal, initial_data, verbose=verbose, run_id=run_id, limits=limits, seed=seed, tags=tags
        )
        return run.run()

    async def aexecute_workflow(  # noqa: PLR0913 - as execute_workflow
        self,
        workflow_name: str,
        goal: str,
        initial_data: dict[str, Any] | None = None,
        verbose: bool = True,  # noqa: FBT001, FBT002 - as execute_workflow
        *,
        run_id: str | None = None,
        limits: RunLimits | None = None,
        seed: int | None = None,
        tags: dict[str, str] | None = None,
    ) -> WorkflowContext:
        """`execute_workflow` in the running event loop. Sync workers are called inline; in branches, on threads."""
        run = self.start(
            workflow_name, goal, initial_data, verbose=verbose, run_id=run_id, limits=limits, seed=seed, tags=tags
        )
        with progress_of(run, None):
            await run._drive_async(one_visit=False)  # noqa: SLF001 - arun() would be one more coroutine of each run
        return run.context

    def start(  # noqa: PLR0913 - as execute_workflow
        self,
        workflow_name: str,
        goal: str,
        initial_data: dict[str, Any] | None = None,
        *,
        verbose: bool = False,
        run_id: str | None = None,
        limits: RunLimits | None = None,
        seed: int | None = None,
        tags: dict[str, str] | None = None,
        observers: Iterable[Observer] = (),
        workers: Mapping[str, Any] | None = None,
    ) -> Run:
        """Make a run and return its handle; nothing has been called yet. Raises as `execute_workflow` does.

        With `workers`, a callable or a `WorkerDefinition` by step, these stand in at their steps in this run alone.

        >>> from orchestration_kit import WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> hub.start("a_b", "hello").step()["output"]
        'HELLO'
        """
        check_workflow_name(workflow_name)
        return self.begin(
            workflow_name,
            goal,
            initial_data,
            run_id=run_id,
            limits=limits,
            seed=seed,
            tags=tags,
            named=run_id is not None,
            verbose=verbose,
            observers=observers,
            workers=workers,
        )

    def begin(  # noqa: PLR0913 - as start
        self,
        workflow_name: str,
        goal: str,
        initial_data: dict[str, Any] | None = None,
        *,
        run_id: str | None = None,
        limits: RunLimits | None = None,
        seed: int | None = None,
        tags: dict[str, str] | None = None,
        named: bool = False,
        verbose: bool = False,
        observers: Iterable[Observer] = (),
        parent: RunStarted | None = None,
        workers: Mapping[str, Any] | None = None,
        journal: Journal | None = None,
    ) -> Run:
        """Make a run; with `parent`, one within another run, whose id, depth and first input stand there.

        With `journal`, it is put on record through that: one before the hub's own.
        """
        definition = self.workflows.get(workflow_name)
        stand_ins = {} if definition is None else bind_stand_ins(definition, workers)
        plan = self.current_plan(workflow_name, stand_ins)
        check_goal(goal)
        if parent is None:
            check_options(run_id, limits)
        scrub = self.services.fresh_scrub()
        if run_id is None:
            run_id = f"{workflow_name}_{os.urandom(6).hex()}"
        data = {} if initial_data is None else checked_data(initial_data)
        started = RunStarted(
            run_id=run_id,
            workflow=workflow_name,
            fingerprint=plan.fingerprint,
            goal=scrub(goal),
            data=scrub(data) if data else data,
            seed=run_id if seed is None else seed,
            started_at=self.clock.time(),
            tags=None if tags is None else scrub(checked_tags(tags)),
            parent=None if parent is None else parent.run_id,
            input=None if parent is None else scrub(parent.input),
            depth=0 if parent is None else parent.depth,
        )
        machine = Machine(plan, limits or self.limits, started)
        log = new_log(journal or self.journal, machine, self.clock)
        return self.adopt(
            machine,
            log,
            named=named,
            verbose=verbose,
            observers=observers,
            is_child=parent is not None,
            stand_ins=stand_ins,
        )

    def child_of(self, parent: Driven, path: str, run_id: str) -> Run | None:
        """Return the run of a visit, ready to go on, where it was begun before; None where it was not."""
        child = parent.children.get(path)
        if child is None or child.run_id != run_id:
            if self.journal is None or self.journal.find_run(run_id) is None:
                return None
            child = self.get_run(run_id)
        child.go_on()
        return child

    def adopt(  # noqa: PLR0913 - as start
        self,
        machine: Machine,
        log: RunLog | None,
        *,
        named: bool,
        verbose: bool = False,
        observers: Iterable[Observer] = (),
        is_child: bool = False,
        stand_ins: StandIns = NOBODY,
    ) -> Run:
        """Return the handle of a new run, and keep it: how `start` and forks begin.

        Raises:
            DuplicateRun: the run id is taken.
        """
        run_id = machine.started.run_id
        if named and run_id in self._named_runs:
            raise DuplicateRun(run_id, self._named_runs[run_id].state)
        if log is not None:
            log.prepare()
        run = Run(machine, clock=self.clock, log=log, hub=self)
        run.audience.own = tuple(observers)
        run.audience.observers = self._listening(run, verbose=verbose)
        run.stand_ins = stand_ins
        if not is_child:
            self.last_run = run
            self._handles.put(run_id, run)
        if named:
            self._named_runs[run.run_id] = run
        return run

    def resume(
        self,
        run_id: str,
        verbose: bool = True,  # noqa: FBT001, FBT002 - as execute_workflow
        *,
        limits: RunLimits | None = None,
        wait_s: float | None = None,
    ) -> WorkflowContext:
        """Go on with a run that stopped before its end, to its end, and return its context.

        A step that was completed is never run again. One that was in flight at a crash is repeated, with the same
        `context.idempotency_key`. A run that is over is not run again: its context is returned.

        >>> from orchestration_kit import MemoryJournal, WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator(journal=MemoryJournal())
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> _ = hub.start("a_b", "hello", run_id="monday").step()
        >>> hub.resume("monday", verbose=False).data["b_output"]
        'HELLO'

        Args:
            run_id: The run's id.
            verbose: Print a live account.
            limits: Other limits, what was used before included; those it was started with where none are given.
            wait_s: How long to watch a driver that may be dead; the lease of the journal where none is given.

        Raises:
            UnknownRun: neither this orchestrator nor its journal knows it.
            DefinitionChanged: the workflow registered now does not lead where the run went; nothing was done.
            MissingWorkers: workers that it needs are not registered; nothing was done.
            RunLocked: somebody else drives it.
            JournalCorrupt: what is stored is not what was written; nothing of it was used.
        """
        return self._reopen(run_id, verbose=verbose, limits=limits, wait_s=wait_s, keep=True).run()

    async def aresume(
        self,
        run_id: str,
        verbose: bool = True,  # noqa: FBT001, FBT002 - as execute_workflow
        *,
        limits: RunLimits | None = None,
        wait_s: float | None = None,
    ) -> WorkflowContext:
        """`resume` in the running event loop."""
        return await self._reopen(run_id, verbose=verbose, limits=limits, wait_s=wait_s, keep=True).arun()

    def reopen(
        self,
        run_id: str,
        *,
        verbose: bool = False,
        limits: RunLimits | None = None,
        wait_s: float | None = None,
        workers: Mapping[str, Any] | None = None,
    ) -> Run:
        """Return a run that stopped before its end, ready to go on: `Run.resume`. Raises as `resume` does."""
        return self._reopen(run_id, verbose=verbose, limits=limits, wait_s=wait_s, keep=False, workers=workers)

    def _reopen(  # noqa: PLR0913 - as reopen
        self,
        run_id: str,
        *,
        verbose: bool,
        limits: RunLimits | None,
        wait_s: float | None,
        keep: bool,
        workers: Mapping[str, Any] | None = None,
    ) -> Run:
        check_options(run_id, limits)
        run = self.get_run(run_id)
        if run.log is not None:
            run.log.wait_s = wait_s
        if workers:
            run.use_all(workers)
        run.go_on(limits, keep=keep)
        run.audience.observers = self._listening(run, verbose=verbose)
        self.last_run = run
        return run

    @property
    def _hub(self) -> Orchestrator:
        return self
