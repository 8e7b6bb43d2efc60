"""How a registered worker is called: its signature and kind, looked at once. Calls nothing itself."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.fingerprints import callable_fingerprint
from orchestration_kit.definition.kinds import SubworkflowStep
from orchestration_kit.definition.steps import callable_name
from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.errors import InvalidWorker

if TYPE_CHECKING:
    from orchestration_kit.engine.elsewhere import Place

_CONTEXT_NAMES = ("context", "ctx")
_EXAMPLE = "Write for example: def worker(input_data, context): return output"


@dataclass(frozen=True, slots=True)
class BoundWorker:
    """A worker ready to be called."""

    name: str
    worker_type: str
    call: Callable[..., Any]
    takes_context: bool
    is_async: bool
    is_generator: bool
    """Yields pieces of its output (sync or async)."""
    input_transformer: Callable[[Any, Any], Any] | None
    """Always `(input_data, context) -> input_data`."""
    output_transformer: Callable[[Any, Any], Any] | None
    """Always `(output, context) -> output`."""
    validate_output: Callable[[Any], Any] | None
    fingerprint: str
    """Name and hash of its code and of what that holds, with its transformers: changes when they are edited."""
    runs: SubworkflowStep | None = None
    """It stands for a run of another workflow, which the driver makes itself."""
    resources: Mapping[str, float] = field(default_factory=dict[str, float])
    """What a machine has to offer that calls it."""
    idempotent: bool = True
    """Whether it may be called again for an attempt whose machine was lost."""
    at_hub: bool = False
    """Whether the hub calls it itself, whatever executor it has."""
    place: Place | None = None
    """Where it is called; None: at the hub."""

    @property
    def shapes_output(self) -> bool:
        """Whether anything is done to what it returns."""
        return self.output_transformer is not None or self.validate_output is not None


def bind_worker(worker: WorkerDefinition) -> BoundWorker:
    """Look at a worker once and return how to call it.

    Raises:
        InvalidWorker: it is not callable, or cannot be called with `(input_data, context)` or `(input_data)`.
    """
    executor = worker.executor
    parameters = _positional(worker.name, "executor", executor, _EXAMPLE)
    transform_in = transform_out = validate = None
    if worker.input_transformer is not None:
        transform_in = _input_transformer(worker)
    if worker.output_transformer is not None:
        transform_out = _output_transformer(worker)
    if worker.output_schema is not None:
        validate = _validator(worker)
    return BoundWorker(
        name=worker.name,
        worker_type=str(worker.worker_type),
        call=executor,
        takes_context=parameters >= 2,
        is_async=_is(inspect.iscoroutinefunction, executor) or _is(inspect.isasyncgenfunction, executor),
        is_generator=_is(inspect.isgeneratorfunction, executor) or _is(inspect.isasyncgenfunction, executor),
        input_transformer=transform_in,
        output_transformer=transform_out,
        validate_output=validate,
        fingerprint=_fingerprint(worker),
        resources=worker.resources,
        idempotent=worker.idempotent,
        at_hub=worker.at_hub or getattr(executor, "at_hub", False) is True,
    )


def subworkflow_worker(step: SubworkflowStep) -> BoundWorker:
    """Return what stands at a step that runs another workflow."""
    return BoundWorker(
        name=step.workflow,
        worker_type=step.kind,
        call=_not_called,
        takes_context=True,
        is_async=False,
        is_generator=False,
        input_transformer=None,
        output_transformer=None,
        validate_output=None,
        fingerprint=f"workflow:{step.workflow}",
        runs=step,
    )


def kept_at_hub(executor: Callable[..., Any]) -> Callable[..., Any]:
    """Mark what has to be called by the hub itself, whatever executor that has; return it, so that it can decorate."""
    cast("Any", executor).at_hub = True
    return executor


def _not_called(given: Any, context: Any) -> Any:
    raise NotImplementedError("the driver makes the run itself")


def _fingerprint(worker: WorkerDefinition) -> str:
    parts = [callable_fingerprint(worker.executor)]
    parts += [callable_fingerprint(one) for one in (worker.input_transformer, worker.output_transformer) if one]
    parts += [] if worker.output_schema is None else [repr(worker.output_schema)]
    return "+".join(parts)


def _is(kind: Callable[[Any], bool], function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = cast("Any", function).func
    call: Any = getattr(cast("Any", type(function)), "__call__", None)  # noqa: B004 - its kind matters
    return kind(function) or kind(call)


def _positional(worker: str, role: str, function: Any, example: str) -> int:
    """Return with how many positional arguments (1 or 2) the hub calls a function."""
    if not callable(function):
        raise InvalidWorker(worker, f"its {role} is {type(function).__name__}, which cannot be called", example)
    if isinstance(function, type) and any("__call__" in base.__dict__ for base in function.__mro__):
        hint = f"Register an instance: {role}={function.__name__}(...)"
        raise InvalidWorker(worker, f"its {role} is the class {function.__name__}", hint)
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except ValueError:
        return 1  # a builtin that tells no signature
    by_keyword = [
        p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY and p.name in _CONTEXT_NAMES
    ]
    if by_keyword:
        reason = f"its {role} takes {by_keyword[0]} by keyword only, and the hub gives it by position"
        raise InvalidWorker(worker, reason, example)
    for arguments in (2, 1):
        try:
            signature.bind(*(None,) * arguments)
        except TypeError:
            continue
        return arguments if arguments == 1 or _wants_two(signature) else 1
    raise InvalidWorker(
        worker,
        f"its {role} {callable_name(function)}{signature} cannot be called with (input_data, context) or (input_data)",
        example,
    )


def _wants_two(signature: inspect.Signature) -> bool:
    """Whether the second positional parameter is meant for the context: required, or *args, or so named."""
    positional = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) < 2:
        return True  # the second goes into *args
    second = positional[1]
    return second.default is second.empty or second.name in _CONTEXT_NAMES


def _input_transformer(worker: WorkerDefinition) -> Callable[[Any, Any], Any]:
    function = worker.input_transformer
    example = "Write for example: def input_transformer(context): return context.data['specs']"
    if _positional(worker.name, "input_transformer", function, example) == 2:
        return function
    return lambda _input_data, context: function(context)


def _output_transformer(worker: WorkerDefinition) -> Callable[[Any, Any], Any]:
    function = worker.output_transformer
    example = "Write for example: def output_transformer(output, context): return output['text']"
    if _positional(worker.name, "output_transformer", function, example) == 2:
        return function
    return lambda output, _context: function(output)


def _validator(worker: WorkerDefinition) -> Callable[[Any], Any]:
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(worker.output_schema).validate_python
    except Exception as error:
        reason = f"its output_schema {worker.output_schema!r:.80} is no type that pydantic can validate"
        raise InvalidWorker(worker.name, reason, "Give a pydantic model, a dataclass or a type.") from error
