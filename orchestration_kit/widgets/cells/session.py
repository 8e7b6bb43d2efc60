"""`CellSession`: one run of a workflow, made cell by cell. Every way to write a cell ends here.

A session reads a notebook against the record of its run (`reading.py`). A cell whose visit is on record, made by the
same code, is taken over and not executed; so a notebook can be run from the top again after its kernel was restarted.
A cell that was edited makes its visit again, in a fork; the earlier edition of the run stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.past import SAME
from orchestration_kit.engine.stand_ins import known_steps
from orchestration_kit.errors import UnknownStep
from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.ahead import coming, first
from orchestration_kit.widgets.cells.answers import answer_on_record
from orchestration_kit.widgets.cells.beginning import begin, last_of
from orchestration_kit.widgets.cells.body import Body, body_of_function
from orchestration_kit.widgets.cells.driving import make_turn, settle
from orchestration_kit.widgets.cells.editions import first_id
from orchestration_kit.widgets.cells.line import Line
from orchestration_kit.widgets.cells.order import nothing_to_run, out_of_order
from orchestration_kit.widgets.cells.reading import Decision, MakeAgain, MakeNext, OnRecord, Record, TakeOver, decide
from orchestration_kit.widgets.cells.showing import is_raised, own_lines, show, show_error, show_outputs
from orchestration_kit.widgets.cells.standing import KNOWN, MADE, TAKEN, Standing, how_it_went, standing
from orchestration_kit.widgets.cells.turns import turn_key, turns_in, turns_of

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run
    from orchestration_kit.journal.cassette import Cassette

SHOWN_COLUMNS = ["path", "worker", "success", "next_step", "cached", "error"]
"""Of the record: those that are the same in each execution."""


class CellSession:
    """One run of a workflow whose steps are written as cells of a notebook.

    >>> from orchestration_kit import CellSession, Orchestrator, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_workflow(create_generic_pipeline([("shout", "generic", ""), ("sign", "generic", "")]))
    >>> session = CellSession(hub, "shout_sign", goal="hello")
    >>> @session.step("shout")
    ... def shout(input, context):
    ...     return input.upper()
    >>> session.run.history[0]["output"], session.next_step
    ('HELLO', 'sign')

    Args:
        hub: The orchestrator. Steps that have no worker registered there get their code from cells.
        workflow: A registered workflow.
        goal: What the run is for. Not needed to go on with a run.
        data: The data bus to begin with.
        run_id: The id of the run. One that is on record is gone on with, from its newest edition; without an id, a
            new run is begun each time.
        seed: Seed of `context.random`; without one it is the run's id.
        limits: What the run may use.

    Raises:
        UnknownWorkflow: no such workflow is registered.
        OtherRun: the run on record has another goal or other data.
        DefinitionChanged: the workflow that is registered now does not lead where the run on record went.
    """

    def __init__(  # noqa: PLR0913 - what a run is begun with
        self,
        hub: Orchestrator,
        workflow: str,
        goal: str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        seed: int | None = None,
        limits: RunLimits | None = None,
    ) -> None:
        run = begin(hub, workflow, goal, data=data, run_id=run_id, seed=seed, limits=limits)
        self._line = Line(hub, run)
        current.choose(self)

    @classmethod
    def resume(cls, hub: Orchestrator, workflow: str, run_id: str | None = None) -> CellSession:
        """Return a session that goes on with a run on record: this one, or the last one of the workflow.

        Raises:
            UnknownRun: there is none.
        """
        if run_id is not None:
            hub.get_run(run_id)
        return cls(hub, workflow, run_id=run_id or first_id(last_of(hub, workflow)))

    # --- looking

    @property
    def hub(self) -> Orchestrator:
        """Where the workflow is registered."""
        return self._line.hub

    @property
    def run(self) -> Run:
        """The present edition of the run: editing a cell makes another one."""
        return self._line.run

    @property
    def editions(self) -> list[Run]:
        """The runs that led to the present one, the oldest first, and that one."""
        return [*reversed(self._line.earlier), self.run]

    @property
    def next_step(self) -> str | None:
        """The step that comes next, also one that still lacks a cell; None after the end, and where it waits."""
        found = coming(self.run)
        one = first(found) or next(iter(found), None)
        return None if one is None else one.step.step_id

    @property
    def stale(self) -> list[str]:
        """Visits that an earlier edition has on record and this one has not come to again."""
        return self._line.stale

    @property
    def cells(self) -> list[str]:
        """The steps that a cell was run for, here."""
        return list(self._line.bodies)

    def standing(self, *told: str) -> Standing:
        """Return where the run stands, as a few lines that a notebook shows."""
        return standing(self.run, self.stale, *told, place=self._line.place)

    def history(self) -> pd.DataFrame:
        """Return what is on record, one row per attempt: the columns that are the same in each execution."""
        return self.run.to_frame()[SHOWN_COLUMNS]

    def __repr__(self) -> str:
        return repr(self.standing())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from orchestration_kit.visual import mimebundle

        return {**mimebundle(self.run), "text/plain": self.standing().trail}

    # --- cells

    def step(self, step_id: str | Callable[..., Any] | None = None, *, again: bool = False) -> Any:
        """Make a function the worker of a step in this run, and make the visit: `@session.step("review")`.

        The function itself is returned as it was. `@session.step` alone takes the function's name as the step.

        Args:
            step_id: The step.
            again: Make it again, in a fork, although it is on record and the function is the same.
        """

        def decorate(function: Any) -> Any:
            __tracebackhide__ = True
            return self._function(function, step_id or function.__name__, again=again)

        if callable(step_id):
            function, step_id = step_id, None
            return decorate(function)
        return decorate

    def _function(self, function: Any, step_id: Any, *, again: bool) -> Any:
        __tracebackhide__ = True
        self.check_step(step_id)
        show(self.perform(body_of_function(step_id, function), again=again))
        return function

    def check_step(self, step_id: str) -> None:
        """See that the workflow has a step.

        Raises:
            UnknownStep: it has none of that name.
        """
        known = known_steps(self.run.workflow)
        if step_id not in known:
            raise UnknownStep(self.run.workflow.name, str(step_id), known)

    def perform(self, body: Body, *, again: bool = False) -> Standing:
        """Do what running a cell means now: make its visit, take it over, or make it again in a fork.

        Raises:
            OutOfOrder: the run has not come to its step. The code is kept for when it does.
        """
        __tracebackhide__ = True
        decision = decide(self._record(body.step), body.step, body.worker.name, again=again)
        self._line.bodies[body.step] = body
        return self._do(decision, body.step, again=again)

    # --- going on

    def run_next(self) -> Standing:
        """Make what comes next with the worker or the cell there is; on record already, take it over.

        Raises:
            NoCell: the step that comes next has neither.
            BadCommand: nothing is left to run, or somebody has to answer first.
        """
        __tracebackhide__ = True
        return self._next(is_one_of_many=False)

    def _next(self, *, is_one_of_many: bool) -> Standing:
        __tracebackhide__ = True
        turns = turns_of(self.run)
        if self._line.place < len(turns):
            turn = turns[self._line.place]
            body = self._line.body(turn.step)
            worker = turn.worker or "" if body is None else body.worker.name
            decision = decide(self._record(turn.step), turn.step, worker)
            return self._do(decision, turn.step, is_one_of_many=is_one_of_many)
        self._line.use_bodies()
        one = first(coming(self.run))
        if one is None:
            raise nothing_to_run(self.run)
        return self._make(one.step.step_id, is_one_of_many=is_one_of_many)

    def run_until(self, step_id: str | None = None) -> Standing:
        """Run until a step is next; without one, until a cell or an answer is missing, or the run ends.

        Raises:
            UnknownStep: the workflow has no such step.
            NoCell: a step before it has no worker.
        """
        __tracebackhide__ = True
        if step_id is not None:
            self.check_step(step_id)
        count = 0
        while not self._stands_before(step_id):
            self._next(is_one_of_many=True)
            count += 1
        return self.standing(*(() if count else ("Nothing had to be run.",)))

    def goto(self, visit: str, data: dict[str, Any] | None = None, *, input: Any = SAME) -> Standing:  # noqa: A002
        """Go back to a visit, in a fork: it comes next, and what followed is stale. Nothing is run.

        Args:
            visit: A position such as `review#2`; the step's id alone where it was visited once.
            data: What to set on the data bus first.
            input: What the visit gets, instead of what it got.

        Raises:
            UnknownVisit: the run never came there.
        """
        return self.standing(self._line.fork(visit, data, input))

    def refresh(self) -> Standing:
        """Make again what is stale, as far as it met something else; what met the same is taken over from the record.

        Workers of the hub that were registered anew since count as edited cells do.
        """
        __tracebackhide__ = True
        told: tuple[str, ...] = ()
        self._line.use_bodies()
        if not self.stale and (changed := self._line.changed_worker()) is not None:
            told = (self._line.fork(changed),)
        if not self.stale:
            return self.standing("Nothing is stale: all that is on record was made by the present cells and workers.")
        shared = {turn.key for turn in turns_of(self.run)}
        while self.stale and first(coming(self.run)) is not None:
            came = self.run.machine.count
            shown = self._next(is_one_of_many=True)
            if self.run.machine.count == came:
                told = shown.told
                break
        new = [turn for turn in turns_of(self.run) if turn.key not in shared]
        taken = [turn for turn in new if all(record.cached for record in turn.visits)]
        counts = f"Made again: {len(new) - len(taken)}. Taken over, as nothing changed there: {len(taken)}."
        return self.standing(*told, counts)

    def approve(self, value: Any = True, request: str | None = None) -> Standing:  # noqa: FBT002 - the plain yes
        """Say yes to what the run asks, and go on past it; on record already, take that over.

        Raises:
            AnswerRefused: as `run.approve` does.
            BadCommand: the notebook has not come to where the run asks.
        """
        if request is None and (told := answer_on_record(self.run, self._line.place, "approved", value)):
            return self.standing(told)
        self.run.approve(value, request)
        return self._answered("approved")

    def reject(self, reason: str, request: str | None = None) -> Standing:
        """Say no to what the run asks, and why, and go on past it. On record already, and errors: as for `approve`."""
        if request is None and (told := answer_on_record(self.run, self._line.place, "rejected", reason)):
            return self.standing(told)
        self.run.reject(reason, request)
        return self._answered("rejected")

    def use_cassette(self, tape: Cassette | PathLike[str] | str | None) -> None:
        """Have workers and cells recorded from now on, or replayed; None ends that. For all runs of the hub."""
        from orchestration_kit.journal.cassette import as_cassette

        self._line.use_cassette(as_cassette(tape))

    # --- inside

    def _record(self, cell: str) -> Record:
        one = first(coming(self.run), cell)
        key = None if one is None or one.path is None else turn_key(one.path)
        return Record(turns_of(self.run), self._line.place, None if one is None else one.step.step_id, key)

    def _do(self, decision: Decision, step: str, *, again: bool = False, is_one_of_many: bool = False) -> Standing:
        __tracebackhide__ = True
        if isinstance(decision, TakeOver):
            turn = turns_of(self.run)[decision.index]
            self._line.place = decision.index + 1
            went = how_it_went(turn, TAKEN)
            show_outputs(turn, went if is_one_of_many else "")
            return self.standing(went)
        if isinstance(decision, OnRecord):
            show_outputs(decision.turn)
            went = how_it_went(decision.turn, KNOWN)
            return self.standing(went, f"To make it again:  #| step {step} --again")
        if isinstance(decision, MakeAgain):
            told = self._line.fork(decision.turn.records[0].path)
            return self._make(step, told, is_new=again, is_one_of_many=is_one_of_many)
        self._line.use_bodies()
        if isinstance(decision, MakeNext):
            return self._make(step, is_one_of_many=is_one_of_many)
        raise out_of_order(self.run, step)

    def _make(self, step: str, *told: str, is_new: bool = False, is_one_of_many: bool = False) -> Standing:
        """Make the turn that comes next. An error that ended the run is raised, another one shown."""
        __tracebackhide__ = True
        run = self.run
        self._line.remember(is_wanted=not is_new)
        one = first(coming(run), step)
        if one is None:
            raise nothing_to_run(run)
        try:
            made = make_turn(run, one)
        except KeyboardInterrupt as error:
            raise own_lines(error) from None
        finally:
            self._line.read_to_the_end()
            self._line.remember()
            self._line.save_cassette()
        turns = turns_in(made.records)
        went = [how_it_went(turn, MADE) for turn in turns] or [f"There was nothing to do at {step!r}."]
        for turn, label in zip(turns, went, strict=False):
            show_outputs(turn, label if is_one_of_many else "")
        failed = turns[-1].failed if turns else None
        if failed is not None and made.error is not None and is_raised(failed, made.error):
            if run.is_finished and failed.next_step is None:
                error = own_lines(made.error)
                error.add_note("\n".join(self.standing(*told).lines))
                raise error
            show_error(made.error)
            went.append("To make it anew, edit the cell and run it again.")
        return self.standing(*told, *went)

    def _stands_before(self, step_id: str | None) -> bool:
        """Whether to stop: the step is next, or the run has ended; without a step, also where nobody can go on.

        Raises:
            NoCell: nobody can go on, and the step is not next.
        """
        turns = turns_of(self.run)
        if self._line.place < len(turns):
            return turns[self._line.place].step == step_id
        found = coming(self.run)
        one = first(found, step_id)
        if self.run.is_finished or (one is not None and one.step.step_id == step_id):
            return True
        if one is None and step_id is not None:
            raise nothing_to_run(self.run)
        return one is None

    def _answered(self, how: str) -> Standing:
        settle(self.run)
        self._line.read_to_the_end()
        return self.standing(f"It was {how}.")
