"""`waiting_frame`: what runs wait for."""

from __future__ import annotations

import pandas as pd
import pytest

from orchestration_kit import ApprovalStep, MapStep, WaitStep
from orchestration_kit.history import waiting_frame
from orchestration_kit.testing import FakeClock
from tests.history.runs import assert_survives_parquet, dtypes, rows
from tests.support import hub_of, step, workflow_of

WAITING = {
    "run": "category", "path": "string", "step": "category", "kind": "category", "prompt": "string", "shown": "string",
    "event": "category", "asked_at": "datetime64[us, UTC]", "deadline": "datetime64[us, UTC]", "request": "string",
}  # fmt: skip


def waiting_run(run_id="r"):
    """A run whose two items wait for approval, and then for a payment."""
    workflow = workflow_of(
        MapStep(step_id="m", over="data.items", body="sign", on_success="paid"),
        ApprovalStep(step_id="sign", prompt="Send it?", timeout_s=60, is_terminal=True),
        WaitStep(step_id="paid", event="payment", on_success="end"),
        step("end"),
    )
    hub = hub_of(workflow, {"end": str}, clock=FakeClock())
    run = hub.start("flow", "g", {"items": ["a", "b"]}, run_id=run_id)
    run.run()
    return run


def test_a_row_says_what_is_asked_and_how_to_answer_it():
    run = waiting_run()
    frame = waiting_frame(run)
    assert rows(frame[["run", "path", "step", "kind", "prompt", "shown"]]) == [
        ["r", "m#1[0]/sign#1", "sign", "approval", "Send it?", "{'input': 'a'}"],
        ["r", "m#1[1]/sign#1", "sign", "approval", "Send it?", "{'input': 'b'}"],
    ]
    assert (frame["deadline"] - frame["asked_at"]).tolist() == [pd.Timedelta(seconds=60)] * 2
    for request in frame["request"]:
        run.approve(request=request)
    run.run()
    assert rows(waiting_frame(run)[["path", "kind", "event"]]) == [["paid#1", "event", "payment"]]
    run.send("payment")
    run.run()
    assert waiting_frame(run).empty


def test_the_frame_takes_several_runs_or_their_requests():
    one, other = waiting_run("a"), waiting_run("b")
    assert waiting_frame([one, other])["run"].tolist() == ["a", "a", "b", "b"]
    pd.testing.assert_frame_equal(waiting_frame([*one.waiting, *other.waiting]), waiting_frame([one, other]))
    pd.testing.assert_frame_equal(waiting_frame(one.waiting[0]), waiting_frame(one.waiting[:1]))


def test_dtypes_are_as_documented():
    for source in ([], waiting_run()):
        assert dtypes(waiting_frame(source)) == WAITING
    assert_survives_parquet(waiting_frame(waiting_run()))


@pytest.mark.parametrize("wrong", [7, "run", [7], None, {"a": 1}])
def test_what_is_no_run_is_refused(wrong):
    with pytest.raises(TypeError, match=r"Nothing waits in an? \w+\. Give a Run, a list of runs, or run\.waiting\."):
        waiting_frame(wrong)
