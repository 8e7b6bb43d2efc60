from __future__ import annotations

import asyncio
import threading

from orchestration_kit import Branch, ParallelStep
from tests.branches.doors import ends_of, entry_of, flow_of, paths, run_flow
from tests.support import step

RACE = ParallelStep(step_id="p", branches={"fast": "f", "slow": "s"}, join="any", on_success="end")
FLOW = flow_of(RACE, step("f", is_terminal=False), step("s", "s2", is_terminal=False), step("s2"), step("end"))


def racers(door):
    """A winner that waits until the loser is under way, by hand apart, where one comes after the other."""
    begun, stopped = threading.Event(), []

    def fast(_):
        assert door == "hand" or begun.wait(30)
        return "won"

    async def slow(_):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    return {"f": fast, "s": slow, "s2": str, "end": lambda given: given}, stopped


def test_09_the_first_branch_to_end_lets_the_run_go_on_once(door):
    workers, _ = racers(door)
    run = run_flow(FLOW, workers, door)
    assert run.state == "completed"
    assert paths(run).count("p#1") == paths(run).count("end#1") == 1
    assert entry_of(run, "p#1")["output"] == run.context.data["end_output"] == {"fast": "won"}


def test_29_the_others_are_cancelled_and_that_is_on_record(door):
    workers, stopped = racers(door)
    run = run_flow(FLOW, workers, door)
    if door == "hand":
        assert paths(run) == ["p#1[fast]/f#1", "p#1", "end#1"]
        return
    assert paths(run) == ["p#1[fast]/f#1", "p#1[slow]/s#1", "p#1", "end#1"]
    loser = entry_of(run, "p#1[slow]/s#1")
    assert (loser["success"], loser["error_type"], loser["next_step"]) == (False, "BranchCancelled", None)
    assert loser["error"] == "cancelled: the join of p#1 was reached, 1 of 2 branches had completed"
    assert ends_of(run, "p#1") == {"fast": "completed", "slow": "cancelled"}
    assert door == "sync" or stopped == [True]


def test_29_a_branch_that_never_began_is_named_by_the_join(door):
    run = run_flow(
        flow_of(
            RACE.model_copy(update={"max_concurrency": 1}),
            step("f", is_terminal=False),
            step("s", is_terminal=False),
            step("end"),
        ),
        {"f": lambda _: "won", "s": lambda _: 1 / 0, "end": dict},
        door,
    )
    assert paths(run) == ["p#1[fast]/f#1", "p#1", "end#1"]
    assert ends_of(run, "p#1") == {"fast": "completed", "slow": "not started"}


def test_09_a_branch_that_fails_does_not_win(door):
    def fails(_):
        raise ValueError("no")

    one_by_one = RACE.model_copy(update={"max_concurrency": 1})
    flow = flow_of(
        one_by_one, step("f", is_terminal=False), step("s", "s2", is_terminal=False), step("s2"), step("end")
    )
    run = run_flow(flow, {"f": fails, "s": lambda _: "1", "s2": lambda given: given + "2", "end": dict}, door)
    assert run.state == "completed"
    assert ends_of(run, "p#1") == {"fast": "failed", "slow": "completed"}
    assert run.context.data["end_output"] == {"slow": "12"}


def test_28_a_second_round_has_branches_and_a_join_of_its_own(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"one": "f", "two": "f"}, join="any", max_concurrency=1, on_success="again"),
        step("f", is_terminal=False),
        step("again", "end", branches=(Branch(when="visits < 3", to="p"),)),
        step("end"),
    )
    run = run_flow(flow, {"f": lambda _: "won", "again": lambda given: given, "end": dict}, door)
    assert paths(run) == [
        "p#1[one]/f#1", "p#1", "again#1", "p#2[one]/f#1", "p#2", "again#2", "p#3[one]/f#1", "p#3", "again#3", "end#1",
    ]  # fmt: skip
    assert all(ends_of(run, f"p#{n}") == {"one": "completed", "two": "not started"} for n in (1, 2, 3))
