"""Threads of control, the visits they make, and what the machine decides about one visit."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.conditions import Evaluated, Facts
from orchestration_kit.definition.steps import RetryPolicy
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import Answered, ErrorInfo, WaitStarted
from orchestration_kit.engine.plan import PlannedStep
from orchestration_kit.engine.values import isolate

if TYPE_CHECKING:
    from orchestration_kit.engine.groups import Group, Undo
    from orchestration_kit.engine.notes import Notes

STOPPED = frozenset({"KeyboardInterrupt", "SystemExit", "GeneratorExit", "RunCancelled"})
"""Errors of an attempt that was under way when the run was stopped. No worker can fail with one of them."""
INTERRUPTS = STOPPED | {"CancelledError", "BranchCancelled"}
"""Errors that say nothing of a worker: somebody stopped it."""


class Scope:
    """A sequential thread of control: the run itself, or one branch. Its data bus, its visit counts."""

    __slots__ = (
        "added", "changes", "count", "data", "end", "error", "group", "key", "output", "passed", "prefix", "steps",
        "stuck", "visits", "written",
    )  # fmt: skip

    def __init__(
        self,
        prefix: str,
        data: dict[str, Any],
        steps: Mapping[str, PlannedStep],
        group: Group | Undo | None = None,
        key: str | None = None,
    ) -> None:
        self.prefix = prefix
        self.data = data
        self.steps = steps
        """The steps it goes through: of the run's workflow, or of one within it."""
        self.group = group
        """What opened it; None for the run itself."""
        self.key = key
        self.visits: dict[str, int] = {}
        self.count = 0
        """Attempts so far, of a branch; those of the run itself are counted when it matters."""
        self.end: str | None = None
        """`completed`, `failed` or `cancelled`, once it has ended."""
        self.error: str | None = None
        self.output: Any = None
        """The last output."""
        self.stuck: Visit | None = None
        """The visit it ended at without a way on; it may be attempted again."""
        self.written: set[str] | None = None
        """Entries of the data bus that its visits changed."""
        self.passed: tuple[str, ...] = ()
        """Entries with outputs of steps that came from branches of its own."""
        self.changes: Changes | None = None
        """What it leaves for the join, once it is completed."""
        self.added: dict[str, int] | None = None
        """How many items were added, by which of the branches within it added them; under "" by its own visits."""

    def wrote(self, changes: Changes) -> None:
        """Note what a visit changed on the data bus."""
        if self.written is None:
            self.written = set()
        self.written.update(changes.updated, changes.removed)

    def leave(self, *, with_outputs: bool) -> None:
        """Keep what the join needs, and let go of the rest; with the outputs of its steps, if they are to be merged."""
        if self.written or with_outputs:
            written, data = sorted(self.written or ()), self.data
            updated = {key: data[key] for key in written if key in data}
            if with_outputs:
                own = (self.steps[step_id].output_key for step_id in self.visits)
                updated |= {key: data[key] for key in (*own, *self.passed) if key in data and key not in updated}
            self.changes = Changes(updated, tuple(key for key in written if key not in data))
        self.data = _NOTHING
        self.visits = _NOTHING


_NOTHING: dict[str, Any] = {}
"""Stands for what a branch that has ended does not need any more: thousands of them should weigh little."""


class More:
    """Notes that few visits have: plain attempts pay nothing for them."""

    __slots__ = ("answer", "detail", "group", "notes", "wait")

    def __init__(self) -> None:
        self.detail: dict[str, Any] | None = None
        self.group: Group | None = None
        self.wait: WaitStarted | None = None
        self.answer: Answered | None = None
        self.notes: Notes | None = None
        """What its present attempt has had carried out, where its hub does that."""


class Visit:
    """One arrival at a step, and the working notes of its present attempt.

    A driver writes `given`, `started_at` and `duration_s` before it settles, and of the others what applies.
    """

    __slots__ = (
        "attempt", "cached", "changes", "duration_s", "evaluated", "facts", "given", "input", "interrupted",
        "last_error", "more", "number", "output", "scope", "started_at", "step", "usage", "wait_s",
    )  # fmt: skip

    def __init__(self, scope: Scope, step: PlannedStep, number: int, input_data: Any) -> None:
        self.scope = scope
        self.step = step
        self.number = number
        self.input = self.given = input_data
        self.attempt = 1
        self.started_at = self.duration_s = 0.0
        self.cached = False
        self.interrupted = 0
        """Attempts before this one that somebody stopped: they use up no retry."""
        self.evaluated: tuple[Evaluated, ...] = ()
        self.last_error: ErrorInfo | None = None
        self.changes: Changes | None = None
        self.usage: dict[str, Any] | None = None
        self.wait_s: float | None = None
        """Seconds to wait before the attempt."""
        self.facts: Facts | None = None
        """What conditions see of the run; set, with `output`, where the step has branches."""
        self.output: Any = None
        self.more: More | None = None
        """What few visits have."""

    @property
    def detail(self) -> dict[str, Any] | None:
        """What the step did besides calling a worker."""
        return None if self.more is None else self.more.detail

    @detail.setter
    def detail(self, detail: dict[str, Any] | None) -> None:
        if detail is not None or self.more is not None:
            self._more.detail = detail

    @property
    def group(self) -> Group | None:
        """The branches it opened; it is ready again when they are to be joined."""
        return None if self.more is None else self.more.group

    @group.setter
    def group(self, group: Group | None) -> None:
        if group is not None or self.more is not None:
            self._more.group = group

    @property
    def wait(self) -> WaitStarted | None:
        """What it waits for."""
        return None if self.more is None else self.more.wait

    @wait.setter
    def wait(self, wait: WaitStarted | None) -> None:
        if wait is not None or self.more is not None:
            self._more.wait = wait

    @property
    def answer(self) -> Answered | None:
        """What came of the wait."""
        return None if self.more is None else self.more.answer

    @answer.setter
    def answer(self, answer: Answered | None) -> None:
        if answer is not None or self.more is not None:
            self._more.answer = answer

    @property
    def notes(self) -> Notes | None:
        """What its present attempt has had carried out, where its hub does that."""
        return None if self.more is None else self.more.notes

    @notes.setter
    def notes(self, notes: Notes) -> None:
        self._more.notes = notes

    @property
    def _more(self) -> More:
        if self.more is None:
            self.more = More()
        return self.more

    @property
    def path(self) -> str:
        """Position in the graph and visit number, e.g. `review_code#2`."""
        return f"{self.scope.prefix}{self.step.step_id}#{self.number}"


def another_attempt(visit: Visit, error: ErrorInfo | None) -> Visit:
    """Return a visit of its own for the next attempt: a worker that outlived its time limit keeps the old one."""
    step = visit.scope.steps.get(visit.step.step_id, visit.step)  # what was put out by hand was so once
    again = Visit(visit.scope, step, visit.number, visit.input)
    again.attempt = visit.attempt + 1
    was_interrupted = error is not None and (error.type in INTERRUPTS or "stopped" in (visit.detail or ()))
    blocked = (visit.detail or {}).get("blocked")
    again.interrupted = visit.interrupted + (was_interrupted or blocked is not None)
    again.last_error = visit.last_error if was_interrupted else error
    again.group = visit.group
    if visit.detail is not None and "undoes" in visit.detail:
        again.detail = {"undoes": visit.detail["undoes"]}
    if blocked is not None:
        again.detail = {"asks": blocked}
    elif was_interrupted:
        again.wait = visit.wait  # what was waited so far counts
        if visit.detail is not None and "asks" in visit.detail and not _has_used_answer(visit.detail):
            again.detail, again.answer = {"asks": visit.detail["asks"]}, visit.answer
    return again


def done_in(detail: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return of what an attempt left what has taken effect, whether it is wanted or not."""
    return {key: detail[key] for key in ("actions", "lessons") if key in detail} or None if detail else None


def _has_used_answer(detail: dict[str, Any]) -> bool:
    """Whether what a person let happen once was begun."""
    return any(one.get("approved_by") for one in detail.get("actions", ()))


def choose_edge(visit: Visit, output: Any) -> str | None:
    """Return the target of the first branch that holds, else `on_success`; note all that was evaluated.

    Raises:
        ConditionError: a condition failed to evaluate.
    """
    step = visit.step
    for branch in step.branches:
        seen = isolate(output) if branch.when.calls_code else output
        evaluated = branch.when.evaluate(step.step_id, seen, visit.facts)
        visit.evaluated = (*visit.evaluated, evaluated)
        if evaluated.result:
            return branch.to
    return step.on_success


def way_of_failure(step: PlannedStep, error: ErrorInfo) -> str | None:
    """Return where a failure leads that is not tried again."""
    if error.type == "WaitTimeout" and step.on_timeout is not None:
        return step.on_timeout
    if error.type == "BudgetSpent" and step.on_budget is not None:
        return step.on_budget
    return step.on_failure


def may_retry(visit: Visit, error_types: tuple[str, ...] | None) -> bool:
    """Whether an attempt that failed is made again; None for its types where that cannot help."""
    step = visit.step
    if error_types is None or visit.attempt - visit.interrupted > step.max_retries or step.worker is None:
        return False
    if visit.group is not None:  # its worker did its part: what it spawned failed
        return False
    return step.retry is None or step.retry.allows(error_types)


def wait_s(visit: Visit, policy: RetryPolicy, seed: int | str) -> float:
    """Return the seconds to wait before the next attempt; jitter comes from the seed, so it is no chance."""
    draw = random.Random(f"{seed}|{visit.path}|{visit.attempt}|retry")  # noqa: S311 - no secret
    return policy.wait_s(visit.attempt, spread=draw.uniform(-1, 1))
