"""`data_frame`: how the data bus changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.history import data_frame, recorded
from orchestration_kit.history.bus import bus_changes, last_data
from tests.history.runs import (
    NO,
    OK,
    assert_survives_parquet,
    dtypes,
    events,
    parquet,
    record,
    recorded_events,
    site_run,
)
from tests.laws import examples
from tests.support import run_of, step

DATA = {
    "run": "category", "seq": "Int64", "path": "string", "key": "category", "change": "category", "before": "string",
    "after": "string", "type": "category", "size": "Int64", "within": "category", "branch": "category",
}  # fmt: skip


def changes(source):
    frame = data_frame(source)[["seq", "key", "change", "before", "after"]]
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in frame.itertuples(index=False, name=None)]


def test_a_row_says_which_attempt_changed_which_entry_and_how():
    def worker(_, context):
        context.data["n"] += 1
        context.data["new"] = [1, 2]
        del context.data["old"]
        return "out"

    run = run_of(step("a"), workers={"a": worker}, initial_data={"n": 1, "old": "x"})
    assert changes(run) == [
        (0, "n", "added", None, "1"),
        (0, "old", "added", None, "'x'"),
        (1, "n", "changed", "1", "2"),
        (1, "new", "added", None, "[1, 2]"),
        (1, "old", "removed", "'x'", None),
        (1, "a_output", "added", None, "'out'"),
    ]


def test_retried_attempts_change_nothing_and_a_last_failure_leaves_its_error():
    found = changes(
        events(
            record(1, error=ErrorInfo("E", "x"), retry_in_s=0.0, output={"error": "x"}),
            record(2, attempt=2, error=ErrorInfo("E", "y"), output={"error": "y"}),
        )
    )
    assert found == [(2, "a_output", "added", None, "{'error': 'y'}")]


def test_an_output_that_is_the_same_again_is_no_change():
    assert len(changes([{"step": "a", "output": [float("nan")]}, {"step": "a", "output": [float("nan")]}])) == 1


def test_branches_change_their_own_bus():
    found = changes(
        events(
            record(1, "x", scope="m#1[0]/", changes=Changes({"k": 1}, ())),
            record(2, "x", scope="m#1[1]/", changes=Changes({"k": 2}, ())),
            data={"k": 0},
        )
    )
    assert [row for row in found if row[1] == "k"] == [
        (0, "k", "added", None, "0"), (1, "k", "changed", "0", "1"), (2, "k", "changed", "0", "2"),
    ]  # fmt: skip


class Loud:
    def __repr__(self):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text", "kind", "size"),
    [
        (None, "None", "NoneType", None),
        ("x" * 10**7, "'" + "x" * 118 + "…", "str", 10**7),
        (float("nan"), "nan", "float", None),
        (pd.DataFrame({"a": [1, 2]}), "DataFrame 2 x 1", "DataFrame", 2),
        (np.zeros((3, 4)), "ndarray 3 x 4 float64", "ndarray", 3),
        (Loud(), "<Loud instance>", "Loud", None),
        (object(), "<object object>", "object", None),
        (list(range(10**6)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]", "list", 10**6),
        ("\ud800\x00", "'\\ud800\\x00'", "str", 2),
        (b"\xff", "b'\\xff'", "bytes", 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_value_has_a_short_text_a_type_and_a_size(value, text, kind, size):
    frame = data_frame([{"step": "a", "output": value}])
    row = frame.iloc[0]
    assert (row["after"], row["type"], None if pd.isna(row["size"]) else row["size"]) == (text, kind, size)
    assert dtypes(parquet(frame)) == DATA


@pytest.mark.parametrize(
    "source", [[], events(), site_run(NO, OK), [site_run(OK), site_run(OK)]], ids=["none", "empty", "one", "two"]
)
def test_dtypes_are_as_documented(source):
    assert dtypes(data_frame(source)) == DATA


def test_the_frame_survives_parquet():
    frame = data_frame(site_run(NO, OK, initial_data={"x": 1}))
    assert_survives_parquet(frame)


def test_the_changes_lead_to_the_data_of_the_run():
    run = recorded(site_run(NO, NO, NO, OK, initial_data={"x": 1}))
    data = {}
    for change in bus_changes(run):
        data[change.key] = change.after
    assert data == run.data == last_data(run)


@settings(deadline=None, max_examples=examples(25))  # the first one imports pandas
@given(recorded_events())
def test_every_key_is_added_before_it_changes(events):
    last = {}
    for change in bus_changes(recorded(events)):
        before = last.get((change.scope, change.key), None if change.scope else "removed")
        assert before is None or (change.kind == "added") == (before == "removed")
        last[change.scope, change.key] = change.kind
    assert dtypes(data_frame(events)) == DATA
