"""How many examples a law is tried with: what it says by itself, fewer in `make test`, more in `make soak`."""

from __future__ import annotations

from hypothesis import settings


def examples(number: int) -> int:
    """As large a part of a number of examples as the profile takes of the hundred that a law has by default."""
    return max(1, number * settings().max_examples // 100)
