"""Can what decides be used? Conditions, and the code that a definition holds, without calling any of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.checks.problem import Problem
from orchestration_kit.definition.condition_text import tokens_of
from orchestration_kit.definition.conditions import compile_condition
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep
from orchestration_kit.definition.steps import callable_name
from orchestration_kit.errors import ConditionSyntaxError

if TYPE_CHECKING:
    from orchestration_kit.definition.steps import Step
    from orchestration_kit.definition.workflow import WorkflowDefinition


def conditions(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Each condition parses, and names only what a condition can name; code takes (output, context)."""
    for step_id, step in workflow.steps.items():
        for field, condition in step.conditions():
            reason = _condition_fault(condition)
            if reason is not None:
                yield Problem("bad-condition", (step_id,), f"Step {step_id!r}, {field}: {reason}".rstrip("."), "")


def callables(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """Code that finds a value takes (output, context), a reducer takes one list of values."""
    for step_id, step in workflow.steps.items():
        for field, code in _finders(step):
            if callable(code) and (fault := _call_fault(code, "(output, context)", 2)):
                hint = "Write for example lambda output, context: context.data['items']."
                yield Problem("bad-callable", (step_id,), f"Step {step_id!r}, {field}: {fault}", hint)
        for field, code in _reducers(step):
            if callable(code) and (fault := _call_fault(code, "one list of values", 1)):
                hint = "Write for example lambda values: max(values)."
                yield Problem("bad-callable", (step_id,), f"Step {step_id!r}, {field}: {fault}", hint)


def shadowed_branches(workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A branch after an always-true one, or with the condition of an earlier one, is never taken."""
    for step_id, step in workflow.steps.items():
        seen: dict[tuple[str, ...], int] = {}
        for index, branch in enumerate(step.choices):
            if not isinstance(branch.when, str):
                continue
            text = tuple(token for _, token in tokens_of(branch.when))
            earlier = seen.get(text, seen.get(("true",)))
            if earlier is not None:
                yield Problem(
                    "shadowed-branch",
                    (step_id,),
                    f"Step {step_id!r}: branches[{index}] to {branch.to!r} is never taken, "
                    f"since branches[{earlier}] holds whenever it does",
                    "Put the narrower condition first.",
                    "warning",
                )
            seen.setdefault(text, index)


def _finders(step: Step) -> Iterator[tuple[str, Any]]:
    """What finds values for a step, by the field it is written in."""
    if isinstance(step, MapStep):
        yield "over", step.over
    elif isinstance(step, ApprovalStep):
        yield from ((f"show[{index}]", one) for index, one in enumerate(step.show))
    elif isinstance(step, SubworkflowStep):
        yield from _by_name("input", step.input)
        yield from _by_name("output", step.output)


def _reducers(step: Step) -> Iterator[tuple[str, Any]]:
    if isinstance(step, ParallelStep | MapStep):
        yield from _by_name("reducer", step.reducer)


def _by_name(field: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        by_name = cast("dict[str, Any]", value)
        yield from ((f"{field}[{name!r}]", one) for name, one in by_name.items())
    else:
        yield field, value


def _condition_fault(condition: object) -> str | None:
    """Say why a condition cannot be used."""
    if isinstance(condition, str):
        try:
            compile_condition(condition)
        except ConditionSyntaxError as error:
            return str(error)
    elif callable(condition):
        if inspect.iscoroutinefunction(condition):
            name = callable_name(condition)
            return f"{name} is async, and a condition is evaluated at once. Write a plain function (output, context)"
        fault = _call_fault(condition, "(output, context)", 2)
        return fault and f"{fault}. Write for example lambda output, context: ..."
    return None


def _call_fault(code: Any, what: str, arguments: int) -> str | None:
    """Say why code cannot be called with so many arguments."""
    name = callable_name(code)
    if inspect.iscoroutinefunction(code):
        return f"{name} is async, and it is called at once"
    try:
        inspect.signature(code).bind(*[None] * arguments)
    except TypeError:
        return f"{name} cannot be called with {what}"
    except ValueError:
        return None  # a builtin that tells no signature
    return None
