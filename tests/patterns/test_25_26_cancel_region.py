from __future__ import annotations

import asyncio
import threading

from orchestration_kit import MapStep, ParallelStep, WaitStep
from tests.branches.doors import ends_of, entry_of, flow_of, hub_of, paths, through
from tests.support import step


def region(body: str):
    """A region, and beside it a branch that waits for somebody to cancel it. Whichever ends first wins."""
    return (
        ParallelStep(step_id="p", branches={"region": body, "cancel": "wait"}, join="any", on_success="end"),
        WaitStep(step_id="wait", event="cancel", is_terminal=True),
        step("end"),
    )


def hold():
    """A worker that never ends by itself, and a flag for when it has begun."""
    begun = threading.Semaphore(0)

    async def endless(_):
        begun.release()
        await asyncio.Event().wait()

    return endless, begun


def cancel_when(run, begun, count):
    def work():
        assert all(begun.acquire(timeout=30) for _ in range(count))
        run.send("cancel", "enough")

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_25_an_event_cancels_a_region_and_the_run_goes_on(door):
    endless, begun = hold()
    flow = flow_of(
        *region("a"), step("a", "b", is_terminal=False), step("b", "c", is_terminal=False), step("c", is_terminal=False)
    )
    run = hub_of(flow, {"a": str, "b": str, "c": endless, "end": lambda given: given}).start("flow", "go")
    before = ["p#1[region]/a#1", "p#1[region]/b#1"]
    if door == "hand":
        run.send("cancel", "enough")
        through(door, run)
    else:
        thread = cancel_when(run, begun, 1)
        through(door, run)
        thread.join()
        before.append("p#1[region]/c#1")
        assert entry_of(run, before[-1])["error_type"] == "BranchCancelled"
    assert run.state == "completed"
    assert paths(run) == [*before, "p#1[cancel]/wait#1", "p#1", "end#1"]
    assert run.context.data["end_output"] == {"cancel": "enough"}
    assert ends_of(run, "p#1") == {"region": "cancelled", "cancel": "completed"}


def test_25_a_region_that_ends_by_itself_withdraws_the_wait(door):
    flow = flow_of(*region("a"), step("a", is_terminal=False))
    run = through(door, hub_of(flow, {"a": lambda _: "done", "end": dict}).start("flow", "go"))
    assert [entry["path"] for entry in run.history if entry["success"]] == ["p#1[region]/a#1", "p#1", "end#1"]
    assert run.waiting == []
    assert run.context.data["end_output"] == {"region": "done"}


def test_26_cancelling_a_map_cancels_all_its_instances(door):
    endless, begun = hold()
    flow = flow_of(
        *region("m"), MapStep(step_id="m", over="data.items", body="a", max_concurrency=3), step("a", is_terminal=False)
    )
    worker = str if door == "hand" else endless
    run = hub_of(flow, {"a": worker, "end": dict}).start("flow", "go", {"items": list(range(5))})
    begun_ones = [f"p#1[region]/m#1[{n}]/a#1" for n in range(3)]
    if door == "hand":
        run.send("cancel", "enough")
        through(door, run)
    else:
        thread = cancel_when(run, begun, 3)
        through(door, run)
        thread.join()
        assert {entry_of(run, path)["error_type"] for path in begun_ones} == {"BranchCancelled"}
    assert run.state == "completed"
    assert paths(run) == [*begun_ones, "p#1[cancel]/wait#1", "p#1", "end#1"]
    assert ends_of(run, "p#1") == {"region": "cancelled", "cancel": "completed"}
