"""A node of the skeleton: which worker, what counts as success, where to go next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from orchestration_kit.definition.base import Model
from orchestration_kit.definition.budgets import Budget, Rate
from orchestration_kit.definition.ids import StepId
from orchestration_kit.definition.workers import AnyWorkerType
from orchestration_kit.errors import NotSerializable

TransitionKind = Literal["body", "branch", "success", "failure", "timeout", "budget", "compensate"]


def callable_name(function: Callable[..., Any]) -> str:
    """Return the dotted name of a callable, for messages and fingerprints."""
    module = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{module}.{name}"


def _check_condition(condition: Any) -> Any:
    if isinstance(condition, str) or callable(condition):
        return condition
    raise ValueError(f"a condition is CEL text or a callable (output, context) -> bool, not {condition!r:.80}")


def _condition_as_text(condition: Any) -> str:
    if isinstance(condition, str):
        return condition
    raise NotSerializable(callable_name(condition))


def _error_name(error: Any) -> Any:
    if isinstance(error, type) and issubclass(error, BaseException):
        return error.__name__
    return cast("Any", error)


ErrorName = Annotated[str, BeforeValidator(_error_name)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Condition = Annotated[
    Any,
    AfterValidator(_check_condition),
    PlainSerializer(_condition_as_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "description": "A condition in CEL, e.g. output.approved == true"}),
]
"""CEL text, or in code a callable `(output, context) -> bool`."""


class RetryPolicy(Model):
    """How long to wait before each retry, and which errors are worth one.

    The wait before retry n (1, 2, ...) is `backoff_s * multiplier ** (n - 1)`, at most `max_backoff_s`,
    spread by +/- `jitter` (a share) drawn from the run's seed.

    >>> RetryPolicy(backoff_s=0.5).wait_s(3, spread=0.0)
    2.0
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    backoff_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    multiplier: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 2.0
    max_backoff_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60.0
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    retry_on: tuple[ErrorName, ...] = ()
    """Error classes worth a retry, by name or as classes, base classes included; empty means all."""
    give_up_on: tuple[ErrorName, ...] = ()
    """Error classes that are never retried."""

    def wait_s(self, retry: int, *, spread: float) -> float:
        """Return the seconds to wait before retry number `retry`; `spread` is drawn from -1 to 1."""
        try:
            factor = min(self.multiplier ** (retry - 1), 1e12)
        except OverflowError:
            factor = 1e12
        return min(self.max_backoff_s, self.backoff_s * factor) * (1 + self.jitter * spread)

    def allows(self, error_types: tuple[str, ...]) -> bool:
        """Whether an error with these class names (its own and its bases') is worth a retry."""
        if any(name in self.give_up_on for name in error_types):
            return False
        return not self.retry_on or any(name in self.retry_on for name in error_types)


class Branch(Model):
    """A conditional way on: the first branch of a step whose `when` holds is taken.

    >>> Branch(when="output.score >= 0.8", to="publish", label="good")
    Branch(when='output.score >= 0.8', to='publish', label='good')
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    when: Condition
    to: StepId
    label: str = ""


class Transition(NamedTuple):
    """One way out of a step, as checks and diagrams see it.

    >>> from orchestration_kit import WorkflowStep
    >>> step = WorkflowStep(step_id="review", worker_type="reviewer", on_success="publish", on_failure="write")
    >>> step.transitions()[1]
    Transition(kind='failure', field='on_failure', target='write', label='')
    """

    kind: TransitionKind
    field: str
    """Where it is written: `on_success`, `on_failure`, `branches[0]` or `body`."""
    target: str
    label: str


class Step(Model):
    """What every kind of step has: a name, a way on, and what it tells about the data bus.

    >>> from orchestration_kit import ApprovalStep, WorkflowStep
    >>> steps = [WorkflowStep(step_id="write", worker_type="coder"), ApprovalStep(step_id="sign", prompt="Publish?")]
    >>> [(step.kind, isinstance(step, Step)) for step in steps]
    [('step', True), ('approval', True)]
    """

    kind: str
    step_id: StepId
    description: str = ""
    on_success: StepId | None = None
    on_failure: StepId | None = None
    is_terminal: bool = False
    """The run, or the branch it is in, ends here, after this step was worked on."""
    outcome: Literal["completed", "failed"] = "completed"
    """For a terminal step: the state the run ends in."""
    success_when: Condition | None = None
    """Turns an output into success or failure."""
    reads: tuple[str, ...] = ()
    """Entries of the data bus this step needs, for the data flow check."""
    writes: tuple[str, ...] = ()
    """Entries of the data bus this step sets, besides `<step_id>_output`."""
    compensate: StepId | None = None
    """The step that undoes this one, given its output, when the run fails later on."""

    @model_validator(mode="after")
    def _check_outcome(self) -> Self:
        if self.outcome != "completed" and not self.is_terminal:
            raise ValueError(
                f"step {self.step_id!r} has outcome={self.outcome!r} but is not terminal; set is_terminal=True"
            )
        return self

    @property
    def choices(self) -> tuple[Branch, ...]:
        """Conditional ways on after a success, tried in order."""
        return ()

    @property
    def bodies(self) -> dict[str, Any]:
        """What this step opens, by name: the id of a step of this workflow, or a workflow of its own."""
        return {}

    def conditions(self) -> list[tuple[str, Any]]:
        """Every condition, with the field it is written in."""
        found = [(f"branches[{index}].when", branch.when) for index, branch in enumerate(self.choices)]
        return found if self.success_when is None else [*found, ("success_when", self.success_when)]

    def callables(self) -> list[Callable[..., Any]]:
        """Python callables in it, which no file can hold."""
        return [condition for _, condition in self.conditions() if callable(condition)]

    def transitions(self) -> list[Transition]:
        """Every way out of this step, in the order in which they are tried; none after a terminal success."""
        found = [
            Transition("body", field, target, name)
            for name, (field, target) in self._opened().items()
            if isinstance(target, str)
        ]
        if not self.is_terminal:
            for index, branch in enumerate(self.choices):
                text = branch.when if isinstance(branch.when, str) else callable_name(branch.when)
                found.append(Transition("branch", f"branches[{index}]", branch.to, branch.label or text))
            if self.on_success is not None:
                found.append(Transition("success", "on_success", self.on_success, ""))
        if self.on_failure is not None:
            found.append(Transition("failure", "on_failure", self.on_failure, ""))
        found += self._ways_aside()
        if self.compensate is not None:
            found.append(Transition("compensate", "compensate", self.compensate, "undone by"))
        return found

    def _opened(self) -> dict[str, tuple[str, Any]]:
        """By name: the field and the target of what it opens."""
        return {name: ("body", target) for name, target in self.bodies.items()}

    def _ways_aside(self) -> list[Transition]:
        return []


class WorkflowStep(Step):
    """One step: which worker, what counts as success, where to go next.

    >>> step = WorkflowStep(
    ...     step_id="review_code", worker_type="reviewer",
    ...     success_when="output.approved == true", on_success="completed", on_failure="implement_code",
    ... )
    >>> [t.target for t in step.transitions()]
    ['completed', 'implement_code']
    """

    kind: Literal["step"] = "step"  # pyright: ignore[reportIncompatibleVariableOverride] - a tag, never set
    worker_type: AnyWorkerType
    max_retries: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Further attempts after a failed one, on this step, before `on_failure` is taken."""
    worker: str | None = None
    """The name of one particular worker; without it the type alone decides."""
    branches: tuple[Branch, ...] = ()
    """Tried in order after a success; where none holds, `on_success` is taken."""
    retry: RetryPolicy | None = None
    timeout_s: Seconds | None = None
    """Seconds one attempt may take."""
    lock: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """A named limit of the hub: by default one attempt at a time holds it, in all runs."""
    rate: Rate | None = None
    """How often it may be attempted, in all runs of the hub: `10/s`, `90/min`, `1000/h`."""
    budget: Budget | None = None
    """What this step may use in a run, all visits together."""

    @property
    def choices(self) -> tuple[Branch, ...]:
        """Conditional ways on after a success, tried in order."""
        return self.branches

    def _ways_aside(self) -> list[Transition]:
        if self.budget is None or self.budget.on_budget is None:
            return []
        return [Transition("budget", "budget.on_budget", self.budget.on_budget, "budget spent")]
