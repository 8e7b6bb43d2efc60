"""A workflow becomes the Python that makes it anew: public names only, and texts that stay texts whatever they say."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any, cast

from pydantic import BaseModel

from orchestration_kit.definition.steps import callable_name
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.errors import NotSerializable

WIDTH = 100
"""Characters up to which a call stands on one line."""


def code_of(workflow: WorkflowDefinition, variable: str = "workflow") -> str:
    """Return Python that, executed, leaves an equal workflow in a variable.

    >>> from orchestration_kit import WorkflowStep
    >>> flow = WorkflowDefinition(name="greet")
    >>> flow.add_step(WorkflowStep(step_id="greet", worker_type="generic", is_terminal=True), is_initial=True)
    >>> print(code_of(flow))
    from orchestration_kit import WorkflowDefinition, WorkflowStep
    <BLANKLINE>
    workflow = WorkflowDefinition(name="greet")
    workflow.add_step(WorkflowStep(step_id="greet", worker_type="generic", is_terminal=True), is_initial=True)
    <BLANKLINE>

    Raises:
        NotSerializable: it holds a callable without a name that code could call it by, such as a lambda.
    """
    writer = _Writer()
    first = workflow.initial_step
    hidden = {"steps", "initial_step"} if first in workflow.steps else {"steps"}
    lines = [f"{variable} = {writer.call(workflow, 0, hidden)}"]
    for key, step in workflow.steps.items():
        made = writer.call(step, 4)
        ending = ", is_initial=True)" if key == first else ")"
        if "\n" not in made:
            short = writer.call(step, 0)
            line = f"{variable}.add_step({short}{ending}"
            if len(line) <= WIDTH + 20 and "\n" not in short:
                lines.append(line)
                continue
        flag = "\n    is_initial=True,\n)" if key == first else "\n)"
        lines.append(f"{variable}.add_step(\n    {made},{flag}")
    names = ", ".join(sorted(writer.names))
    imports = [*sorted(writer.imports), f"from orchestration_kit import {names}"]
    if len(imports[-1]) > WIDTH:
        imports[-1] = "from orchestration_kit import (\n    " + ",\n    ".join(sorted(writer.names)) + ",\n)"
    return "\n".join([*imports, "", *lines]) + "\n"


class _Writer:
    """Writes values, and remembers what has to be imported for them."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.imports: set[str] = set()

    def call(self, model: BaseModel, indent: int, hidden: set[str] | None = None) -> str:
        """Return the call that makes a model, its defaults left out."""
        name = type(model).__name__
        self.names.add(name)
        arguments: list[tuple[str, Any]] = []
        fields = type(model).model_fields.items()
        for field, about in sorted(fields, key=lambda one: not one[1].is_required()):
            value = getattr(model, field)
            is_left_out = not about.is_required() and value == about.get_default(call_default_factory=True)
            if field != "kind" and field not in (hidden or ()) and not is_left_out:
                arguments.append((field, value))
        return self._block(f"{name}(", [(f"{key}=", value) for key, value in arguments], ")", indent)

    def value(self, value: Any, indent: int) -> str:
        """Return a literal or a call that makes a value."""
        if isinstance(value, BaseModel):
            return self.call(value, indent)
        if isinstance(value, Enum):
            return text_literal(str(value.value))
        if isinstance(value, str):
            return text_literal(value)
        if isinstance(value, datetime):
            self.imports.add("from datetime import datetime")
            return f"datetime.fromisoformat({text_literal(value.isoformat())})"
        if isinstance(value, dict):
            entries = [(f"{text_literal(str(key))}: ", one) for key, one in cast("dict[Any, Any]", value).items()]
            return self._block("{", entries, "}", indent)
        if isinstance(value, (list, tuple)):
            items = [("", one) for one in cast("tuple[Any, ...]", value)]
            begin, end = ("(", ")") if isinstance(value, tuple) else ("[", "]")
            return self._block(begin, items, end, indent, lonely="," if begin == "(" else "")
        if callable(value):
            return self._function(value)
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        return repr(value)

    def _block(self, begin: str, parts: list[tuple[str, Any]], end: str, indent: int, lonely: str = "") -> str:
        inline = [prefix + self.value(value, indent) for prefix, value in parts]
        line = begin + ", ".join(inline) + (lonely if len(inline) == 1 else "") + end
        if "\n" not in line and indent + len(line) <= WIDTH:
            return line
        if not parts:
            return begin + end
        space = " " * (indent + 4)
        nested = [space + prefix + self.value(value, indent + 4) for prefix, value in parts]
        return begin + "\n" + ",\n".join(nested) + ",\n" + " " * indent + end

    def _function(self, function: Callable[..., Any]) -> str:
        """Return the name of a callable that can be imported, or stands in the notebook itself."""
        module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
        if not isinstance(module, str) or not name.isidentifier():
            raise NotSerializable(callable_name(function))
        if module != "__main__":
            try:
                found = getattr(importlib.import_module(module), name, None)
            except ImportError:
                found = None
            if found is not function:
                raise NotSerializable(callable_name(function))
            self.imports.add(f"from {module} import {name}")
        return name


def text_literal(text: str) -> str:
    r"""Return a text as a Python literal, in double quotes where that needs no more escapes.

    >>> print(text_literal("it's"), text_literal('say "hi"'), text_literal("a\nb"))
    "it's" 'say "hi"' "a\nb"
    """
    written = repr(str(text))
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in written and "\\'" not in written else written
