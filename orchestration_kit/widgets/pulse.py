"""`Pulse`: many things happen, few messages are sent, and the last state always arrives."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from orchestration_kit.engine.ticker import SHARED, Ticker

EVERY_S = 0.05
"""Seconds between two messages of one widget: twenty a second, however much happens."""


class Pulse:
    """Sends soon after each `beat`, from any thread, but not more often than every `every_s` seconds.

    What happens in between is sent once, with the last state; the last beat is never lost.

    >>> sent = []
    >>> ticker = type("ByHand", (), {"at": lambda self, when, call: call(), "monotonic": lambda self: 0.0})()
    >>> Pulse(lambda: sent.append("state"), ticker=ticker).beat()
    >>> sent
    ['state']
    """

    def __init__(self, send: Callable[[], None], *, every_s: float = EVERY_S, ticker: Ticker | None = None) -> None:
        self._send, self._every_s, self._ticker = send, every_s, ticker or SHARED
        self._context = contextvars.copy_context()  # messages of a notebook's kernel need the cell they belong to
        self._lock = threading.Lock()
        self._is_planned = self._is_closed = False
        self._sent_at = float("-inf")

    def beat(self) -> None:
        """Something has changed."""
        with self._lock:
            if self._is_planned or self._is_closed:
                return
            self._is_planned = True
            when = max(self._ticker.monotonic(), self._sent_at + self._every_s)
        self._ticker.at(when, self._fire)

    def close(self) -> None:
        """Send nothing any more."""
        self._is_closed = True

    def _fire(self) -> None:
        with self._lock:
            self._is_planned = False  # before it is sent: what happens meanwhile is news
            self._sent_at = self._ticker.monotonic()
        if not self._is_closed:
            self._context.run(self._send)
