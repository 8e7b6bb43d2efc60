"""The state machine alone: driven by hand, with no clock, no worker and no loop around it."""

from __future__ import annotations

import random

import pytest

from orchestration_kit import Branch, RetryPolicy, RunLimits, WorkflowState
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, RunFinished
from tests.engine.machines import CHAIN, OOPS, machine_of, settle
from tests.support import step


def test_a_new_machine_stands_before_its_first_step_with_the_goal_as_input():
    machine = machine_of(*CHAIN, data={"x": 1})
    assert (machine.state, machine.current_step, machine.data) == (WorkflowState.INITIALIZED, "a", {"x": 1})
    assert (machine.recorded, machine.records, machine.finished) == (0, [], None)
    visit = machine.upcoming()
    assert (visit.path, visit.input, visit.attempt) == ("a#1", "the goal", 1)
    assert machine.upcoming() is visit, "looking takes nothing"


def test_the_data_it_was_given_is_not_changed():
    data = {"x": 1}
    machine = machine_of(step("a"), data=data)
    settle(machine, "out", changes=Changes({"x": 2}, ()))
    assert (machine.data["x"], data) == (2, {"x": 1})


def test_a_visit_that_was_taken_is_not_given_twice():
    machine = machine_of(*CHAIN)
    visit = machine.next()
    assert machine.next() is None
    assert machine.upcoming() is None
    assert machine.state == "in_progress"
    assert machine.current_step == "a"
    assert machine.taken == {visit}
    machine.settle(visit, "out")
    assert machine.upcoming().path == "b#1"


def test_each_step_gets_the_output_of_the_one_before_it():
    machine = machine_of(*CHAIN)
    assert settle(machine, "A").next_step == "b"
    assert machine.upcoming().input == "A"
    settle(machine, "B")
    record = settle(machine, "C")
    assert (record.seq, record.path, record.worker, record.next_step) == (3, "c#1", None, None)
    assert machine.finished == RunFinished("r", "completed", None, 1_003.0, 3)
    assert (machine.state, machine.current_step) == (WorkflowState.COMPLETED, "c")
    assert machine.data == {"a_output": "A", "b_output": "B", "c_output": "C"}
    assert machine.next() is machine.upcoming() is None
    assert machine.taken == set()


def test_a_record_holds_everything_that_followed_from_an_attempt():
    machine = machine_of(step("a", "b"), step("b"))
    changes, usage = Changes({"k": 1}, ("old",)), {"input_tokens": 3, "output_tokens": 4, "cost_usd": 0.5}
    record = settle(machine, "A", given="shaped", changes=changes, usage=usage, took=0.25)
    assert record == AttemptFinished(
        seq=1, scope="", step="a", visit=1, attempt=1, worker="Wa", worker_type="a", input="shaped", output="A", error=None, started_at=1_000.0,
        duration_s=0.25, next_step="b", retry_in_s=None, changes=changes, evaluated=(), usage=usage,
        cached=False, worker_fingerprint=machine.plan.steps["a"].worker.fingerprint,
    )  # fmt: skip
    assert isinstance(record, AttemptFinished)
    assert machine.recorded == 1


def test_changes_are_merged_and_removed_keys_go_also_those_that_are_gone():
    machine = machine_of(step("a"), data={"old": 1, "kept": 2})
    settle(machine, "A", changes=Changes({"new": 3}, ("old", "never there")))
    assert machine.data == {"kept": 2, "new": 3, "a_output": "A"}


def test_a_failure_takes_its_path_and_leaves_no_changes():
    machine = machine_of(step("a", "b", on_failure="c"), step("b"), step("c", outcome="failed"))
    record = settle(machine, error=OOPS, changes=Changes({"half": 1}, ()))
    assert (record.next_step, record.changes, record.output) == ("c", None, {"error": "disk full"})
    assert machine.data == {"a_output": {"error": "disk full"}}
    assert machine.upcoming().input == {"error": "disk full"}
    settle(machine, "C")
    assert (machine.finished.state, machine.finished.reason) == (
        "failed",
        "the run ended at c#1, whose outcome is failed",
    )


def test_a_failure_without_a_path_ends_the_run():
    machine = machine_of(step("a", "b"), step("b"))
    settle(machine, error=OOPS)
    assert (machine.state, machine.finished.reason) == ("failed", "a#1 failed: OSError: disk full")


def test_retries_stay_on_the_visit_and_are_told_the_error():
    machine = machine_of(step("a", "b", max_retries=2), step("b"))
    first = settle(machine, error=OOPS, usage={"cost_usd": 1.0})
    assert (first.retry_in_s, first.next_step) == (0.0, None)
    visit = machine.upcoming()
    assert (visit.path, visit.attempt, visit.last_error, visit.wait_s, visit.changes, visit.usage) == (
        "a#1",
        2,
        OOPS,
        None,
        None,
        None,
    )
    assert "a_output" not in machine.data
    settle(machine, error=OOPS)
    last = settle(machine, error=OOPS)
    assert (last.attempt, last.retry_in_s, machine.state) == (3, None, "failed")


def test_a_policy_gives_the_wait_and_says_which_errors_are_worth_it():
    policy = RetryPolicy(backoff_s=2, multiplier=3, retry_on=("OSError",))
    machine = machine_of(step("a", max_retries=5, retry=policy))
    assert [settle(machine, error=OOPS, took=0).retry_in_s for _ in range(2)] == [2, 6]
    assert machine.upcoming().wait_s == 6
    assert settle(machine, error=OOPS, types=("ValueError",)).retry_in_s is None
    assert machine.state == "failed"


def test_jitter_comes_from_the_seed_and_from_nowhere_else():
    def waits(seed):
        random.seed()
        machine = machine_of(
            step("a", max_retries=5, retry=RetryPolicy(backoff_s=10, multiplier=1, jitter=0.5)), seed=seed
        )
        return [settle(machine, error=OOPS).retry_in_s for _ in range(5)]

    assert waits(1) == waits(1) != waits(2)
    assert len(set(waits(1))) == 5
    assert all(5 <= wait <= 15 for wait in waits(3))


def test_a_huge_number_of_retries_has_a_wait_too():
    machine = machine_of(
        step("a", max_retries=1_000_000, retry=RetryPolicy(backoff_s=1, multiplier=1e9)),
        limits=RunLimits(max_steps=10**6),
    )
    visit = machine.upcoming()
    visit.attempt = 900_000
    assert settle(machine, error=OOPS).retry_in_s == 60


def test_branches_are_tried_in_order_and_every_one_is_on_record():
    branches = [Branch(when="output > 10", to="c"), Branch(when="data.limit == 3", to="b"), Branch(when="true", to="c")]
    machine = machine_of(step("a", "c", branches=branches), step("b"), step("c"))
    record = settle(machine, 5)
    assert record.next_step == "b"
    assert [(e.text, e.result) for e in record.evaluated] == [("output > 10", False), ("data.limit == 3", True)]
    none = machine_of(step("a", "c", branches=[Branch(when="output > 10", to="b")]), step("b"), step("c"))
    assert settle(none, 5).next_step == "c"


def test_a_branch_that_fails_fails_the_attempt_without_a_retry():
    machine = machine_of(
        step("a", "b", max_retries=3, on_failure="b", branches=[Branch(when="output.x > 1", to="b")]), step("b")
    )
    record = settle(machine, {"x": "text"}, changes=Changes({"k": 1}, ()))
    assert (record.error.type, record.retry_in_s, record.next_step, record.changes) == (
        "ConditionError",
        None,
        "b",
        None,
    )
    assert record.output == {"error": record.error.message, "output": {"x": "text"}}
    assert "'output.x > 1' of step 'a'" in record.error.message
    assert machine.data == {"a_output": record.output}
    lost = machine_of(step("a", "b", branches=[Branch(when="output.x > 1", to="b")]), step("b"))
    settle(lost, {})
    assert (lost.state, lost.finished.reason.startswith("a#1 failed: Condition")) == ("failed", True)


def test_visits_are_counted_per_step():
    machine = machine_of(step("a", "b"), step("b", "a", branches=[Branch(when="output == 'stop'", to="c")]), step("c"))
    for output in ("1", "2", "3", "4", "5", "stop"):
        settle(machine, output)
    settle(machine)
    assert [record.path for record in machine.records] == ["a#1", "b#1", "a#2", "b#2", "a#3", "b#3", "c#1"]


# --- limits


def test_max_steps_ends_the_run_before_the_attempt_that_is_too_many():
    machine = machine_of(step("a", "b"), step("b", "a", on_failure="c"), step("c"), limits=RunLimits(max_steps=3))
    for _ in range(3):
        settle(machine)
    assert machine.finished is None
    assert machine.next() is None
    assert (machine.state, machine.finished.reason) == ("failed", "limit max_steps reached before b#2: 3 attempts")
    assert (machine.recorded, machine.next()) == (3, None)


@pytest.mark.parametrize(
    ("limits", "usage", "took", "reason"),
    [
        (RunLimits(max_seconds=10), None, 12.0, "limit max_seconds reached before b#1: 10 s; 12 s were used"),
        (
            RunLimits(max_tokens=5),
            {"input_tokens": 4, "output_tokens": 2},
            1.0,
            "limit max_tokens reached before b#1: 5 tokens; 6 were used",
        ),
        (
            RunLimits(max_cost_usd=0.5),
            {"cost_usd": 0.75},
            1.0,
            "limit max_cost_usd reached before b#1: $0.5; $0.75 were spent",
        ),
    ],
)
def test_past_a_limit_the_run_ends_and_names_it(limits, usage, took, reason):
    machine = machine_of(step("a", "b"), step("b"), limits=limits)
    settle(machine, "A", usage=usage, took=took)
    assert (machine.state, machine.finished.reason) == ("failed", reason)
    assert machine.next() is None
    assert machine.data == {"a_output": "A"}, "what was done stays done"


@pytest.mark.parametrize(
    ("limits", "usage", "took"),
    [
        (RunLimits(max_seconds=10), None, 9.9),
        (RunLimits(max_tokens=6), {"input_tokens": 4, "output_tokens": 2}, 1.0),
        (RunLimits(max_cost_usd=0.75), {"cost_usd": 0.75}, 1.0),
        (RunLimits(), {"input_tokens": 10**12, "cost_usd": 1e12}, 1e12),
    ],
)
def test_within_its_limits_a_run_goes_on(limits, usage, took):
    machine = machine_of(step("a", "b"), step("b"), limits=limits)
    settle(machine, usage=usage, took=took)
    assert machine.upcoming().path == "b#1"


def test_waits_for_retries_count_as_time_used():
    policy = RetryPolicy(backoff_s=4, multiplier=1)
    machine = machine_of(step("a", max_retries=9, retry=policy), limits=RunLimits(max_seconds=9))
    settle(machine, error=OOPS)
    assert machine.upcoming().attempt == 2
    settle(machine, error=OOPS)
    assert machine.finished.reason == "limit max_seconds reached before a#1: 9 s; 10 s were used"


def test_a_run_that_is_over_is_not_ended_again_by_a_limit():
    machine = machine_of(step("a"), limits=RunLimits(max_seconds=1, max_tokens=1))
    settle(machine, usage={"input_tokens": 5}, took=5)
    assert (machine.state, machine.finished.reason) == ("completed", None)


# --- ends that come from outside


def test_an_interrupted_attempt_is_on_record_and_ends_the_run_as_cancelled():
    machine = machine_of(step("a", "b", max_retries=5, on_failure="b"), step("b"))
    visit = machine.next()
    visit.started_at, visit.duration_s, visit.changes = 1_000.0, 2.0, Changes({"half": 1}, ())
    machine.settle(
        visit, {"error": "interrupted"}, ErrorInfo("KeyboardInterrupt", "interrupted"), (), "interrupted in a#1"
    )
    assert machine.finished == RunFinished("r", "cancelled", "interrupted in a#1", 1_002.0, 1)
    record = machine.records[0]
    assert (record.error.type, record.next_step, record.retry_in_s, record.changes) == (
        "KeyboardInterrupt",
        None,
        None,
        None,
    )
    assert machine.next() is None
    assert "half" not in machine.data


def test_a_run_can_be_cancelled_before_within_and_not_after():
    fresh = machine_of(*CHAIN)
    assert fresh.cancel("no", 7.0) == RunFinished("r", "cancelled", "no", 7.0, 0)
    assert (fresh.next(), fresh.state, fresh.current_step) == (None, WorkflowState.CANCELLED, "a")
    begun = machine_of(*CHAIN)
    settle(begun)
    begun.next()
    begun.cancel("enough", 9.0)
    assert (begun.finished.state, begun.taken, begun.current_step) == ("cancelled", set(), "a")
    done = machine_of(step("a"))
    settle(done)
    assert done.cancel("late", 9.0) is None
    assert done.state == "completed"


# --- replay


BUSY = (
    step("a", "b", on_failure="c", max_retries=1, retry=RetryPolicy(backoff_s=3, jitter=0.5)),
    step("b", "a", on_failure="c", branches=[Branch(when="output > 5", to="c"), Branch(when="output == 5", to="b")]),
    step("c"),
)
