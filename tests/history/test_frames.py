"""`history_frame` and `runs_frame`: rows, meanings, dtypes, and what bad records become."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import WorkflowContext
from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.history import history_frame, recorded, runs_frame
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
    site_hub,
    site_run,
)
from tests.laws import examples
from tests.support import run_of, step

HISTORY = {
    "run": "category", "seq": "Int64", "path": "string", "step": "category", "visit": "Int64", "attempt": "Int64",
    "worker": "category", "worker_type": "category", "success": "boolean", "error_type": "category", "error": "string",
    "started_at": "datetime64[us, UTC]", "duration_s": "float64", "next_step": "category", "edge": "category",
    "why": "string", "input_tokens": "Int64", "output_tokens": "Int64", "cost_usd": "Float64", "model": "category",
    "cached": "boolean", "within": "category", "branch": "category", "detail": "string",
}  # fmt: skip
RUNS = {
    "run": "category", "workflow": "category", "state": "category", "reason": "string",
    "started_at": "datetime64[us, UTC]", "finished_at": "datetime64[us, UTC]", "duration_s": "float64",
    "attempts": "Int64", "steps": "Int64", "failures": "Int64", "retries": "Int64", "cached": "Int64", "input_tokens": "Int64",
    "output_tokens": "Int64", "cost_usd": "Float64", "parent": "category", "forked_at": "string",
}  # fmt: skip


def test_one_row_per_attempt_in_the_order_of_the_record():
    frame = history_frame(site_run(NO, OSError("net"), OK))
    assert frame["path"].tolist() == ["plan#1", "code#1", "review#1", "review#1", "review#1", "done#1"]
    assert frame["seq"].tolist() == [1, 2, 3, 4, 5, 6]
    assert frame["attempt"].tolist() == [1, 1, 1, 2, 3, 1]
    assert frame["success"].tolist() == [True, True, False, False, True, True]
    assert frame["error_type"].tolist()[2:4] == ["OutputRejected", "OSError"]
    assert frame["error"].tolist()[3] == "net"
    assert frame["next_step"].tolist()[4] == "done"
    assert frame["input_tokens"].tolist()[1] == 100
    assert frame["model"].tolist()[1] == "model-1"
    assert not frame["cached"].any()


def test_the_frame_agrees_with_the_history_of_the_context():
    context = site_run(NO, OSError("net"), OK)
    for row, entry in zip(history_frame(context).to_dict("records"), context.history, strict=True):
        assert row["started_at"] == datetime.fromisoformat(entry["timestamp"])
        for key in ("seq", "path", "step", "visit", "attempt", "worker_type", "success", "duration_s"):
            assert row[key] == entry[key]
        for key in ("worker", "error", "error_type", "next_step"):
            assert row[key] == entry[key] or (pd.isna(row[key]) and entry[key] is None)


def test_edges_say_why_the_run_went_on():
    frame = history_frame(site_run(NO, NO, NO, NO, OK))
    assert list(zip(frame["path"], frame["edge"], strict=True)) == [
        ("plan#1", "success"), ("code#1", "success"), ("review#1", "retry"), ("review#1", "retry"),
        ("review#1", "failure"), ("code#2", "success"), ("review#2", "retry"), ("review#2", "success"), ("done#1", "end"),
    ]  # fmt: skip
    assert frame["why"].iloc[2] == "output.ok = false"


def test_a_branch_that_held_is_an_edge_of_its_own():
    frame = history_frame(site_run(*[NO] * 6))
    assert frame.iloc[-2][["path", "edge", "next_step", "why"]].tolist() == [
        "code#3",
        "branch",
        "done",
        "visits > 2 = true",
    ]


def test_a_lone_success_condition_is_no_branch_where_the_definition_is_known():
    one = record(next_step="b", evaluated=(Evaluated("output.ok", {}, True),))
    assert history_frame(events(one))["edge"].tolist() == ["branch"]
    assert history_frame(site_run(OK))["edge"].tolist() == ["success", "success", "success", "end"]


def test_an_attempt_that_leads_nowhere_ends_its_scope_or_says_nothing():
    frame = history_frame(
        events(record(1, scope="m#1[0]/"), record(2, scope="m#1[1]/"), record(3, "b"), record(4, "c"))
    )
    assert frame["edge"].tolist()[:2] == ["join", "join"]
    assert pd.isna(frame["edge"][2])
    assert frame["edge"][3] == "end"
    assert frame["path"][0] == "m#1[0]/a#1"


@pytest.mark.parametrize(
    "source",
    [site_run(NO, OK), [site_run(OK), site_run(NO, OK, run_id="other")], [], events(), site_run(OK).history],
    ids=["run", "two runs", "no run", "empty run", "entries"],
)
def test_dtypes_are_as_documented(source):
    assert dtypes(history_frame(source)) == HISTORY
    assert dtypes(runs_frame(source)) == RUNS


def test_frames_survive_parquet():
    runs = [site_run(NO, OSError("net"), OK), site_run(*[NO] * 6, run_id="other")]
    for frame in (history_frame(runs), runs_frame(runs)):
        assert_survives_parquet(frame)


def test_an_empty_frame_survives_parquet_as_far_as_parquet_can():
    frame = history_frame([])
    assert dtypes(parquet(frame)) == dtypes(frame)  # which categories an empty column had is lost


def test_several_runs_stand_in_one_frame_in_the_order_given():
    frame = history_frame(iter([site_run(OK, run_id="b"), site_run(OK, run_id="a")]))
    assert frame["run"].tolist() == ["b"] * 4 + ["a"] * 4
    assert frame["run"].cat.categories.tolist() == ["b", "a"]


def test_a_run_still_going_shows_what_it_did_so_far():
    run = site_hub([OK]).start("site", "goal", run_id="slow")
    assert history_frame(run).empty
    run.step()
    assert history_frame(run)["path"].tolist() == ["plan#1"]
    row = runs_frame(run).iloc[0]
    assert (row["state"], row["attempts"]) == ("in_progress", 1)
    assert pd.isna(row["finished_at"])


def test_a_worker_can_read_the_frame_of_its_own_run():
    lengths = []

    def look(_, context):
        lengths.append(len(history_frame(context)))

    run_of(step("a", "b"), step("b"), workers={"a": look, "b": look})
    assert lengths == [0, 1]


def test_a_context_made_by_hand_has_frames_too():
    context = WorkflowContext("mine", "goal", current_step="draft")
    context.add_history("writer", "topic", "text")
    context.add_history("writer", "text", "better text")
    frame = history_frame(context)
    assert rows(frame[["run", "path", "worker_type"]]) == [
        ["mine", "draft#1", "writer"],
        ["mine", "draft#2", "writer"],
    ]
    assert dtypes(frame) == HISTORY
    assert runs_frame(context)["workflow"].isna().all()


def test_busy_time_counts_attempts_and_waits_for_retries():
    row = runs_frame(site_run(NO, OSError("net"), OK)).iloc[0]
    assert row["duration_s"] == pytest.approx(1 + 1.5 + 3 * 0.5 + 2 + 4)
    assert row[["attempts", "steps", "failures", "retries"]].tolist() == [6, 4, 2, 2]
    assert row["finished_at"] - row["started_at"] == pd.Timedelta(seconds=10)
    assert row["cost_usd"] == pytest.approx(0.01)


def test_what_no_attempt_told_is_missing_not_zero():
    row = runs_frame(events(record())).iloc[0]
    assert row[["input_tokens", "output_tokens", "cost_usd"]].isna().all()


def test_a_run_whose_definition_is_gone_is_a_run():
    run = site_run(NO, OK)
    loaded = [run._machine.started, *run._machine.records, run._machine.finished]
    with_definition, without = history_frame(run), history_frame(loaded)
    pd.testing.assert_frame_equal(without.drop(columns="edge"), with_definition.drop(columns="edge"))
    pd.testing.assert_frame_equal(runs_frame(loaded), runs_frame(run))


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 1e18, -1e18])
def test_a_time_that_is_none_is_missing(seconds):
    frame = history_frame(events(record(started_at=seconds), record(2)))
    assert frame["started_at"].isna().tolist() == [True, False]
    parquet(frame)


def test_timestamps_are_rounded_as_datetime_rounds_them():
    times = [1_700_000_000.0000005, 1_700_000_000.1234565, 0.0000015, -1.5, 253_402_300_799.9]
    frame = history_frame(events(*(record(i, started_at=time) for i, time in enumerate(times, 1))))
    assert frame["started_at"].tolist() == [datetime.fromtimestamp(time, UTC) for time in times]


HOSTILE = [
    "lone \ud800 surrogate",
    "\x00nul",
    "line\nbreak",
    "\u202eright to left",
    "\U0001f600",
    "'\"",
    "x" * 10_000,
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_kept_or_made_writable(text):
    one = record(
        worker=text, error=ErrorInfo(text, text), evaluated=(Evaluated(text, {}, False),), usage={"model": text}
    )
    frame = history_frame(events(one, run=text))
    kept = text.replace("\ud800", "\ufffd")
    assert frame.loc[0, ["run", "worker", "error_type", "error", "model"]].tolist() == [kept] * 5
    assert_survives_parquet(frame)


def test_names_that_become_one_when_cleaned_are_one_category():
    frame = history_frame(events(record(1, worker="a\ud800"), record(2, worker="a\ud801")))
    assert frame["worker"].tolist() == ["a\ufffd"] * 2


@pytest.mark.parametrize(
    ("usage", "tokens", "cost"),
    [
        ({"input_tokens": 2**70, "cost_usd": math.nan}, None, None),
        ({"input_tokens": "many", "cost_usd": "dear"}, None, None),
        ({"input_tokens": 7.0, "cost_usd": math.inf, "model": ["a", "list"]}, 7, math.inf),
        ({}, None, None),
    ],
)
def test_usage_that_is_no_number_is_missing(usage, tokens, cost):
    frame = history_frame(events(record(usage=usage), record(2, usage={"input_tokens": 1, "cost_usd": 1.0})))
    assert [None if pd.isna(x) else x for x in frame["input_tokens"]] == [tokens, 1]
    assert [None if pd.isna(x) else x for x in frame["cost_usd"]] == [cost, 1.0]
    runs_frame(events(record(usage=usage)))


def test_more_attempts_than_are_read_at_a_time_come_out_in_order():
    count = 10_000
    run = recorded(
        events(*(record(i, f"s{i % 7}", visit=i, worker=None if i % 2 else f"w{i}") for i in range(1, count + 1)))
    )
    frame = history_frame(run)
    assert frame["seq"].tolist() == list(range(1, count + 1))
    assert frame["path"].tolist() == [f"s{i % 7}#{i}" for i in range(1, count + 1)]
    assert frame["worker"].tolist()[1::2] == [f"w{i}" for i in range(2, count + 1, 2)]
    assert frame["worker"].isna().sum() == count // 2


def test_what_has_no_history_is_refused_with_what_has():
    for wrong in (7, "text", None, {"a": 1}, [1, 2], pd.DataFrame({"a": [1]}), object()):
        with pytest.raises(TypeError, match=r"Give a Run, a WorkflowContext, a list of history entries"):
            history_frame(wrong)


@settings(deadline=None, max_examples=examples(25))  # the first one imports pandas
@given(st.lists(recorded_events(), max_size=3))
def test_rows_are_attempts_whatever_is_on_record(runs):
    frame = history_frame(runs)
    assert len(frame) == sum(len(run) - 1 for run in runs)
    assert dtypes(frame) == HISTORY
    assert runs_frame(runs)["attempts"].sum() == len(frame)
    assert dtypes(parquet(frame)) == HISTORY
