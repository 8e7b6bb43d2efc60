"""`Ticker`: calls what is due, on one daemon thread for the whole process; without threads the event loop does."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from orchestration_kit.engine.threadless import call_later, can_start_threads

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
            if not can_start_threads():
                call_later(when - self.monotonic(), self.call_due)
                return
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
            except Exception:  # noqa: BLE001 - one's trouble is not that of the others
                _log.exception("What was due could not be done")

    def _run(self) -> None:
        while True:
            left = self.call_due()
            with self._changed:
                if not self._due or self._due[0][0] > self.monotonic():
                    self._changed.wait(left)


SHARED = Ticker()
"""Of this process."""
