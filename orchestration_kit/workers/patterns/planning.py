"""Keep the agenda of a plan: take it up, note what came of a task and take the next, tell what went wrong."""

from __future__ import annotations

from typing import Any, cast

from orchestration_kit.definition import WorkerDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.templates.ready_workers import FIRST_TASK, NEXT_TASK, REPLAN

_AGENDA = "agenda"
"""On the data bus: `{"task", "left"}`, the task at hand and those to come."""
_RESULTS = "results"
"""On the data bus: what came of each task that was done, a list of `{"task", "output"}`."""


def first_task() -> WorkerDefinition:
    """Return the worker that takes up a plan, for `create_plan_execute_replan`.

    It gets the planner's list and gives `{"task", "number", "results"}`, or `{"results"}` where the list is empty. It
    fails on anything but a list.

    >>> first_task().name
    'kit.first_task'
    """
    return WorkerDefinition(worker_type=FIRST_TASK, name=FIRST_TASK, description="Takes up a plan.", executor=_first)


def next_task() -> WorkerDefinition:
    """Return the worker that notes what came of a task and takes the next one: gives as `first_task` does.

    >>> next_task().name
    'kit.next_task'
    """
    return WorkerDefinition(
        worker_type=NEXT_TASK, name=NEXT_TASK, description="Notes an output, takes the next task.", executor=_next
    )


def replan() -> WorkerDefinition:
    """Return the worker that tells a planner what went wrong: `{"replan", "task", "output", "left", "results"}`.

    >>> replan().name
    'kit.replan'
    """
    return WorkerDefinition(
        worker_type=REPLAN, name=REPLAN, description="Tells the planner what went wrong.", executor=_replan
    )


def _first(plan: Any, context: WorkflowContext) -> dict[str, Any]:
    if not isinstance(plan, (list, tuple)):
        raise Failure(f"a plan is a list of tasks, not {type(plan).__name__}", output=plan)
    return _take(list(cast("list[Any]", plan)), _done(context), context)


def _next(output: Any, context: WorkflowContext) -> dict[str, Any]:
    agenda = context.data[_AGENDA]
    results = [*_done(context), {"task": agenda["task"], "output": output}]
    context.data[_RESULTS] = results
    return _take(agenda["left"], results, context)


def _take(tasks: list[Any], results: list[Any], context: WorkflowContext) -> dict[str, Any]:
    if not tasks:
        context.data[_AGENDA] = {"task": None, "left": []}
        return {"results": results}
    task, *left = tasks
    context.data[_AGENDA] = {"task": task, "left": left}
    return {"task": task, "number": len(results) + 1, "results": results}


def _replan(output: Any, context: WorkflowContext) -> dict[str, Any]:
    agenda = context.data[_AGENDA]
    return {
        "replan": context.visit,
        "task": agenda["task"],
        "output": output,
        "left": agenda["left"],
        "results": _done(context),
    }


def _done(context: WorkflowContext) -> list[Any]:
    return list(context.data.get(_RESULTS, []))
