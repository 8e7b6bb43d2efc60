"""The facts a run records, in order. A run's state is a fold over them. Plain immutable tuples."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypedDict

from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.data import Changes
from orchestration_kit.errors import (
    ConditionError,
    MissingEntry,
    OutputInvalid,
    OutputRejected,
    StepTimeout,
    TransformerError,
    ValueTooDeep,
)

_TELL_THEMSELVES = frozenset(
    cls.__name__
    for cls in (
        ConditionError,
        MissingEntry,
        OutputInvalid,
        OutputRejected,
        StepTimeout,
        TransformerError,
        ValueTooDeep,
    )
)
"""Errors whose messages need no name before them. Named one by one: a record must not hang on what was imported."""


class ErrorInfo(NamedTuple):
    """An error as it is put on record: enough to tell a person or a model what went wrong."""

    type: str
    message: str
    is_final: bool = False
    """Whether another attempt would come to the same, so that there was no retry."""

    def __str__(self) -> str:
        return self.message

    def described(self) -> str:
        """Return the message with the type before it, where it needs one: `KeyError: 'price'`."""
        is_plain = self.type in _TELL_THEMSELVES or self.message == self.type
        return self.message if is_plain else f"{self.type}: {self.message}"


class RunStarted(NamedTuple):
    """A run began."""

    run_id: str
    workflow: str
    fingerprint: str
    goal: str
    data: dict[str, Any]
    seed: int | str
    started_at: float
    """Seconds since the epoch, UTC."""
    parent: str | None = None
    """The run it was forked from, or, where `forked_at` is None, the one that it is a sub-workflow of."""
    forked_at: str | None = None
    """The visit of its parent that it was forked at, e.g. `review_code#2`."""
    tags: dict[str, str] | None = None
    """What its caller wants to find it by."""
    input: tuple[Any] | None = None
    """What its first step gets, where that is not the goal."""
    depth: int = 0
    """How many runs it is inside of: a sub-workflow's is one more than its parent's."""


class RunResumed(NamedTuple):
    """A run went on: after a crash, or after an end that was not meant to be one."""

    run_id: str
    resumed_at: float
    fingerprint: str | None = None
    """Of the workflow and its workers from here on, where it is another one than before."""


class RunForked(NamedTuple):
    """From here on a run is a fork's own; what stands before is its parent's."""

    run_id: str
    parent: str
    at: str
    forked_at: float
    changes: Changes | None
    """What was set on the data bus at this point."""
    input: tuple[Any] | None
    """What the visit is given instead of what its parent's got; None: the same."""


class BranchesOpened(NamedTuple):
    """A visit opened branches: of a parallel step, over the items of a map, or of a workflow that a worker made."""

    path: str
    """The visit, e.g. `research#1`."""
    keys: tuple[str, ...] | None
    """Which branches were activated, in order; None for a map: "0", "1", ..."""
    inputs: list[Any] | None
    """The items of a map, or what a spawned workflow gets; None: each branch gets what the visit got."""
    evaluated: tuple[Evaluated, ...]
    """The conditions of its branches."""
    opened_at: float


class WaitStarted(NamedTuple):
    """A visit waits for a person, an event or a time."""

    path: str
    kind: Literal["approval", "event", "time"]
    request: str
    """SHA-256 of exactly what is asked; an answer is bound to it."""
    shown: dict[str, Any]
    """What a person sees with the question, by name."""
    asked_at: float
    until: float | None
    """When it times out, or the time it waits for; seconds since the epoch."""


class Answered(NamedTuple):
    """A wait is over."""

    path: str
    kind: Literal["approved", "rejected", "event", "kept", "timeout", "time"]
    """`kept`: an event that had come before."""
    value: Any
    """What was approved, or the payload of the event."""
    reason: str | None
    """Why it was rejected."""
    request: str
    """The hash of the question that was answered."""
    answered_at: float


class EventReceived(NamedTuple):
    """Somebody sent an event that no visit waited for yet; it is kept for the first one that will."""

    name: str
    payload: Any
    received_at: float


class LimitReached(NamedTuple):
    """A limit or the budget of the run was reached, and there is something to do about it."""

    limit: str
    value: str
    next_step: str | None
    """The step the run goes to; None where it fails, and what it did is undone."""
    reached_at: float


class AttemptStarted(NamedTuple):
    """A worker is about to be called. For observers; the fold does not need it."""

    path: str
    step: str
    visit: int
    attempt: int
    worker: str | None
    input: Any
    started_at: float


class PartialOutput(NamedTuple):
    """A generator worker yielded a piece. For observers."""

    path: str
    piece: Any


class AttemptFinished(NamedTuple):
    """One call of a worker, and everything that followed from it. The unit of record."""

    seq: int
    """1, 2, ... within the run."""
    scope: str
    """Where in the graph of branches and items: empty for the run itself, else ending in "/"."""
    step: str
    visit: int
    attempt: int
    worker: str | None
    """None where a terminal step had no worker and passed the last output through."""
    worker_type: str
    input: Any
    output: Any
    """`{"error": message}` for a failed attempt, with the rejected output beside it where there is one."""
    error: ErrorInfo | None
    started_at: float
    duration_s: float
    next_step: str | None
    """The step the run went on to; None where it stayed for a retry, or ended."""
    retry_in_s: float | None
    """Seconds to wait before the next attempt of this visit; None where there is none."""
    changes: Changes | None
    evaluated: tuple[Evaluated, ...]
    """Every condition that was evaluated on the way: why this edge."""
    usage: dict[str, Any] | None
    cached: bool = False
    """Whether it came from a recording instead of the worker."""
    worker_fingerprint: str | None = None
    """Name and hash of the worker's code; None where it is not known."""
    detail: dict[str, Any] | None = None
    """What a step did besides calling a worker: `branches` and how each ended, `spawn`, `added` items, `undoes`,
    `answer`."""

    @property
    def path(self) -> str:
        """Position in the graph and visit number, e.g. `review_code#2`."""
        return f"{self.scope}{self.step}#{self.visit}"


class RunFinished(NamedTuple):
    """A run ended, and why."""

    run_id: str
    state: str
    reason: str | None
    """Why it failed or was cancelled; a limit is named."""
    finished_at: float
    steps: int
    """Attempts in all."""


Mark = RunForked | RunResumed | BranchesOpened | WaitStarted | Answered | EventReceived | LimitReached | RunFinished
"""What is on record besides attempts. A `RunFinished` among them is a former end."""
Event = RunStarted | AttemptStarted | PartialOutput | AttemptFinished | Mark


class HistoryEntry(TypedDict):
    """An attempt as `context.history` shows it: a plain dict, ready for `pd.DataFrame(history)`."""

    timestamp: str
    """When the attempt started: ISO 8601, UTC."""
    worker_type: str
    step: str
    input: Any
    output: Any
    seq: int
    visit: int
    attempt: int
    worker: str | None
    success: bool
    error: str | None
    error_type: str | None
    duration_s: float
    next_step: str | None
    retry_in_s: float | None
    """Seconds until the next attempt of this visit; None where there is none."""
    usage: dict[str, Any] | None
    cached: bool
    """Whether the output came from a recording instead of the worker."""
    path: str
    branch: str | None
    """Which branch of a parallel step or a map it is in, by name or index; None in the run itself."""
    detail: dict[str, Any] | None
    """What a step did besides calling a worker, e.g. `{"branches": {"0": "completed", "1": "failed"}}`."""
    why: list[dict[str, Any]]
    """The conditions that were evaluated: `text`, `inputs`, `result`."""
