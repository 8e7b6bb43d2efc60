"""How long to wait for an endpoint, how often to ask it, how much to read. Data; the client does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an endpoint is waited for, how often it is asked, how much of its answer is read.

    >>> Patience(timeout_s=20).tries
    4
    """

    timeout_s: float = 300.0
    """For one try, from the request to the last byte."""
    tries: int = 4
    max_wait_s: float = 30.0
    """The longest wait between two tries; a server that asks for more is not asked again."""
    max_bytes: int = 8_000_000
    """Of one answer; streamed, it takes some 200 bytes a token."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
