"""What a tool says it does: the plan that is checked before the tool runs. Needs no pydantic-ai."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

Plan = dict[str, Any]
"""`{"action_type": ..., "action_data": {...}, "cost": USD}`."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def as_action(
    action_type: str,
    data: Callable[..., dict[str, Any]] | None = None,
    *,
    cost: float | Callable[..., float] = 0.0,
) -> Callable[[_Function], _Function]:
    """Say which action a tool is, so that the rules for that action hold for it. The tool itself stays as it is.

    Without it, a call of a tool is checked as `{"action_type": "tool_call", "action_data": {"tool": name, "arguments":
    {...}}, "cost": 0.0}`.

    >>> @as_action("send_email", lambda to, text: {"to": to, "subject": "Note", "body": text})
    ... def write_to(to: str, text: str) -> str:
    ...     return "sent"
    >>> plan_of(write_to, "write_to", {"to": "ada@example.org", "text": "Hello"})["action_data"]["to"]
    'ada@example.org'

    Args:
        action_type: What the rules call it, e.g. `sql_query`.
        data: From the tool's arguments to what the rules look at; by default, the arguments themselves.
        cost: What a call costs, in USD; or a function of the tool's arguments.
    """

    def plan(**arguments: Any) -> Plan:
        return {
            "action_type": action_type,
            "action_data": dict(arguments) if data is None else data(**arguments),
            "cost": cost(**arguments) if callable(cost) else cost,
        }

    def declare(function: _Function) -> _Function:
        function.action = plan  # pyright: ignore[reportFunctionMemberAccess]
        return function

    return declare


def plan_of(function: Any, name: str, arguments: dict[str, Any]) -> Plan:
    """Return the plan that a call of a tool is: what it declares (`tool.action`), else a `tool_call`.

    Raises:
        TypeError: what it declares is no plan.
    """
    declared = getattr(function, "action", None)
    if declared is None:
        from pydantic_core import to_jsonable_python

        plain = to_jsonable_python(arguments, fallback=str)
        return {"action_type": "tool_call", "action_data": {"tool": name, "arguments": plain}, "cost": 0.0}
    plan: Any = declared(**arguments) if callable(declared) else declared
    if not isinstance(plan, dict) or not {"action_type", "action_data"} <= plan.keys():
        raise TypeError(
            f"The tool {name!r} declares as its action {type(cast('object', plan)).__name__}, which is no plan. "
            'A plan is {"action_type": ..., "action_data": {...}, "cost": USD}; as_action(...) makes it.'
        )
    return {"cost": 0.0, **cast("Plan", plan)}
