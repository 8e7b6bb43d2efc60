"""The chain: the steps of a workflow, how likely each succeeds, where it leads, what an attempt takes. Plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.reliability.errors import ChainError

COMPLETED, FAILED = "[completed]", "[failed]"
"""The two ends of a run, as targets of steps. No step has such a name."""
ENDS = (COMPLETED, FAILED)
_SUM_SLACK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one attempt takes, on average.

    >>> Took(time_s=2.5, cost_usd=0.02)
    Took(time_s=2.5, tokens=0.0, cost_usd=0.02)
    """

    time_s: float = 0.0
    tokens: float = 0.0
    cost_usd: float = 0.0


NOTHING = Took()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStep:
    """A step as the chain has it: attempts that succeed or fail, then a way on.

    A visit makes attempts until one succeeds, or `retries` further ones have failed too. Which way it then leads on
    hangs on the outcome of the visit alone: that is the first-order assumption.

    >>> step = ChainStep(success=0.8, retries=2, after_success={COMPLETED: 1.0}, after_failure={FAILED: 1.0})
    >>> round(step.visit_success, 3), round(step.attempts, 2)
    (0.992, 1.24)
    """

    success: float
    """Probability that one attempt succeeds."""
    after_success: Mapping[str, float]
    """Where a visit that succeeded leads: step or end -> probability. They sum to 1."""
    after_failure: Mapping[str, float]
    """Where a visit that failed leads. They sum to 1."""
    retries: int = 0
    """Further attempts of a visit after a failed one."""
    on_success: Took = NOTHING
    """What an attempt that succeeds takes."""
    on_failure: Took = NOTHING
    """What an attempt that fails takes, the wait before the next one included."""
    worker: str | None = None
    worker_type: str | None = None

    retried: float = 1.0
    """Share of failed attempts that are made again while retries are left: below 1 where some errors are final."""

    @property
    def visit_success(self) -> float:
        """Probability that a visit succeeds: 1 - (1 - success) ** (retries + 1), where every failure is retried."""
        return min(1.0, self.success * self.attempts)

    @property
    def visit_failure(self) -> float:
        """Probability that a visit fails; exact where it is tiny, as 1 - `visit_success` is not."""
        failure = 1 - self.success
        given_up = (1 - self.retried) * _powers(self._leaves, self.retries)
        return failure * (given_up + (1 - self._leaves) ** self.retries)

    @property
    def attempts(self) -> float:
        """Attempts that a visit makes on average: the mean of a geometric distribution cut off at `retries + 1`."""
        return _powers(self._leaves, self.retries + 1)

    @property
    def _leaves(self) -> float:
        """Probability that no attempt follows one, retries left."""
        return self.success + (1 - self.success) * (1 - self.retried)


def _powers(leaves: float, count: int) -> float:
    """Return the sum of (1 - leaves) ** k for k from 0 to `count` - 1."""
    if leaves <= 0 or count <= 1:
        return float(count)
    return 1.0 if leaves >= 1 else -math.expm1(count * math.log1p(-leaves)) / leaves


@dataclass(frozen=True, slots=True)
class Chain:
    """An absorbing Markov chain over the steps of a workflow (Kemeny and Snell, Finite Markov Chains, 1960, chapter 3).

    >>> chain = Chain("slogan", "write", {
    ...     "write": ChainStep(success=1.0, after_success={"review": 1.0}, after_failure={FAILED: 1.0}),
    ...     "review": ChainStep(success=0.8, after_success={COMPLETED: 1.0}, after_failure={"write": 1.0}),
    ... })
    >>> chain.steps["review"].visit_success
    0.8

    Raises:
        ChainError: probabilities that are none, do not sum to 1, or lead to a step that is not there.
    """

    workflow: str
    initial: str
    steps: Mapping[str, ChainStep] = field(default_factory=dict[str, ChainStep])

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", MappingProxyType(dict(self.steps)))
        if self.initial not in self.steps:
            hint = did_you_mean(self.initial, self.steps)
            raise ChainError(self.workflow, f"it begins at {self.initial!r}, which is no step of it.{hint}")
        for step_id, step in self.steps.items():
            self._check(step_id, step)

    def _check(self, step_id: str, step: ChainStep) -> None:
        if not 0 <= step.success <= 1:
            raise ChainError(self.workflow, f"step {step_id!r} succeeds with {step.success!r}; give a probability.")
        if not 0 <= step.retried <= 1:
            what = f"step {step_id!r} tries {step.retried!r} of its failures again; give a share from 0 to 1."
            raise ChainError(self.workflow, what)
        if isinstance(step.retries, bool) or step.retries < 0:
            raise ChainError(self.workflow, f"step {step_id!r} has {step.retries!r} retries; give 0 or more.")
        for name, ways in (("after_success", step.after_success), ("after_failure", step.after_failure)):
            strange = [to for to in ways if to not in self.steps and to not in ENDS]
            if strange:
                hint = did_you_mean(strange[0], self.steps)
                known = listed([*self.steps, *ENDS])
                what = f"{name} of step {step_id!r} leads to {strange[0]!r}.{hint} There is: {known}."
                raise ChainError(self.workflow, what)
            if any(not share >= 0 for share in ways.values()) or abs(sum(ways.values()) - 1) > _SUM_SLACK:
                what = f"{name} of step {step_id!r} is {dict(ways)!r:.200}; give probabilities that sum to 1."
                raise ChainError(self.workflow, what)

    def with_steps(self, changed: Mapping[str, ChainStep]) -> Chain:
        """Return a chain with some steps replaced."""
        return Chain(self.workflow, self.initial, {**self.steps, **changed})

    def __getstate__(self) -> tuple[Any, ...]:
        return self.workflow, self.initial, dict(self.steps)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(("workflow", "initial", "steps"), state, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "steps", MappingProxyType(dict(self.steps)))
