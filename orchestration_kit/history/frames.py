"""The history of a run as a DataFrame with real dtypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "run": "category",
    "seq": "Int64",
    "path": "string",
    "step": "category",
    "visit": "Int64",
    "attempt": "Int64",
    "worker": "category",
    "worker_type": "category",
    "success": "boolean",
    "error_type": "category",
    "error": "string",
    "started_at": "datetime64[us, UTC]",
    "duration_s": "float64",
    "next_step": "category",
    "why": "string",
    "input_tokens": "Int64",
    "output_tokens": "Int64",
    "cost_usd": "Float64",
    "model": "category",
}


def history_frame(run: Any) -> pd.DataFrame:
    """Return one row per attempt of a run, in the order of the record.

    Args:
        run: A `Run` or a `WorkflowContext`.

    Columns (dtype): run (category), seq (Int64), path (string), step (category), visit, attempt (Int64), worker,
    worker_type (category), success (boolean), error_type (category), error (string), started_at (datetime64[us,
    UTC]), duration_s (float64), next_step (category), why (string: the conditions evaluated, one a line),
    input_tokens, output_tokens (Int64), cost_usd (Float64), model (category).
    """
    import pandas as pd

    context = getattr(run, "context", run)
    rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for entry in context.history:
        usage: dict[str, Any] = entry["usage"] or {}
        values = {
            **entry,
            "run": context.workflow_id,
            "started_at": entry["timestamp"],
            "why": "\n".join(f"{one['text']} = {str(one['result']).lower()}" for one in entry["why"]) or None,
        }
        for name, column in rows.items():
            column.append(values.get(name, usage.get(name)))
    frame = pd.DataFrame(rows)
    frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True, format="ISO8601")
    return frame.astype(COLUMNS)
