"""Anything with `ainvoke` or `invoke`, as LangChain's models, chains and graphs have it, becomes a worker.

LangChain is never imported here: what is needed of its objects is looked up by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.function import name_of

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext

MAX_ERROR = 4_000
"""Characters of an error that the next attempt is told."""


def invoking(
    runnable: Any,
    *,
    raw: bool = False,
    messages: bool = False,
    tell_errors: bool = True,
    prices_usd: tuple[float, float] | None = None,
) -> Callable[[Any, WorkflowContext], Any]:
    """Return a runnable as a worker: async where it has `ainvoke`, so that it can be stopped.

    A message becomes its text, or `{"text", "tool_calls"}` where it calls tools; a state with `messages` the text of
    the last one. Tokens and model of every model that it calls within go on record, also where the attempt fails.

    >>> from orchestration_kit import WorkflowContext
    >>> class Shout:
    ...     def invoke(self, text):
    ...         return text.upper()
    >>> invoking(Shout())("ahoy", WorkflowContext("try", "Shout"))
    'AHOY'

    Args:
        runnable: What has `ainvoke(input)` or `invoke(input)`; with a parameter `config` it gets one.
        raw: Put out what it returns as it is.
        messages: Give it `{"messages": [("user", input)]}`, as agents and graphs want it.
        tell_errors: On a retry, tell it what was wrong: at the end of a text, as one more message, or as
            `last_error` of a mapping.
        prices_usd: USD per million tokens of input and of output, to have the cost on record.

    Raises:
        InvalidWorker: it has neither method, or is a class.
    """
    call = getattr(runnable, "ainvoke", None) or getattr(runnable, "invoke", None)
    if isinstance(runnable, type) or not callable(call):
        hint = "Give an object with invoke(input) or ainvoke(input), such as a chain of LangChain."
        raise InvalidWorker(name_of(runnable), "it has neither invoke nor ainvoke, or is a class", hint)
    takes_config = _takes_config(call)
    told = _described(runnable)  # held by the worker, so that its fingerprint changes with the chain

    def begin(given: Any, context: WorkflowContext) -> tuple[partial[Any], _Usage]:
        _ = told
        usage = _Usage(context, prices_usd)
        asked = {"messages": [("user", given)]} if messages and not _holds_messages(given) else given
        if tell_errors and context.last_error is not None:
            asked = _corrected(asked, context.last_error.message)
        if not takes_config:
            return partial(call, asked), usage
        about = {"orchestration_kit_run": context.workflow_id, "orchestration_kit_path": context.path}
        return partial(call, asked, config={"callbacks": [usage], "metadata": about}), usage

    def end(output: Any, usage: _Usage) -> Any:
        if not usage.is_told:
            usage.add(_last_message(output))
        return output if raw else _plain(output)

    def invoke(input_data: Any, context: WorkflowContext) -> Any:
        made, usage = begin(input_data, context)
        return end(made(), usage)

    async def ainvoke(input_data: Any, context: WorkflowContext) -> Any:
        made, usage = begin(input_data, context)
        found = made()
        return end(await found if inspect.isawaitable(found) else found, usage)

    worker = ainvoke if hasattr(runnable, "ainvoke") else invoke
    worker.__name__ = worker.__qualname__ = runnable_name(runnable)
    return worker


def runnable_name(runnable: Any) -> str:
    """Return what to call a runnable: its own name, its model's, or its class's."""
    for attribute in ("name", "model_name", "model"):
        value = getattr(runnable, attribute, None)
        if isinstance(value, str) and value.strip():
            return value
    return type(runnable).__name__


class _Usage:
    """Hears of each answer of a model within a chain. It has what LangChain asks a callback handler for."""

    raise_error = False
    run_inline = True
    """In its event loop, not on another thread."""
    ignore_llm = False
    ignore_chat_model = ignore_chain = ignore_agent = ignore_retriever = ignore_retry = ignore_custom_event = True

    def __init__(self, context: WorkflowContext, prices_usd: tuple[float, float] | None) -> None:
        self._context = context
        self._prices = prices_usd
        self.is_told = False

    def on_llm_end(self, response: Any, **_: Any) -> None:
        """Add what one call of a model used."""
        for batch in getattr(response, "generations", ()):
            for one in batch:
                message = getattr(one, "message", None)
                if message is not None:
                    self.is_told = True
                    self.add(message)

    def add(self, message: Any) -> None:
        """Add what a message says of its making; nothing where it says nothing."""
        counts = _mapping(getattr(message, "usage_metadata", None))
        facts = _mapping(getattr(message, "response_metadata", None))
        model = facts.get("model_name") or facts.get("model")
        tokens = [_count(counts.get(key)) for key in ("input_tokens", "output_tokens")]
        if not any(tokens) and model is None:
            return
        cost_usd = (
            0.0 if self._prices is None else sum(n * price / 1e6 for n, price in zip(tokens, self._prices, strict=True))
        )
        self._context.add_usage(
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cost_usd=cost_usd,
            model=None if model is None else str(model),
        )

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Ignore all other news."""
        if name.startswith("on_"):
            return _ignore
        raise AttributeError(name)


def _ignore(*_: Any, **__: Any) -> None:
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _takes_config(call: Any) -> bool:
    try:
        return "config" in inspect.signature(call).parameters
    except (TypeError, ValueError):
        return False


def _described(runnable: Any) -> str:
    """Return class and first part of a chain's own description, as far as that says the same each time."""
    kind = cast("Any", type(runnable))
    steps: Any = getattr(runnable, "steps", None)
    parts = cast("list[Any]", steps) if isinstance(steps, list) else []
    template: Any = getattr(runnable, "messages", None) or getattr(runnable, "template", None)
    text = repr(cast("Any", template)) if isinstance(template, (str, list)) else ""
    text = "" if " at 0x" in text else text
    return "|".join([f"{kind.__module__}.{kind.__qualname__}", runnable_name(runnable), text, *map(_described, parts)])


def _holds_messages(given: Any) -> bool:
    return isinstance(given, Mapping) and "messages" in given


def _corrected(given: Any, error: str) -> Any:
    """Return what it is given together with what was wrong with its last answer."""
    said = error if len(error) <= MAX_ERROR else f"{error[:MAX_ERROR]}..."
    note = f"Your last answer was not accepted. Why: {said}"
    if isinstance(given, str):
        return f"{given}\n\n{note}"
    if isinstance(given, list):
        return [*cast("list[Any]", given), ("user", note)]
    if isinstance(given, Mapping):
        entries = cast("Mapping[str, Any]", given)
        held: Any = entries.get("messages")
        if isinstance(held, list):
            return {**entries, "messages": [*cast("list[Any]", held), ("user", note)]}
        return {"last_error": said, **entries}
    return given


def _is_message(value: Any) -> bool:
    """Whether it is a message as LangChain has them."""
    return all(hasattr(value, name) for name in ("content", "type", "additional_kwargs"))


def _last_message(value: Any) -> Any:
    """Return a message, the last one of a state, or None."""
    if isinstance(value, Mapping):
        held: Any = cast("Mapping[str, Any]", value).get("messages")
        value = cast("Sequence[Any]", held)[-1] if isinstance(held, (list, tuple)) and held else None
    return value if _is_message(value) else None


def _plain(output: Any) -> Any:
    """Return text for a message or a state of messages; all else as it is."""
    message = _last_message(output)
    if message is None:
        content = getattr(output, "to_messages", None)  # a filled-in prompt
        return output.to_string() if callable(content) else output
    text = _text(message.content)
    calls: Any = getattr(message, "tool_calls", None)
    if not calls:
        return text
    return {"text": text, "tool_calls": [{key: one.get(key) for key in ("name", "args", "id")} for one in calls]}


def _text(content: Any) -> str:
    """Return the text of a content: a text, or blocks some of which are text."""
    if isinstance(content, str):
        return content
    found: list[str] = []
    for block in cast("list[Any]", content) if isinstance(content, list) else []:
        text: Any = block if isinstance(block, str) else _mapping(block).get("text")
        if isinstance(text, str):
            found.append(text)
    return "".join(found)
