"""`compare_many`: statistics per step over many runs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.history import compare_many
from tests.history.runs import (
    NO,
    OK,
    assert_survives_parquet,
    dtypes,
    events,
    parquet,
    record,
    recorded_events,
    rows,
    site_run,
)
from tests.laws import examples

STATISTICS = {
    "workflow": "category", "step": "category", "runs": "Int64", "visits": "Int64", "attempts": "Int64",
    "failures": "Int64", "cancelled": "Int64", "success_rate": "Float64", "duration_mean_s": "float64", "duration_p50_s": "float64",
    "duration_p95_s": "float64", "cost_mean_usd": "Float64",
}  # fmt: skip


def test_a_row_says_how_often_how_well_how_long_and_how_dear():
    runs = [site_run(NO, NO, NO, OK), site_run(OK, run_id="b"), site_run(NO, OK, run_id="c")]
    frame = compare_many(runs).set_index("step")
    assert frame.index.tolist() == ["plan", "code", "review", "done"]
    assert frame.loc["review", ["runs", "visits", "attempts", "failures"]].tolist() == [3, 4, 7, 4]
    assert frame.loc["review", "success_rate"] == pytest.approx(3 / 7)
    assert frame.loc["code", "cost_mean_usd"] == pytest.approx(0.01)
    assert frame.loc["code", ["duration_mean_s", "duration_p50_s", "duration_p95_s"]].tolist() == [1.5] * 3


def test_runs_of_one_id_are_still_two_runs():
    assert rows(compare_many([events(record()), events(record())])[["runs", "visits"]]) == [[2, 2]]


@pytest.mark.parametrize("source", [[], [events()], [site_run(OK), events(record())]])
def test_dtypes_are_as_documented(source):
    frame = compare_many(source)
    assert dtypes(frame) == STATISTICS
    assert dtypes(parquet(frame)) == STATISTICS


def test_the_frame_survives_parquet():
    frame = compare_many([site_run(OK)])
    assert_survives_parquet(frame)


@settings(deadline=None, max_examples=examples(25))  # the first one imports pandas
@given(st.lists(recorded_events(), max_size=3))
def test_attempts_sum_to_all_attempts(runs):
    frame = compare_many(runs)
    assert frame["attempts"].sum() == sum(len(run) - 1 for run in runs)
    assert (frame["visits"] <= frame["attempts"]).all()
    assert frame["success_rate"].between(0, 1).all()
