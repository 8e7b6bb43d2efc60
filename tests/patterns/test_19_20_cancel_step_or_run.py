from __future__ import annotations

import asyncio
import threading

from orchestration_kit import ParallelStep, WaitStep
from tests.branches.doors import check_record, ends_of, entry_of, flow_of, go, hub_of, paths, run_flow
from tests.support import step


def test_19_a_step_that_waits_is_withdrawn_when_another_branch_is_done(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"wait": "w", "work": "a"}, join="any", on_success="end"),
        WaitStep(step_id="w", event="paid", on_success="thank"),
        step("thank", is_terminal=False),
        step("a", is_terminal=False),
        step("end"),
    )
    run = run_flow(flow, {"thank": str, "a": str, "end": dict}, door)
    assert run.state == "completed"
    assert [entry["path"] for entry in run.history if entry["success"]] == ["p#1[work]/a#1", "p#1", "end#1"]
    assert ends_of(run, "p#1") == {"wait": "cancelled", "work": "completed"}
    assert run.waiting == []


def test_19_a_step_is_cancelled_when_its_time_is_up(door):
    async def endless(_):
        await asyncio.Event().wait()

    run = run_flow(
        flow_of(step("a", "end", timeout_s=0.01, on_failure="late"), step("end"), step("late")),
        {"a": endless, "end": str, "late": dict},
        door,
    )
    assert paths(run) == ["a#1", "late#1"]
    assert entry_of(run, "a#1")["error_type"] == "StepTimeout"


def test_20_cancelling_a_run_ends_everything_that_is_under_way_and_begins_nothing_more(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "a"}, on_success="end"),
        step("a", "b", is_terminal=False),
        step("b"),
        step("end"),
    )
    both = threading.Semaphore(0)

    async def endless(_):
        both.release()
        await asyncio.Event().wait()

    run = hub_of(flow, {"a": endless, "b": str, "end": dict}).start("flow", "go")

    def cancel():
        under_way = 1 if door == "hand" else 2
        assert all(both.acquire(timeout=30) for _ in range(under_way))
        run.cancel("no longer wanted")

    canceller = threading.Thread(target=cancel)
    canceller.start()
    go(run, door)
    canceller.join()
    assert run.state == "cancelled"
    assert run.context.error == "no longer wanted"
    assert paths(run) == ["p#1[l]/a#1", "p#1[r]/a#1"][: 1 if door == "hand" else 2]
    assert {entry["error_type"] for entry in run.history} == {"RunCancelled"}
    check_record(run)


def test_20_a_run_that_waits_is_cancelled_at_once(door):
    run = hub_of(flow_of(WaitStep(step_id="w", event="paid", on_success="end"), step("end")), {"end": str}).start(
        "flow", "go"
    )
    go(run, door)
    assert run.state == "waiting"
    run.cancel()
    assert run.state == "cancelled"
    assert run.waiting == []
    check_record(run)
