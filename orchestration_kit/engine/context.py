"""What a worker sees of its run, and what a run leaves behind: `WorkflowContext`.

A context looks at a machine's state; it never changes it. A worker's context belongs to one attempt of one
visit: its `data` is the attempt's own view, merged by the hub when the attempt succeeds.
"""

from __future__ import annotations

import hashlib
import math
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.data import DataView
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, HistoryEntry, RunFinished, RunStarted
from orchestration_kit.engine.groups import is_in_map, item_of
from orchestration_kit.engine.lending import Lending
from orchestration_kit.engine.notes import Notes
from orchestration_kit.engine.order import opener_of
from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import RunStateError, counted

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.definition.workflow import WorkflowDefinition
    from orchestration_kit.engine.machine import Machine
    from orchestration_kit.engine.plan import Plan
    from orchestration_kit.engine.visits import Visit


_ONE_AT_A_TIME = threading.Lock()
"""Held for moments, while what threads of one worker may do at once is noted."""


@dataclass(slots=True)
class _HandMade:
    """Stands where a machine does, in a context made by hand to try a worker."""

    started: RunStarted
    state: WorkflowState
    current_step: str
    data: dict[str, Any]
    records: list[AttemptFinished] = field(default_factory=list[AttemptFinished])
    finished: RunFinished | None = None
    recorded: int = 0
    is_branched: bool = False
    plan: Plan | None = None

    def records_since(self, told: int) -> list[AttemptFinished]:
        """A context made by hand has entries of its own, and no records."""
        return self.records[told:]


class WorkflowContext(Lending):
    """Goal, state, data bus and history of a run.

    Workers get one; `execute_workflow` returns one. To try a worker by hand, make one:

    >>> context = WorkflowContext("try-1", "Greet", WorkflowState.INITIALIZED, "greet", data={"name": "Ada"})
    >>> context.data["name"], context.get_last_output()
    ('Ada', None)
    """

    __slots__ = ("__weakref__", "_machine", "_notes", "_visit")

    _machine: Machine | _HandMade
    _visit: Visit | None
    _notes: Notes | None

    def __init__(  # noqa: PLR0913, PLR0917 - the mission's signature
        self,
        workflow_id: str,
        goal: str,
        state: WorkflowState = WorkflowState.INITIALIZED,
        current_step: str = "",
        data: dict[str, Any] | None = None,
        history: list[HistoryEntry] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        started = RunStarted(workflow_id, "", "", goal, {}, workflow_id, time.time())
        self._machine = _HandMade(started, WorkflowState(state), current_step, isolate(data or {}))
        self._visit = None
        self._notes = Notes()
        self._notes.history = list(history or ())
        self._notes.metadata = dict(metadata or {})

    @property
    def workflow_id(self) -> str:
        """The id of the run."""
        return self._machine.started.run_id

    @property
    def goal(self) -> str:
        """What the run is for."""
        return self._machine.started.goal

    @property
    def state(self) -> WorkflowState:
        """Where the run stands."""
        return self._machine.state if self._visit is None else WorkflowState.IN_PROGRESS

    @property
    def current_step(self) -> str:
        """The step that is being worked on, will be next, or was the last."""
        return self._machine.current_step if self._visit is None else self._visit.step.step_id

    @property
    def data(self) -> DataView:
        """The data bus, a dict. `data["<step_id>_output"]` holds a step's last output.

        A worker may set and change entries; what it changed counts when its attempt succeeds. The data of a
        finished run is yours to change: the record is not affected.
        """
        notes = self._more
        if self._visit is not None:
            if notes.view is None:
                notes.view = DataView(self._visit.scope.data)
            if self._visit.facts is self:  # its output is out: branches look at the bus as it will be
                notes.view.put_output(self._visit.step.output_key, self._visit.output)
        elif notes.view is None or notes.seen != self._machine.recorded:
            notes.view = DataView(self._machine.data)
            notes.seen = self._machine.recorded
            if not isinstance(self._machine, _HandMade) and self._machine.finished is None:
                notes.view.lock("the run is not over; give data as initial_data, or set it in a worker")
        return notes.view

    @property
    def history(self) -> list[HistoryEntry]:
        """One entry per attempt, in order: a list of plain dicts, made when it is looked at."""
        if self._visit is not None:
            return [to_entry(record) for record in self._seen()]
        notes = self._more
        if notes.history is None:
            notes.history = []
        if self._machine.is_branched:
            notes.history[:], notes.told = [], 0  # what branches do comes between what is there
        new = self._machine.records_since(notes.told)
        notes.history.extend([to_entry(record) for record in new])
        notes.told += len(new)
        return notes.history

    @property
    def metadata(self) -> dict[str, Any]:
        """Facts about the run that are neither goal nor data: `workflow_name`, `error`, `steps`."""
        if self._more.metadata is None:
            finished = self._machine.finished
            return {
                "workflow_name": self._machine.started.workflow,
                "steps": self._machine.recorded,
                "error": None if finished is None else finished.reason,
            }
        return self._more.metadata

    @property
    def error(self) -> str | None:
        """Why the run failed or was cancelled; a limit is named. None while it runs and after a success."""
        finished = self._machine.finished
        return None if finished is None else finished.reason

    @property
    def workflow(self) -> WorkflowDefinition | None:
        """The definition the run follows."""
        plan = self._machine.plan
        return None if plan is None else plan.definition

    @property
    def path(self) -> str:
        """Position of the present visit, e.g. `review_code#2`."""
        return "" if self._visit is None else self._visit.path

    @property
    def branch(self) -> str | None:
        """Which branch of a parallel step or a map the visit is in, by name or index; None in the run itself."""
        return None if self._visit is None else self._visit.scope.key

    @property
    def item(self) -> Any:
        """What the branch that the visit is in began with, e.g. the item of a map; None in the run itself."""
        return None if self._visit is None else isolate(item_of(self._visit.scope))

    def add_item(self, item: Any) -> None:
        """Add an item to the map that this visit is in; a branch is opened for it when the attempt has succeeded.

        Raises:
            RunStateError: the visit is in no branch of a map.
        """
        if self._visit is None or not is_in_map(self._visit.scope):
            at = self.path or "a context made by hand"
            reason = f"{at} is in no branch of a map, so there is nothing to add an item to"
            hint = "Call context.add_item(...) in a worker within the body of a MapStep."
            raise RunStateError(self.workflow_id, self.state, reason, hint)
        self._more.added = [*(self._more.added or ()), item]

    @property
    def visit(self) -> int:
        """How often the run has come to this step; conditions call it `visits`."""
        return 0 if self._visit is None else self._visit.number

    @property
    def attempt(self) -> int:
        """Which attempt of this visit it is: 1, 2, ..."""
        return 0 if self._visit is None else self._visit.attempt

    @property
    def last_error(self) -> ErrorInfo | None:
        """Why the attempt before this one failed (`.type`, `.message`), so that a worker can do better."""
        return None if self._visit is None else self._visit.last_error

    @property
    def random(self) -> random.Random:
        """Random numbers that are the same whenever this attempt is repeated: seeded by run, visit and attempt."""
        more = self._more
        if more.random is None:
            seed = f"{self._machine.started.seed}|{self.path}|{self.attempt}"
            more.random = random.Random(seed)  # noqa: S311 - to repeat, not to keep a secret
        return more.random

    @property
    def idempotency_key(self) -> str:
        """A key that is the same for every attempt and resume of this visit, for calls that must not happen twice."""
        return hashlib.sha256(f"{self.workflow_id}|{self.path}".encode("utf-8", "backslashreplace")).hexdigest()[:32]

    def now(self) -> datetime:
        """Return the time at which this attempt started, as it is recorded: the same in a replay."""
        started_at = self._machine.started.started_at if self._visit is None else self._visit.started_at
        return datetime.fromtimestamp(started_at, UTC)

    def get_last_output(self, worker_type: str | None = None) -> Any:
        """Return the last output on record, or the last of one worker type; None where there is none."""
        if isinstance(self._machine, _HandMade):
            entries = (e for e in reversed(self.history) if worker_type is None or e["worker_type"] == worker_type)
            return next((entry["output"] for entry in entries), None)
        if worker_type is None and not self._machine.is_branched:
            last = self._machine.last_record()
            return None if last is None else isolate(last.output)
        found = (record for record in reversed(self._seen()) if worker_type in (None, record.worker_type))
        record = next(found, None)
        return None if record is None else isolate(record.output)

    def add_history(self, worker_type: str, input_data: Any, output_data: Any) -> None:
        """Add an entry to the history of a context made by hand.

        Raises:
            RunStateError: the context belongs to a run. There the hub alone writes the history, so that it is
                what happened.
        """
        if not isinstance(self._machine, _HandMade):
            raise RunStateError(
                self.workflow_id,
                self.state,
                "the hub writes the history of a run",
                "Return what should be on record as output, or set it in context.data.",
            )
        entry = HistoryEntry(
            timestamp=self.now().isoformat(),
            worker_type=str(worker_type),
            step=self.current_step,
            input=isolate(input_data),
            output=isolate(output_data),
            seq=len(self.history) + 1,
            visit=self.visit,
            attempt=self.attempt,
            worker=None,
            success=True,
            error=None,
            error_type=None,
            duration_s=0.0,
            next_step=None,
            retry_in_s=None,
            usage=None,
            cached=False,
            path=self.path,
            branch=None,
            detail=None,
            why=[],
        )
        self.history.append(entry)

    def add_usage(
        self, *, input_tokens: int = 0, output_tokens: int = 0, cost_usd: float = 0.0, model: str | None = None
    ) -> None:
        """Add to what this attempt used; the run's limits count it.

        Raises:
            ValueError: a figure is negative, or no number.
        """
        are_counts = all(isinstance(count, Integral) and count >= 0 for count in (input_tokens, output_tokens))
        if not are_counts or not isinstance(cost_usd, Real) or not 0 <= cost_usd < math.inf:
            given = f"input_tokens={input_tokens}, output_tokens={output_tokens}, cost_usd={cost_usd}"
            raise ValueError(f"usage cannot be negative: tokens are whole numbers, costs finite; got {given}")
        notes = self._more
        with _ONE_AT_A_TIME:
            usage = notes.usage or {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "model": None}
            notes.usage = {
                "input_tokens": usage["input_tokens"] + int(input_tokens),
                "output_tokens": usage["output_tokens"] + int(output_tokens),
                "cost_usd": usage["cost_usd"] + float(cost_usd),
                "model": usage["model"] if model is None else str(model),
            }

    def to_frame(self) -> pd.DataFrame:
        """Return the history as a DataFrame, one row per attempt: `history_frame(context)`."""
        from orchestration_kit.history import history_frame

        return history_frame(self)

    def _seen(self) -> list[AttemptFinished]:
        """What is on record, as far as the visit can know of it."""
        machine = self._machine
        if self._visit is None or isinstance(machine, _HandMade):
            return machine.records
        return machine.seen_from(self._visit.scope.prefix)

    @property
    def _more(self) -> Notes:
        notes = self._notes
        if notes is None:
            with _ONE_AT_A_TIME:  # two would be one too many: a worker may have threads of its own
                notes = self._notes = self._notes or Notes()
        return notes

    def __repr__(self) -> str:
        return (
            f"<WorkflowContext {self.workflow_id!r}: {self.state.value}, {counted(self._machine.recorded, 'attempt')}>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from orchestration_kit.visual import mimebundle

        return mimebundle(self)


_new = object.__new__


def context_of(machine: Machine, visit: Visit | None) -> WorkflowContext:
    """Return the context of a visit, or of the run as a whole."""
    context: WorkflowContext = _new(WorkflowContext)
    context._machine = machine  # noqa: SLF001
    context._visit = visit  # noqa: SLF001
    context._notes = None  # noqa: SLF001
    return context


def notes_of(context: WorkflowContext) -> Notes | None:
    """Return what a worker left on its context; None where it looked at nothing."""
    return context._notes  # noqa: SLF001


def mark_cached(context: WorkflowContext) -> None:
    """Put on record that an attempt comes from a recording instead of the worker."""
    context._more.cached = True  # noqa: SLF001


def to_entry(record: AttemptFinished) -> HistoryEntry:
    """Return a record as a plain dict with copies of its values."""
    error = record.error
    return HistoryEntry(
        timestamp=datetime.fromtimestamp(record.started_at, UTC).isoformat(),
        worker_type=record.worker_type,
        step=record.step,
        input=isolate(record.input),
        output=isolate(record.output),
        seq=record.seq,
        visit=record.visit,
        attempt=record.attempt,
        worker=record.worker,
        success=error is None,
        error=None if error is None else error.message,
        error_type=None if error is None else error.type,
        duration_s=record.duration_s,
        next_step=record.next_step,
        retry_in_s=record.retry_in_s,
        usage=None if record.usage is None else dict(record.usage),
        cached=record.cached,
        path=record.path,
        branch=opener_of(record.scope)[1] if record.scope else None,
        detail=None if record.detail is None else isolate(record.detail),
        why=[{"text": one.text, "inputs": isolate(one.inputs), "result": one.result} for one in record.evaluated],
    )
