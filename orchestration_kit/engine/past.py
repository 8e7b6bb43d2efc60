"""A run at other times: how things stood at a visit, a fork from there, and a rerun of only what changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.arguments import check_options, checked_data
from orchestration_kit.engine.context import WorkflowContext, context_of
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import (
    AttemptFinished,
    BranchesOpened,
    Event,
    HistoryEntry,
    RunForked,
    WaitStarted,
)
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.replay import follow
from orchestration_kit.engine.reuse import Reuse, is_other_worker
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import DefinitionChanged, RunStateError, UnknownVisit, counted

if TYPE_CHECKING:
    from orchestration_kit.engine.limits import RunLimits
    from orchestration_kit.engine.plan import Plan
    from orchestration_kit.engine.run import Run

SAME: Any = object()
"""Stands for an input that stays what it was."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stood in a run when a visit began. To be looked at: nothing can be run here."""

    run: Run
    visit: str
    """The position, e.g. `review_code#2`."""
    context: WorkflowContext
    """Goal, state, data and history as they were then."""
    input: Any
    """What the visit got, before its input transformer."""

    @property
    def data(self) -> dict[str, Any]:
        """The data bus as it was then."""
        return self.context.data

    @property
    def history(self) -> list[HistoryEntry]:
        """The attempts made by then."""
        return self.context.history

    def fork(self, data: dict[str, Any] | None = None, **options: Any) -> Run:
        """Return a run that goes another way from here: `run.fork(at=..., ...)`."""
        return self.run.fork(self.visit, data, **options)

    def __repr__(self) -> str:
        return f"<{self.visit} of run {self.run.run_id!r}: {counted(len(self.history), 'attempt')} before it>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from orchestration_kit.visual import mimebundle

        return mimebundle(self.context)


def moment(run: Run, visit: str) -> Moment:
    """Return how things stood when a visit began. `Run.at` says more."""
    path, index = _locate(run, visit)
    machine = Machine(run.machine.plan, run.machine.limits, run.machine.started)
    machine.replay(run.machine.arrivals()[:index])
    coming = machine.find(path)
    within = coming if coming is not None and coming.scope.prefix else None  # a branch has a data bus of its own
    return Moment(run, path, context_of(machine, within), None if coming is None else isolate(coming.input))


def fork(  # noqa: PLR0913 - the fields of a fork
    run: Run,
    visit: str,
    *,
    data: dict[str, Any] | None,
    given: Any = SAME,
    goal: str | None = None,
    run_id: str | None = None,
    limits: RunLimits | None = None,
) -> Run:
    """Return a run that shares a run's past up to a visit. `Run.fork` says more."""
    hub = run.hub
    if hub is None:
        raise RunStateError(run.run_id, run.state, "it belongs to no orchestrator", "Start it with orchestrator.start.")
    check_options(run_id, limits)
    changed = checked_data(data) if data else {}
    path, index = _locate(run, visit)
    plan = hub.current_plan(run.machine.started.workflow, run.stand_ins)
    machine = run.machine
    started = machine.started._replace(
        run_id=run_id or f"{machine.started.workflow}_{os.urandom(6).hex()}",
        fingerprint=plan.fingerprint,
        goal=machine.started.goal if goal is None else hub.services.fresh_scrub()(goal),
        started_at=run.clock.time(),
        parent=run.run_id,
        forked_at=path,
    )
    events, log_of = hub.past_of(run, index)
    check_fit(run, plan, events)
    forked = Machine(plan, limits or machine.limits, started)
    forked.replay(events)
    forked.inherited = run.machine.inherited
    scrub = hub.services.fresh_scrub()
    changes = Changes(scrub(changed), ()) if changed else None
    first = (scrub(isolate(given)),) if given is not SAME else None
    forked.fork(RunForked(started.run_id, run.run_id, path, started.started_at, changes, first))
    return hub.adopt(forked, log_of(forked), named=run_id is not None, stand_ins=run.stand_ins)


def refresh(run: Run, *, data: dict[str, Any] | None = None, goal: str | None = None, run_id: str | None = None) -> Run:
    """Run again what changed, and reuse the rest. `Run.refresh` says more."""
    if run.hub is None:
        raise RunStateError(run.run_id, run.state, "it belongs to no orchestrator", "Start it with orchestrator.start.")
    plan = run.hub.plan_of(run.machine.started.workflow, run.stand_ins)
    arrived = run.machine.arrivals()
    records = [event for event in arrived if isinstance(event, AttemptFinished)]
    if not records:
        raise RunStateError(run.run_id, run.state, "nothing was run yet", "Run it first.")
    begins_anew = bool(data) or goal is not None
    changed = records[0].path if begins_anew else _first_change(run, plan)
    if changed is None:
        return run
    given = SAME if goal is None else goal
    renewed = fork(run, changed, data=data, given=given, goal=goal, run_id=run_id)
    renewed.past = Reuse(run.machine, shared=renewed.machine.count - 1)
    try:
        renewed.run()
    finally:
        renewed.past = None
    return renewed


def _locate(run: Run, visit: str) -> tuple[str, int]:
    """Return the position of a visit, and how many events there are before it."""
    machine = run.machine
    paths = list(dict.fromkeys(record.path for record in machine.records))
    coming = machine.coming()
    for one in (() if coming is None else (coming,), machine.ready, machine.waiting.values()):
        paths += [path for path in (later.path for later in one) if path not in paths]
    if visit not in paths:
        of_step = [path for path in paths if path.rpartition("#")[0] == visit]
        if len(of_step) != 1:
            raise UnknownVisit(run.run_id, str(visit), of_step or paths)
        visit = of_step[0]
    arrivals = machine.arrivals()
    begun = (AttemptFinished, BranchesOpened, WaitStarted)
    first = (index for index, event in enumerate(arrivals) if isinstance(event, begun) and event.path == visit)
    return visit, next(first, len(arrivals) - (machine.finished is not None))


def check_fit(run: Run, plan: Plan, events: list[Event] | None = None) -> None:
    """See that a plan leads where a run went, or where these first events of it did.

    Raises:
        DefinitionChanged: it does not.
    """
    if plan.fingerprint == run.machine.fingerprint:
        return
    _, parting = follow(plan, run.machine.started, run.machine.arrivals() if events is None else events)
    if parting is not None:
        raise DefinitionChanged(run.run_id, parting.path, parting.recorded, parting.expected)


def _first_change(run: Run, plan: Plan) -> str | None:
    """Return the first visit that would be made by another worker now, or lead elsewhere."""
    _, parting = follow(plan, run.machine.started, run.machine.arrivals())
    machine = Machine(plan, run.machine.limits, run.machine.started)
    for event in run.machine.arrivals():
        if isinstance(event, AttemptFinished):
            visit = machine.find(event.path, event.attempt)
            is_parting = parting is not None and event.path == parting.path
            if is_parting or visit is None or is_other_worker(visit.step, event):
                return event.path
        elif parting is not None and getattr(event, "path", None) == parting.path:
            return parting.path
        machine.replay([event])
    return None
