"""What stands for a model, in code or on a command line, becomes something that can be asked."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from orchestration_kit.workers.llm.endpoint import Endpoint
from orchestration_kit.workers.llm.errors import InvalidModel
from orchestration_kit.workers.llm.keys import Key

_NO_SCHEME = re.compile(r"[\w.-]+:(\d{1,5}([/#]|$)|//)")
POSSIBLE = (
    "Possible are:\n"
    "  'openai:gpt-5-mini'                a provider's model, with its key in the environment (OPENAI_API_KEY)\n"
    "  'http://127.0.0.1:11434/v1#qwen3'  a server of your own that speaks OpenAI's protocol; most need no key\n"
    "  pydantic_ai.models.test.TestModel()  offline, for trying and for tests; or its FunctionModel"
)


def model_from(model: Any, *, model_name: str | None = None, api_key: Key = None) -> Any:
    """Return an address as an `Endpoint`, and any other model as it is.

    >>> model_from("http://127.0.0.1:11434/v1#qwen3").model
    'qwen3'

    Raises:
        InvalidModel: an address without a model, or a model's name or key without an address.
    """
    if isinstance(model, str) and model.lower().startswith(("http://", "https://")):
        return Endpoint.at(model, model=model_name, api_key=api_key)
    if model_name is not None or api_key is not None:
        hint = "Give the address as model='http://.../v1'; other models take their keys from the environment."
        raise InvalidModel("model_name and api_key go with an address, and there is none", hint)
    return model


def model_on_command_line(text: str) -> Any:
    """Return the model that a command line names.

    `http://HOST/v1#NAME` is an address, its key is in ORCHESTRATION_KIT_API_KEY, if it needs one. `PROVIDER:NAME` is a
    provider's. A bare NAME is asked at OPENAI_BASE_URL, with OPENAI_API_KEY, where that is set.

    Raises:
        InvalidModel: it names none.
    """
    if text.lower().startswith(("http://", "https://")):
        return model_from(text, api_key=_if_set("ORCHESTRATION_KIT_API_KEY"))
    base = os.environ.get("OPENAI_BASE_URL")
    if base and text and ":" not in text:
        return Endpoint(base, text, _if_set("OPENAI_API_KEY"))
    if reads_like_an_address(text):
        raise InvalidModel(
            f"{text[:80]!r} is no http(s) address", f"An address begins with http:// or https://. {POSSIBLE}"
        )
    if not text.strip() or ":" not in text:
        raise InvalidModel(f"{text[:80]!r} names no provider, and OPENAI_BASE_URL is not set", POSSIBLE)
    return text


def reads_like_an_address(text: str) -> bool:
    """Whether a text is an address that lacks its http://, or has something else there.

    >>> reads_like_an_address("localhost:11434/v1"), reads_like_an_address("openai:gpt-5-mini")
    (True, False)
    """
    return _NO_SCHEME.match(text) is not None


@asynccontextmanager
async def opened(model: Any) -> AsyncGenerator[Any]:
    """Yield a model as pydantic-ai takes it; connections to an endpoint are closed afterwards.

    Raises:
        InvalidModel: there is none.
    """
    if model is None:
        raise InvalidModel("none was given", POSSIBLE)
    if isinstance(model, Endpoint):
        async with model.open() as ready:
            yield ready
    else:
        yield model


def hidden_by(model: Any) -> Any:
    """Return what takes the model's key out of a text."""
    return model.hide if isinstance(model, Endpoint) else str


def _if_set(name: str) -> str | None:
    return name if os.environ.get(name) else None
