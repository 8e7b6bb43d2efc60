"""A pydantic-ai agent becomes a worker. The library is imported when one is made, and not before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.llm.errors import MissingLlmExtra
from orchestration_kit.workers.llm.prompts import Prompt, check_template, prompt_for

if TYPE_CHECKING:
    from pydantic_ai.agent import AbstractAgent
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import UsageLimits


def need_llm() -> None:
    """See that pydantic-ai is there.

    Raises:
        MissingLlmExtra: it is not.
    """
    try:
        import pydantic_ai as _  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingLlmExtra(error.name or "pydantic_ai") from None


def agent_worker(  # noqa: PLR0913 - each says one thing of the agent, by name
    agent: AbstractAgent[Any, Any],
    *,
    name: str | None = None,
    prompt: Prompt = None,
    stream: bool = False,
    lessons: int = 0,
    deps: Any = None,
    settings: ModelSettings | None = None,
    limits: UsageLimits | None = None,
) -> Callable[..., Any]:
    """Return a pydantic-ai agent as an async worker: `WorkerDefinition(executor=agent_worker(agent), ...)`.

    Its output is the agent's: text, or what its `output_type` says, validated. Tokens, USD and the model's name go on
    record, also of an attempt that fails. A retry is told what was wrong. Each call of a tool goes through the hub:
    its constraints are asked first, and it is on record (see `as_action`); calls of tools are made one after the other.
    Tools that a provider runs on its own side (web search, code execution) are out of the hub's sight.

    >>> from orchestration_kit import WorkflowContext
    >>> from pydantic_ai import Agent
    >>> from pydantic_ai.models.test import TestModel
    >>> worker = agent_worker(Agent(TestModel(custom_output_text="Ahoy!")), prompt="Greet {input}, briefly.")
    >>> import asyncio
    >>> asyncio.run(worker("Ada", WorkflowContext("try", "Greet")))
    'Ahoy!'

    Args:
        agent: The agent; with `defer_model_check=True`, no key is needed before it is asked.
        name: What to call the worker in errors; the agent's name by default.
        prompt: A template (`"Review {input.title} for {goal}"`: input, goal and data are known), or a function of
            `(input)` or `(input, context)`. By default the input: text as it is, a table as CSV, all else as JSON.
        stream: Whether to put out pieces of the text while the model writes. Its output is all the text that it wrote.
        lessons: How many lessons of the hub's wisdom, at most, to put into the instructions, marked as data.
        deps: What the agent's `deps` are; a function gets the context and returns them.
        settings: pydantic-ai's model settings, e.g. `{"temperature": 0}`.
        limits: pydantic-ai's usage limits for one attempt.

    Raises:
        MissingLlmExtra: pydantic-ai is not installed.
        InvalidWorker: it is no agent, its prompt names what is not there, or it streams something else than text.
    """
    need_llm()
    from orchestration_kit.workers.llm.running import Options

    options = Options(lessons=lessons, deps=deps, settings=settings, limits=limits)
    title = name or getattr(agent, "name", None) or "agent"
    check_agent(title, agent, prompt, stream=stream)
    return worker_of(agent, title, prompt, options, stream=stream)


def check_agent(name: str, agent: Any, prompt: Prompt, *, stream: bool) -> None:
    """See that an agent can be asked as it is wanted.

    Raises:
        InvalidWorker: it cannot.
    """
    from pydantic_ai.agent import AbstractAgent

    if not isinstance(agent, AbstractAgent):
        hint = "Give a pydantic-ai Agent: Agent('openai:gpt-5-mini', output_type=...)."
        raise InvalidWorker(name, f"it is {type(agent).__name__}, and no agent", hint)
    check_template(name, prompt)
    if stream and cast("Any", agent).output_type is not str:
        hint = "Leave stream=True out: a structured output is there when it is complete, and has been validated."
        raise InvalidWorker(name, "it streams, and its output is not text", hint)


def worker_of(
    agent: AbstractAgent[Any, Any], name: str, prompt: Prompt, options: Any, *, stream: bool
) -> Callable[..., Any]:
    """Return the worker of an agent that was looked at."""
    from orchestration_kit.workers.llm.running import Conversation

    # Held by the worker: its fingerprint changes with the agent, and a journal finds the type of what it gave.
    told, output = described(agent), cast("Any", agent).output_type

    async def ask(input_data: Any, context: Any) -> Any:
        _ = told, output
        conversation = Conversation(agent, prompt_for(prompt, input_data, context), context, options)
        return (await conversation.ask()).output

    async def stream_text(input_data: Any, context: Any) -> AsyncIterator[str]:
        _ = told, output
        conversation = Conversation(agent, prompt_for(prompt, input_data, context), context, options)
        async for piece in conversation.stream():
            yield piece

    return named(stream_text if stream else ask, name)


def named(worker: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a worker under another name, the one that errors and `repr` show."""
    worker.__name__ = worker.__qualname__ = name
    return worker


def described(agent: Any) -> str:
    """Return what makes an agent the one it is, as text: a change of it is a change of the worker."""
    model = agent.model
    given = [getattr(one, "instruction", one) for one in getattr(agent, "_instructions", ())]
    instructions = [one for one in (*given, *getattr(agent, "_system_prompts", ())) if isinstance(one, str)]
    tools = [
        (name, tool.description) for toolset in agent.toolsets for name, tool in getattr(toolset, "tools", {}).items()
    ]
    parts = [model if isinstance(model, str) else getattr(model, "model_id", None), agent.output_json_schema()]
    return repr([*parts, instructions, tools])
