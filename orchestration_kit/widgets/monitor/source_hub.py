"""The runs of a hub without a journal: those that are held in this process."""

from __future__ import annotations

from orchestration_kit.engine.events import AttemptFinished, RunFinished
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.engine.run import Run
from orchestration_kit.widgets.approval_desks import HubDesk
from orchestration_kit.widgets.live import steady
from orchestration_kit.widgets.monitor.lines import RunLine
from orchestration_kit.widgets.monitor.rows_read import Attempt, Wait
from orchestration_kit.widgets.monitor.source import Change, Source


class HubSource(Source):
    """Looks at the runs that a hub knows."""

    def __init__(self, hub: Orchestrator) -> None:
        super().__init__(hub, HubDesk(hub))
        self._told: dict[str, tuple[Run, int]] = {}
        """By id: the run, and how many of its attempts were taken in."""

    def look(self) -> Change:
        """Bring the lines up to date."""
        held = {run.run_id: run for run in self.hub.handles()}
        changed = self.lines.keys() - held.keys()
        for run_id in changed:
            del self.lines[run_id]
            self._told.pop(run_id, None)
        attempts: dict[str, list[Attempt]] = {}
        anew: set[str] = set()
        for run_id, run in held.items():
            known, told = self._told.get(run_id, (None, 0))
            machine = run.machine
            if known is not run or machine.is_branched or machine.recorded < told:
                self.lines[run_id] = _line(run, self.lines.get(run_id))
                told = 0
                anew.add(run_id)
            line = self.lines[run_id]
            before = _signs(line)
            records = steady(lambda machine=machine, told=told: machine.records_since(told))
            fresh = [_attempt(record) for record in records]
            self._told[run_id] = (run, told + len(fresh))
            line.take(fresh)
            if fresh:
                attempts[run_id] = fresh
            _stand(line, run)
            if _signs(line) != before or (run_id in anew and known is not run):
                line.version += 1
                changed = {*changed, run_id}
        self.total = len(held)
        return Change(set(changed), attempts, anew)

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return all attempts of a run."""
        known = self._told.get(run_id)
        if known is None:
            return []
        run, told = known
        return [_attempt(record) for record in steady(lambda: run.machine.records_since(0))[:told]]


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
    coming = None if finished is not None else steady(run.machine.coming)
    if coming is not None:
        line.at = coming.path.partition("#")[0]
    elif asked:
        line.at = asked[0].path.partition("#")[0]


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
