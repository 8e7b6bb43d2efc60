"""Many runs become statistics per step: how often, how well, how long, how dear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.history.frames import frame_of
from orchestration_kit.history.sources import recordings
from orchestration_kit.history.transitions import step_keys, workflows_of

if TYPE_CHECKING:
    import pandas as pd


def compare_many(runs: Any) -> pd.DataFrame:
    """Return one row per step over all runs, in the order in which each was first reached.

    Args:
        runs: Several runs, contexts, histories or lists of events; one of them will do.

    Columns (dtype):
        workflow (category): missing where the record does not say.
        step (category): with the branches it stands in, e.g. `research/draft` or `review[law]/check`; what was done
            for the items of a map is one step. A step that opens branches has a row for its joins.
        runs (Int64): runs that came there.
        visits, attempts, failures (Int64)
        cancelled (Int64): failures that are none of the worker's: nobody waited for the branch any more.
        success_rate (Float64): share of attempts that succeeded, of those that were not cancelled.
        duration_mean_s, duration_p50_s, duration_p95_s (float64): of one attempt.
        cost_mean_usd (Float64): of one attempt, over those that told their cost; missing where none did.

    >>> one, other = [{"step": "a", "duration_s": 1.0}], [{"step": "a", "duration_s": 3.0, "success": False}]
    >>> compare_many([one, other])[["runs", "attempts", "success_rate", "duration_mean_s"]].values.tolist()
    [[2, 2, 0.5, 2.0]]

    Raises:
        TypeError: there is no history in `runs`.
    """
    found = recordings(runs)
    frame = frame_of(found)
    frame["workflow"] = workflows_of(found)
    frame["step"] = step_keys(found)
    frame["came"] = [at for at, run in enumerate(found) for _ in run.records]
    frame["new"] = ~frame.duplicated(["came", "path"])
    frame["failed"] = ~frame["success"]
    frame["was_cancelled"] = (frame["error_type"] == "BranchCancelled").fillna(value=False)
    steps = frame.groupby(["workflow", "step"], observed=True, dropna=False, sort=False)
    counts = steps.agg(
        runs=("came", "nunique"),
        visits=("new", "sum"),
        attempts=("seq", "size"),
        failures=("failed", "sum"),
        cancelled=("was_cancelled", "sum"),
    )
    counts = counts.astype("Int64")
    judged = counts["attempts"] - counts["cancelled"]
    counts["success_rate"] = (counts["attempts"] - counts["failures"]) / judged.where(judged > 0)
    counts["duration_mean_s"] = steps["duration_s"].mean()
    counts["duration_p50_s"] = steps["duration_s"].median()
    counts["duration_p95_s"] = steps["duration_s"].quantile(0.95)
    counts["cost_mean_usd"] = steps["cost_usd"].mean()
    return counts.reset_index()
