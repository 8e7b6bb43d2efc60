"""What counts as an answer, and when two are the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from orchestration_kit.engine.outcome import Failure

AnswerOf: TypeAlias = Callable[[Any], Any]


def answer_of(output: Any) -> Any:
    """Return what is counted: the `"answer"` of a mapping that has one, else the whole output.

    >>> answer_of({"answer": 42, "because": "..."}), answer_of("yes")
    (42, 'yes')
    """
    if isinstance(output, Mapping):
        fields = cast("Mapping[str, Any]", output)
        return fields.get("answer", fields)
    return output


def same_key(answer: Any) -> str:
    """Return a text that is equal for equal answers, of whatever type.

    >>> same_key({"b": 1, "a": [2]}) == same_key({"a": [2], "b": 1}), same_key(1) == same_key("1")
    (True, False)
    """
    return json.dumps(answer, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return f"{type(value).__qualname__}: {value!r}"


def is_failure(output: Any) -> bool:
    """Whether that is what a branch that failed leaves behind."""
    return isinstance(output, Mapping) and set(cast("Mapping[str, Any]", output)) == {"error"}


def by_name(statements: Any) -> dict[str, Any]:
    """Return statements by who made them; those of a list by their number, from 1.

    Raises:
        Failure: it is neither a mapping nor a list.
    """
    if isinstance(statements, Mapping):
        return dict(cast("Mapping[str, Any]", statements))
    if isinstance(statements, (list, tuple)):
        return {str(index + 1): one for index, one in enumerate(cast("list[Any]", statements))}
    raise Failure(
        f"answers come as a mapping by voter, or as a list, not as {type(statements).__name__}", output=statements
    )
