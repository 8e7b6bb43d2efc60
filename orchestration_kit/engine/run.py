"""`Run`: the handle a person holds on one execution. Every door goes through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.bar import is_in_notebook, progress_of
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.events import Event, HistoryEntry
from orchestration_kit.engine.past import SAME, Moment, fork, moment, refresh
from orchestration_kit.engine.play import Playable
from orchestration_kit.engine.state import RESTING
from orchestration_kit.errors import counted, listed

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.widgets.player import Player


class Run(Playable):
    """One execution of a workflow: step it, run it, cancel it, look at it.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> run = hub.start("a_b", "hello")
    >>> run.step()["output"], run.next_step
    ('HELLO', 'b')
    >>> run.run().state.value
    'completed'
    """

    _shown: Player | None = None
    """What shows it in a notebook."""

    # --- looking

    @property
    def history(self) -> list[HistoryEntry]:
        """One entry per attempt so far."""
        return self.context.history

    @property
    def events(self) -> list[Event]:
        """Every recorded event so far, in order."""
        return self.machine.events()

    @property
    def workflow(self) -> WorkflowDefinition:
        """The definition the run follows, as it was registered."""
        return self.machine.plan.definition

    def to_frame(self) -> pd.DataFrame:
        """Return the history as a DataFrame, one row per attempt: `history_frame(run)`.

        >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> run = hub.start("a_b", "hello")
        >>> _ = run.run()
        >>> run.to_frame()[["path", "worker", "success"]].values.tolist()
        [['a#1', 'shout', True], ['b#1', 'shout', True]]
        """
        from orchestration_kit.history import history_frame

        return history_frame(self)

    def player(self, **options: Any) -> Player:
        """Return the widget to step, run, pause, stop and look at this run; `Player(run)` makes another one.

        It is the same each time, so that a cell that is run again leaves nothing behind that listens.
        """
        from orchestration_kit.widgets.player import Player

        shown = self._shown
        if options or shown is None or shown.is_closed or shown.run is not self:
            shown = Player(self, **options)
        if not options:
            self._shown = shown
        return shown

    def __repr__(self) -> str:
        at = f", next is {self.next_step}" if self.next_step else ""
        if self.state in RESTING:
            found = [f"{one.path} ({one.kind})" for one in self.waiting]
            at = f", for {listed(found, 3)}"
        return f"<Run {self.run_id!r}: {self.state.value}, {counted(self.machine.recorded, 'attempt')}{at}>"

    def _ipython_display_(self) -> None:
        """Show the player, in a notebook, while there is something to play; else the picture."""
        if self.is_finished or not is_in_notebook():
            raise NotImplementedError
        from IPython import display

        show = cast("Any", display).display
        show(self.player())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from orchestration_kit.visual import mimebundle

        return mimebundle(self)

    # --- other times

    def at(self, visit: str) -> Moment:
        """Return how things stood when a visit began: its `context`, `input`, `history`. Nothing can be run there.

        >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> run = hub.start("a_b", "hello")
        >>> _ = run.run()
        >>> run.at("b#1").data
        {'a_output': 'HELLO'}

        Args:
            visit: A position such as `review_code#2`; the step's id alone where it was visited once.

        Raises:
            UnknownVisit: the run never came there.
        """
        return moment(self, visit)

    def fork(
        self,
        at: str,
        data: dict[str, Any] | None = None,
        *,
        input: Any = SAME,  # noqa: A002 - the step's word for it
        run_id: str | None = None,
        limits: RunLimits | None = None,
    ) -> Run:
        """Return a run that shares this one's past up to a visit, to go another way from there; this one stays.

        Workers and workflow are those that are registered now, as far as they fit the shared past.

        >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> run = hub.start("a_b", "hello")
        >>> _ = run.run()
        >>> run.fork(at="b#1", input="bye").run().data
        {'a_output': 'HELLO', 'b_output': 'BYE'}

        Args:
            at: The visit to begin with, e.g. `review_code#2`.
            data: What to set on the data bus first.
            input: What the visit gets, instead of what it got.
            run_id: The id of the fork; made up where none is given.
            limits: What the fork may use, shared past included.

        Raises:
            UnknownVisit: the run never came there.
            DefinitionChanged: the workflow registered now would not have come there.
        """
        return fork(self, at, data=data, given=input, run_id=run_id, limits=limits)

    def refresh(self, data: dict[str, Any] | None = None, *, goal: str | None = None, run_id: str | None = None) -> Run:
        """Run again what changed: from the first step whose worker, workflow or input is another one now.

        Visits that would meet the same worker with the same input and the same data bus are taken over as they are on
        record, also after that step; they are marked `cached`. Returns a fork, run to its end; this run itself where
        nothing changed. A worker has changed where its own code has, or what that holds; functions that it calls are
        not looked into.

        Args:
            data: Entries of the initial data that are other ones now.
            goal: The goal, where it is another one now.
            run_id: The id of the fork.
        """
        return refresh(self, data=data, goal=goal, run_id=run_id)

    @classmethod
    def resume(
        cls,
        run_id: str,
        orchestrator: Orchestrator,
        *,
        limits: RunLimits | None = None,
        wait_s: float | None = None,
        workers: Mapping[str, Any] | None = None,
    ) -> Run:
        """Return a run that stopped before its end, ready to go on: to be stepped, or run.

        With `workers`, by step, these stand in at their steps: `Run.use`.

        Raises:
            UnknownRun: neither the orchestrator nor its journal knows it.
            DefinitionChanged: the workflow registered now does not lead where the run went.
            RunLocked: somebody else drives it.
        """
        return orchestrator.reopen(run_id, limits=limits, wait_s=wait_s, workers=workers)

    # --- going on

    def step(self) -> HistoryEntry | None:
        """Make the next visit, retries included, and return the entry of its last attempt.

        None after the end, and where the run waits for somebody. Of branches, one visit is made at a time, here; to
        open them counts as no visit, to join them does.
        """
        before = self.machine.recorded
        self._drive(one_visit=True)
        return self._last_entry(before)

    def run_until(self, step_id: str) -> WorkflowContext:
        """Run until `step_id` is about to be worked on, the run waits, or it ends. Branches are worked on here.

        >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
        >>> hub = Orchestrator()
        >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
        >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
        >>> run = hub.start("a_b", "hello")
        >>> run.run_until("b").data, run.next_step
        ({'a_output': 'HELLO'}, 'b')

        Raises:
            UnknownStep: the workflow has no such step.
        """
        self._check_step(step_id)
        before = -1
        with progress_of(self, None):
            while not self.is_finished and self.next_step != step_id and self.machine.count > before:
                before = self.machine.count
                self._drive(one_visit=True)
        return self.context

    def run(self, *, progress: bool | None = None) -> WorkflowContext:
        """Run to the end, or until it waits for somebody: then its state is `waiting`, and `waiting` says for what.

        Branches are worked on by threads. Times are waited for here, unless somebody has to answer first.

        Args:
            progress: Show a bar where it takes more than a second; None: in a notebook and on a terminal.
        """
        with progress_of(self, progress):
            self._drive(one_visit=False)
        return self.context

    async def astep(self) -> HistoryEntry | None:
        """`step()` for a running event loop."""
        before = self.machine.recorded
        await self._drive_async(one_visit=True)
        return self._last_entry(before)

    async def arun_until(self, step_id: str) -> WorkflowContext:
        """`run_until()` for a running event loop."""
        self._check_step(step_id)
        before = -1
        with progress_of(self, None):
            while not self.is_finished and self.next_step != step_id and self.machine.count > before:
                before = self.machine.count
                await self._drive_async(one_visit=True)
        return self.context

    async def arun(self, *, progress: bool | None = None) -> WorkflowContext:
        """`run()` for a running event loop: branches are worked on by tasks, their sync workers by threads."""
        with progress_of(self, progress):
            await self._drive_async(one_visit=False)
        return self.context

    @property
    def _run(self) -> Run:
        return self
