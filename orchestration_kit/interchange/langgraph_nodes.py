"""What LangGraph knows of a node becomes the fields of a step; what no field takes becomes a note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from orchestration_kit.interchange.shape import Shape

_DEFAULT_GIVES_UP = (
    "ValueError", "TypeError", "ArithmeticError", "ImportError", "LookupError", "NameError", "SyntaxError",
    "RuntimeError", "ReferenceError", "StopIteration", "StopAsyncIteration",
)  # fmt: skip
"""What LangGraph's `default_retry_on` does not retry, OSError aside: of those it retries the ConnectionErrors."""


def fields_of(shape: Shape, step_id: str, name: str, spec: Any) -> dict[str, Any]:
    """Return the fields of the step for a node, and note what they cannot say."""
    fields: dict[str, Any] = {"worker_type": name[:200]}
    metadata = getattr(spec, "metadata", None)
    if isinstance(metadata, Mapping) and metadata:
        told = cast("Mapping[str, Any]", metadata).get("description")
        if isinstance(told, str):
            fields["description"] = told
    _add_retry(shape, step_id, getattr(spec, "retry_policy", None), fields)
    timeout = getattr(spec, "timeout", None)
    if (limit := getattr(timeout, "run_timeout", None)) is not None:
        fields["timeout_s"] = limit.total_seconds() if hasattr(limit, "total_seconds") else float(limit)
    if getattr(timeout, "idle_timeout", None) is not None:
        shape.note("timeout", step_id, f"{step_id!r} has an idle_timeout", "A step has timeout_s, for a whole attempt.")
    if getattr(spec, "cache_policy", None) is not None:
        shape.note("cache", step_id, f"{step_id!r} is cached", "A cassette replays outputs; no step keeps a cache.")
    return fields


def note_hidden(shape: Shape, specs: Mapping[str, Any]) -> None:
    """Note what the code of nodes seems to do that the shape does not show; their code is looked at, not run."""
    for step_id, spec in specs.items():
        names = names_used(spec.runnable)
        if "interrupt" in names:
            shape.note(
                "interrupt",
                step_id,
                f"The node {step_id!r} seems to ask a person within (interrupt)",
                "Lead to an ApprovalStep before it, and read the answer as its input.",
            )
        if "Command" in names and not getattr(spec, "ends", ()):
            shape.note(
                "routing",
                step_id,
                f"The node {step_id!r} seems to choose its way with a Command, and does not say which ways there are",
                'Annotate what it returns: -> Command[Literal["a", "b"]]. Then they are imported.',
            )


def names_used(runnable: Any) -> frozenset[str]:
    """Return the global names that the function behind a runnable uses. Nothing is called.

    >>> def node(state): return interrupt("Really?")
    >>> names_used(node)
    frozenset({'interrupt'})
    """
    found: set[str] = set()
    codes = [getattr(function_of(runnable), "__code__", None)]
    while codes:
        code = codes.pop()
        found.update(getattr(code, "co_names", ()))
        codes += [one for one in getattr(code, "co_consts", ()) if hasattr(one, "co_names")]  # comprehensions, lambdas
    return frozenset(found)


def function_of(runnable: Any) -> Callable[..., Any] | None:
    """Return the function behind a runnable, or None where there is none to look at."""
    later = getattr(runnable, "afunc", None)  # of a plain function, a partial that runs it in a thread
    held = [getattr(runnable, "func", None), later, *getattr(later, "args", ())[-1:]]
    made = [getattr(cast("Any", type(one)), "__call__", None) for one in held if one is not None]  # noqa: B004 - its code is wanted
    for function in (runnable, *held, *(getattr(one, "__func__", None) for one in held), *made):
        if hasattr(function, "__code__"):
            return cast("Callable[..., Any]", function)
    return None


def _add_retry(shape: Shape, step_id: str, given: Any, fields: dict[str, Any]) -> None:
    if given is None:
        return
    policies = [given] if hasattr(given, "max_attempts") else list(cast("Sequence[Any]", given))
    if not policies:
        return
    if len(policies) > 1:
        shape.note("retry", step_id, f"{step_id!r} has {len(policies)} retry policies", "The first of them was taken.")
    policy = policies[0]
    fields["max_retries"] = max(0, int(policy.max_attempts) - 1)
    retry: dict[str, Any] = {
        "backoff_s": policy.initial_interval, "multiplier": max(1.0, policy.backoff_factor),
        "max_backoff_s": policy.max_interval,
    }  # fmt: skip
    if policy.jitter:
        retry["jitter"] = 0.5
        shape.note(
            "retry",
            step_id,
            f"Retries of {step_id!r} wait up to a second longer at random in LangGraph",
            "Here the wait is spread by half of itself (jitter=0.5), from the run's seed.",
        )
    which = policy.retry_on
    classes = [which] if isinstance(which, type) else which
    if isinstance(classes, (list, tuple)) and all(isinstance(one, type) for one in cast("Sequence[Any]", classes)):
        retry["retry_on"] = tuple(one.__name__ for one in cast("Sequence[type]", classes))
    elif getattr(which, "__name__", "") == "default_retry_on":
        retry["give_up_on"] = _DEFAULT_GIVES_UP
    else:
        shape.note(
            "retry",
            step_id,
            f"Which errors of {step_id!r} are retried, a function decides",
            "Here all are; name them with RetryPolicy(retry_on=...) or give_up_on=....",
        )
    fields["retry"] = retry
