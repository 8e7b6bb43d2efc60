"""Asks a pydantic-ai agent once: prompt, lessons and tools in, output out, what it used on the context."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai import AgentRunResult, capture_run_messages
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.usage import RunUsage, UsageLimits

from orchestration_kit.governance.telemetry import instrumentation
from orchestration_kit.workers.llm.gating import Gated, Gatekeeper, ToolCalls, hub_gatekeeper
from orchestration_kit.workers.llm.prompts import lessons_text
from orchestration_kit.workers.llm.told import told
from orchestration_kit.workers.llm.usage import used

MAX_QUERY = 500
"""Characters of the prompt by which lessons are looked for."""


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an agent is asked, the same for every attempt."""

    lessons: int = 0
    deps: Any = None
    settings: Any = None
    limits: UsageLimits | None = None
    gatekeepers: tuple[Gatekeeper, ...] = ()
    """Asked before the hub's own."""
    telemetry: Any = None
    """None follows `telemetry.enable(...)`, True traces anyhow, False never; or pydantic-ai's settings."""
    hide: Callable[[str], str] = _as_it_is
    """Takes keys out of a text."""


@dataclass(slots=True)
class Conversation:
    """One question to an agent, and what is known of it afterwards, also where it failed."""

    agent: AbstractAgent[Any, Any]
    prompt: str
    context: Any
    options: Options
    model: Any = None
    calls: ToolCalls = field(default_factory=ToolCalls)
    usage: dict[str, Any] = field(default_factory=dict[str, Any])
    lessons: list[Any] = field(default_factory=list[Any])

    async def ask(self) -> AgentRunResult[Any]:
        """Return what came of it.

        Raises:
            ModelFailed: nothing came of it.
            AttemptError: a rule stands in the way of what the agent wants to do.
        """
        failed: BaseException | None = None
        counted = RunUsage()
        with capture_run_messages() as messages:
            try:
                return await self.agent.run(self.prompt, usage=counted, **self._arguments())
            except Exception as error:  # noqa: BLE001 - told anew below, outside, so that no key hangs on it
                failed = error
            finally:
                self._note(counted, messages)
        own, failed = self._told(failed), None  # it may hold what the server said, and servers show keys
        raise own

    async def stream(self) -> AsyncIterator[str]:
        """Yield what the model writes, as it writes it.

        Raises:
            ModelFailed: nothing came of it, or it broke off.
            AttemptError: a rule stands in the way of what the agent wants to do.
        """
        failed: BaseException | None = None
        counted = RunUsage()
        messages: list[Any] = []  # capture_run_messages() must not stay open while somebody else has the thread
        try:
            async with self.agent.run_stream_events(self.prompt, usage=counted, **self._arguments()) as events:
                async for event in events:
                    if piece := _text_of(event):
                        yield piece
                messages = events.all_messages()
        except Exception as error:  # noqa: BLE001 - as above
            failed = error
        finally:
            self._note(counted, messages)
        if failed is not None:
            own, failed = self._told(failed), None
            raise own

    def _arguments(self) -> dict[str, Any]:
        options, gatekeepers = self.options, self.options.gatekeepers
        if self.context is not None:
            gatekeepers = (*gatekeepers, hub_gatekeeper(self.context))
            if options.lessons and self.context.has_wisdom:
                query = self.prompt[:MAX_QUERY]
                self.lessons = list(self.context.wisdom.search(query, k=options.lessons))
        deps = options.deps(self.context) if inspect.isfunction(options.deps) else options.deps
        return {
            "model": self.model,
            "instructions": lessons_text(self.lessons),
            "deps": deps,
            "model_settings": options.settings,
            "usage_limits": options.limits,
            "capabilities": [Gated(gatekeepers, self.calls), *_traced(self.agent, options.telemetry)],
            "infer_name": False,
        }

    def _note(self, counted: RunUsage, messages: list[Any]) -> None:
        self.usage = used(counted, messages)
        self.usage["model"] = self.usage["model"] or self._asked()
        if self.context is not None:
            self.context.add_usage(**self.usage)

    def _told(self, failed: BaseException) -> BaseException:
        if self.calls.stopped_by is not None:
            return self.calls.stopped_by
        return told(failed, self.usage["model"], failures=self.calls.failures, hide=self.options.hide) or failed

    def _asked(self) -> str:
        model = self.model or self.agent.model
        return model if isinstance(model, str) else getattr(model, "model_name", "unnamed")


def _traced(agent: AbstractAgent[Any, Any], wanted: Any) -> list[Instrumentation]:
    """Return what has the agent's run traced, unless it is off, or the agent sees to that itself."""
    if wanted is False or any(isinstance(one, Instrumentation) for one in _parts_of(agent.root_capability)):
        return []
    settings = instrumentation() if wanted is None or wanted is True else wanted
    if settings is None and wanted is True:
        settings = InstrumentationSettings(include_content=False)
    return [] if settings is None else [Instrumentation(settings)]


def _parts_of(capability: Any) -> list[Any]:
    inner = getattr(capability, "capabilities", None)
    return [capability] if inner is None else [part for one in inner for part in _parts_of(one)]


def _text_of(event: Any) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""


__all__ = ["Conversation", "Options"]
