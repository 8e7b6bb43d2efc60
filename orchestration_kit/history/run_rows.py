"""Runs become a frame of one row a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.state import WorkflowState
from orchestration_kit.engine.summary import RunSummary, Totals, TotalsSoFar
from orchestration_kit.history import columns
from orchestration_kit.history.sources import Recorded, recordings

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.events import AttemptFinished


def runs_frame(runs: Any) -> pd.DataFrame:
    """Return one row per run, in the order given.

    Args:
        runs: What `orchestrator.runs(...)` returned; or a `Run`, a `WorkflowContext`, a list of history entries or of
            events; or several of these.

    Columns (dtype):
        run, workflow (category): missing workflow where the record does not say.
        state (category): completed, failed, ..., and waiting for a person or an event; missing where the record does
            not say. reason (string): why it failed or was cancelled.
        started_at, finished_at (datetime64[us, UTC]): not finished yet is missing.
        duration_s (float64): busy time, so attempts and waits for retries, without waiting for people. Where branches
            overlap it is more than went by; what went by is finished_at less started_at.
        attempts, steps, failures, retries (Int64): steps are the different ones visited, each branch's by itself;
            failures the failed attempts, those of cancelled branches among them; retries those that were tried again.
        cached (Int64): attempts that came from a recording instead of the worker.
        input_tokens, output_tokens (Int64), cost_usd (Float64): sums; missing where no attempt told any.
        parent (category), forked_at (string): the run it was forked from and the visit, e.g. `review_code#2`. Of a
            sub-workflow, the parent is the run that it is part of, and forked_at is missing. A fork's figures count
            the past that it shares; what a sub-workflow used counts in its parent's row as well.

    >>> frame = runs_frame([[{"step": "a", "duration_s": 2.0}, {"step": "b", "duration_s": 1.0, "success": False}]])
    >>> frame[["attempts", "failures", "duration_s"]].values.tolist()
    [[2, 1, 3.0]]

    Raises:
        TypeError: there is no history in `runs`.
    """
    import pandas as pd

    found = _summaries(runs)
    totals = [summary.totals for summary in found]
    frame = {
        "run": columns.category([summary.run_id for summary in found]),
        "workflow": columns.category([summary.workflow for summary in found]),
        "state": columns.category([summary.state for summary in found], [state.value for state in WorkflowState]),
        "reason": columns.text([summary.reason for summary in found]),
        "started_at": columns.floats([summary.started_at for summary in found]).moments(),
        "finished_at": columns.floats([summary.finished_at for summary in found]).moments(),
        "duration_s": columns.floats([total.duration_s for total in totals]).column(),
        "attempts": columns.integers([total.attempts for total in totals]),
        "steps": columns.integers([total.steps for total in totals]),
        "failures": columns.integers([total.failures for total in totals]),
        "retries": columns.integers([total.retries for total in totals]),
        "cached": columns.integers([total.cached for total in totals]),
        "input_tokens": columns.integers([total.input_tokens for total in totals]),
        "output_tokens": columns.integers([total.output_tokens for total in totals]),
        "cost_usd": columns.floats([total.cost_usd for total in totals]).nullable(),
        "parent": columns.category([summary.parent for summary in found]),
        "forked_at": columns.text([summary.forked_at for summary in found]),
    }
    return pd.DataFrame(frame, copy=False)


def _summaries(runs: Any) -> list[RunSummary]:
    if isinstance(runs, RunSummary):
        return [runs]
    if isinstance(runs, list) and runs and all(isinstance(run, RunSummary) for run in cast("list[Any]", runs)):
        return cast("list[RunSummary]", runs)
    return [_summary(run) for run in recordings(runs)]


def _summary(run: Recorded) -> RunSummary:
    """Return what is on record of a run in one line; of bare attempts, much of it is missing."""
    facts: Any = (run.run, run.workflow, run.state, run.reason, run.started_at, run.finished_at)
    totals = totals_of(run.records)
    return RunSummary(*facts, parent=run.parent, forked_at=run.forked_at, tags={}, driver=None, totals=totals)


def totals_of(records: Iterable[AttemptFinished]) -> Totals:
    """Return what attempts add up to; durations that are missing count nothing."""
    import math

    timed = (r if not math.isnan(r.duration_s) else r._replace(duration_s=0.0) for r in records)
    return TotalsSoFar().plus(timed).totals
