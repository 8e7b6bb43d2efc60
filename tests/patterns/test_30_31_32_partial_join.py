from __future__ import annotations

import asyncio
import threading

from orchestration_kit import Branch, ParallelStep
from tests.branches.doors import ends_of, entry_of, flow_of, paths, run_flow
from tests.support import step


def vote(**fields):
    return ParallelStep(
        step_id="p", branches={name: name for name in "abc"}, **{"join": 2, "on_success": "end", **fields}
    )


STEPS = (*(step(name, is_terminal=False) for name in "abc"), step("end"))


def test_30_the_run_goes_on_when_two_of_three_have_ended(door):
    run = run_flow(
        flow_of(vote(max_concurrency=2), *STEPS),
        {**{name: lambda _, name=name: name for name in "ab"}, "c": held(door), "end": dict},
        door,
    )
    assert run.state == "completed"
    assert entry_of(run, "p#1")["output"] == {"a": "a", "b": "b"}
    assert run.context.data["end_output"] == {"a": "a", "b": "b"}
    assert paths(run).count("end#1") == 1


def held(door):
    """Never ends in a loop or on a thread; by hand it is not called, as two have ended before its turn."""

    async def endless(_):
        assert door != "hand"
        await asyncio.Event().wait()

    return endless


def test_32_the_rest_is_cancelled(door):
    begun = threading.Event()

    async def endless(_):
        begun.set()
        await asyncio.Event().wait()

    def wait(_):
        assert door == "hand" or begun.wait(60)

    run = run_flow(flow_of(vote(), *STEPS), {"a": wait, "b": wait, "c": endless, "end": dict}, door)
    assert run.state == "completed"
    if door == "hand":
        assert paths(run) == ["p#1[a]/a#1", "p#1[b]/b#1", "p#1", "end#1"]
    else:
        assert paths(run) == ["p#1[a]/a#1", "p#1[b]/b#1", "p#1[c]/c#1", "p#1", "end#1"]
        assert (
            entry_of(run, "p#1[c]/c#1")["error"]
            == "cancelled: the join of p#1 was reached, 2 of 3 branches had completed"
        )
        assert ends_of(run, "p#1") == {"a": "completed", "b": "completed", "c": "cancelled"}


def test_30_branches_that_fail_do_not_count_and_the_rest_may_still_be_enough(door):
    run = run_flow(
        flow_of(vote(max_concurrency=1), *STEPS), {"a": lambda _: 1 / 0, "b": str, "c": str, "end": dict}, door
    )
    assert run.state == "completed"
    assert ends_of(run, "p#1") == {"a": "failed", "b": "completed", "c": "completed"}
    assert run.context.data["end_output"] == {"b": "go", "c": "go"}


def test_30_a_join_that_cannot_be_reached_any_more_fails_and_says_so(door):
    run = run_flow(
        flow_of(vote(max_concurrency=1), *STEPS),
        {"a": lambda _: 1 / 0, "b": lambda _: 1 / 0, "c": str, "end": dict},
        door,
    )
    assert run.state == "failed"
    assert paths(run) == ["p#1[a]/a#1", "p#1[b]/b#1", "p#1"]
    join = entry_of(run, "p#1")
    assert join["error_type"] == "JoinFailed"
    assert join["error"].startswith(
        "The join of p#1 needs 2 of 3 branches, and that cannot be reached: p#1[a]/a#1 failed: ZeroDivisionError"
    )
    assert ends_of(run, "p#1") == {"a": "failed", "b": "failed", "c": "not started"}


def test_31_each_round_has_a_join_of_its_own(door):
    flow = flow_of(
        vote(max_concurrency=1, on_success="again"),
        *STEPS[:3],
        step("again", "end", branches=(Branch(when="visits < 2", to="p"),)),
        step("end"),
    )
    run = run_flow(flow, {**dict.fromkeys("abc", str), "again": dict, "end": dict}, door)
    assert paths(run) == [
        "p#1[a]/a#1", "p#1[b]/b#1", "p#1", "again#1", "p#2[a]/a#1", "p#2[b]/b#1", "p#2", "again#2", "end#1",
    ]  # fmt: skip
