"""`usage_frame`: what each worker and model used."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings

from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.history import history_frame, usage_frame
from tests.history.runs import NO, OK, dtypes, events, parquet, record, recorded_events, rows, site_run
from tests.laws import examples

USAGE = {
    "worker": "category", "worker_type": "category", "model": "category", "attempts": "Int64", "failures": "Int64",
    "cancelled": "Int64",
    "input_tokens": "Int64", "output_tokens": "Int64", "cost_usd": "Float64", "duration_s": "float64",
    "mean_s": "float64", "p95_s": "float64",
}  # fmt: skip


def test_attempts_tokens_cost_and_time_are_summed_per_worker_and_model():
    frame = usage_frame([site_run(NO, OK), site_run(OK, run_id="b")]).set_index("worker")
    assert frame.loc["code", ["model", "attempts", "input_tokens", "output_tokens"]].tolist() == ["model-1", 2, 200, 40]
    assert frame.loc["code", "cost_usd"] == pytest.approx(0.02)
    assert frame.loc["review", ["attempts", "failures"]].tolist() == [3, 1]
    assert frame.loc["review", ["duration_s", "mean_s", "p95_s"]].tolist() == [1.5, 0.5, 0.5]
    assert pd.isna(frame.loc["review", "cost_usd"])


def test_a_worker_with_two_models_has_two_rows():
    calls = [record(i, usage={"model": model, "cost_usd": 1.0}) for i, model in enumerate(["a", "b", "a"], 1)]
    assert rows(usage_frame(events(*calls))[["model", "attempts", "cost_usd"]]) == [
        ["a", 2, 2.0],
        ["b", 1, 1.0],
    ]


def test_failures_are_counted_and_times_that_are_missing_left_out():
    frame = usage_frame([{"step": "a", "success": False}, {"step": "a", "duration_s": 2.0}])
    assert rows(frame[["attempts", "failures", "duration_s", "mean_s"]]) == [[2, 1, 2.0, 2.0]]


@pytest.mark.parametrize("source", [[], events(), site_run(NO, OK), events(record(error=ErrorInfo("E", "x")))])
def test_dtypes_are_as_documented(source):
    frame = usage_frame(source)
    assert dtypes(frame) == USAGE
    assert dtypes(parquet(frame)) == USAGE


@settings(deadline=None, max_examples=examples(25))  # the first one imports pandas
@given(recorded_events())
def test_every_attempt_belongs_to_one_row(run):
    frame, history = usage_frame(run), history_frame(run)
    assert frame["attempts"].sum() == len(history)
    assert frame["failures"].sum() == (~history["success"]).sum()
