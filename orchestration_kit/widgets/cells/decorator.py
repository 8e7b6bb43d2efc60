"""`step`: a function becomes the worker of a step in the run that the notebook is about, and makes its visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestration_kit.widgets.cells.current import current


def step(step_id: str | Callable[..., Any] | None = None, *, again: bool = False) -> Any:
    """Make a function the worker of a step, in the run that was begun last, and make the step's visit.

    The same as `session.step` of the current `CellSession`. The function itself stays as it is. `@step` alone takes the
    function's name as the step.

    >>> from orchestration_kit import CellSession, Orchestrator, create_generic_pipeline, step
    >>> hub = Orchestrator()
    >>> hub.register_workflow(create_generic_pipeline([("shout", "generic", "")]))
    >>> session = CellSession(hub, "shout", goal="hello")
    >>> @step("shout")
    ... def shout(input, context):
    ...     return input.upper()
    >>> session.run.state.value
    'completed'

    Args:
        step_id: The step.
        again: Make it again, in a fork, although it is on record and the function is the same.

    Raises:
        NoSession: no workflow is being run cell by cell.
        UnknownStep: the workflow has no such step.
        OutOfOrder: the run has not come to it; the function is kept for when it does.
    """
    __tracebackhide__ = True
    return current().step(step_id, again=again)
