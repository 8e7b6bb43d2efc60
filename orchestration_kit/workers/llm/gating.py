"""Between a model and its tools: each call is checked first, goes on record, and what fails is told to the model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering
from pydantic_ai.exceptions import ApprovalRequired, CallDeferred, ModelRetry, SkipToolExecution, ToolFailed
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool, WrapperToolset

from orchestration_kit.engine.outcome import Action
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.errors import AttemptError
from orchestration_kit.secrets.scrubber import Scrubber
from orchestration_kit.workers.llm.actions import Plan, plan_of

Perform = Callable[[], Awaitable[Any]]
Gatekeeper = Callable[[Plan, Perform], Awaitable[Any]]
"""Has a plan checked, then carried out; it raises `ActionRefused` where that must not happen."""

_SAID_ON_PURPOSE = (ModelRetry, ToolFailed, CallDeferred, ApprovalRequired, SkipToolExecution, AttemptError)
"""What a tool raises to say something. Everything else is a failure, and the model is told."""


@dataclass
class ToolCalls:
    """What the tools of one attempt were asked for, and what came of it."""

    made: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    failures: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By tool: what it raised, each time."""
    stopped_by: BaseException | None = None
    """What led out of the agent: a refusal that the model must not be told to try again."""


@dataclass
class Gated(AbstractCapability[Any]):
    """Has every call of a tool go through gatekeepers, whichever toolset the tool is from."""

    gatekeepers: tuple[Gatekeeper, ...]
    calls: ToolCalls

    def get_ordering(self) -> CapabilityOrdering:
        """Outermost, so that no tool is added around it."""
        return CapabilityOrdering(position="outermost")

    def get_wrapper_toolset(self, toolset: AbstractToolset[Any]) -> AbstractToolset[Any]:
        """Return the agent's tools behind the gatekeepers."""
        return GatedToolset(toolset, self.gatekeepers, self.calls)


@dataclass
class GatedToolset(WrapperToolset[Any]):
    """A toolset whose calls are checked before they are made."""

    gatekeepers: tuple[Gatekeeper, ...]
    calls: ToolCalls

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return the tools, to be called one after the other: the record, and rules on sequences, need an order."""
        tools = await super().get_tools(ctx)
        return {
            name: replace(tool, tool_def=replace(tool.tool_def, sequential=True))
            if tool.tool_def.kind == "function"
            else tool
            for name, tool in tools.items()
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> Any:
        """Have a call checked, then make it.

        Raises:
            ModelRetry: the model may try again: the tool failed, or what it wanted is against a rule.
            AttemptError: the call was refused for good, or a person has to be asked.
        """
        entry: dict[str, Any] = {"tool": name, "arguments": dict(tool_args)}
        self.calls.made.append(entry)
        call_next = super().call_tool

        async def call() -> Any:
            return await call_next(name, tool_args, ctx, tool)

        perform: Perform = call

        try:
            plan = plan_of(function_of(tool), name, tool_args)
            for gatekeeper in reversed(self.gatekeepers):
                perform = _behind(gatekeeper, plan, perform)
            entry["result"] = await perform()
        except _SAID_ON_PURPOSE as error:
            entry["error"] = str(error)
            if isinstance(error, ActionRefused) and error.on_violation == "retry":
                raise ModelRetry(_feedback(name, error)) from error
            if isinstance(error, AttemptError):
                self.calls.stopped_by = error
            raise
        except Exception as error:
            said = Scrubber().text(f"{type(error).__name__}: {error}")  # it goes to the model
            entry["error"] = said
            self.calls.failures.setdefault(name, []).append(said)
            raise ModelRetry(f"The tool {name!r} failed with {said}") from error
        return entry["result"]


def function_of(tool: ToolsetTool[Any]) -> Any:
    """Return the function behind a tool, however often its toolset is wrapped; None where there is none."""
    inner: Any = tool
    while hasattr(inner, "source_tool"):
        inner = inner.source_tool
    schema = getattr(getattr(inner, "call_func", None), "__self__", None)
    return getattr(schema, "function", None)


def _behind(gatekeeper: Gatekeeper, plan: Plan, perform: Perform) -> Perform:
    return lambda: gatekeeper(plan, perform)


def _feedback(name: str, refused: ActionRefused) -> str:
    lines = [f"- {message} [{rule}]{f' {hint}' if hint else ''}" for rule, message, hint in refused.violations[:10]]
    reasons = "\n".join(lines) or f"- {refused}"
    if refused.stage == "after":
        return f"{name!r} was called, and what it returned is kept back:\n{reasons}\nDo not call it again in this way."
    return (
        f"{name!r} was not called, because that is against the rules:\n{reasons}\n"
        "Do it another way, or say that it cannot be done."
    )


def hub_gatekeeper(context: Any) -> Gatekeeper:
    """Return what has plans checked and put on record by the hub that the context belongs to."""

    async def act(plan: Plan, perform: Perform) -> Any:
        async def carry_out(_: Any) -> Any:
            return await perform()

        action = Action(plan["action_type"], plan["action_data"], plan["cost"])
        return await context.aact(action, perform=carry_out)

    return act
