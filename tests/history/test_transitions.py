"""`transitions_frame`: counts, shares, kinds."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.history import history_frame, transitions_frame
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

TRANSITIONS = {
    "workflow": "category", "source": "category", "target": "category", "kind": "category", "success": "boolean",
    "count": "Int64", "share": "Float64", "runs": "Int64",
}  # fmt: skip


def edges(frame):
    return {
        (source, None if pd.isna(target) else target, kind): (count, share, runs)
        for source, target, kind, count, share, runs in rows(
            frame[["source", "target", "kind", "count", "share", "runs"]]
        )
    }


def test_each_edge_is_counted_over_all_runs():
    frame = transitions_frame([site_run(NO, NO, NO, OK), site_run(OK, run_id="b")])
    found = edges(frame)
    assert found["plan", "code", "success"] == (2, 1.0, 2)
    assert found["review", "review", "retry"] == (2, 0.4, 1)
    assert found["review", "code", "failure"] == (1, 0.2, 1)
    assert found["review", "done", "success"] == (2, 0.4, 2)
    assert found["done", None, "end"] == (2, 1.0, 2)
    assert len(found) == len(frame) == 6


def test_good_ends_and_bad_ends_are_told_apart():
    bad = events(record(error=ErrorInfo("E", "no")))
    frame = transitions_frame([events(record()), bad])
    assert rows(frame[["kind", "success", "share"]]) == [["end", True, 0.5], ["end", False, 0.5]]


def test_steps_of_different_workflows_are_kept_apart():
    frame = transitions_frame([events(record()), site_run(OK)])
    assert frame["workflow"].tolist() == ["flow", "site", "site", "site", "site"]


def test_items_of_a_map_are_one_source_within_their_branch():
    frame = transitions_frame(
        events(
            record(1, "draft", scope="research#1[0]/", next_step="check"),
            record(2, "draft", scope="research#2[17]/", next_step="check"),
            record(3, "draft", scope="research#1[0]/x#3/", next_step="check"),
        )
    )
    assert edges(frame) == {
        ("research", "research/draft", "body"): (2, 1.0, 1),
        ("research/draft", "research/check", "success"): (2, 1.0, 1),
        ("research/x/draft", "research/x/check", "success"): (1, 1.0, 1),
    }


@pytest.mark.parametrize(
    "source", [[], events(), events(record()), site_run(NO, OK)], ids=["none", "empty", "one", "run"]
)
def test_dtypes_are_as_documented(source):
    frame = transitions_frame(source)
    assert dtypes(frame) == TRANSITIONS
    assert dtypes(parquet(frame)) == TRANSITIONS


def test_the_frame_survives_parquet():
    frame = transitions_frame(site_run(NO, OK))
    assert_survives_parquet(frame)


@settings(deadline=None, max_examples=examples(25))  # the first one imports pandas
@given(st.lists(recorded_events(), max_size=3))
def test_counts_sum_to_the_attempts_with_an_edge_and_shares_to_one(runs):
    frame = transitions_frame(runs)
    opens = frame["kind"] == "body"
    assert frame.loc[~opens, "count"].sum() == history_frame(runs)["edge"].notna().sum()
    for share in frame.groupby([opens, "workflow", "source"], observed=True, dropna=False)["share"].sum():
        assert share == pytest.approx(1.0)
