"""What can be read as a history, and what is made of it."""

from __future__ import annotations

import math

import pytest

from orchestration_kit import WorkflowContext
from orchestration_kit.history import Recorded, recorded, records_of
from orchestration_kit.history.sources import recordings
from tests.history.runs import NO, OK, events, record, site_hub, site_run


def test_a_run_and_its_context_are_the_same_record():
    run = site_hub([NO, OK]).start("site", "goal")
    run.run()
    assert recorded(run) == recorded(run.context)
    assert records_of(run) == run.machine.records


def test_a_snapshot_does_not_move_with_its_run():
    run = site_hub([OK]).start("site", "goal")
    run.step()
    before = recorded(run)
    run.run()
    assert len(before.records) == 1
    assert before.state == "in_progress"
    assert "code_output" not in before.data


def test_reading_changes_nothing():
    context = site_run(NO, OK)
    history = context.history
    records_of(context).clear()
    assert context.history == history


def test_events_without_a_beginning_or_an_end_are_read():
    assert recorded(events(record())).state == "in_progress"
    assert recorded(events()).state == "initialized"
    assert recorded([record()]).state is None


def test_several_of_any_kind_can_be_mixed():
    mixed = [site_run(OK), events(record()), [{"step": "a"}], recorded([])]
    assert [len(one.records) for one in recordings(mixed)] == [4, 1, 1, 0]
    assert all(isinstance(one, Recorded) for one in recordings(mixed))


def test_one_of_several_without_a_history_is_named():
    with pytest.raises(TypeError, match=r"Not everything in this list has a history\. There is no history in an int"):
        recordings([site_run(OK), 7])


def test_an_empty_list_is_no_run_and_an_empty_run():
    assert recordings([]) == []
    assert recorded([]).records == []


def test_the_history_of_a_context_reads_as_its_records_do():
    context = site_run(NO, OSError("net"), OK)
    read, kept = records_of(context.history), records_of(context)
    for one, other in zip(read, kept, strict=True):
        assert one.path == other.path
        assert (one.retry_in_s is None) == (other.retry_in_s is None)
        assert one.evaluated == other.evaluated
        assert one.started_at == pytest.approx(other.started_at)
        for name in (
            "seq",
            "attempt",
            "worker",
            "worker_type",
            "input",
            "output",
            "error",
            "duration_s",
            "next_step",
            "usage",
        ):
            assert getattr(one, name) == getattr(other, name)


def test_a_scope_is_read_from_the_path():
    (one,) = records_of([{"step": "draft", "path": "research#1[3]/draft#2", "visit": 2}])
    assert (one.scope, one.path) == ("research#1[3]/", "research#1[3]/draft#2")


def test_visits_that_nobody_counted_are_counted():
    found = records_of([{"step": "a"}, {"step": "b"}, {"step": "a"}, {"step": "a", "attempt": 2}])
    assert [one.path for one in found] == ["a#1", "b#1", "a#2", "a#2"]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"step": None, "visit": "two", "attempt": -1, "duration_s": "long", "timestamp": "yesterday", "usage": "much"},
        {"timestamp": object(), "why": "because", "path": 7, "error": ValueError("x")},
        {"why": [None, {"text": 1}], "seq": 2**80, "timestamp": "9999-99-99"},
    ],
)
def test_an_entry_may_leave_out_or_garble_anything(entry):
    (one,) = records_of([entry])
    assert one.seq == 1
    assert math.isnan(one.duration_s)
    assert math.isnan(one.started_at)


def test_timestamps_may_be_text_datetimes_or_seconds():
    texts = ["1970-01-01T00:00:05Z", "1970-01-01T00:00:05", 5, 5.0]
    assert [one.started_at for one in records_of([{"timestamp": text} for text in texts])] == [5.0] * 4


def test_a_failed_entry_is_retried_where_its_next_attempt_follows():
    failed, again = {"step": "a", "success": False}, {"step": "a", "attempt": 2}
    assert records_of([failed, again])[0].retry_in_s == 0.0
    assert records_of([failed])[0].retry_in_s is None
    assert records_of([{**failed, "next_step": "b"}, again])[0].retry_in_s is None


def test_a_context_made_by_hand_keeps_the_entries_it_was_given():
    context = WorkflowContext("mine", "goal", history=[{"step": "a", "output": 1}], metadata={"workflow_name": "w"})
    assert [one.path for one in records_of(context)] == ["a#1"]
    assert recorded(context).workflow == "w"
