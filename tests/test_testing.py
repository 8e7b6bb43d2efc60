"""The tools for tests, tested."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import WorkerType
from orchestration_kit.testing import FakeClock, ScriptedWorker, assert_same_flow, flow
from tests.support import hub_of, step, workflow_of


def run_with(*scripts, steps=None, run_id="r", **options):
    """A finished run of steps a, b, ... with a scripted worker each."""
    ids = "abcdef"[: len(scripts)]
    steps = steps or [step(s, ids[n + 1] if n + 1 < len(ids) else None) for n, s in enumerate(ids)]
    workers = {
        s: script if callable(script) else ScriptedWorker(script, repeat_last=True)
        for s, script in zip(ids, scripts, strict=True)
    }
    run = hub_of(workflow_of(*steps), workers, clock=FakeClock()).start("flow", "g", run_id=run_id, **options)
    run.run()
    return run


def test_a_scripted_worker_does_what_it_is_told_in_order():
    worker = ScriptedWorker("one", ValueError("two"), KeyError, {"three": 3})
    assert worker("in") == "one"
    with pytest.raises(ValueError, match="two"):
        worker("again", "context")
    with pytest.raises(KeyError):
        worker(None)
    assert worker(3) == {"three": 3}
    assert worker.calls == ["in", "again", None, 3]
    assert worker.contexts == [None, "context", None, None]


def test_a_script_may_hold_classes_that_are_no_errors():
    assert ScriptedWorker(dict)(1) is dict


def test_a_script_that_is_used_up_says_so():
    worker = ScriptedWorker("one", name="Ada")
    worker(1)
    with pytest.raises(
        AssertionError,
        match=r"Ada was called 2 times, and its script has 1 entries. Script one more, or pass repeat_last=True",
    ):
        worker(2)
    with pytest.raises(AssertionError, match="called 1 times, and its script has 0 entries"):
        ScriptedWorker(repeat_last=True)(1)


def test_the_last_of_a_script_can_be_repeated():
    worker = ScriptedWorker("one", "two", repeat_last=True)
    assert [worker(n) for n in range(4)] == ["one", "two", "two", "two"]
    failing = ScriptedWorker(OSError, repeat_last=True)
    for _ in range(2):
        with pytest.raises(OSError):
            failing(1)


def test_a_scripted_worker_registers_under_its_name_and_type():
    definition = ScriptedWorker("x", name="Ada", worker_type="writer").definition
    assert (definition.name, definition.worker_type) == ("Ada", "writer")
    assert ScriptedWorker().definition.worker_type is WorkerType.GENERIC
    assert definition.executor("in") == "x"


def test_it_gets_input_and_context_from_the_hub():
    worker = ScriptedWorker("out")
    hub_of(workflow_of(step("a")), {"a": worker}).execute_workflow("flow", "the goal", verbose=False)
    assert worker.calls == ["the goal"]
    assert worker.contexts[0].path == "a#1"


def test_a_fake_clock_moves_only_when_somebody_moves_it():
    clock = FakeClock(start=100.0)
    assert (clock.time(), clock.time(), clock.monotonic()) == (100.0, 100.0, 0.0)
    clock.advance(5)
    assert (clock.time(), clock.monotonic()) == (105.0, 5.0)


def test_a_jump_moves_the_wall_clock_only():
    clock = FakeClock(start=100.0)
    clock.jump(-86_400)
    assert (clock.time(), clock.monotonic()) == (100.0 - 86_400, 0.0)


def test_waits_pass_at_once_and_are_kept():
    clock = FakeClock(start=0)
    clock.sleep(3, threading.Event())
    asyncio.run(clock.asleep(4))
    assert (clock.slept, clock.time(), clock.monotonic()) == ([3, 4], 7.0, 7.0)


def test_a_wait_that_is_woken_takes_no_time():
    clock, wake = FakeClock(start=0), threading.Event()
    wake.set()
    clock.sleep(3, wake)
    assert (clock.slept, clock.time()) == ([3], 0)


def test_two_runs_that_did_the_same_have_the_same_flow_whenever_they_ran():
    one, other = run_with({"n": 1}, "b"), run_with({"n": 1}, "b", run_id="other")
    assert_same_flow(one, other)
    assert_same_flow(one.context, other)
    assert_same_flow(one.context, other.context)
    assert [entry["path"] for entry in flow(one)] == ["a#1", "b#1"]
    assert all("timestamp" not in entry and "duration_s" not in entry for entry in flow(one))


def test_the_first_attempt_that_differs_is_named_with_what_differs():
    with pytest.raises(AssertionError) as caught:
        assert_same_flow(run_with("x", "b"), run_with("y", "b"))
    message = str(caught.value)
    assert message.startswith("The runs part at attempt 1 (a#1):\n")
    assert "  output: 'x'\n          'y'" in message
    with pytest.raises(AssertionError, match=r"attempt 2 .b#1.:\n  output: 1\n          2"):
        assert_same_flow(run_with("x", 1), run_with("x", 2))


def test_an_outcome_that_differs_is_named():
    with pytest.raises(AssertionError) as caught:
        assert_same_flow(run_with("x"), run_with(ScriptedWorker(OSError("full"))))
    for part in ("success: True", "error: None", "'full'", "error_type: None"):
        assert part in str(caught.value)


def test_long_values_are_cut():
    with pytest.raises(AssertionError) as caught:
        assert_same_flow(run_with("x" * 100_000), run_with("y" * 100_000))
    assert len(str(caught.value)) < 1_000


def test_a_run_that_went_on_longer_is_named_with_its_first_attempt_more():
    whole = run_with("x", "b")
    part = hub_of(workflow_of(step("a", "b"), step("b")), {"a": lambda _: "x", "b": str}, clock=FakeClock()).start(
        "flow", "g"
    )
    part.step()
    for one, other, counts in ((whole, part, (2, 1)), (part, whole, (1, 2))):
        with pytest.raises(
            AssertionError,
            match=f"One run has {counts[0]} attempts, the other {counts[1]}; the first that only one has is b#1",
        ):
            assert_same_flow(one, other)


def test_ends_that_differ_are_named():
    def cancelled():
        run = hub_of(workflow_of(step("a")), {"a": str}, clock=FakeClock()).start("flow", "g")
        run.cancel("enough")
        return run

    def fresh(data=None):
        return hub_of(workflow_of(step("a")), {"a": str}, clock=FakeClock()).start("flow", "g", data)

    with pytest.raises(AssertionError, match=r"The runs end with different state:\n.*CANCELLED.*\n.*INITIALIZED"):
        assert_same_flow(cancelled(), fresh())
    with pytest.raises(AssertionError, match=r"The runs end with different data:\n  {'x': 1}\n  {}"):
        assert_same_flow(fresh({"x": 1}), fresh())
