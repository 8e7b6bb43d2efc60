"""What a worker sees of its run, what it uses, and the limits that count it."""

from __future__ import annotations

import pytest

from orchestration_kit import Branch, RetryPolicy, RunLimits
from orchestration_kit.errors import RunStateError
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.support import hub_of, run_of, step, workflow_of


def test_randomness_and_keys_belong_to_visit_and_attempt():
    seen = []

    def worker(_, context):
        seen.append((context.random.random(), context.idempotency_key, context.path))
        if context.attempt == 1:
            raise RuntimeError("again")

    def seen_of(run_id, seed=None):
        seen.clear()
        run_of(
            step("a", "b", max_retries=1),
            step("b", worker_type="a", max_retries=1),
            workers={"a": worker},
            run_id=run_id,
            seed=seed,
        )
        return list(seen)

    one = seen_of("r1")
    assert one == seen_of("r1")
    assert len({draw for draw, _, _ in one}) == 4
    assert [key for _, key, _ in one] == [one[0][1]] * 2 + [one[2][1]] * 2
    assert one[0][1] != one[2][1]
    assert [d for d, _, _ in seen_of("r2", seed=5)] == [d for d, _, _ in seen_of("r3", seed=5)]


def test_usage_is_recorded_per_attempt_and_limits_count_it():
    def worker(_, context):
        context.add_usage(input_tokens=40, cost_usd=0.1, model="small")
        context.add_usage(output_tokens=20)
        if context.visit == 1 and context.attempt == 1:
            raise RuntimeError("paid for nothing")

    steps = step("a", "b", max_retries=1), step("b", "a", branches=[Branch(when="visits > 99", to="c")]), step("c")
    workers = {"a": worker, "b": str, "c": str}
    by_tokens = run_of(*steps, workers=workers, limits=RunLimits(max_tokens=150))
    assert by_tokens.history[0]["usage"] == {"input_tokens": 40, "output_tokens": 20, "cost_usd": 0.1, "model": "small"}
    assert by_tokens.error == "limit max_tokens reached before b#2: 150 tokens; 180 were used"
    by_cost = run_of(*steps, workers=workers, limits=RunLimits(max_cost_usd=0.15))
    assert "limit max_cost_usd reached before b#1: $0.15; $0.2 were spent" in by_cost.error


@pytest.mark.parametrize(
    "usage", [{"input_tokens": -1}, {"output_tokens": -1}, {"cost_usd": -0.1}, {"cost_usd": float("nan")}]
)
def test_negative_usage_is_refused(usage):
    result = run_of(step("a"), workers={"a": lambda _, c: c.add_usage(**usage)})
    assert "usage cannot be negative" in result.history[0]["error"]


def test_max_steps_ends_a_loop_and_is_named():
    result = run_of(
        step("a", "b"),
        step("b", "a", branches=[Branch(when="visits > 9", to="c")]),
        step("c"),
        workers={"a": str, "b": str, "c": str},
        limits=RunLimits(max_steps=7),
    )
    assert (result.state, len(result.history)) == ("failed", 7)
    assert result.error == "limit max_steps reached before b#4: 7 attempts"
    assert result.metadata["error"] == result.error


def test_retries_count_towards_max_steps():
    result = run_of(
        step("a", max_retries=1000),
        workers={"a": ScriptedWorker(OSError, repeat_last=True)},
        limits=RunLimits(max_steps=5),
    )
    assert len(result.history) == 5
    assert result.error.startswith("limit max_steps reached before a#1")


def test_max_seconds_counts_work_and_waits_and_is_named():
    clock = FakeClock()
    hub = hub_of(
        workflow_of(step("a", max_retries=9, retry=RetryPolicy(backoff_s=4, multiplier=1))),
        {"a": ScriptedWorker(OSError, repeat_last=True)},
        clock=clock,
    )
    result = hub.execute_workflow("flow", "g", verbose=False, limits=RunLimits(max_seconds=10))
    assert result.error == "limit max_seconds reached before a#1: 10 s; 12 s were used"
    assert len(result.history) == 3


@pytest.mark.parametrize(
    "limits",
    [
        {"max_steps": 0},
        {"max_steps": None},
        {"max_seconds": -1},
        {"max_tokens": True},
        {"max_cost_usd": float("inf")},
        {"max_seconds": "9"},
    ],
)
def test_a_limit_is_a_finite_number_above_zero(limits):
    with pytest.raises(ValueError, match="is not a limit"):
        RunLimits(**limits)


def test_a_failing_terminal_step_fails_the_run_or_takes_its_failure_path():
    bad = ScriptedWorker(OSError("full"), repeat_last=True)
    assert run_of(step("a"), workers={"a": bad}).error == "a#1 failed: OSError: full"
    result = run_of(step("a", on_failure="b"), step("b", outcome="failed"), workers={"a": bad})
    assert (result.state, result.error) == ("failed", "the run ended at b#1, whose outcome is failed")


def test_a_worker_cannot_write_the_history():
    def worker(_, context):
        with pytest.raises(RunStateError, match="hub writes the history"):
            context.add_history("me", 1, 2)

    assert run_of(step("a"), workers={"a": worker}).state == "completed"


def test_what_a_worker_sees_of_its_run():
    seen = {}

    def worker(_, context):
        seen.update(
            step=context.current_step, visit=context.visit, attempt=context.attempt, path=context.path, goal=context.goal,
            state=context.state, last=context.get_last_output("a"), none=context.get_last_output("zzz"), history=len(context.history),
            now=context.now().isoformat(), workflow=context.workflow.name, text=repr(context),
        )  # fmt: skip

    clock = FakeClock(start=0)
    hub = hub_of(workflow_of(step("a", "b"), step("b")), {"a": lambda _: "A", "b": worker}, clock=clock)
    hub.execute_workflow("flow", "goal", verbose=False, run_id="r")
    assert seen == {
        "step": "b", "visit": 1, "attempt": 1, "path": "b#1", "goal": "goal", "state": "in_progress", "last": "A", "none": None,
        "history": 1, "now": "1970-01-01T00:00:00+00:00", "workflow": "flow", "text": "<WorkflowContext 'r': in_progress, 1 attempt>",
    }  # fmt: skip


def test_an_error_whose_text_cannot_be_read_is_recorded_all_the_same():
    class Unreadable(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    result = run_of(step("a"), workers={"a": ScriptedWorker(Unreadable())})
    assert result.history[0]["error"] == "Unreadable (its message cannot be read: RuntimeError)"
    assert run_of(step("a"), workers={"a": ScriptedWorker(OSError())}).history[0]["error"] == "OSError"
