"""What a hub was given becomes an executor, or an error that says what would be one."""

from __future__ import annotations

from concurrent.futures import Executor as Pool
from typing import Any, cast

from orchestration_kit.engine.executor_port import Executor

_PARTS = ("submit", "cancel", "close", "slots", "is_remote")


def as_executor(given: Any) -> Executor | None:
    """Return an executor: as given, or around a pool; None where none is meant.

    >>> from orchestration_kit.executors import InlineExecutor
    >>> as_executor(InlineExecutor())
    InlineExecutor()

    Raises:
        TypeError: it is none.
    """
    if given is None or (not isinstance(given, type) and all(hasattr(given, part) for part in _PARTS)):
        return cast("Executor | None", given)
    if isinstance(given, Pool):
        from orchestration_kit.executors.futures import FuturesExecutor

        return FuturesExecutor(given)
    if type(given).__module__.partition(".")[0] in {"distributed", "dask"}:
        hint = "Write executor=DaskExecutor(client)."
    elif isinstance(given, type):
        hint = f"Give an instance: executor={given.__name__}(...)."
    else:
        hint = (
            "Give ThreadsExecutor(8), ProcessesExecutor(4), DaskExecutor(client), or any concurrent.futures.Executor."
        )
    raise TypeError(f"{given!r:.80} is no executor. {hint}")
