"""The errors of branches, waits and workflows within workflows: what happened, what was possible, what to do.

```text
AttemptError                       why an attempt failed; on record, seldom raised
├── JoinFailed                     fewer branches succeeded than the join needs
├── MergeConflict                  branches wrote different values under one key
├── NotAList (TypeError)           a map over something that is no list, or is too long
├── SubworkflowFailed              the run of another workflow did not complete
├── SpawnRefused                   a workflow that a worker made is not sound, or not allowed
├── ApprovalRejected               a person said no
├── ActionRefused                  the hub's constraints do not let an action happen
├── WaitTimeout (TimeoutError)     nobody answered in time
└── BudgetSpent                    a step's budget leaves no room for an attempt
RunStateError
└── AnswerRefused                  an answer to a question that is not open, or was another one
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration_kit.errors import AttemptError, RunStateError, listed


class JoinFailed(AttemptError):
    """Fewer branches succeeded than the join needs."""

    is_final = True

    def __init__(self, path: str, needed: str, failures: tuple[str, ...], problems: tuple[str, ...] = ()) -> None:
        super().__init__(path, needed, failures, problems)
        self.path, self.needed, self.failures, self.problems = path, needed, failures, problems

    def __str__(self) -> str:
        failed = f": {listed(self.failures, 3)}" if self.failures else ""
        problems = "".join(f"; not undone: {problem}" for problem in self.problems)
        return f"The join of {self.path} needs {self.needed}, and that cannot be reached{failed}{problems}"


class MergeConflict(AttemptError):
    """Branches wrote different values under one key of the data bus."""

    is_final = True

    def __init__(self, path: str, key: str, branches: tuple[str, ...], reason: str = "") -> None:
        super().__init__(path, key, branches, reason)
        self.path, self.key, self.branches, self.reason = path, key, branches, reason

    def __str__(self) -> str:
        if self.reason:
            return f"The reducer for data[{self.key!r}] of {self.path} failed: {self.reason}"
        return (
            f"Branches {listed(self.branches, 6)} of {self.path} wrote different values to data[{self.key!r}]. "
            f'Name a reducer, for example reducer={{"{self.key}": "list"}}, or let each branch return its value.'
        )


class NotAList(AttemptError, TypeError):
    """A map over something that is no list, or has too many items."""

    is_final = True

    def __init__(self, step: str, over: str, reason: str, hint: str) -> None:
        super().__init__(step, over, reason, hint)
        self.step, self.over, self.reason, self.hint = step, over, reason, hint

    def __str__(self) -> str:
        return f"Step {self.step!r} maps over {self.over}, and {self.reason}. {self.hint}"


class SubworkflowFailed(AttemptError):
    """The run of another workflow did not complete."""

    def __init__(self, workflow: str, run_id: str, state: str, reason: str) -> None:
        super().__init__(workflow, run_id, state, reason)
        self.workflow, self.run_id, self.state, self.reason = workflow, run_id, state, reason

    def __str__(self) -> str:
        return f"Run {self.run_id!r} of the workflow {self.workflow!r} is {self.state}: {self.reason}"


class SpawnRefused(AttemptError):
    """A workflow that a worker made is not sound, or not allowed."""

    def __init__(self, workflow: str, reason: str, problems: tuple[str, ...]) -> None:
        super().__init__(workflow, reason, problems)
        self.workflow, self.reason, self.problems = workflow, reason, problems

    def __str__(self) -> str:
        details = "".join(f"\n  {problem}" for problem in self.problems)
        return f"The workflow {self.workflow!r} that the worker made cannot be run: {self.reason}.{details}"


class ApprovalRejected(AttemptError):
    """A person said no."""

    is_final = True

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path} was rejected: {self.reason}"


class ActionRefused(AttemptError):
    """The hub's constraints do not let an action happen; where `stage` is `after`, what came of it is kept back."""

    def __init__(
        self,
        plan: Mapping[str, Any],
        violations: tuple[tuple[str, str, str], ...],
        on_violation: str = "retry",
        stage: str = "before",
    ) -> None:
        super().__init__(plan, violations, on_violation, stage)
        self.plan, self.violations, self.on_violation, self.stage = plan, violations, on_violation, stage
        """What was wanted; rule, message and hint of each violation; `retry`, `ask` or `fail`; `before` or `after`."""

    @property
    def is_final(self) -> bool:
        """Whether the worker gets no other try."""
        return self.on_violation == "fail"

    def __str__(self) -> str:
        kind = str(self.plan.get("action_type"))[:80]
        what = (
            f"The action {kind!r} is refused"
            if self.stage == "before"
            else f"What came of the action {kind!r} is kept back"
        )
        told = [f"{message} [{rule}]{f'. {hint}' if hint else ''}" for rule, message, hint in self.violations]
        return f"{what}: {listed(told, 5)}"


class WaitTimeout(AttemptError, TimeoutError):
    """Nobody answered in time."""

    is_final = True

    def __init__(self, path: str, timeout_s: float, awaited: str) -> None:
        super().__init__(path, timeout_s, awaited)
        self.path, self.timeout_s, self.awaited = path, timeout_s, awaited

    def __str__(self) -> str:
        return f"{self.path} waited {self.timeout_s:g} s for {self.awaited}, which did not come"


class BudgetSpent(AttemptError):
    """A step's budget leaves no room for an attempt; none was made."""

    is_final = True


class AnswerRefused(RunStateError):
    """An answer to a question that is not open, or was another one. Nothing was changed."""


def in_words(count: int, total: int) -> str:
    """Return how many branches a join needs.

    >>> in_words(2, 3), in_words(4, 4)
    ('2 of 3 branches', 'all of 4 branches')
    """
    some = "all" if count == total else f"{count:,}"
    return f"{some} of {total:,} branch{'' if total == 1 else 'es'}"
