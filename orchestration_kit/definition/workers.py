"""What a worker is: a probabilistic callable, described. Nothing here calls one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from orchestration_kit.definition.base import Model


class WorkerType(StrEnum):
    """The worker types that come with the kit. Any other string is taken wherever one of these is.

    >>> WorkerType.CODER == "coder", [str(one) for one in WorkerType][:3]
    (True, ['product_manager', 'coder', 'reviewer'])
    """

    PRODUCT_MANAGER = "product_manager"
    CODER = "coder"
    REVIEWER = "reviewer"
    TESTER = "tester"
    DEPLOYER = "deployer"
    GENERIC = "generic"


_KNOWN_TYPES = {str(known): known for known in WorkerType}


def _as_worker_type(value: Any) -> Any:
    return _KNOWN_TYPES.get(value, value) if isinstance(value, str) else value


AnyWorkerType = Annotated[
    WorkerType | Annotated[str, Field(min_length=1, max_length=200)], BeforeValidator(_as_worker_type)
]
"""A `WorkerType`, or any other string."""


class WorkerDefinition(Model):
    """A worker as it is registered with the hub.

    >>> coder = WorkerDefinition(
    ...     worker_type=WorkerType.CODER, name="Coder", executor=lambda spec: f"code for {spec}"
    ... )
    >>> coder.name
    'Coder'
    """

    worker_type: AnyWorkerType
    """What it does; steps ask for workers by type."""
    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Which one it is; a step may ask for it with `worker=`."""
    description: str = ""
    executor: Any
    """`(input_data, context) -> output` or `(input_data) -> output`: a function, a coroutine function, a
    generator, or an object with `__call__`."""
    input_transformer: Any = None
    """`(context) -> input_data` or `(input_data, context) -> input_data`, called before the worker.
    Without one the worker gets the output of the step before it."""
    output_transformer: Any = None
    """`(output, context) -> output` or `(output) -> output`, called on what the worker returned."""
    output_schema: Any = None
    """A type that pydantic can validate. An output that does not fit fails the attempt."""
    resources: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default_factory=dict[str, float])
    """What a machine has to offer that calls it, e.g. `{"GPU": 1}`. The hub's executor sees to it; without one, all is
    called right here."""
    idempotent: bool = True
    """Whether it may be called again where the machine that called it was lost. If not, the attempt fails for good
    (`WorkerLost`), and nothing calls it twice."""
    at_hub: bool = False
    """Whether the hub calls it itself, whatever executor it has: a worker that asks a person, calls `context.act` or
    `context.wisdom`, or holds what cannot leave this process."""
