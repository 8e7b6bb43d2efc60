"""What a Dask worker does for a call: takes it, where it must not be made twice, and makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestration_kit.executors.answers import answer

TAKEN = b"#"
"""The answer where the call was begun before."""


def make_call(function: Callable[..., Any], *arguments: Any) -> bytes:
    """Make a call; what it raises is in what comes back."""
    return answer(function, *arguments)


def make_call_once(key: str, function: Callable[..., Any], *arguments: Any) -> bytes:
    """Make a call that nobody else has begun."""
    from distributed import get_worker
    from distributed.utils import sync

    worker: Any = get_worker()
    claim = getattr(worker.scheduler, "orchestration_kit_claim")  # noqa: B009 - of dask_claims.HANDLER
    return answer(function, *arguments) if sync(worker.loop, claim, key=key) else TAKEN
