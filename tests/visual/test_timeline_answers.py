"""In a timeline, a question takes time until it was answered, and its attempt stands where the answer was given."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration_kit.definition.kinds import ApprovalStep
from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.testing import FakeClock
from orchestration_kit.visual.timeline import timeline
from tests.support import hub_of, workflow_of
from tests.visual.test_timeline import attempt, run_of, spans


def answered(seq: int, start_s: float, answered_s: float, **fields: Any) -> AttemptFinished:
    """The record of an approval that says when it was answered."""
    detail = {"answer": "approved", "answered_at": 100.0 + answered_s}
    return attempt(seq, "sign", start_s, start_s, worker=None, worker_type="approval", detail=detail, **fields)


def test_a_wait_ends_with_its_answer_and_what_comes_later_is_another_wait():
    run = run_of(attempt(1, "a", 0, 1), answered(2, 1, 4), attempt(3, "b", 6, 7))
    assert spans(run)[1:] == [
        ("sign#1", "main", "waiting", 1.0, 4.0),
        ("sign#1", "main", "success", 4.0, 4.0),
        ("b#1", "main", "waiting", 4.0, 6.0),
        ("b#1", "main", "success", 6.0, 7.0),
    ]
    assert "3 s of waiting" in str(timeline(run))


def test_an_answer_that_was_there_before_the_question_takes_no_time():
    assert [state for *_, state, _, _ in spans(run_of(answered(1, 0, -5)))] == ["success"]
    assert [state for *_, state, _, _ in spans(run_of(answered(1, 0, 0)))] == ["success"]


@pytest.mark.parametrize("is_approved", [True, False])
def test_the_answer_to_the_last_question_of_a_run_stands_where_it_was_given(is_approved):
    clock = FakeClock()
    ask = ApprovalStep(step_id="ask", prompt="Right?", is_terminal=True)
    run = hub_of(workflow_of(ask), {}, clock=clock).start("flow", "g")
    run.run()
    clock.advance(90)
    run.approve() if is_approved else run.reject("no")
    clock.advance(10)
    run.run()
    assert spans(run) == [
        ("ask#1", "main", "waiting", 0.0, 90.0),
        ("ask#1", "main", "success" if is_approved else "failed", 90.0, 90.0),
    ]
    assert spans(run.history) == spans(run)
