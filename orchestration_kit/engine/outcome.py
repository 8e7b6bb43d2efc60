"""What a worker may return besides its output."""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """Returned by a worker to say that it failed and why; raising it is the same.

    >>> Failure("3 tests fail", output={"failing": 3})
    Failure('3 tests fail', output={'failing': 3})
    """

    def __init__(self, reason: str, output: Any = None) -> None:
        super().__init__(reason, output)
        self.reason = str(reason)
        """Why; the next attempt, or the next step, is told."""
        self.output = output
        """What there is nevertheless; it goes on record beside the reason."""

    def __str__(self) -> str:
        return self.reason

    def __repr__(self) -> str:
        output = "" if self.output is None else f", output={self.output!r}"
        return f"Failure({self.reason!r}{output})"
