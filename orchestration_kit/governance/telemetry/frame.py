"""A stream of events becomes a DataFrame."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.governance.telemetry.cleaning import writable
from orchestration_kit.governance.telemetry.event_file import put_aside

if TYPE_CHECKING:
    import pandas as pd

_CATEGORIES = (
    "event",
    "workflow",
    "step",
    "worker",
    "worker_type",
    "error_type",
    "next_step",
    "model",
    "kind",
    "state",
)
_TEXTS = ("run_id", "path", "error", "reason", "parent", "forked_at", "input", "output", "goal")
_COUNTS = ("seq", "visit", "attempt", "input_tokens", "output_tokens", "count", "steps", "pid", "v")
_TRUTHS = ("success", "cached")
_TIMES = ("ts", "started_at")
_COLUMNS = (
    *("ts", "event", "run_id", "workflow", "step", "path", "visit", "attempt", "seq", "worker", "worker_type"),
    *("success", "error", "error_type", "started_at", "duration_s", "next_step", "retry_in_s", "cached"),
    *("input_tokens", "output_tokens", "cost_usd", "model", "state", "reason", "kind", "count", "steps"),
    *("parent", "forked_at", "goal", "input", "output", "pid", "v"),
)


def events_frame(path: PathLike[str] | str | Any) -> pd.DataFrame:
    """Return one row per event of a stream, in the order in which they were written; files put aside come first.

    A line that is torn, as its process died while writing it, is left out; `frame.attrs["skipped"]` counts those.

    >>> import tempfile
    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline, telemetry
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("say", "generic", "")]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = f"{folder}/runs.events.jsonl"
    ...     with telemetry.stream(file):
    ...         _ = hub.execute_workflow("say", "hello", verbose=False)
    ...     events_frame(file)[["event", "step"]].dropna().values.tolist()
    [['attempt', 'say']]

    Args:
        path: The file that `telemetry.stream` writes, that stream, or the hub whose journal it is next to.

    Columns (dtype); what does not belong to an event is missing:
        ts (datetime64[ns, UTC]): when it happened; of an attempt, its end.
        event, workflow, step, worker, worker_type, error_type, next_step, model, state, kind (category)
        run_id, path, error, reason, parent, forked_at, goal, input, output (string)
        visit, attempt, seq, input_tokens, output_tokens, count, steps, pid, v (Int64): `count` of branches, `steps`
            of a run, `v` of the schema.
        success, cached (boolean)
        started_at (datetime64[ns, UTC]), duration_s, retry_in_s (float64): seconds.
        cost_usd (Float64)

    Raises:
        FileNotFoundError: there is no such file.
        InvalidTelemetry: it is none of these, or a hub without a journal in a file.
    """
    import pandas as pd

    from orchestration_kit.governance.telemetry.streaming import path_of

    file = path_of(path)
    lines: list[dict[str, Any]] = []
    skipped = 0
    for found in _lines(file):
        if found is None:
            skipped += 1
        else:
            lines.append(found)
    frame = pd.DataFrame({name: _column(name, lines) for name in _COLUMNS})
    frame.attrs["skipped"] = skipped
    return frame


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """Yield the lines; None for one that cannot be read."""
    for file in (*put_aside(path), path):
        with file.open("rb") as lines:
            for line in lines:
                if not line.strip():
                    continue
                try:
                    found = json.loads(line)
                except (ValueError, RecursionError):
                    found = None
                yield cast("dict[str, Any]", found) if isinstance(found, dict) and "event" in found else None


def _column(name: str, lines: list[dict[str, Any]]) -> Any:
    import numpy as np
    import pandas as pd

    values = [line.get(name) for line in lines]
    if name in _CATEGORIES:
        return pd.Categorical(_texts(values))
    if name in _TEXTS:
        return pd.array(_texts(values), dtype="string")
    if name in _TRUTHS:
        return pd.array(_only(values, lambda one: isinstance(one, bool)), dtype="boolean")
    if name in _COUNTS:
        return pd.array(_only(values, _is_count), dtype="Int64")
    numbers = _only(values, _is_number)
    if name == "cost_usd":
        return pd.array(numbers, dtype="Float64")
    figures = np.array([np.nan if one is None else one for one in numbers], dtype="float64")
    if name in _TIMES:
        figures[~(np.abs(figures) < 9.2e9)] = np.nan  # what nanoseconds can tell
        stamps = np.where(np.isnan(figures), 0, figures * 1e9).astype("int64").astype("datetime64[ns]")
        stamps[np.isnan(figures)] = np.datetime64("NaT", "ns")
        return pd.DatetimeIndex(stamps, tz="UTC")
    return figures


def _texts(values: list[Any]) -> list[str | None]:
    return [writable(one) if isinstance(one, str) else None for one in values]


def _only(values: list[Any], fits: Callable[[Any], bool]) -> list[Any]:
    """Return values, with None for what is of another kind: a line may have been written by anybody."""
    return [one if fits(one) else None for one in values]


def _is_count(one: Any) -> bool:
    return isinstance(one, int) and not isinstance(one, bool) and abs(one) < 2**63


def _is_number(one: Any) -> bool:
    return isinstance(one, (int, float)) and not isinstance(one, bool) and abs(one) < 1e300
