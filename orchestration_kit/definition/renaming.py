"""Other ids for the steps of a workflow: a step as it reads then, its conditions and paths included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from orchestration_kit.definition.condition_text import plain_string, read_condition, spans_of
from orchestration_kit.definition.steps import Branch
from orchestration_kit.errors import ConditionSyntaxError, DefinitionError

if TYPE_CHECKING:
    from orchestration_kit.definition.budgets import Budget
    from orchestration_kit.definition.steps import Step
    from orchestration_kit.definition.workflow import WorkflowDefinition

S = TypeVar("S", bound="Step")
_REFERENCES = ("step_id", "on_success", "on_failure", "on_timeout", "compensate")
_TARGETS = ("branches", "body")
_TEXTS = ("success_when", "over", "show", "input")
_KEYS = ("reads", "writes")


def output_keys(names: Mapping[str, str]) -> dict[str, str]:
    """Return what the entries of the data bus are called that renamed steps leave.

    >>> output_keys({"check": "a.check"})
    {'check_output': 'a.check_output'}
    """
    return {f"{old}_output": f"{new}_output" for old, new in names.items()}


def renamed_step(step: S, names: Mapping[str, str], outputs: Mapping[str, str]) -> S:
    """Return a copy of a step in which other steps, and itself, go by their new names.

    Args:
        step: stays as it is.
        names: new ids by old ones.
        outputs: new entries of the data bus by old ones, see `output_keys`.

    Raises:
        DefinitionError: a condition or a path names an output in a way that cannot be written with its new name.
    """
    if not names and not outputs:
        return step.model_copy(update={name: _copied(value) for name, value in step})
    new = _Renaming(step.step_id, names, outputs)
    return type(step).model_validate({name: new.field(name, value) for name, value in step})


@dataclass(frozen=True, slots=True)
class _Renaming:
    """What the fields of one step become."""

    step_id: str
    names: Mapping[str, str]
    outputs: Mapping[str, str]

    def field(self, name: str, value: Any) -> Any:
        if name in _REFERENCES:
            return self.names.get(value, value)
        if name in _TEXTS:
            return self._each(value, self._text)
        if name in _TARGETS:
            return self._each(value, self._target)
        if name in _KEYS:
            return tuple(self.outputs.get(key, key) for key in value)
        if name == "budget":
            return renamed_budget(value, self.names)
        if name == "reducer" and isinstance(value, dict):
            return {self.outputs.get(key, key): one for key, one in cast("dict[str, Any]", value).items()}
        return _copied(value)

    def _each(self, value: Any, change: Callable[[Any], Any]) -> Any:
        """Change a value, or each one of a tuple or of a mapping."""
        if isinstance(value, dict):
            return {key: change(one) for key, one in cast("dict[str, Any]", value).items()}
        if isinstance(value, tuple):
            return tuple(change(one) for one in cast("tuple[Any, ...]", value))
        return change(value)

    def _text(self, value: Any) -> Any:
        return _text(value, self.outputs, self.step_id) if isinstance(value, str) else value

    def _target(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.names.get(value, value)
        if isinstance(value, Branch):
            return Branch(when=self._text(value.when), to=self.names.get(value.to, value.to), label=value.label)
        return _inline(value, self.outputs)


def renamed_budget(budget: Budget | None, names: Mapping[str, str]) -> Budget | None:
    """Return a budget that goes on to the step of the new name."""
    if budget is None or budget.on_budget is None:
        return budget
    return budget.model_copy(update={"on_budget": names.get(budget.on_budget, budget.on_budget)})


def copied_workflow(workflow: WorkflowDefinition) -> WorkflowDefinition:
    """Return a copy that shares nothing which can be changed."""
    return _inline(workflow, {})


def _inline(workflow: WorkflowDefinition, outputs: Mapping[str, str]) -> WorkflowDefinition:
    """Return a copy of an inline workflow: its own ids stay, and the outputs it sees of outer steps are renamed."""
    seen = {old: new for old, new in outputs.items() if old.removesuffix("_output") not in workflow.steps}
    steps = {step_id: renamed_step(step, {}, seen) for step_id, step in workflow.steps.items()}
    return workflow.model_copy(update={"steps": steps})


def _copied(value: Any) -> Any:
    """Return a copy of what can be changed in place, and anything else as it is."""
    from orchestration_kit.definition.workflow import WorkflowDefinition

    if isinstance(value, dict):
        return {key: _copied(one) for key, one in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_copied(one) for one in cast("list[Any]", value)]
    return copied_workflow(value) if isinstance(value, WorkflowDefinition) else value


def _text(text: str, outputs: Mapping[str, str], step_id: str) -> str:
    """Return a condition or a path that names renamed outputs by their new names."""
    tokens = [*spans_of(text), ("", len(text), len(text))] + [("", len(text), len(text))] * 3
    changes: list[tuple[int, int, str]] = []
    for at, (symbol, _, _) in enumerate(tokens[:-4]):
        if symbol != "data" or (at and tokens[at - 1][0] == "."):
            continue
        (mark, begin, _), (key, _, end), (after, _, closed) = tokens[at + 1 : at + 4]
        if mark == "." and key in outputs and after != "(":
            if after == ")" and at > 1 and tokens[at - 2][0] == "has":
                raise _unwritable(text, step_id, key, "has(...) takes no name in brackets")
            changes.append((begin, end, f"[{_quoted(outputs[key], text, step_id)}]"))
        elif mark == "[" and after == "]" and key and (named := plain_string(key)) in outputs:
            changes.append((begin, closed, f"[{_quoted(outputs[str(named)], text, step_id)}]"))
    if not changes:
        return text
    for begin, end, new in reversed(changes):
        text = text[:begin] + new + text[end:]
    try:
        read_condition(text)
    except ConditionSyntaxError as error:
        raise _unwritable(text, step_id, "a renamed output", error.reason) from None
    return text


def _quoted(key: str, text: str, step_id: str) -> str:
    quote = '"' if '"' not in key else "'"
    if quote in key or "\\" in key:
        raise _unwritable(text, step_id, key, "a name with quotes or backslashes cannot be written there")
    return f"{quote}{key}{quote}"


def _unwritable(text: str, step_id: str, key: str, why: str) -> DefinitionError:
    return DefinitionError(
        f"Step {step_id!r} holds {text!r:.120}, in which {key} would get a new name, and {why}. "
        "Rename that step first, with workflow.replace(step_id, step_id=...), or write the condition another way."
    )
