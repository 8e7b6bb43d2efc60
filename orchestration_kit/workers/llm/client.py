"""A client that waits where a server asks for it, reads no more than it was told to, and keeps the key to itself.

The SDK on top of it never gets hold of the key: it is put on the copy of the request that goes out, and taken off the
response, so that no exception, repr or trace of the SDK can show it.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx2
from pydantic import SecretStr

from orchestration_kit.workers.llm.keys import Remover
from orchestration_kit.workers.llm.patience import Patience

BUSY = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same request may succeed."""
FIRST_WAIT_S = 0.5
"""The wait before the second try where the server asks for none; it doubles from try to try."""


CONNECT_S = 10.0
"""How long it may take until a server is reached at all."""


class AnswerTooLong(httpx2.TransportError):
    """More came than was allowed, or it was packed."""


class PatientClient(httpx2.AsyncClient):
    """An HTTP client for one endpoint."""

    def __init__(self, patience: Patience, key: SecretStr | None, **options: Any) -> None:
        environ = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        timeout = httpx2.Timeout(patience.timeout_s, connect=min(patience.timeout_s, CONNECT_S))
        super().__init__(timeout=timeout, verify=_certificates(*environ), **options)
        self._patience = patience
        self._key = key

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Send a request, again where the server is busy. The body is read up to the cap."""
        patience, wait_s = self._patience, FIRST_WAIT_S
        for left in reversed(range(patience.tries)):
            try:
                response = await self._once(request, stream=stream, **options)
            except httpx2.ConnectError:
                if not left:
                    raise
                await patience.sleep(min(wait_s, patience.max_wait_s))
            else:
                asked_s = wait_s if (told := retry_after_s(response)) is None else told
                if response.status_code not in BUSY or not left or asked_s > patience.max_wait_s:
                    return response
                await response.aclose()
                await patience.sleep(asked_s)
            wait_s *= 2
        raise AssertionError("the last try returns or raises")

    async def _once(self, request: httpx2.Request, *, stream: bool, **options: Any) -> httpx2.Response:
        deadline = asyncio.get_running_loop().time() + self._patience.timeout_s
        try:
            async with asyncio.timeout_at(deadline):
                response = await super().send(self._signed(request), stream=True, **options)
                response.request = request  # the one without the key
                if response.headers.get("content-encoding", "identity") != "identity":
                    await response.aclose()
                    raise AnswerTooLong("the answer is packed, although none was to be")
                response.stream = _Body(response.stream, self._patience, deadline, self._key)
                if not stream:
                    try:
                        await response.aread()
                    finally:
                        await response.aclose()
        except TimeoutError:
            raise _late(self._patience) from None
        return response

    def _signed(self, request: httpx2.Request) -> httpx2.Request:
        headers = request.headers.copy()
        headers["accept-encoding"] = "identity"
        headers.pop("authorization", None)
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key.get_secret_value()}"
        return httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=dict(request.extensions)
        )


@lru_cache(maxsize=4)
def _certificates(*_environ: str | None) -> ssl.SSLContext:
    """Return whom to trust. To read the certificates takes 20 ms, so it is done once, not for each attempt."""
    return httpx2.create_ssl_context()


class _Body(httpx2.AsyncByteStream):
    """A body of which no more is read than is allowed, and no longer; a server that says the key back is not heard."""

    def __init__(self, stream: Any, patience: Patience, deadline: float, key: SecretStr | None) -> None:
        self._stream, self._patience, self._deadline = stream, patience, deadline
        self._remover = Remover(None if key is None else key.get_secret_value())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks, read = aiter(self._stream), 0
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise _late(self._patience) from None
            if chunk is None:
                break
            read += len(chunk)
            if read > self._patience.max_bytes:
                raise AnswerTooLong(f"the answer is longer than {self._patience.max_bytes:,} bytes")
            if heard := self._remover.feed(chunk.decode("latin-1")):
                yield heard.encode("latin-1")
        if heard := self._remover.flush():
            yield heard.encode("latin-1")

    async def aclose(self) -> None:
        await self._stream.aclose()


def _late(patience: Patience) -> httpx2.ReadTimeout:
    return httpx2.ReadTimeout(f"no whole answer within {patience.timeout_s:g} s")


def retry_after_s(response: httpx2.Response) -> float | None:
    """Return how many seconds a server asks to wait; None where it does not say.

    >>> retry_after_s(httpx2.Response(429, headers={"retry-after": "7"}))
    7.0
    """
    told = response.headers.get("retry-after")
    if told is None:
        return None
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
