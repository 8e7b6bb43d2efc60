"""The rule for `tool_call`: tools that may be called, each with the arguments its schema allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, cast

from orchestration_kit.definition.schemas import as_json_schema, too_large
from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.plain import shown

PURE_TOOLS: Mapping[str, Any] = {"calculate": None, "get_current_time": None, "string_length": None}
"""The tools of a `DoerAgent` that have no effect."""


@dataclass(frozen=True)
class ToolRule(Rule):
    """Lets tools be called.

    `action_data` is `tool` and `arguments`.

    >>> rule = ToolRule({"look_up": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}})
    >>> data = {"tool": "look_up", "arguments": {"id": "7; DROP TABLE users"}}
    >>> print(rule.check({"action_type": "tool_call", "action_data": data, "cost": 0.0}, Past())[0].message)
    the arguments of 'look_up' do not fit at id: '7; DROP TABLE users' is not of type 'integer'

    Args:
        tools: By name, a JSON Schema of the arguments, or None for any; or just the names.
    """

    kind: ClassVar[str] = "tool"
    grants: ClassVar[bool] = True

    tools: Mapping[str, Any] = field(default_factory=dict[str, Any])
    action_types: tuple[str, ...] | None = field(default=("tool_call",), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.tools
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise self.invalid(f"tools is {shown(given)}", "Give names, or a dict from names to JSON Schemas.")
        found: dict[Any, Any] = (
            dict(cast("Any", given)) if isinstance(given, Mapping) else dict.fromkeys(cast("Any", given))
        )
        for name, schema in found.items():
            if type(name) is not str or not name:
                raise self.invalid(
                    f"a tool is called {shown(name)}", "Give names, or a dict from names to JSON Schemas."
                )
            try:
                found[name] = as_json_schema(schema)
            except ValueError as error:
                raise self.invalid(f"the schema of {name!r}: {error}", "Give a JSON Schema, or None.") from None
        self.keep("tools", found)

    def __hash__(self) -> int:
        return hash((self.name, *self.tools))

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what is wrong with a call of a tool."""
        del past
        data = plan["action_data"]
        if found := self.missing_or_extra(data, ("tool", "arguments"), ("tool", "arguments")):
            return found
        tool, arguments = data["tool"], data["arguments"]
        if type(tool) is not str or tool not in self.tools:
            near = did_you_mean(tool[:100], self.tools) if type(tool) is str else ""
            hint = f"Allowed: {listed(self.tools)}.{near}"
            return (self.violation(f"the tool {shown(tool)} may not be called", hint),)
        if type(arguments) is not dict:
            return (self.violation(f"arguments is {type(arguments).__name__}", "It is a dict."),)
        problem = schema_problem(self.tools[tool], arguments)
        if problem is None:
            return ()
        return (self.violation(f"the arguments of {shown(tool)} {problem}", "Give what its schema asks for."),)


def schema_problem(schema: Any, value: Any) -> str | None:
    """Say where a value does not fit a JSON Schema; None where it fits.

    >>> schema_problem({"type": "integer"}, "7")
    "do not fit: '7' is not of type 'integer'"
    """
    if schema is None:
        return None
    if (reason := too_large(value)) is not None:
        return f"are too large: {reason}"
    import json

    validator = _validator(json.dumps(schema, sort_keys=True))
    problem: Any = next(iter(sorted(validator.iter_errors(value), key=str)), None)
    if problem is None:
        return None
    where = f" at {'.'.join(map(str, problem.path))}" if problem.path else ""
    return f"do not fit{where}: {problem.message[:120]}"


@lru_cache(maxsize=128)
def _validator(schema: str) -> Any:
    import json

    from jsonschema import Draft202012Validator
    from referencing import Registry

    make: Any = Draft202012Validator
    registry: Any = Registry
    return make(json.loads(schema), registry=registry())  # resolves nothing from elsewhere
