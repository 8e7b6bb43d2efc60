"""The sans-IO state machine: what next, and what does this event change?

It does no I/O, reads no clock, draws no random number and calls no worker. Drivers around it do: they take a
visit from `next()`, call its worker, write what came of it onto the visit, and hand it to `settle()`, which
decides (retry, edge, end) and folds that decision into the state. The same machine drives the sync loop, the
async loop, one cell at a time, and replay: `replay()` folds recorded events and decides nothing.

The model is h11: a protocol without a socket (https://h11.readthedocs.io).

How branches, items and joins will fit in (they are not there yet): the machine holds a *set* of active visits
and each visit belongs to a `Scope`, one sequential thread of control with its own data bus and visit counts.
A parallel step or a map opens a child scope per branch or item (`research#1[3]/`), each with a copy of its
parent's bus, and puts the first visit of each into `ready`; `next()` may then be asked again before an earlier
visit is settled. A scope that ends reports to its parent, which joins when the scopes that it activated have
reported, and merges their changes in definition or input order. Sub-workflows are child scopes with another
plan. Waiting for a person or a time is a visit that is active but not ready. Identity is scope, step and visit
number, never the order in which scopes end.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterable
from typing import Any, cast

from orchestration_kit.definition.conditions import Evaluated, Facts
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, Event, RunFinished, RunStarted
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.plan import Plan, PlannedStep
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.errors import ConditionError

_record = cast(Any, tuple.__new__)
"""Builds a named tuple in half the time of its own constructor; this runs once per attempt."""


class Scope:
    """A sequential thread of control: its prefix in positions, its data bus, its visit counts."""

    __slots__ = ("data", "prefix", "visits")

    def __init__(self, prefix: str, data: dict[str, Any]) -> None:
        self.prefix = prefix
        self.data = data
        self.visits: dict[str, int] = {}


class Visit:
    """One arrival at a step, and the working notes of its present attempt.

    A driver writes `given`, `started_at`, `duration_s`, `changes`, `evaluated`, `facts` and `usage` before it
    settles.
    """

    __slots__ = (
        "attempt", "changes", "duration_s", "evaluated", "facts", "given", "input", "last_error", "number", "scope",
        "started_at", "step", "usage", "wait_s",
    )  # fmt: skip

    def __init__(self, scope: Scope, step: PlannedStep, number: int, input_data: Any) -> None:
        self.scope = scope
        self.step = step
        self.number = number
        self.input = input_data
        self.attempt = 1
        self.last_error: ErrorInfo | None = None
        self.wait_s: float | None = None
        self.given = input_data
        self.started_at = self.duration_s = 0.0
        self.changes: Changes | None = None
        self.evaluated: tuple[Evaluated, ...] = ()
        self.facts: Facts | None = None
        """What conditions see of the run; needed where the step has branches."""
        self.usage: dict[str, Any] | None = None

    @property
    def path(self) -> str:
        """Position in the graph and visit number, e.g. `review_code#2`."""
        return f"{self.scope.prefix}{self.step.step_id}#{self.number}"


class Machine:
    """The state of one run, and what it does next."""

    __slots__ = (
        "_max_seconds", "active", "attempts", "busy_s", "cost_usd", "finished", "last_moment", "limits", "plan", "ready",
        "records", "root", "started", "tokens",
    )  # fmt: skip

    def __init__(self, plan: Plan, limits: RunLimits, started: RunStarted) -> None:
        self.plan = plan
        self.limits = limits
        self._max_seconds = math.inf if limits.max_seconds is None else limits.max_seconds
        self.started = started
        self.root = Scope("", dict(started.data))
        self.records: list[AttemptFinished] = []
        self.active: set[Visit] = set()
        self.ready: deque[Visit] = deque()
        self.attempts = 0
        self.busy_s = 0.0
        """Time spent in attempts and in waiting for retries."""
        self.tokens = 0
        self.cost_usd = 0.0
        self.last_moment = started.started_at
        self.finished: RunFinished | None = None
        self._arrive(self.root, plan.initial, started.goal)

    @property
    def data(self) -> dict[str, Any]:
        """The committed data bus of the run."""
        return self.root.data

    @property
    def state(self) -> WorkflowState:
        """Where the run stands."""
        if self.finished is not None:
            return WorkflowState(self.finished.state)
        return WorkflowState.IN_PROGRESS if self.attempts else WorkflowState.INITIALIZED

    @property
    def current_step(self) -> str:
        """The step that is being worked on or comes next; after the end, the last one."""
        for visit in self.active:
            return visit.step.step_id
        return self.records[-1].step if self.records else self.plan.initial

    def upcoming(self) -> Visit | None:
        """The visit that `next()` would give, without taking it."""
        return self.ready[0] if self.ready else None

    def next(self) -> Visit | None:
        """Take the next visit to be worked on; None where the run has ended, or waits for active ones."""
        if not self.ready:
            return None
        if self.attempts >= self.limits.max_steps:
            self._end_at_limit("max_steps", f"{self.limits.max_steps:,} attempts")
            return None
        self.attempts += 1
        return self.ready.popleft()

    def settle(self, visit: Visit, output: Any, error: ErrorInfo | None, error_types: tuple[str, ...]) -> AttemptFinished:
        """Decide what follows from an attempt, and fold that into the state.

        Args:
            visit: The visit, with the notes of its attempt written on it.
            output: What goes on record: the output, or `{"error": ...}`.
            error: Why the attempt failed, or None.
            error_types: Class names of the error, for the step's retry policy.
        """
        step = visit.step
        next_step: str | None = None
        retry_in_s: float | None = None
        evaluated = visit.evaluated
        if error is None:
            next_step = step.on_success
            if step.branches:
                try:
                    next_step, evaluated = self._branch(visit, output)
                except ConditionError as failure:
                    # Deterministic, so that another attempt would only cost: no retry.
                    error = ErrorInfo("ConditionError", str(failure))
                    output = {"error": error.message, "output": output}
                    next_step = step.on_failure
        elif visit.attempt <= step.max_retries and (step.retry is None or step.retry.allows(error_types)):
            retry_in_s = 0.0 if step.retry is None else self._wait(visit, step)
        else:
            next_step = step.on_failure
        record = self._recorded(visit, output, error, next_step, retry_in_s, evaluated)
        self._fold(visit, record)
        return record

    def abort(self, visit: Visit, error: ErrorInfo, reason: str) -> AttemptFinished:
        """Record an attempt that was interrupted, and end the run as cancelled."""
        record = self._recorded(visit, {"error": error.message}, error, None, None, ())
        self._fold(visit, record)
        self._end("cancelled", reason)
        return record

    def _recorded(  # noqa: PLR0913 - one call, on the hot path
        self,
        visit: Visit,
        output: Any,
        error: ErrorInfo | None,
        next_step: str | None,
        retry_in_s: float | None,
        evaluated: tuple[Evaluated, ...],
    ) -> AttemptFinished:
        step = visit.step
        worker = step.worker
        return _record(
            AttemptFinished,
            (
                len(self.records) + 1,
                visit.scope.prefix,
                step.step_id,
                visit.number,
                visit.attempt,
                None if worker is None else worker.name,
                step.worker_type,
                visit.given,
                output,
                error,
                visit.started_at,
                visit.duration_s,
                next_step,
                retry_in_s,
                None if error is not None else visit.changes,
                evaluated,
                visit.usage,
            ),
        )

    def cancel(self, reason: str, at: float) -> RunFinished | None:
        """End the run as cancelled; None where it had ended before."""
        return None if self.finished else self._end("cancelled", reason, at)

    def replay(self, events: Iterable[Event]) -> None:
        """Fold recorded events into the state. Nothing is decided and nobody is called."""
        for event in events:
            if isinstance(event, AttemptFinished):
                visit = self.next()
                if visit is None or (visit.path, visit.attempt) != (event.path, event.attempt):
                    raise ValueError(f"event {event.seq} is of {event.path}, and the run stands at {visit and visit.path}")
                self._fold(visit, event)
            elif isinstance(event, RunFinished):
                self.finished = event

    def _arrive(self, scope: Scope, step_id: str, input_data: Any) -> None:
        number = scope.visits.get(step_id, 0) + 1
        scope.visits[step_id] = number
        visit = Visit(scope, self.plan.steps[step_id], number, input_data)
        self.active.add(visit)
        self.ready.append(visit)

    def _fold(self, visit: Visit, record: AttemptFinished) -> None:
        self.records.append(record)
        self.last_moment = record.started_at + record.duration_s
        self.busy_s += record.duration_s
        if record.usage is not None:
            self._spend(record.usage)
        if record.retry_in_s is not None:
            self.busy_s += record.retry_in_s
            visit.attempt += 1
            visit.last_error = record.error
            visit.wait_s = record.retry_in_s or None
            visit.changes = visit.usage = None
            visit.evaluated = ()
            self.ready.append(visit)
        else:
            self.active.discard(visit)
            data = visit.scope.data
            if record.changes is not None:
                data.update(record.changes.updated)
                for key in record.changes.removed:
                    data.pop(key, None)
            data[visit.step.output_key] = record.output
            if record.next_step is not None:
                self._arrive(visit.scope, record.next_step, record.output)
            elif record.error is None:
                self._end(visit.step.outcome, None if visit.step.outcome == "completed" else _ended_at(visit))
            else:
                self._end("failed", f"{visit.path} failed: {record.error.message}")
        if self.busy_s >= self._max_seconds or self.tokens or self.cost_usd:
            self._check_spending()

    def _branch(self, visit: Visit, output: Any) -> tuple[str | None, tuple[Evaluated, ...]]:
        """Return the target of the first branch that holds, else `on_success`, and all that was evaluated."""
        step = visit.step
        seen = list(visit.evaluated)
        for branch in step.branches:
            evaluated = branch.when.evaluate(step.step_id, output, visit.facts)
            seen.append(evaluated)
            if evaluated.result:
                return branch.to, tuple(seen)
        return step.on_success, tuple(seen)

    def _wait(self, visit: Visit, step: PlannedStep) -> float:
        assert step.retry is not None
        draw = random.Random(f"{self.started.seed}|{visit.path}|{visit.attempt}|retry")
        return step.retry.wait_s(visit.attempt, spread=draw.uniform(-1, 1))

    def _spend(self, usage: dict[str, Any]) -> None:
        self.tokens += usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
        self.cost_usd += usage.get("cost_usd", 0.0)

    def _check_spending(self) -> None:
        limits = self.limits
        if self.finished is not None:
            return
        if self.busy_s >= self._max_seconds:
            self._end_at_limit("max_seconds", f"{self._max_seconds:g} s; {self.busy_s:.3g} s were used")
        elif limits.max_tokens is not None and self.tokens > limits.max_tokens:
            self._end_at_limit("max_tokens", f"{limits.max_tokens:,} tokens; {self.tokens:,} were used")
        elif limits.max_cost_usd is not None and self.cost_usd > limits.max_cost_usd:
            self._end_at_limit("max_cost_usd", f"${limits.max_cost_usd:g}; ${self.cost_usd:g} were spent")

    def _end_at_limit(self, limit: str, value: str, at: float | None = None) -> None:
        before = f" before {self.ready[0].path}" if self.ready else ""
        self._end("failed", f"limit {limit} reached{before}: {value}", at)

    def _end(self, state: str, reason: str | None, at: float | None = None) -> RunFinished:
        self.ready.clear()
        self.active.clear()
        moment = self.last_moment if at is None else at
        self.finished = RunFinished(self.started.run_id, state, reason, moment, self.attempts)
        return self.finished


def _ended_at(visit: Visit) -> str:
    return f"the run ended at {visit.path}, whose outcome is failed"
