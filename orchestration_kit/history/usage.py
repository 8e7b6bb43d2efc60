"""Runs become what each worker and model used: attempts, failures, tokens, cost, time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.history.frames import frame_of
from orchestration_kit.history.sources import recordings

if TYPE_CHECKING:
    import pandas as pd


def usage_frame(runs: Any) -> pd.DataFrame:
    """Return one row per worker and model, in the order in which each was first called.

    Args:
        runs: A `Run`, a `WorkflowContext`, a list of history entries or of events; or several of these.

    Columns (dtype):
        worker, worker_type, model (category): missing worker for a terminal step that passed its input through, for
            joins and for waits; missing model where the worker told none.
        attempts, failures (Int64)
        cancelled (Int64): failures that are none of the worker's: nobody waited for the branch any more.
        input_tokens, output_tokens (Int64), cost_usd (Float64): sums; missing where no attempt told any. What the run
            of a sub-workflow used counts as used by the step that ran it, unless that run is among `runs`.
        duration_s, mean_s, p95_s (float64): seconds in all, per attempt, and the 95th percentile of attempts. Attempts
            of different branches may overlap, so the sum is no time that went by.

    >>> calls = [{"step": "a", "worker": "Ann", "duration_s": s, "usage": {"input_tokens": 10}} for s in (1.0, 3.0)]
    >>> usage_frame(calls)[["attempts", "input_tokens", "duration_s", "mean_s"]].values.tolist()
    [[2, 20, 4.0, 2.0]]

    Raises:
        TypeError: there is no history in `runs`.
    """
    found_runs = recordings(runs)
    frame = frame_of(found_runs)
    _leave_to_their_own_runs(frame, {run.run for run in found_runs})
    frame["failed"] = ~frame["success"]
    frame["was_cancelled"] = (frame["error_type"] == "BranchCancelled").fillna(value=False)
    calls = frame.groupby(["worker", "worker_type", "model"], observed=True, dropna=False, sort=False)
    found = calls.agg(attempts=("seq", "size"), failures=("failed", "sum"), cancelled=("was_cancelled", "sum"))
    found = found.astype("Int64")
    for name in ("input_tokens", "output_tokens", "cost_usd"):
        found[name] = calls[name].sum(min_count=1)
    found["duration_s"] = calls["duration_s"].sum()
    found["mean_s"] = calls["duration_s"].mean()
    found["p95_s"] = calls["duration_s"].quantile(0.95)
    return found.reset_index()


def _leave_to_their_own_runs(frame: pd.DataFrame, ids: set[str]) -> None:
    """Let sub-workflows whose runs are in the frame tell what they used themselves, or it would count twice."""
    steps = frame[frame["worker_type"] == "workflow"]
    told = [
        at
        for at, run, path, attempt in zip(steps.index, steps["run"], steps["path"], steps["attempt"], strict=True)
        if f"{run}/{path}{'' if attempt == 1 else f'.{attempt}'}" in ids
    ]
    frame.loc[told, ["input_tokens", "output_tokens", "cost_usd"]] = None
    frame.loc[told, "model"] = None
