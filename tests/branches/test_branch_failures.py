"""A branch that raises, hangs past its time, or is cancelled; and what the failure modes make of it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import Failure, MapStep, ParallelStep, RetryPolicy
from orchestration_kit.testing import FakeClock
from tests.branches.doors import check_record, ends_of, entry_of, flow_of, go, hub_of, paths, run_flow, through
from tests.support import step


def fails_at(*numbers):
    def work(n):
        if n in numbers:
            raise ValueError(f"no {n}")
        return n

    return work


def flow_with(**fields):
    return flow_of(
        MapStep(step_id="m", over="data.items", body="a", on_success="end", **fields),
        step("a", is_terminal=False),
        step("end"),
    )


ITEMS = {"items": [0, 1, 2, 3]}


def test_fail_fast_begins_no_more_branches_and_fails_the_step(door):
    run = run_flow(flow_with(max_concurrency=1), {"a": fails_at(1), "end": list}, door, data=ITEMS)
    assert run.state == "failed"
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1"]
    entry = entry_of(run, "m#1")
    assert entry["error_type"] == "JoinFailed"
    assert (
        entry["error"]
        == "The join of m#1 needs all of 4 branches, and that cannot be reached: m#1[1]/a#1 failed: ValueError: no 1"
    )
    assert entry["output"] == {"error": entry["error"]}
    assert ends_of(run, "m#1") == {"0": "completed", "1": "failed", "2": "not started", "3": "not started"}


def test_fail_fast_stops_what_is_under_way():
    begun, stopped = asyncio.Semaphore(0), []

    async def work(n):
        if n == 1:
            for _ in range(3):
                await begun.acquire()
            raise ValueError("no 1")
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(n)

    run = through("async", hub_of(flow_with(), {"a": work, "end": list}).start("flow", "go", ITEMS))
    assert sorted(stopped) == [0, 2, 3]
    assert ends_of(run, "m#1") == {"0": "cancelled", "1": "failed", "2": "cancelled", "3": "cancelled"}
    error = entry_of(run, "m#1[0]/a#1")
    assert (error["error_type"], error["error"]) == (
        "BranchCancelled",
        "cancelled: the join of m#1 failed, 0 of 4 branches had completed",
    )


def test_a_worker_on_a_thread_that_outlives_its_branch_holds_up_nobody_and_its_output_is_dropped():
    begun, go_on, returned = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def work(n, context):
        if n == 1:
            assert all(begun.acquire(timeout=30) for _ in range(3))
            raise ValueError("no 1")
        begun.release()
        assert go_on.wait(30)
        context.data["late"] = n
        returned.release()
        return "late"

    run = through("sync", hub_of(flow_with(), {"a": work, "end": list}).start("flow", "go", ITEMS))
    assert run.state == "failed"
    before = run.events
    go_on.set()
    assert all(returned.acquire(timeout=30) for _ in range(3))
    assert run.events == before
    assert "late" not in run.context.data
    assert ends_of(run, "m#1") == {"0": "cancelled", "1": "failed", "2": "cancelled", "3": "cancelled"}


def test_continue_goes_on_to_the_end_of_every_branch(door):
    run = run_flow(flow_with(failure="continue"), {"a": fails_at(1, 3), "end": lambda given: given}, door, data=ITEMS)
    assert run.state == "completed"
    assert paths(run) == [*(f"m#1[{n}]/a#1" for n in range(4)), "m#1", "end#1"]
    assert run.context.data["end_output"] == [
        0, {"error": "m#1[1]/a#1 failed: ValueError: no 1"}, 2, {"error": "m#1[3]/a#1 failed: ValueError: no 3"},
    ]  # fmt: skip
    assert ends_of(run, "m#1") == {"0": "completed", "1": "failed", "2": "completed", "3": "failed"}


def test_continue_fails_where_no_branch_succeeds(door):
    run = run_flow(flow_with(failure="continue"), {"a": fails_at(*range(4)), "end": list}, door, data=ITEMS)
    assert run.state == "failed"
    assert entry_of(run, "m#1")["error_type"] == "JoinFailed"
    assert paths(run) == [*(f"m#1[{n}]/a#1" for n in range(4)), "m#1"]


def test_a_failed_branch_leaves_no_writes(door):
    def work(n, context):
        context.data[f"seen_{n}"] = True
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="continue", is_terminal=True),
        step("a", "b", is_terminal=False),
        step("b", is_terminal=False),
    )
    run = run_flow(flow, {"a": work, "b": fails_at(1)}, door, data=ITEMS)
    assert sorted(key for key in run.context.data if key.startswith("seen")) == ["seen_0", "seen_2", "seen_3"]


def test_a_join_that_fails_takes_the_failure_path_with_the_reason(door):
    flow = flow_of(
        ParallelStep(
            step_id="p", branches={"l": "a", "r": "b"}, max_concurrency=1, on_success="end", on_failure="mend"
        ),
        step("a", is_terminal=False),
        step("b", is_terminal=False),
        step("end"),
        step("mend"),
    )
    run = run_flow(
        flow,
        {
            "a": lambda _: Failure("too dark", output={"lux": 3}),
            "b": str,
            "end": str,
            "mend": lambda given: given["error"],
        },
        door,
    )
    assert run.state == "completed"
    assert paths(run) == ["p#1[l]/a#1", "p#1", "mend#1"]
    assert run.context.data["mend_output"].endswith("p#1[l]/a#1 failed: too dark")
    assert entry_of(run, "p#1[l]/a#1")["output"] == {"error": "too dark", "output": {"lux": 3}}


def test_a_branch_with_a_failure_path_of_its_own_does_not_fail(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", on_success="end"),
        step("a", is_terminal=False, on_failure="b"),
        step("b", is_terminal=False),
        step("end"),
    )
    run = run_flow(flow, {"a": fails_at(1), "b": lambda given: given["error"], "end": list}, door, data=ITEMS)
    assert run.state == "completed"
    assert run.context.data["end_output"] == [0, "no 1", 2, 3]
    assert ends_of(run, "m#1") == dict.fromkeys("0123", "completed")


def test_retries_are_made_within_the_branch(door):
    def work(n, context):
        if n == 1 and context.attempt < 3:
            raise OSError(f"attempt {context.attempt}")
        return (n, context.attempt, str(context.last_error))

    clock = FakeClock()
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", is_terminal=True),
        step("a", is_terminal=False, max_retries=2, retry=RetryPolicy(backoff_s=3)),
    )
    run = run_flow(flow, {"a": work}, door, data={"items": [0, 1, 2]}, clock=clock)
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1[1]/a#1.2", "m#1[1]/a#1.3", "m#1[2]/a#1", "m#1"]
    assert run.context.data["m_output"] == [(0, 1, "None"), (1, 3, "attempt 2"), (2, 1, "None")]
    assert clock.slept == [3, 6]
    assert run.history[1]["retry_in_s"] == 3


def test_a_branch_that_uses_up_its_retries_fails(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="continue", is_terminal=True),
        step("a", is_terminal=False, max_retries=2),
    )
    run = run_flow(flow, {"a": fails_at(1)}, door, data={"items": [0, 1]})
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1[1]/a#1.2", "m#1[1]/a#1.3", "m#1"]
    assert ends_of(run, "m#1") == {"0": "completed", "1": "failed"}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_branch_that_hangs_is_stopped_when_its_time_is_up(door, kind):
    go_on = threading.Event()

    def hang(n):
        if n == 1:
            assert go_on.wait(30)
        return n

    async def ahang(n):
        if n == 1:
            await asyncio.Event().wait()
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="continue", is_terminal=True),
        step("a", is_terminal=False, timeout_s=0.6),  # the others are done by then, on a busy machine too
    )
    run = run_flow(flow, {"a": hang if kind == "sync" else ahang}, door, data={"items": [0, 1, 2]})
    go_on.set()
    assert run.state == "completed"
    assert ends_of(run, "m#1") == {"0": "completed", "1": "failed", "2": "completed"}
    assert entry_of(run, "m#1[1]/a#1")["error_type"] == "StepTimeout"
    assert run.context.data["m_output"][::2] == [0, 2]


@pytest.mark.parametrize("error", [asyncio.CancelledError, TimeoutError, StopIteration, RecursionError, MemoryError])
def test_a_branch_may_raise_anything_that_is_no_interrupt(door, error):
    async def work(n):
        if n == 1:
            raise error("odd")
        return n

    def plain(n):
        if n == 1:
            raise error("odd")
        return n

    for worker in (plain, work):
        if worker is work and error is StopIteration:
            continue  # cannot leave a coroutine
        run = run_flow(
            flow_with(failure="continue"), {"a": worker, "end": lambda given: given}, door, data={"items": [0, 1, 2]}
        )
        assert run.state == "completed"
        assert entry_of(run, "m#1[1]/a#1")["error_type"] == error.__name__
        assert ends_of(run, "m#1") == {"0": "completed", "1": "failed", "2": "completed"}


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_an_interrupt_that_a_worker_raises_ends_the_run_on_record(door, error):
    def work(n):
        if n == 1:
            raise error("stop")
        return n

    run = hub_of(flow_with(max_concurrency=1), {"a": work, "end": list}).start("flow", "go", ITEMS)
    with pytest.raises(error):
        go(run, door)
    assert run.state == "cancelled"
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1"]
    assert entry_of(run, "m#1[1]/a#1")["error_type"] == error.__name__
    check_record(run)


def test_success_when_of_the_join_is_asked_about_what_the_branches_gave(door):
    flow = flow_of(
        MapStep(
            step_id="m",
            over="data.items",
            body="a",
            success_when="size(output) > 2",
            on_success="end",
            on_failure="few",
        ),
        step("a", is_terminal=False),
        step("end"),
        step("few"),
    )
    for items, taken in (([1], "few#1"), ([1, 2, 3], "end#1")):
        run = run_flow(flow, {"a": lambda n: n, "end": list, "few": dict}, door, data={"items": items})
        assert paths(run)[-1] == taken
    assert entry_of(run, "m#1")["why"] == [
        {"text": "size(output) > 2", "inputs": {"output": [1, 2, 3]}, "result": True}
    ]


def test_conditions_after_a_map_see_its_output(door):
    from orchestration_kit import Branch

    flow = flow_of(
        MapStep(
            step_id="m",
            over="data.items",
            body="a",
            branches=(Branch(when="output.all(n, n > 0)", to="good"),),
            on_success="bad",
        ),
        step("a", is_terminal=False),
        step("good"),
        step("bad"),
    )
    for items, taken in (([1, 2], "good#1"), ([1, 0], "bad#1")):
        run = run_flow(flow, {"a": lambda n: n, "good": list, "bad": list}, door, data={"items": items})
        assert paths(run)[-1] == taken


def test_a_generator_worker_in_a_branch_puts_its_pieces_together(door):
    def spell(word):
        yield from word

    run = run_flow(flow_with(), {"a": spell, "end": list}, door, data={"items": ["ab", "cd"]})
    assert run.context.data["end_output"] == ["ab", "cd"]
