"""A step that runs another workflow: a run of its own, whose parent is this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.branching import is_absent, value_at
from orchestration_kit.engine.context import WorkflowContext, context_of
from orchestration_kit.engine.inheriting import inherited_by, take_child_actions
from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.outcome import Parked
from orchestration_kit.engine.refusals import SubworkflowFailed
from orchestration_kit.engine.state import RESTING, WorkflowState
from orchestration_kit.engine.values import isolate
from orchestration_kit.engine.visits import INTERRUPTS
from orchestration_kit.errors import RunStateError

if TYPE_CHECKING:
    from orchestration_kit.definition.kinds import SubworkflowStep
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.run import Run
    from orchestration_kit.engine.visits import Visit

_COUNTED = ("input_tokens", "output_tokens", "cost_usd")
MAX_DEPTH = 16
"""How many runs may stand within one another."""


def run_child(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """Run the workflow of a step on this thread, and return what the step puts out.

    Raises:
        SubworkflowFailed: it did not complete.
        Parked: it waits.
    """
    child = _child(run, visit, given, context)
    try:
        child.run()
    finally:
        _count(run, visit, child, context)
        take_child_actions(context, child)
    run.raise_if_cancelled()  # it was cancelled with its parent, which did not fail by that
    return _result(child, visit)


async def arun_child(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Any:
    """`run_child` in the running event loop."""
    child = _child(run, visit, given, context)
    try:
        await child.arun()
    finally:
        _count(run, visit, child, context)
        take_child_actions(context, child)
    run.raise_if_cancelled()  # it was cancelled with its parent
    return _result(child, visit)


def child_run_id(run_id: str, visit: Visit) -> str:
    """Return the id of the run of a step: the same after an interrupt, another one for a retry."""
    tries = visit.attempt - visit.interrupted
    return f"{run_id}/{visit.path}" + ("" if tries == 1 else f".{tries}")


def _child(run: Driven, visit: Visit, given: Any, context: WorkflowContext) -> Run:
    """Return the run of a step, new or as far as it came."""
    step = cast("SubworkflowStep", visit.step.definition)
    hub, started = run.hub, run.machine.started
    if hub is None:
        raise RunStateError(run.run_id, run.state, "it belongs to no orchestrator", "Start it with orchestrator.start.")
    if started.depth + 1 > MAX_DEPTH:
        reason = f"it would stand within {MAX_DEPTH} runs, and no more are allowed"
        raise SubworkflowFailed(step.workflow, f"{run.run_id}/{visit.path}", "refused", reason)
    run_id = child_run_id(run.run_id, visit)
    child = run.children.get(visit.path)
    if child is None or child.run_id != run_id or child.state is WorkflowState.CANCELLED:
        child = hub.child_of(run, visit.path, run_id)
    if child is None:
        data, first = _input(step, given, context)
        child = hub.begin(
            step.workflow,
            started.goal,
            data,
            run_id=run_id,
            limits=_limits_left(run),
            seed=started.seed if isinstance(started.seed, int) else None,
            parent=started._replace(input=(first,), depth=started.depth + 1),
            named=False,
        )
    child.machine.inherited = inherited_by(child, context)
    run.children[visit.path] = child
    return child


def _input(step: SubworkflowStep, given: Any, context: WorkflowContext) -> tuple[dict[str, Any], Any]:
    """Return the initial data of the run, and what its first step gets."""
    if step.input is None:
        return {"input": given}, given
    if isinstance(step.input, dict):
        paths = cast("Mapping[str, Any]", step.input)
        data = {name: _value(step, path, given, context) for name, path in paths.items()}
        return data, dict(data)
    value = _value(step, step.input, given, context)
    return {"input": value}, value


def _value(step: SubworkflowStep, path: Any, output: Any, context: WorkflowContext) -> Any:
    value = value_at(path, output, context)
    if is_absent(value):
        raise SubworkflowFailed(step.workflow, context.workflow_id, "not started", f"there is nothing at {path}")
    return isolate(value)


def _limits_left(run: Driven) -> RunLimits:
    """Return what is left of the run's limits."""
    limits, used = run.machine.limits, run.machine.meter
    if used is None or not limits.needs_meter:
        return limits
    return used.left_of(limits)


def _count(run: Driven, visit: Visit, child: Run, context: WorkflowContext) -> None:
    """Count what a run used as used by the step: all of it, also from before it waited, but for what is on record."""
    counted: dict[str, float] = dict.fromkeys(_COUNTED, 0)
    for row in reversed(run.machine.rows_since(0) if visit.attempt > 1 else ()):
        if row[1:4] == (visit.scope.prefix, visit.step.step_id, visit.number):
            error, detail = row[9], row[19]
            usage: dict[str, Any] = row[16] or {}
            if error is None or (error.type not in INTERRUPTS and "stopped" not in (detail or ())):
                break  # another run was made after that one
            for name in _COUNTED:
                counted[name] += usage.get(name, 0)
    for row in child.machine.rows_since(0):
        if row[16] is not None:
            left = {name: row[16].get(name, 0) - counted[name] for name in _COUNTED}
            counted = {name: max(0, -number) for name, number in left.items()}
            used: Any = {name: max(0, number) for name, number in left.items()}
            context.add_usage(**used, model=row[16].get("model"))


def _result(child: Run, visit: Visit) -> Any:
    step = cast("SubworkflowStep", visit.step.definition)
    if child.state in RESTING:
        raise Parked
    if child.state is not WorkflowState.COMPLETED:
        reason = child.context.error or "it did not end"
        raise SubworkflowFailed(step.workflow, child.run_id, child.state.value, reason)
    last = child.machine.last_record()
    output = None if last is None else last.output
    context = context_of(child.machine, None)
    if step.output is None:
        return output
    if isinstance(step.output, dict):
        paths = cast("Mapping[str, Any]", step.output)
        return {name: _value(step, path, output, context) for name, path in paths.items()}
    return _value(step, step.output, output, context)
