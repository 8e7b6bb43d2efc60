"""`Pulse`: many things happen, few messages are sent, and the last state always arrives."""

from __future__ import annotations

import contextvars
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

EVERY_S = 0.05
"""Seconds between two messages of one widget: twenty a second, however much happens."""

_log = logging.getLogger("orchestration_kit")


class Ticker:
    """Calls what is due, one after another, on one daemon thread that is started when it is first needed."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Have `call` called at a time of `monotonic`, or soon after."""
        with self._changed:
            heapq.heappush(self._due, (when, next(self._numbers), call))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="orchestration_kit pulse", daemon=True)
                self._thread.start()
            self._changed.notify()

    def call_due(self) -> float | None:
        """Call what is due, here; return the seconds until the next, None where nothing is planned."""
        while True:
            with self._changed:
                if not self._due:
                    return None
                left = self._due[0][0] - self.monotonic()
                if left > 0:
                    return left
                call = heapq.heappop(self._due)[2]
            try:
                call()
            except Exception:  # noqa: BLE001 - one widget's trouble is not that of the others
                _log.exception("A widget could not be brought up to date")

    def _run(self) -> None:
        while True:
            left = self.call_due()
            with self._changed:
                if not self._due or self._due[0][0] > self.monotonic():
                    self._changed.wait(left)


_shared = Ticker()


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
        self._send, self._every_s, self._ticker = send, every_s, ticker or _shared
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
