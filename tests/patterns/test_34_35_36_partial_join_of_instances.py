from __future__ import annotations

import asyncio
import threading

from orchestration_kit import MapStep
from tests.branches.doors import ends_of, entry_of, flow_of, paths, run_flow
from tests.support import step


def flow_with(**fields):
    return flow_of(
        MapStep(step_id="m", over="data.items", body="a", on_success="end", **fields),
        step("a", is_terminal=False),
        step("end"),
    )


def test_34_the_run_goes_on_when_n_of_the_instances_have_ended(door):
    run = run_flow(
        flow_with(join=2, max_concurrency=1), {"a": lambda n: n * 10, "end": list}, door, data={"items": [1, 2, 3, 4]}
    )
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1", "end#1"]
    assert run.context.data["end_output"] == [10, 20]
    assert ends_of(run, "m#1") == {"0": "completed", "1": "completed", "2": "not started", "3": "not started"}


def test_35_instances_that_are_under_way_are_cancelled(door):
    begun = threading.Semaphore(0)

    async def work(n):
        if n != 0:
            begun.release()
            await asyncio.Event().wait()
        while door != "hand" and begun._value < 2:
            await asyncio.sleep(0)
        return "first"

    run = run_flow(
        flow_with(join="any", max_concurrency=3), {"a": work, "end": list}, door, data={"items": [0, 1, 2, 3]}
    )
    assert run.state == "completed"
    assert run.context.data["end_output"] == ["first"]
    if door == "hand":
        assert paths(run) == ["m#1[0]/a#1", "m#1", "end#1"]
    else:
        assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1[2]/a#1", "m#1", "end#1"]
        assert {entry_of(run, f"m#1[{n}]/a#1")["error_type"] for n in (1, 2)} == {"BranchCancelled"}
        assert ends_of(run, "m#1") == {"0": "completed", "1": "cancelled", "2": "cancelled", "3": "not started"}


def test_36_instances_that_were_added_meanwhile_count_as_well(door):
    def work(given, context):
        if given == "first":
            context.add_item("added")
        if given == "second":
            raise ValueError("no")
        return given

    run = run_flow(
        flow_with(join=2, max_concurrency=1), {"a": work, "end": list}, door, data={"items": ["first", "second"]}
    )
    assert run.state == "completed"
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1[0.0]/a#1", "m#1", "end#1"]
    assert run.context.data["end_output"] == ["first", "added"]
    assert ends_of(run, "m#1") == {"0": "completed", "1": "failed", "0.0": "completed"}


def test_34_a_join_of_more_than_there_are_items_fails_before_one_is_worked_on(door):
    run = run_flow(flow_with(join=3), {"a": lambda _: 1 / 0, "end": list}, door, data={"items": [1, 2]})
    assert run.state == "failed"
    assert paths(run) == ["m#1"]
    assert entry_of(run, "m#1")["error_type"] == "JoinFailed"
    assert ends_of(run, "m#1") == {"0": "not started", "1": "not started"}
