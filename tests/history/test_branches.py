"""Frames of runs with branches: what a person would group by, and that no timing shows in them."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import compare_many
from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import Answered, AttemptStarted, ErrorInfo, PartialOutput, WaitStarted
from orchestration_kit.history import (
    data_frame,
    history_frame,
    recorded,
    runs_frame,
    to_csv_text,
    transitions_frame,
    usage_frame,
)
from orchestration_kit.history.bus import bus_changes, last_data
from tests.history.branched import BROKEN, as_they_came, branched_events, grading, joined, numbered, opened, reviewing
from tests.history.runs import assert_survives_parquet, events, record, rows
from tests.laws import examples

FRAMES = (history_frame, transitions_frame, data_frame, usage_frame, runs_frame, compare_many)


def table(frame, *names):
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in rows(frame[list(names)])]


# --- history


def test_rows_stand_branch_by_branch_and_the_join_after_them():
    frame = history_frame(grading([1, 13, 2]))
    assert table(frame, "seq", "path", "within", "branch", "worker", "worker_type", "success", "edge") == [
        (1, "load#1", None, None, "load", "load", True, "success"),
        (2, "grade#1[0]/one#1", "grade#1", "0", "one", "one", True, "success"),
        (3, "grade#1[0]/done#1", "grade#1", "0", "done", "done", True, "join"),
        (4, "grade#1[1]/one#1", "grade#1", "1", "one", "one", False, "join"),
        (5, "grade#1[2]/one#1", "grade#1", "2", "one", "one", True, "success"),
        (6, "grade#1[2]/done#1", "grade#1", "2", "done", "done", True, "join"),
        (7, "grade#1", None, None, None, "map", True, "success"),
        (8, "report#1", None, None, "report", "report", True, "end"),
    ]


def test_what_happened_in_each_branch_can_be_grouped():
    frame = history_frame(grading([1, 13, 2]))
    by_branch = frame.groupby(["within", "branch"], observed=True)["success"].all()
    assert by_branch.to_dict() == {("grade#1", "0"): True, ("grade#1", "1"): False, ("grade#1", "2"): True}


def test_what_a_step_did_besides_is_json():
    detail = history_frame(grading([1, 13]))["detail"].dropna()
    assert detail.map(json.loads).tolist() == [{"branches": {"0": "completed", "1": "failed"}}]


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object(), b"\xff", "\ud800", {("a", 1): 2}])
def test_any_detail_becomes_text(value):
    frame = history_frame(events(record(detail={"added": [value]})))
    assert isinstance(frame["detail"][0], str)
    assert_survives_parquet(frame)


def test_a_detail_that_holds_itself_becomes_text():
    loop = {}
    loop["loop"] = loop
    assert isinstance(history_frame(events(record(detail=loop)))["detail"][0], str)


def test_the_conditions_of_a_parallel_step_are_no_edge_of_its_join():
    chosen = (Evaluated("goal == 'x'", {}, True),)
    one = record(1, "p", worker=None, worker_type="parallel", next_step="b", evaluated=chosen)
    own = record(1, "p", worker="w", worker_type="parallel", next_step="b", evaluated=chosen)
    assert history_frame(events(one, own))["edge"].tolist() == ["success", "branch"]


def test_a_success_condition_of_an_inline_workflow_is_no_branch():
    frame = history_frame(reviewing()).set_index("path")
    assert frame.loc["review#1[law]/check#1", ["why", "edge"]].tolist() == ["output.ok = true", "join"]


def test_ways_out_after_a_timeout_and_a_spent_budget_have_their_names():
    frame = history_frame(
        events(
            record(1, error=ErrorInfo("WaitTimeout", "x"), next_step="b"),
            record(2, error=ErrorInfo("BudgetSpent", "x"), next_step="b"),
            record(3, error=ErrorInfo("BranchCancelled", "x"), scope="p#1[a]/"),
            record(4, detail={"spawn": {}}),
            record(5, scope="[undo]/", detail={"undoes": "a#1"}),
            record(6, scope="[undo]/", visit=2, detail={"undoes": "b#1"}),
            record(7, "b", next_step=None),
        )
    )
    assert frame["edge"].tolist() == ["timeout", "budget", "end", "body", "end", "end", "end"]


# --- transitions


def test_branches_are_entered_and_left_by_edges_of_their_own():
    frame = transitions_frame(grading([1, 13, 2]))
    assert table(frame, "source", "target", "kind", "success", "count", "share") == [
        ("load", "grade", "success", True, 1, 1.0),
        ("grade", "grade/one", "body", None, 3, 1.0),
        ("grade/one", "grade/done", "success", True, 2, 2 / 3),
        ("grade/done", "grade", "join", True, 2, 1.0),
        ("grade/one", "grade", "join", False, 1, 1 / 3),
        ("grade", "report", "success", True, 1, 1.0),
        ("report", None, "end", True, 1, 1.0),
    ]


def test_named_branches_share_what_their_step_opened():
    frame = transitions_frame(reviewing())
    assert table(frame[frame["kind"] == "body"], "source", "target", "count", "share") == [
        ("review", "review[law]/check", 1, 0.5),
        ("review", "review[style]/check", 1, 0.5),
    ]


def test_what_is_undone_leads_to_what_undoes_it():
    frame = transitions_frame(reviewing(broken="style"))
    found = table(frame[frame["kind"] == "compensate"], "source", "target", "count", "success")
    assert found == [("review[law]/check", "unsay", 1, None), ("write", "tear", 1, None)]


def test_what_undoes_something_at_its_second_attempt_is_counted_once():
    first = record(1, "b", scope="[undo]/", error=BROKEN, retry_in_s=0.0, detail={"undoes": "a#1"})
    again = record(2, "b", scope="[undo]/", attempt=2, detail={"undoes": "a#1"})
    frame = transitions_frame(events(first, again))
    assert frame["kind"].tolist() == ["compensate", "retry", "end"]
    assert frame["count"].tolist() == [1, 1, 1]


def test_a_spawned_workflow_is_entered_from_the_step_that_made_it():
    frame = transitions_frame(
        events(
            record(1, "plan", detail={"spawn": {"workflow": {}, "input": 1}}),
            record(2, "x", scope="plan#1[spawn]/"),
            record(3, "plan", attempt=2, worker=None, detail={"branches": {"spawn": "completed"}}),
        )
    )
    assert table(frame, "source", "target", "kind") == [
        ("plan", "plan[spawn]/x", "body"),
        ("plan[spawn]/x", "plan", "join"),
        ("plan", None, "end"),
    ]


def test_a_branch_that_is_not_joined_yet_has_been_entered():
    source = events(record(1, "x", scope="m#1[0]/p#1[a]/", next_step="y"))
    assert table(transitions_frame(source), "source", "target", "kind") == [
        ("m", "m/p", "body"),
        ("m/p", "m/p[a]/x", "body"),
        ("m/p[a]/x", "m/p[a]/y", "success"),
    ]


# --- data


def test_a_branch_writes_on_its_own_bus_and_the_join_on_that_of_the_run():
    frame = data_frame(grading([1, 2]))
    seen = frame[frame["key"] == "seen"]
    assert table(seen, "path", "within", "branch", "change", "after") == [
        ("grade#1[0]/one#1", "grade#1", "0", "added", "[1]"),
        ("grade#1[1]/one#1", "grade#1", "1", "added", "[2]"),
        ("grade#1", None, None, "added", "[1, 2]"),
    ]


@pytest.mark.parametrize("broken", [None, "style", "law"])
@pytest.mark.parametrize("failure", ["fail_fast", "all_or_nothing"])
def test_the_rows_without_a_branch_and_what_was_undone_lead_to_the_data_of_the_run(broken, failure):
    run = recorded(reviewing(broken=broken, failure=failure, max_concurrency=1))
    data = {}
    for change in bus_changes(run):
        is_undone = change.scope.endswith("[undo]/") and not change.key.endswith("_output")
        if not change.scope or is_undone:
            data[change.key] = change.after
    assert data == run.data
    assert "undone" in data or broken is None
    folded = last_data(recorded([*events(run=run.run), *run.records]))
    assert folded == run.data


def test_a_fork_within_a_branch_sets_data_there():
    run = recorded(events(record(1, "x", scope="m#1[0]/"), record(2, "y", scope="m#1[0]/"), data={"k": 0}))
    forked = replace(run, forked_at="m#1[0]/y#1", forks=((1, Changes({"k": 5}, ())),))
    assert [(one.scope, one.before, one.after) for one in bus_changes(forked) if one.key == "k"][1:] == [
        ("m#1[0]/", 0, 5)
    ]
    assert last_data(forked)["k"] == 0


def test_what_one_that_spawned_put_out_is_told_when_that_has_ended():
    run = events(
        record(1, "plan", output={"spawned": "w"}, detail={"spawn": {}}, changes=Changes({"k": 1}, ())),
        record(2, "x", scope="plan#1[spawn]/", output=7),
        record(3, "plan", attempt=2, output=7),
    )
    own = [(one.seq, one.key, one.after) for one in bus_changes(recorded(run)) if not one.scope]
    assert own == [(1, "k", 1), (3, "plan_output", 7)]


# --- usage, statistics, runs


def test_usage_sums_over_branches_and_joins_have_no_worker():
    frame = usage_frame(grading([1, 13, 2]))
    assert table(frame, "worker", "worker_type", "model", "attempts", "failures", "input_tokens", "cost_usd")[1:5] == [
        ("one", "one", "m", 2, 0, 3, 1.0),
        ("done", "done", None, 2, 0, None, None),
        ("one", "one", None, 1, 1, None, None),
        (None, "map", None, 1, 0, None, None),
    ]


def test_statistics_take_the_items_of_a_map_together_and_named_branches_apart():
    frame = compare_many([grading([1, 13]), grading([2], run_id="b")]).set_index("step")
    assert frame.index.tolist() == ["load", "grade/one", "grade/done", "grade", "report"]
    assert frame.loc["grade/one", ["runs", "visits", "attempts", "failures"]].tolist() == [2, 3, 3, 1]
    assert compare_many(reviewing())["step"].tolist()[1:3] == ["review[law]/check", "review[style]/check"]


def test_a_cancelled_attempt_says_nothing_of_its_worker():
    lost = ErrorInfo("BranchCancelled", "cancelled: the join of p#1 was reached")
    run = events(record(1, scope="p#1[a]/"), record(2, scope="p#1[b]/", error=lost), record(3, "p", worker=None))
    frame = compare_many(run).set_index("step")
    assert frame.loc["p[b]/a", ["attempts", "failures", "cancelled"]].tolist() == [1, 1, 1]
    assert pd.isna(frame.loc["p[b]/a", "success_rate"])
    assert usage_frame(run)["cancelled"].tolist() == [1, 0]


def test_usage_of_a_sub_workflow_is_counted_once():
    spent = {"input_tokens": 5, "cost_usd": 1.0, "model": "m"}
    parent = events(record(1, "s", worker="ship", worker_type="workflow", usage=spent), run="r")
    child = events(record(1, "x", usage=spent), run="r/s#1")
    assert usage_frame(parent)["cost_usd"].sum() == 1.0
    assert usage_frame([parent, child])["cost_usd"].sum() == 1.0
    again = events(record(1, "s", attempt=2, worker_type="workflow", usage=spent), run="r")
    assert usage_frame([again, events(record(1, usage=spent), run="r/s#1.2")])["cost_usd"].sum() == 1.0
    assert usage_frame([again, child])["cost_usd"].sum() == 2.0


def asked(path, kind="approval"):
    return WaitStarted(path, kind, "hash", {}, 1_001.0, None)


def answered(path, kind="approved"):
    return Answered(path, kind, True, None, "hash", 1_002.0)


@pytest.mark.parametrize(
    ("happened", "state"),
    [
        ([], "initialized"),
        ([opened("p#1", "a")], "in_progress"),
        ([asked("sign#1")], "waiting"),
        ([asked("sign#1"), answered("sign#1")], "in_progress"),
        ([asked("sleep#1", "time")], "in_progress"),
        ([opened("p#1", "a", "b"), asked("p#1[a]/sign#1")], "waiting"),
        ([opened("p#1", "a", "b"), asked("p#1[a]/sign#1"), record(1, scope="p#1[b]/"), joined("p#1", a="cancelled", b="completed")], "in_progress"),
    ],
)  # fmt: skip
def test_a_run_on_record_that_waits_is_waiting(happened, state):
    assert runs_frame([*events(), *happened])["state"].tolist() == [state]


def test_every_frame_of_branches_survives_parquet_and_csv():
    runs = [grading([1, 13, 2]), reviewing(), reviewing(broken="law", run_id="b")]
    for make in FRAMES:
        frame = make(runs)
        assert_survives_parquet(frame)
        assert len(to_csv_text(frame).splitlines()) >= len(frame) + 1


# --- no timing shows


def test_the_order_in_which_branches_end_shows_in_no_frame():
    forth = grading([0, 1, 2, 3], delays=[0.03, 0.02, 0.01, 0.0])
    back = grading([0, 1, 2, 3], delays=[0.0, 0.01, 0.02, 0.03])
    untimed = {"started_at", "finished_at", "duration_s", "mean_s", "p95_s"}
    for make in FRAMES:
        one, other = (make(run) for run in (forth, back))
        names = [name for name in one if name not in untimed and not name.startswith("duration_")]
        pd.testing.assert_frame_equal(one[names], other[names])


@settings(deadline=None, max_examples=examples(20))  # the first one imports pandas
@given(branched_events(), st.randoms(use_true_random=False))
def test_events_in_whichever_order_they_came_make_the_same_frames(in_order, chance):
    came = as_they_came(in_order, chance)
    for make in FRAMES:
        pd.testing.assert_frame_equal(make(came), make(in_order))


def test_what_only_observers_hear_does_not_part_the_record():
    told = AttemptStarted("p#1[a]/x#1", "x", 1, 1, "w", None, 1.0)
    found = recorded(
        [
            *events(),
            opened("p#1", "a", "b"),
            record(1, scope="p#1[b]/"),
            told,
            PartialOutput("p#1[a]/x#1", 1),
            record(2, scope="p#1[a]/", error=BROKEN),
            joined("p#1", a="failed", b="completed"),
        ]
    )
    assert [(one.seq, one.path) for one in found.records] == [(1, "p#1[a]/a#1"), (2, "p#1[b]/a#1"), (3, "p#1")]


def test_positions_that_no_run_makes_are_left_in_the_order_given():
    given_events = numbered([*events(), opened("p#1", "a"), record(1, scope="m#1[?]/"), record(2, scope="m#1[0]/")])
    assert [one.scope for one in recorded(given_events).records] == ["m#1[?]/", "m#1[0]/"]
