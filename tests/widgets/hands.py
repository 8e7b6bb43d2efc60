"""A clock by hand for widgets, and clicks without a browser."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from typing import Any


class ByHand:
    """A ticker that calls what is due when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Keep it for later."""
        self._due.append(call)

    @property
    def planned(self) -> int:
        """How many calls are due."""
        return len(self._due)

    def call_all(self) -> None:
        """Call everything that is due, and a tenth of a second goes by."""
        self.now += 0.1
        due, self._due = self._due, []
        for call in due:
            call()


def click(widget: Any, intent: str, **args: Any) -> None:
    """What the browser sends when a person clicks."""
    widget._hear(widget, {"intent": intent, "args": args}, [])


def svg_of(widget: Any) -> str:
    """The picture that a page is shown."""
    return zlib.decompress(base64.b64decode(widget.picture)).decode()
