"""Workers that hand something on: what they are given (always, or if it passes a test), or what was there before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestration_kit.definition import WorkerDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.templates.ready_workers import GOAL, HAND_ON, output_of_type


def hand_on() -> WorkerDefinition:
    """Return the worker that hands on what it is given, for steps that only choose a way.

    >>> hand_on().executor({"worker": "coder"})
    {'worker': 'coder'}
    """
    return WorkerDefinition(
        worker_type=HAND_ON, name=HAND_ON, description="Hands on what it is given.", executor=_unchanged
    )


def goal() -> WorkerDefinition:
    """Return the worker that gives the goal once more.

    >>> goal().name
    'kit.goal'
    """
    return WorkerDefinition(worker_type=GOAL, name=GOAL, description="Gives the goal once more.", executor=_goal)


def output_of(step_id: str) -> WorkerDefinition:
    """Return the worker that gives the last output of a step once more, whatever came in between.

    >>> output_of("attempt").name
    'kit.output_of_attempt'

    Raises:
        ValueError: it is no step's id.
    """
    if not step_id:
        raise ValueError('output_of needs the id of a step: output_of("attempt").')

    def again(_: Any, context: WorkflowContext) -> Any:
        return context.data[f"{step_id}_output"]

    name = output_of_type(step_id)
    return WorkerDefinition(
        worker_type=name, name=name, description=f"Gives the output of {step_id} once more.", executor=again
    )


def gate(
    check: Callable[[Any], bool], *, name: str | None = None, reason: str = "it did not pass the gate"
) -> WorkerDefinition:
    """Return a worker that hands on what passes a test, and fails on what does not.

    It is a step of its own in a chain: `create_gated_chain({"draft": "writer", "long_enough": gate(long_enough)})`.

    >>> long_enough = gate(lambda text: len(text) >= 3, name="long enough", reason="under 3 characters")
    >>> long_enough.executor("text"), long_enough.executor("")
    ('text', Failure('under 3 characters', output=''))

    Args:
        check: Gets what the step before gave; true where it may go on.
        name: The worker's name; the function's where none is given.
        reason: What is told where it may not.

    Raises:
        TypeError: the check is not callable.
        ValueError: a lambda without a name, which two gates would share.
    """
    if not callable(check):
        raise TypeError(f"gate takes a function (value) -> bool, not {check!r:.60}.")
    called = name or getattr(check, "__name__", "<lambda>")
    if called == "<lambda>":
        raise ValueError('A gate without a name: write gate(check, name="long enough").')

    def passes(value: Any) -> Any:
        return value if check(value) else Failure(reason, output=value)

    return WorkerDefinition(worker_type="gate", name=called, description=f"Lets pass: {called}", executor=passes)


def _goal(_: Any, context: WorkflowContext) -> str:
    return context.goal


def _unchanged(value: Any) -> Any:
    return value
