"""Steps that call no worker of their own: they open branches, wait, or run another workflow."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from orchestration_kit.definition.condition_text import read_path
from orchestration_kit.definition.ids import StepId
from orchestration_kit.definition.schemas import as_json_schema
from orchestration_kit.definition.steps import (
    Branch,
    Condition,
    RetryPolicy,
    Seconds,
    Step,
    Transition,
    callable_name,
)
from orchestration_kit.errors import NotSerializable, did_you_mean

if TYPE_CHECKING:
    from orchestration_kit.definition.workflow import WorkflowDefinition

REDUCERS = ("first", "last", "sum", "min", "max", "list", "concat", "merge")
"""How values that several branches wrote under one key are made one; always in definition or input order."""
MAX_BRANCHES = 1_000
MAX_NESTING = 16
"""How deep workflows may stand within one another."""


def _nesting(workflow: WorkflowDefinition) -> int:
    """Return how deep workflows stand within one; counted to the cap only."""
    depth, level = 0, [workflow]
    while level and depth < MAX_NESTING:
        steps = [step for one in level for step in cast("dict[str, object]", one.steps).values()]
        bodies = [body for step in steps if isinstance(step, Step) for body in step.bodies.values()]
        level = [body for body in bodies if not isinstance(body, str)]
        depth += bool(level)
    return depth


def _as_target(given: Any) -> Any:
    """A step's id, a workflow, or a branch with a condition."""
    from orchestration_kit.definition.workflow import WorkflowDefinition

    value: Any = given
    if isinstance(given, dict):
        fields = cast("dict[str, Any]", given)
        value = Branch(**fields) if "to" in fields else WorkflowDefinition.model_validate(fields)
    if isinstance(value, WorkflowDefinition) and _nesting(value) >= MAX_NESTING:
        raise ValueError(f"workflows stand within one another more than {MAX_NESTING} deep; use a SubworkflowStep")
    if isinstance(value, (str, WorkflowDefinition, Branch)):
        return value
    raise ValueError(f"a branch leads to a step's id, a WorkflowDefinition or a Branch(when, to), not {value!r:.60}")


def _as_body(value: Any) -> Any:
    if callable(value):
        raise ValueError(  # noqa: TRY004 - pydantic tells ValueErrors
            f"a body is a step's id or a WorkflowDefinition, not {value!r:.60}; register it as a worker"
        )
    target = _as_target(value)
    if isinstance(target, Branch):
        raise ValueError(  # noqa: TRY004 - pydantic gathers ValueErrors
            "a body has no condition of its own; give a step's id or a WorkflowDefinition"
        )
    return target


def _dumped_target(target: Any, info: Any) -> Any:
    if isinstance(target, str):
        return target
    if isinstance(target, Branch) or info.mode != "json":
        return target.model_dump(mode=info.mode, exclude_defaults=True)
    return target.to_dict()


def _check_path(value: Any) -> Any:
    if isinstance(value, str):
        read_path(value)
    elif not callable(value):
        raise ValueError(  # noqa: TRY004 - pydantic gathers ValueErrors
            f'it is a path such as "data.items", or a callable (output, context), not {value!r:.60}'
        )
    return value


def _check_join(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value not in ("all", "any") and not is_count:
        raise ValueError(f'a join is "all", "any", or how many branches have to succeed (1 or more), not {value!r:.40}')
    return value


def _check_reducers(given: Any) -> Any:
    value: Any = given
    for reducer in cast("dict[Any, Any]", given).values() if isinstance(given, dict) else (value,):
        if value is not None:
            _check_reducer(reducer)
    return value


def _check_reducer(value: Any) -> Any:
    if isinstance(value, str) and value not in REDUCERS:
        near = did_you_mean(value, REDUCERS)
        raise ValueError(f"there is no reducer {value!r:.40}.{near} There are: {', '.join(REDUCERS)}")
    if not isinstance(value, str) and not callable(value):
        raise ValueError(  # noqa: TRY004 - pydantic gathers ValueErrors
            f"a reducer is one of {', '.join(REDUCERS)}, or a callable (values) -> value"
        )
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise NotSerializable(callable_name(value))


Target = Annotated[
    Any,
    BeforeValidator(_as_target),
    PlainSerializer(_dumped_target),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}], "description": "A step's id, or a workflow"}),
]
Body = Annotated[
    Any,
    BeforeValidator(_as_body),
    PlainSerializer(_dumped_target),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}], "description": "A step's id, or a workflow"}),
]
PathText = Annotated[
    Any,
    AfterValidator(_check_path),
    PlainSerializer(_as_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "description": "Where to look, e.g. data.items or output.rows"}),
]
"""A path such as `data.items`, or in code a callable `(output, context) -> value`."""
Reducer = Annotated[
    Any,
    AfterValidator(_check_reducer),
    PlainSerializer(_as_text, return_type=str, when_used="json"),
    WithJsonSchema({"enum": list(REDUCERS)}),
]
"""One of `REDUCERS`, or in code a callable: the branches' values, in order, -> one value."""
Join = Annotated[Literal["all", "any"] | Annotated[int, Field(ge=1, strict=True)], BeforeValidator(_check_join)]
FailureMode = Literal["fail_fast", "continue", "all_or_nothing"]
"""`fail_fast`: once the join cannot be reached, the others are cancelled and the step fails. `continue`: every branch
goes on to its end, and the output of one that failed is `{"error": ...}`. `all_or_nothing`: as `fail_fast`, and what
the branches did is undone by their `compensate` steps."""


class _Splitting(Step):
    """A step that opens branches and joins them."""

    join: Join = "all"
    """How many branches have to succeed before the run goes on: all that were activated, any one, or N."""
    reducer: Annotated[Reducer | dict[str, Reducer] | None, BeforeValidator(_check_reducers)] = None
    """How entries of the data bus that several branches wrote are made one, for all or by entry. Without one, values
    that differ fail the step."""
    failure: FailureMode = "fail_fast"

    def callables(self) -> list[Callable[..., Any]]:
        """Python callables in it, which no file can hold."""
        given: Any = self.reducer
        reducers = cast("Mapping[str, Any]", given).values() if isinstance(given, dict) else (given,)
        return [*super().callables(), *(one for one in reducers if callable(one))]


class ParallelStep(_Splitting):
    """Several branches at once, then a join.

    A branch begins at a step of this workflow, or is a workflow of its own; with `Branch(when, to)` it is activated
    only where its condition holds (multi-choice), and the join waits for those that were activated. A branch ends at
    a terminal step, or at one that leads nowhere else. The output is a dict of the branches' last outputs, by name.

    >>> ParallelStep(step_id="review", branches={"style": "check_style", "law": "check_law"}, on_success="publish").join
    'all'
    """

    kind: Literal["parallel"] = "parallel"  # pyright: ignore[reportIncompatibleVariableOverride] - a tag, never set
    branches: Annotated[dict[StepId, Target], Field(min_length=1, max_length=MAX_BRANCHES)]
    max_concurrency: Annotated[int, Field(ge=1)] | None = None
    """Branches under way at once; None: all."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if "undo" in self.branches:
            raise ValueError("no branch can be named 'undo': that is where what the branches did is undone")
        return self

    @property
    def bodies(self) -> dict[str, Any]:
        """What this step opens, by name: the id of a step of this workflow, or a workflow of its own."""
        return {name: target.to if isinstance(target, Branch) else target for name, target in self.branches.items()}

    def conditions(self) -> list[tuple[str, Any]]:
        """Every condition, with the field it is written in."""
        chosen = [(f"branches[{n!r}].when", b.when) for n, b in self.branches.items() if isinstance(b, Branch)]
        return [*chosen, *super().conditions()]

    def _opened(self) -> dict[str, tuple[str, Any]]:
        return {name: (f"branches[{name!r}]", target) for name, target in self.bodies.items()}


class MapStep(_Splitting):
    """One branch for each item of a list that is known only at run time, then a join.

    The output is the list of the branches' last outputs, in the order of the items. A worker in a branch may add items
    with `context.add_item`; those come after the others.

    >>> MapStep(step_id="grade", over="data.answers", body="grade_one", on_success="report").max_concurrency
    10
    """

    kind: Literal["map"] = "map"  # pyright: ignore[reportIncompatibleVariableOverride] - a tag, never set
    over: PathText = "output"
    """Where the list is: `output` (of the step before), `data.items`; or a callable `(output, context) -> list`."""
    body: Body
    """The step each branch begins at, or a workflow of its own; it gets the item."""
    max_concurrency: Annotated[int, Field(ge=1)] = 10
    """Branches under way at once."""
    max_items: Annotated[int, Field(ge=1)] = 10_000
    """More items than that fail the step before one is worked on."""
    branches: tuple[Branch, ...] = ()
    """Tried in order after the join; where none holds, `on_success` is taken."""

    @property
    def choices(self) -> tuple[Branch, ...]:
        """Conditional ways on after a success, tried in order."""
        return self.branches

    @property
    def bodies(self) -> dict[str, Any]:
        """What this step opens, by name: the id of a step of this workflow, or a workflow of its own."""
        return {"each": self.body}

    def callables(self) -> list[Callable[..., Any]]:
        """Python callables in it, which no file can hold."""
        return [*super().callables(), *([self.over] if callable(self.over) else ())]


class SubworkflowStep(Step):
    """Another registered workflow, as a run of its own whose parent is this one.

    >>> SubworkflowStep(step_id="ship", workflow="shipping", input={"order": "data.order"}).workflow
    'shipping'
    """

    kind: Literal["workflow"] = "workflow"  # pyright: ignore[reportIncompatibleVariableOverride] - a tag, never set
    workflow: Annotated[str, Field(min_length=1, max_length=200)]
    """The name of a registered workflow."""
    input: PathText | dict[str, PathText] | None = None
    """What its first step gets: the output of the step before (None), what is at a path, or a dict of paths by name,
    which it also finds on its data bus."""
    output: PathText | dict[str, PathText] | None = None
    """What this step puts out: its last output (None), or what is at a path, or paths by name, of its context."""
    max_retries: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    retry: RetryPolicy | None = None
    timeout_s: Seconds | None = None
    branches: tuple[Branch, ...] = ()
    """Tried in order after a success; where none holds, `on_success` is taken."""

    @property
    def choices(self) -> tuple[Branch, ...]:
        """Conditional ways on after a success, tried in order."""
        return self.branches

    def callables(self) -> list[Callable[..., Any]]:
        """Python callables in it, which no file can hold."""
        held: list[Any] = []
        for one in (self.input, self.output):
            held += cast("Mapping[str, Any]", one).values() if isinstance(one, dict) else (one,)
        return [*super().callables(), *(one for one in held if callable(one))]


class _Waiting(Step):
    """A step that waits for somebody or something outside."""

    timeout_s: Seconds | None = None
    """Seconds it waits at most."""
    on_timeout: StepId | None = None
    """Where to go then; without it, that is a failure."""
    branches: tuple[Branch, ...] = ()
    """Tried in order after a success; where none holds, `on_success` is taken."""

    @property
    def choices(self) -> tuple[Branch, ...]:
        """Conditional ways on after a success, tried in order."""
        return self.branches

    @model_validator(mode="after")
    def _times_out(self) -> Self:
        if self.on_timeout is not None and self.timeout_s is None:
            raise ValueError(f"step {self.step_id!r} has on_timeout but no timeout_s; set timeout_s=...")
        return self

    def _ways_aside(self) -> list[Transition]:
        if self.on_timeout is None:
            return []
        return [Transition("timeout", "on_timeout", self.on_timeout, f"after {self.timeout_s:g} s")]


with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message='Field name "schema"')  # the field's word, not pydantic's old method

    class ApprovalStep(_Waiting):
        """A person decides: `run.approve(value)` or `run.reject(reason)`.

        The run waits, also across restarts. The answer is bound to a hash of exactly what was shown. Its output is the
        approved value; a rejection is a failure.

        >>> ApprovalStep(step_id="sign", prompt="Send the refund?", show=("data.amount",), on_success="refund").prompt
        'Send the refund?'
        """

        kind: Literal["approval"] = "approval"  # pyright: ignore[reportIncompatibleVariableOverride] - a tag, never set
        prompt: Annotated[str, Field(min_length=1, max_length=20_000)]
        """What is asked."""
        show: tuple[PathText, ...] = ()
        """What is shown with it, as paths; by default, as `input`, what comes in: the output of the step before."""
        schema: Annotated[dict[str, Any] | None, BeforeValidator(as_json_schema)] = None  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]
        """JSON Schema of the value, or a type (a pydantic model, `bool`, a dataclass); None: any value."""

        def callables(self) -> list[Callable[..., Any]]:
            """Python callables in it, which no file can hold."""
            return [*super().callables(), *(one for one in self.show if callable(one))]


class WaitStep(_Waiting):
    """Waits until a time, for some seconds, or for an event that somebody sends with `run.send(event, payload)`.

    The output is the event's payload; after a time, what came in. An event that was sent before the run came here
    counts as well.

    >>> WaitStep(step_id="paid", event="payment_received", timeout_s=3600, on_timeout="remind").event
    'payment_received'
    """

    kind: Literal["wait"] = "wait"  # pyright: ignore[reportIncompatibleVariableOverride] - a tag, never set
    until: AwareDatetime | None = None
    for_s: Seconds | None = None
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _waits_for_one_thing(self) -> Self:
        given = [name for name in ("until", "for_s", "event") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"step {self.step_id!r} waits for {' and '.join(given) or 'nothing'}; "
                "give one of until=..., for_s=..., event=..."
            )
        if self.event is None and self.timeout_s is not None:
            raise ValueError(f"step {self.step_id!r} waits for a time, which cannot time out; drop timeout_s")
        return self


__all__ = [
    "REDUCERS",
    "ApprovalStep",
    "Condition",
    "FailureMode",
    "Join",
    "MapStep",
    "ParallelStep",
    "SubworkflowStep",
    "WaitStep",
]
