"""What a worker may return besides its output."""

from __future__ import annotations

from typing import Any


class Failure:
    """Returned by a worker to say that it failed, without raising.

    >>> Failure("3 tests fail", output={"failing": 3})
    Failure('3 tests fail', output={'failing': 3})
    """

    __slots__ = ("output", "reason")

    def __init__(self, reason: str, output: Any = None) -> None:
        self.reason = str(reason)
        """Why; the next attempt, or the next step, is told."""
        self.output = output
        """What there is nevertheless; it goes on record beside the reason."""

    def __repr__(self) -> str:
        output = "" if self.output is None else f", output={self.output!r}"
        return f"Failure({self.reason!r}{output})"
