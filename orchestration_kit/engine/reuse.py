"""Attempts of another run that need not be made again: same position, same worker, same input, same data bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.engine.events import Answered, AttemptFinished, Event, RunForked
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.replay import parting_at
from orchestration_kit.engine.values import same

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.plan import PlannedStep
    from orchestration_kit.engine.visits import Visit


class _Known(NamedTuple):
    """An attempt, and what it met."""

    record: AttemptFinished
    input: Any
    data: dict[str, Any]


class Reuse:
    """What a run has on record, for another that may meet the same."""

    def __init__(self, old: Machine, *, shared: int) -> None:
        """Look at the events of `old`, but for the first `shared`, which the other run has in common with it."""
        self._known: dict[tuple[str, int], _Known] = {}
        self._answers: dict[str, Answered] = {}
        self._forks: dict[str, RunForked] = {}
        machine = Machine(old.plan, old.limits, old.started)
        for index, event in enumerate(old.arrivals()):
            if index >= shared:
                self._note(machine, event)
            machine.replay([event])

    def _note(self, machine: Machine, event: Event) -> None:
        if isinstance(event, AttemptFinished):
            visit = machine.find(event.path, event.attempt)
            if visit is not None and visit.group is None:
                self._known[event.path, event.attempt] = _Known(event, visit.input, dict(visit.scope.data))
        elif isinstance(event, Answered):
            self._answers[event.path] = event
        elif isinstance(event, RunForked):
            self._forks[event.at] = event

    def settles(self, run: Driven, visit: Visit) -> bool:
        """Settle a visit with what is on record of it, if it would only be repeated; whether that was so."""
        machine = run.machine
        with run.turn:
            if visit not in machine.taken or visit.step.is_special or visit.group is not None:
                return False
            forked = self._forks.pop(visit.path, None)
            if forked is not None:  # the old run was a fork from here on: the new one keeps what it was given
                machine.put_back(visit)
                machine.replay([forked._replace(run_id=run.run_id, parent=run.machine.started.parent or "")])
                machine.take(visit)
            record = self._repeated(visit)
            if record is None:
                return False
            machine.put_back(visit)
            if parting_at(machine, record) is not None:
                machine.take(visit)
                return False
            machine.replay([record._replace(cached=True, seq=machine.recorded + 1)])
            return True

    def _repeated(self, visit: Visit) -> AttemptFinished | None:
        """Return the attempt on record that would only be repeated; None where there is none."""
        known = self._known.get((visit.path, visit.attempt))
        if known is None or is_other_worker(visit.step, known.record):
            return None
        record = known.record
        # A failure that ended a run, an interrupt too, is worth another attempt.
        ended = record.error is not None and record.next_step is None and record.retry_in_s is None
        is_same = same(visit.input, known.input) and same(visit.scope.data, known.data)
        return None if ended or not is_same else record

    def repeats(self, visit: Visit) -> bool:
        """Whether an attempt would only be repeated."""
        return self._repeated(visit) is not None

    def answer_to(self, path: str, request: str) -> Answered | None:
        """Return what was answered to exactly this question."""
        answer = self._answers.get(path)
        is_same = answer is not None and answer.request == request and answer.kind != "timeout"
        return answer if is_same else None


def is_other_worker(step: PlannedStep, record: AttemptFinished) -> bool:
    """Whether another worker, or another version of it, made an attempt."""
    is_plain = record.worker is not None or not (record.detail or {}).get("branches")
    return is_plain and (step.worker_name, step.worker_fingerprint) != (record.worker, record.worker_fingerprint)
