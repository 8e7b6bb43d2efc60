"""An endpoint that speaks OpenAI's protocol, by URL and model, becomes a worker: hosted, or a server of your own."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orchestration_kit.workers.llm.agent import check_agent, described, named, need_llm
from orchestration_kit.workers.llm.errors import InvalidModel
from orchestration_kit.workers.llm.keys import Key, Remover, key_of, sealed
from orchestration_kit.workers.llm.patience import Patience
from orchestration_kit.workers.llm.prompts import Prompt, prompt_for

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings
    from pydantic_ai.usage import UsageLimits


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model at an address. Its `repr` shows no key.

    >>> Endpoint.at("http://127.0.0.1:11434/v1#qwen3", api_key="sk-made-up")
    Endpoint(url='http://127.0.0.1:11434/v1', model='qwen3', api_key=SecretStr('**********'))
    """

    url: str
    model: str
    api_key: Key = None
    patience: Patience | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_url(self.url)
        if not self.model:
            raise InvalidModel("it has no name", "Give model='...', as the server calls it.")
        object.__setattr__(self, "api_key", sealed(self.api_key))

    @classmethod
    def at(cls, address: str, *, model: str | None = None, api_key: Key = None) -> Endpoint:
        """Return the endpoint of an address such as `http://127.0.0.1:11434/v1#qwen3`.

        Raises:
            InvalidModel: it is no address, or no model is named.
        """
        url, _, named_model = address.partition("#")
        wanted = model or named_model
        if not wanted:
            check_url(url)
            hint = f"Name it after a '#': {url}#NAME; or give the name beside it."
            raise InvalidModel(f"{url} is the address of a server, and no model is named", hint)
        return cls(url, wanted, api_key)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Model]:
        """Yield the model, with connections of its own that are closed afterwards: no event loop is left behind.

        Raises:
            ModelRefused: the environment variable of the key is not set.
        """
        from openai import AsyncOpenAI
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        from orchestration_kit.workers.llm.client import PatientClient

        key = key_of(self.api_key, self.model)
        # A proxy of the environment has no business between two programs of one machine.
        async with PatientClient(self.patience or Patience(), key, trust_env=not is_local(self.url)) as client:
            sdk = AsyncOpenAI(base_url=self.url, api_key="kept-elsewhere", http_client=client, max_retries=0)
            yield OpenAIChatModel(self.model, provider=OpenAIProvider(openai_client=sdk))

    def hide(self, text: str) -> str:
        """Return a text without the key."""
        key = key_of(self.api_key, self.model)
        remover = Remover(None if key is None else key.get_secret_value())
        return remover.feed(text) + remover.flush()


def endpoint_worker(  # noqa: PLR0913 - each says one thing of the endpoint, by name
    url: str,
    *,
    model: str,
    api_key: Key = None,
    instructions: str = "",
    output: Any = str,
    tools: Sequence[Any] = (),
    name: str | None = None,
    prompt: Prompt = None,
    stream: bool = False,
    lessons: int = 0,
    settings: ModelSettings | None = None,
    limits: UsageLimits | None = None,
    retries: int = 1,
    timeout_s: float = 300.0,
    patience: Patience | None = None,
) -> Callable[..., Any]:
    """Return a model behind an OpenAI-compatible address as an async worker.

    A server that is busy (429, 500, 503, ...) is asked again up to three times; `Retry-After` is heeded, up to 30 s.
    An answer of more than 8 MB is refused. The key is sent to this address alone, never to where it redirects.

    >>> worker = endpoint_worker("http://127.0.0.1:11434/v1", model="qwen3", instructions="Answer in one word.")
    >>> worker.__name__
    'qwen3'

    Args:
        url: Where the server is, mostly with `/v1` at the end.
        model: What it calls the model.
        api_key: The key, or the name of the environment variable that holds it, looked up when the model is asked;
            None for servers that need none.
        instructions: What the model is to be and do.
        output: `str`, a pydantic model or another type that the answer is validated into; for servers without tools,
            `pydantic_ai.PromptedOutput(...)` or `NativeOutput(...)` of one.
        tools: Functions that the model may call. Each call goes through the hub, see `as_action`.
        name: What to call the worker; the model's name by default.
        prompt: A template or a function, as in `agent_worker`.
        stream: Whether to put out pieces of the text while the model writes.
        lessons: How many lessons of the hub's wisdom, at most, to put into the instructions.
        settings: pydantic-ai's model settings, e.g. `{"temperature": 0}`.
        limits: pydantic-ai's usage limits for one attempt.
        retries: How often a wrong output, or a call of a tool that failed, is sent back to the model within an attempt.
        timeout_s: Seconds that one request may take, to its last byte.
        patience: All of how it waits and what it reads, in place of `timeout_s`.

    Raises:
        MissingLlmExtra: pydantic-ai is not installed.
        InvalidModel: the address is none.
        InvalidWorker: the prompt names what is not there, or it streams something else than text.
    """
    need_llm()
    from pydantic_ai import Agent

    from orchestration_kit.workers.llm.running import Options

    endpoint = replace(Endpoint(url, model, api_key), patience=patience or Patience(timeout_s=timeout_s))
    title = name or model
    agent = Agent(output_type=output, instructions=instructions or None, tools=tools, name=title, retries=retries)
    check_agent(title, agent, prompt, stream=stream)
    options = Options(lessons=lessons, settings=settings, limits=limits, hide=endpoint.hide)
    return endpoint_worker_of(agent, endpoint, title, prompt, options, stream=stream)


def endpoint_worker_of(  # noqa: PLR0913 - what `endpoint_worker` made
    agent: Any, endpoint: Endpoint, name: str, prompt: Prompt, options: Any, *, stream: bool
) -> Callable[..., Any]:
    """Return the worker of an agent that asks an endpoint."""
    from orchestration_kit.workers.llm.running import Conversation

    told, output = f"{endpoint.url}#{endpoint.model} {described(agent)}", agent.output_type  # as in agent.worker_of

    async def ask(input_data: Any, context: Any) -> Any:
        _ = told, output
        text = prompt_for(prompt, input_data, context)
        async with endpoint.open() as model:
            return (await Conversation(agent, text, context, options, model).ask()).output

    async def stream_text(input_data: Any, context: Any) -> AsyncIterator[str]:
        _ = told, output
        text = prompt_for(prompt, input_data, context)
        key = key_of(endpoint.api_key, endpoint.model)
        remover = Remover(None if key is None else key.get_secret_value())
        async with endpoint.open() as model:
            async for piece in Conversation(agent, text, context, options, model).stream():
                if heard := remover.feed(piece):
                    yield heard
            if heard := remover.flush():
                yield heard

    return named(stream_text if stream else ask, name)


def check_url(url: str) -> None:
    """See that a URL can be asked.

    Raises:
        InvalidModel: it cannot, or it holds a password.
    """
    hint = "Give the address of a server that speaks OpenAI's protocol, e.g. http://127.0.0.1:11434/v1"
    try:
        parts = urlsplit(str(url))
        host, _ = parts.hostname, parts.port  # reading the port checks it
    except (ValueError, AttributeError, TypeError):
        raise InvalidModel("its address cannot be read", hint) from None
    if parts.username is not None or parts.password is not None:
        raise InvalidModel("its address holds a user or a password", f"Give the key as api_key=... instead. {hint}")
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidModel(f"{str(url)[:80]!r} is no http(s) address", hint)


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
