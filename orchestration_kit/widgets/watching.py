"""`Watcher`: something is looked at again and again, on one daemon thread, for as long as a page shows it."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from orchestration_kit.widgets.pulse import Pulse, Ticker

PATIENCE_S = 180.0
"""Seconds without a sign of a page after which nothing is looked at any more. Pages give one every 20 s."""

_MOST_REST_S = 10.0
"""However long looks take."""
_shared = Ticker()
"""Of its own: a look at a large journal must not keep the messages of players waiting."""


class Watcher:
    """Calls `look` every `every_s` seconds until it is closed, or no page was seen for `patience_s` seconds.

    A page that is seen again wakes it. Looks that take long come less often: they take no more than `most_share` of the
    time.

    >>> ticker = Ticker(monotonic=lambda: 0.0)
    >>> looks = []
    >>> watcher = Watcher(lambda: looks.append("looked"), every_s=1.0, ticker=ticker)
    >>> watcher.look_now()
    >>> looks
    ['looked']
    """

    def __init__(  # noqa: PLR0913 - what looking may be steered by
        self,
        look: Callable[[], None],
        *,
        every_s: float,
        soonest_s: float = 0.25,
        most_share: float = 0.04,
        patience_s: float = PATIENCE_S,
        ticker: Ticker | None = None,
    ) -> None:
        self._look, self._every_s, self._patience_s = look, every_s, patience_s
        self._most_share = most_share
        self._rests_until = float("-inf")
        self._ticker = ticker or _shared
        self._context = contextvars.copy_context()  # messages of a notebook's kernel need the cell they belong to
        self._pulse = Pulse(self._look_if_awake, every_s=soonest_s, ticker=self._ticker)
        self.turn = threading.RLock()
        """Held while it looks."""
        self._planned = 0
        """How many plans there were: only the last one counts."""
        self._is_closed = False
        self._seen_at = self._ticker.monotonic()
        self._is_awake = False

    @property
    def is_awake(self) -> bool:
        """Whether it goes on looking by itself."""
        return self._is_awake

    def start(self) -> None:
        """Look from now on."""
        self.seen()

    def seen(self) -> None:
        """Note that a page shows it."""
        self._seen_at = self._ticker.monotonic()
        with self.turn:
            if self._is_awake or self._is_closed:
                return
            self._is_awake = True
        self._plan(0.0)

    def soon(self) -> None:
        """Something has happened: look soon, at most every `soonest_s` seconds. From any thread; never blocks."""
        self._pulse.beat()

    def look_now(self) -> None:
        """Look on this thread, and return when that is done."""
        with self.turn:
            if self._is_closed:
                return
            began = self._ticker.monotonic()
            try:
                self._look()
            finally:
                now = self._ticker.monotonic()
                self._rests_until = now + min((now - began) * (1 / self._most_share - 1), _MOST_REST_S)

    def close(self) -> None:
        """Look no more."""
        self._is_closed, self._is_awake = True, False
        self._pulse.close()

    def _look_if_awake(self) -> None:
        if self._is_awake and self._ticker.monotonic() >= self._rests_until:
            self.look_now()

    def _plan(self, delay_s: float) -> None:
        self._planned += 1
        number = self._planned
        self._ticker.at(self._ticker.monotonic() + delay_s, lambda: self._tick(number))

    def _tick(self, number: int) -> None:
        if number != self._planned or self._is_closed:
            return
        if self._ticker.monotonic() - self._seen_at > self._patience_s:
            self._is_awake = False
            return
        try:
            self._context.run(self.look_now)
        finally:
            self._plan(max(self._every_s, self._rests_until - self._ticker.monotonic()))
