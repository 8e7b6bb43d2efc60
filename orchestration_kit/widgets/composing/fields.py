"""One field of a step or of the workflow is changed, or several that only fit together: wholly, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.errors import DefinitionError
from orchestration_kit.widgets.composing.draft import rename_step, with_steps

Path = tuple[str | int, ...]
"""Where a value stands in a model: `("retry", "backoff_s")`, `("branches", 0, "when")`."""
Change = tuple[Path, str, Any]
"""A path, what to do there, and the value."""
MOVES = ("put", "drop", "insert", "shift", "rename")
"""What can be done at a path: set a value, take an entry out, put one in before it, move it on, rename its key."""


class FieldRefused(DefinitionError):
    """A field does not take a value; it says which, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return self.reason


def change_step(workflow: WorkflowDefinition, step_id: str, path: Path, move: str, value: Any) -> WorkflowDefinition:
    """Return the workflow with one field of a step changed; under a new id it is referred to by that.

    Raises:
        FieldRefused: the step does not take it.
        DefinitionError: there is no such step or field.
    """
    step = workflow.steps.get(step_id)
    if step is None:
        raise DefinitionError(f"There is no step {step_id!r:.80} any more.")
    if path == ("step_id",):
        try:
            return rename_step(workflow, step_id, value)
        except ValidationError as error:
            raise FieldRefused(path, told(error, path)) from None
        except DefinitionError as error:
            raise FieldRefused(path, str(error)) from None
    return change_fields(workflow, step_id, [(path, move, value)])


def change_fields(workflow: WorkflowDefinition, step_id: str, changes: Sequence[Change]) -> WorkflowDefinition:
    """Return the workflow with several fields of a step changed at once, its id not among them.

    Raises:
        FieldRefused: they do not fit, told at the last of them.
    """
    made = _several(workflow.steps[step_id], changes)
    return with_steps(workflow, {**workflow.steps, step_id: made})


def change_workflow(workflow: WorkflowDefinition, changes: Sequence[Change]) -> WorkflowDefinition:
    """Return the workflow with fields of its own changed; its steps stay as they are.

    Raises:
        FieldRefused: the workflow does not take it.
    """
    bare = workflow.model_copy(update={"steps": {}})
    return with_steps(_several(bare, changes), workflow.steps)


def _several(model: Any, changes: Sequence[Change]) -> Any:
    made: Any = model
    for path, move, value in changes:
        _refuse_tag(path)
        made = _moved(made, path, move, value)
    return _validated(cast("type[BaseModel]", type(model)), made, changes[-1][0])


def _refuse_tag(path: Path) -> None:
    if not path or path[0] in ("kind", "steps", "step_id"):
        raise DefinitionError(f"{'.'.join(map(str, path)) or 'The whole'} cannot be changed in a form.")


def told(error: ValidationError, path: Path) -> str:
    """Return what pydantic says of a value, in a line, with the place where it is not the field itself."""
    lines: list[str] = []
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        where = [str(part) for part in one["loc"]]
        own = [str(part) for part in path]
        further = where[len(own) :] if where[: len(own)] == own else where
        place = ".".join(part for part in further if part.isidentifier() or part.isdigit())
        text = one["msg"].removeprefix("Value error, ")
        lines.append(f"{place}: {text}" if place and where != own else text)
    return "; ".join(dict.fromkeys(lines))


def _validated(kind: type[BaseModel], fields: Any, path: Path) -> Any:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise FieldRefused(path, told(error, path)) from None


def _moved(value: Any, path: Path, move: str, new: Any) -> Any:
    """Return plain data in which one place is changed; what stands elsewhere stays the very object it is."""
    if not path:
        return new
    data = _opened(value)
    key, rest = path[0], path[1:]
    if isinstance(data, dict):
        return _in_mapping(cast("dict[Any, Any]", data), key, rest, move, new)
    if isinstance(data, list):
        return _in_list(cast("list[Any]", data), key, rest, move, new)
    if not rest and move == "put" and isinstance(key, str):
        return {key: new}  # a model that was not set yet
    raise DefinitionError(f"There is nothing at {'.'.join(map(str, path))} any more.")


def _opened(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return dict(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, (list, tuple)) else value


def _in_mapping(data: dict[Any, Any], key: Any, rest: Path, move: str, new: Any) -> dict[Any, Any]:
    if rest:
        return {**data, key: _moved(data.get(key), rest, move, new)}
    if move == "drop":
        return {name: one for name, one in data.items() if name != key}
    if move == "rename":
        if new != key and new in data:
            raise FieldRefused((key,), f"there is one called {new!r:.60} already")
        return {new if name == key else name: one for name, one in data.items()}
    return {**data, key: new}


def _in_list(data: list[Any], key: Any, rest: Path, move: str, new: Any) -> list[Any]:
    if not isinstance(key, int) or isinstance(key, bool) or not 0 <= key <= len(data) - (move != "insert"):
        raise DefinitionError(f"There is no entry {key!r:.40} any more.")
    if rest:
        return [_moved(one, rest, move, new) if at == key else one for at, one in enumerate(data)]
    if move == "drop":
        del data[key]
    elif move == "insert":
        data.insert(key, new)
    elif move == "shift":
        data.insert(max(0, key + int(new)), data.pop(key))
    else:
        data[key] = new
    return data
