"""`CellSession`: one run of a workflow, made cell by cell. Every way to write a cell ends here.

A session reads a notebook against the record of its run (`reading.py`). A cell whose visit is on record, made by the
same code, is taken over and not executed; so a notebook can be run from the top again after its kernel was restarted.
A cell that was edited makes its visit again, in a fork; the earlier edition of the run stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

from orchestration_kit.engine.past import SAME
from orchestration_kit.engine.stand_ins import known_steps
from orchestration_kit.errors import UnknownStep
from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.ahead import Coming, coming, first
from orchestration_kit.widgets.cells.beginning import begin, last_of, ready
from orchestration_kit.widgets.cells.body import Body, body_of_function
from orchestration_kit.widgets.cells.driving import make_turn, settle
from orchestration_kit.widgets.cells.editions import ancestors, edition_id, first_id, newest, numbers_on_record
from orchestration_kit.widgets.cells.memory import Memory, stale_turns
from orchestration_kit.widgets.cells.order import nothing_to_run, out_of_order
from orchestration_kit.widgets.cells.reading import Decision, MakeAgain, MakeNext, OnRecord, Record, TakeOver, decide
from orchestration_kit.widgets.cells.showing import is_raised, own_lines, show, show_error, show_outputs
from orchestration_kit.widgets.cells.standing import Standing, how_it_went, standing
from orchestration_kit.widgets.cells.turns import Turn, turn_key, turns_in, turns_of

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.orchestrator import Orchestrator
    from orchestration_kit.engine.run import Run
    from orchestration_kit.journal.cassette import Cassette

_Function = TypeVar("_Function", bound=Callable[..., Any])


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
        begun = begin(hub, workflow, goal, data=data, run_id=run_id, seed=seed, limits=limits)
        self._take(hub, begun.run)

    @classmethod
    def resume(cls, hub: Orchestrator, workflow: str, run_id: str | None = None) -> CellSession:
        """Return a session that goes on with a run on record: this one, or the last one of the workflow.

        Raises:
            UnknownRun: there is none.
        """
        return cls(hub, workflow, run_id=run_id or first_id(last_of(hub, workflow)))

    def _take(self, hub: Orchestrator, run: Run) -> None:
        self.hub = hub
        """Where the workflow is registered."""
        self.run = run
        """The present edition of the run: editing a cell makes another one."""
        self._first = first_id(run.run_id)
        self._earlier = ancestors(hub, run)
        self._place = 0
        self._bodies: dict[str, Body] = {}
        self._attach_memory()
        current.choose(self)

    # --- looking

    @property
    def next_step(self) -> str | None:
        """The step that comes next, also one that still lacks a cell; None after the end, and where it waits."""
        found = coming(self.run)
        one = first(found) or next(iter(found), None)
        return None if one is None else one.step.step_id

    @property
    def stale(self) -> list[str]:
        """Visits that an earlier edition has on record and this one has not come to again."""
        return stale_turns(self.run, self._earlier)

    @property
    def editions(self) -> list[Run]:
        """The runs that led to the present one, the oldest first, and that one."""
        return [*reversed(self._earlier), self.run]

    @property
    def cells(self) -> list[str]:
        """The steps that a cell was run for, here."""
        return list(self._bodies)

    def standing(self, *told: str) -> Standing:
        """Return where the run stands, as a few lines that a notebook shows."""
        return standing(self.run, self.stale, *told)

    def history(self) -> pd.DataFrame:
        """Return what is on record, one row per attempt: the columns that are the same in each execution."""
        frame = self.run.to_frame()
        return frame[["path", "worker", "success", "next_step", "cached", "error"]]

    def __repr__(self) -> str:
        return repr(self.standing())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from orchestration_kit.visual import mimebundle

        return {**mimebundle(self.run), "text/plain": repr(self)}

    # --- cells

    def step(
        self, step_id: str | Callable[..., Any] | None = None, *, again: bool = False
    ) -> Callable[[_Function], _Function] | Any:
        """Make a function the worker of a step in this run, and make the visit: `@session.step("review")`.

        The function itself is returned as it was. `@session.step` alone takes the function's name as the step.

        Args:
            step_id: The step.
            again: Make it again, in a fork, although it is on record and the function is the same.
        """
        if callable(step_id):
            return self._function(step_id, step_id.__name__, again=again)
        return lambda function: self._function(function, step_id or function.__name__, again=again)

    def _function(self, function: Any, step_id: str, *, again: bool) -> Any:
        __tracebackhide__ = True
        self.check_step(step_id)
        shown = self.perform(body_of_function(step_id, function), again=again)
        show(shown)
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
        record = self._record(body.step)
        decision = decide(record, body.step, body.worker.name, again=again)
        self._bodies[body.step] = body
        return self._do(decision, body.step, again=again)

    def _do(self, decision: Decision, step: str, *, again: bool = False) -> Standing:
        __tracebackhide__ = True
        if isinstance(decision, TakeOver):
            return self._take_over(decision.index)
        if isinstance(decision, OnRecord):
            show_outputs(decision.turn)
            self._use_bodies()
            went = how_it_went(decision.turn, "is on record, by this very code")
            return self.standing(went, f"To make it again:  #| step {step} --again")
        if isinstance(decision, MakeAgain):
            told = self._fork(decision.turn.records[0].path)
            return self._make(step, *told, is_new=again)
        self._use_bodies()
        if isinstance(decision, MakeNext):
            return self._make(step)
        raise out_of_order(self.run, step)

    # --- going on

    def run_next(self) -> Standing:
        """Make what comes next with the worker or the cell there is; on record already, take it over.

        Raises:
            NoCell: the step that comes next has neither.
            BadCommand: nothing is left to run, or somebody has to answer first.
        """
        __tracebackhide__ = True
        if (following := self._following()) is not None:
            return following
        self._use_bodies()
        return self._make(self._head().step.step_id)

    def run_until(self, step_id: str | None = None) -> Standing:
        """Run until a step is next; without one, until a cell or an answer is missing, or the run ends.

        Raises:
            UnknownStep: the workflow has no such step.
            NoCell: a step before it has no worker.
        """
        __tracebackhide__ = True
        if step_id is not None:
            self.check_step(step_id)
        shown, count = self.standing(), 0
        while True:
            turns = turns_of(self.run)
            if self._place < len(turns) and turns[self._place].step == step_id:
                return self.standing(f"{turns[self._place].key} is next, and on record.")
            if self._place >= len(turns):
                found = coming(self.run)
                if self.run.is_finished or step_id in [one.step.step_id for one in found[:1]] or not found:
                    break
                one = first(found, step_id)
                if one is not None and one.step.step_id == step_id:
                    break
                if one is None:
                    if step_id is None:
                        break
                    raise nothing_to_run(self.run)
            shown = self.run_next()
            count += 1
        told = shown.told if count == 1 else (f"{count} turns were made.",) if count else ("Nothing had to be run.",)
        return self.standing(*told)

    def goto(self, visit: str, data: dict[str, Any] | None = None, *, input: Any = SAME) -> Standing:  # noqa: A002
        """Go back to a visit, in a fork: it comes next, and what followed is stale. Nothing is run.

        Args:
            visit: A position such as `review#2`; the step's id alone where it was visited once.
            data: What to set on the data bus first.
            input: What the visit gets, instead of what it got.

        Raises:
            UnknownVisit: the run never came there.
        """
        return self.standing(*self._fork(visit, data=data, given=input))

    def refresh(self) -> Standing:
        """Make again what is stale, as far as it met something else; what met the same is taken over from the record.

        Workers of the hub that were registered anew since count as edited cells do.
        """
        __tracebackhide__ = True
        told: tuple[str, ...] = ()
        self._use_bodies()
        if not self.stale and (changed := self._changed_worker()) is not None:
            told = self._fork(changed)
        if not self.stale:
            return self.standing("Nothing is stale: all that is on record was made by the present cells and workers.")
        goal, taken, made = len(self.stale), 0, 0
        while self.stale and len(made_so_far := turns_of(self.run)) < 10_000 and first(coming(self.run)) is not None:
            shown = self.run_next()
            new = turns_of(self.run)[len(made_so_far) :]
            taken += sum(all(record.cached for record in turn.visits) for turn in new)
            made += sum(not all(record.cached for record in turn.visits) for turn in new)
            if not new or self.run.is_finished:
                told = (*told, *shown.told)
                break
        _ = goal
        return self.standing(*told, f"Made again: {made}. Taken over from the record, as nothing changed there: {taken}.")

    def approve(self, value: Any = True, request: str | None = None) -> Standing:  # noqa: FBT002 - the plain yes
        """Say yes to what the run asks, and go on past it. Raises `AnswerRefused` as `run.approve` does."""
        self.run.approve(value, request)
        return self._answered("approved")

    def reject(self, reason: str, request: str | None = None) -> Standing:
        """Say no to what the run asks, and why, and go on past it. Raises as `run.reject` does."""
        self.run.reject(reason, request)
        return self._answered("rejected")

    def _answered(self, how: str) -> Standing:
        settle(self.run)
        self._place = len(turns_of(self.run))
        return self.standing(f"It was {how}.")

    def use_cassette(self, tape: Cassette | str | PathLike[str] | None) -> None:
        """Have workers and cells recorded from now on, or replayed; None ends that. For all runs of the hub."""
        from orchestration_kit.journal.cassette import as_cassette

        if self.hub.cassette is not None:
            self.hub.cassette.save()
        self.hub.cassette = as_cassette(tape)
        self.run.use_all({})

    # --- inside

    def _record(self, cell: str | None) -> Record:
        one = first(coming(self.run), cell)
        key = None if one is None or one.path is None else turn_key(one.path)
        return Record(turns_of(self.run), self._place, None if one is None else one.step.step_id, key)

    def _head(self) -> Coming:
        one = first(coming(self.run))
        if one is None:
            raise nothing_to_run(self.run)
        return one

    def _take_over(self, index: int) -> Standing:
        turn = turns_of(self.run)[index]
        self._place = index + 1
        show_outputs(turn)
        return self.standing(how_it_went(turn, "was taken over from the record, and not executed,"))

    def _following(self) -> Standing | None:
        """Take over the turn on record that the notebook comes to; None where it has come to the end of the record."""
        __tracebackhide__ = True
        turns = turns_of(self.run)
        if self._place >= len(turns):
            return None
        turn = turns[self._place]
        body = self._bodies.get(turn.step)
        worker = turn.worker if body is None else body.worker.name
        decision = decide(self._record(turn.step), turn.step, worker or "")
        return self._do(decision, turn.step)

    def _use_bodies(self) -> None:
        """Have the run call the cells that were run here."""
        own = self.run.stand_ins
        changed = {
            step: body.worker
            for step, body in self._bodies.items()
            if step not in own or own[step].name != body.worker.name or own[step].call is not body.worker.executor
        }
        if changed or self.run.barrier is not None:
            self.run.use_all(changed)

    def _make(self, step: str, *told: str, is_new: bool = False) -> Standing:
        """Make the turn that comes next. An error that ended the run is raised, another one shown."""
        __tracebackhide__ = True
        run = self.run
        self._attach_memory(is_wanted=not is_new)
        one = first(coming(run), step)
        try:
            made = make_turn(run, self._head() if one is None else one)
        finally:
            self._place = len(turns_of(run))
            self._attach_memory()
            self._save_cassette()
        turns = turns_in(made.records)
        for turn in turns:
            show_outputs(turn)
        failed = turns[-1].failed if turns else None
        if failed is not None and made.error is not None and is_raised(failed, made.error):
            if run.is_finished and failed.next_step is None:
                error = own_lines(made.error)
                error.add_note("\n".join(self.standing(*told).lines))
                raise error
            show_error(made.error)
        went = [how_it_went(turn, "was made") for turn in turns]
        return self.standing(*told, *(went or [f"There was nothing to do at {step!r}."]))

    def _fork(self, visit: str, *, data: dict[str, Any] | None = None, given: Any = SAME) -> tuple[str, ...]:
        """Go on with a fork that begins at a visit; return what is to be told of it."""
        before = len(turns_of(self.run))
        self._use_bodies()
        numbers = numbers_on_record(self.hub, self._first)
        number = max([1, *numbers, len(self._earlier) + 1]) + 1
        forked = self.run.fork(visit, data, input=given, run_id=edition_id(self._first, number))
        forked.put_on_record()
        self._earlier.insert(0, self.run)
        self.run = forked
        self._place = len(turns_of(forked))
        self._attach_memory()
        dropped = before - self._place
        return (f"Edition {number} of the run begins at {forked.machine.started.forked_at}; the one before stays on record.",) if dropped else ()

    def _attach_memory(self, *, is_wanted: bool = True) -> None:
        is_needed = is_wanted and bool(self._earlier) and not self.run.is_finished
        self.run.past = Memory(self._earlier) if is_needed else None

    def _changed_worker(self) -> str | None:
        """Return the first visit on record whose worker was registered anew since."""
        from orchestration_kit.engine.reuse import is_other_worker

        self.run.use_all({})
        steps = self.run.machine.plan.steps
        for turn in turns_of(self.run):
            record = turn.records[-1]
            planned = None if record.scope else steps.get(record.step)
            if planned is not None and record.step not in self._bodies and is_other_worker(planned, record):
                return turn.records[0].path
        return None

    def _save_cassette(self) -> None:
        if self.hub.cassette is not None:
            self.hub.cassette.save()
