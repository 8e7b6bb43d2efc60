"""The runs of a hub without a journal: those that are held in this process."""

from __future__ import annotations

from weakref import ref

from orchestration_kit.engine.events import AttemptFinished, Event, RunFinished, RunStarted
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.journal.following import MOST_RUNS
from orchestration_kit.journal.glances import Attempt, Wait
from orchestration_kit.widgets.approval_desks import HubDesk
from orchestration_kit.widgets.live import steady
from orchestration_kit.widgets.monitor.lines import RunLine
from orchestration_kit.widgets.monitor.source import Change, Source


class HubSource(Source):
    """Looks at the runs that a hub knows. A run that goes on is held; of one that is over, its line stays."""

    def __init__(self, hub: Orchestrator) -> None:
        super().__init__(hub, HubDesk(hub))
        self._held: dict[str, Run] = {}
        self._told: dict[str, tuple[ref[Run], int]] = {}
        """By id: the run, and how many of its attempts were taken in."""
        hub.observers.append(self._hear)

    def close(self) -> None:
        """Hear of no further runs."""
        self.desk.close()
        self.hub.observers[:] = [one for one in self.hub.observers if one != self._hear]
        self._held.clear()

    def look(self) -> Change:
        """Bring the lines up to date."""
        held = {**self._held, **{run.run_id: run for run in self.hub.handles()}}
        change = Change(set(), {}, set())
        for run_id, run in held.items():
            self._look_at(run_id, run, change)
        for run_id in sorted(self.lines, key=lambda run_id: self.lines[run_id].started_at)[:-MOST_RUNS]:
            if run_id not in held:
                del self.lines[run_id]
                self._told.pop(run_id, None)
                change.lines.add(run_id)
        self.total = len(self.lines)
        return change

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return all attempts of a run, as long as somebody holds it."""
        known, told = self._told.get(run_id, (None, 0))
        run = None if known is None else known()
        return (
            [] if run is None else [_attempt(record) for record in steady(lambda: run.machine.records_since(0))[:told]]
        )

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._held[event.run_id] = self.hub.get_run(event.run_id)  # one that is over soon is seen all the same

    def _look_at(self, run_id: str, run: Run, change: Change) -> None:
        known, told = self._told.get(run_id, (None, 0))
        machine = run.machine
        is_over = run.is_finished
        is_other = known is None or known() is not run
        if is_other or machine.is_branched or machine.recorded < told:
            line = _line(run, self.lines.get(run_id))
            before = None if is_other else _signs(self.lines[run_id])
            self.lines[run_id], told = line, 0
            change.anew.add(run_id)
        else:
            line = self.lines[run_id]
            before = _signs(line)
        fresh = [_attempt(record) for record in steady(lambda: machine.records_since(told))]
        self._told[run_id] = (ref(run), told + len(fresh))
        line.take(fresh)
        _stand(line, run)
        if fresh:
            change.attempts[run_id] = fresh
        if _signs(line) != before:
            line.version += 1
            change.lines.add(run_id)
        else:
            change.anew.discard(run_id)
        if is_over:
            self._held.pop(run_id, None)
        else:
            self._held[run_id] = run


def _line(run: Run, before: RunLine | None) -> RunLine:
    started = run.machine.started
    limits = run.machine.limits
    names = ("max_steps", "max_seconds", "max_cost_usd", "max_tokens")
    return RunLine(
        started.run_id,
        started.workflow,
        started.started_at,
        started.parent,
        started.forked_at,
        dict(started.tags or {}),
        planned=len(run.workflow.steps),
        limits={name: getattr(limits, name) for name in names},
        version=0 if before is None else before.version,
    )


def _stand(line: RunLine, run: Run) -> None:
    finished: RunFinished | None = run.machine.finished
    line.state = run.state.value
    line.reason = None if finished is None else finished.reason
    line.finished_at = None if finished is None else finished.finished_at
    line.driver = "this process" if run.is_driven else ""
    line.driver_is = "alive" if run.is_driven else ""
    asked = [] if finished is not None else steady(lambda: run.waiting)
    line.waits = {one.path: Wait(one.path, one.kind, one.asked_at, one.deadline) for one in asked}
    if finished is None:
        coming = steady(run.machine.coming)
        at = [*steady(lambda: [visit.path for visit in run.machine.taken]), *(one.path for one in asked)]
        at += [] if coming is None else [coming.path]
        line.at = at[0].partition("#")[0] if at else line.at


def _signs(line: RunLine) -> tuple[object, ...]:
    return line.state, line.reason, line.driver, line.attempts, line.at, tuple(line.waits)


def _attempt(record: AttemptFinished) -> Attempt:
    error = record.error
    undoes = None if record.detail is None else record.detail.get("undoes")
    return Attempt(
        record.scope,
        record.step,
        record.visit,
        record.attempt,
        record.started_at,
        record.duration_s,
        record.next_step,
        None if error is None else (error.type, error.message),
        record.retry_in_s,
        record.usage,
        record.cached,
        tuple((one.text, one.result is True) for one in record.evaluated),
        undoes if isinstance(undoes, str) else None,
    )
