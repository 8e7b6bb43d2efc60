"""What was done is undone when the run, or an all_or_nothing group, fails: the last in the order of the workflow first."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit import Branch, MapStep, MemoryJournal, ParallelStep, RunLimits, Spawn
from tests.branches.doors import check_record, ends_of, entry_of, flow_of, go, hub_of, paths, run_flow, through
from tests.support import step


def boom(_):
    raise ValueError("boom")


SAGA = flow_of(
    step("book", "pay", compensate="unbook"), step("pay", "send", compensate="refund"), step("send"),
    step("unbook", is_terminal=False), step("refund", is_terminal=False),
)  # fmt: skip


def saga(door, **workers):
    given = {
        "book": lambda _: "booked",
        "pay": lambda _: {"euros": 3},
        "send": boom,
        "unbook": lambda got: got,
        "refund": lambda got: got,
    }
    return run_flow(SAGA, {**given, **workers}, door)


def test_completed_steps_are_undone_the_last_first_with_their_outputs(door):
    run = saga(door)
    assert run.state == "failed"
    assert paths(run) == ["book#1", "pay#1", "send#1", "[undo]/refund#1", "[undo]/unbook#1"]
    assert [(entry["input"], entry["detail"]) for entry in run.history[3:]] == [
        ({"euros": 3}, {"undoes": "pay#1"}), ("booked", {"undoes": "book#1"}),
    ]  # fmt: skip
    assert run.context.error == "send#1 failed: ValueError: boom"


def test_nothing_is_undone_where_the_run_completes(door):
    run = saga(door, send=str)
    assert run.state == "completed"
    assert paths(run) == ["book#1", "pay#1", "send#1"]


def test_a_step_that_failed_is_not_undone_itself(door):
    run = saga(door, pay=boom)
    assert paths(run) == ["book#1", "pay#1", "[undo]/unbook#1"]


def test_a_compensation_that_fails_is_told_and_the_others_are_undone_all_the_same(door):
    run = saga(door, refund=boom)
    assert run.state == "failed"
    assert paths(run) == ["book#1", "pay#1", "send#1", "[undo]/refund#1", "[undo]/unbook#1"]
    assert run.context.error.startswith("send#1 failed: ValueError: boom; not undone: ")
    assert "[undo]/refund#1 failed: ValueError: boom" in run.context.error
    assert entry_of(run, "[undo]/unbook#1")["success"]


def test_a_compensation_is_retried_and_has_a_failure_path_like_any_step(door):
    flow = flow_of(
        step("a", "b", compensate="undo_a"),
        step("b"),
        step("undo_a", is_terminal=False, max_retries=1, on_failure="call"),
        step("call", is_terminal=False),
    )
    run = run_flow(flow, {"a": str, "b": boom, "undo_a": boom, "call": lambda _: "called"}, door)
    assert paths(run) == ["a#1", "b#1", "[undo]/undo_a#1", "[undo]/undo_a#1.2", "[undo]/call#1"]
    assert run.context.error == "b#1 failed: ValueError: boom"
    assert [entry["detail"] for entry in run.history[2:4]] == [{"undoes": "a#1"}] * 2


def test_every_visit_is_undone(door):
    flow = flow_of(
        step("a", "end", branches=(Branch(when="visits < 3", to="a"),), compensate="undo_a"),
        step("end"),
        step("undo_a", is_terminal=False),
    )
    run = run_flow(flow, {"a": lambda _, context: context.visit, "end": boom, "undo_a": lambda got: got}, door)
    assert paths(run) == ["a#1", "a#2", "a#3", "end#1", "[undo]/undo_a#1", "[undo]/undo_a#2", "[undo]/undo_a#3"]
    assert [entry["output"] for entry in run.history[4:]] == [3, 2, 1]


def test_compensations_see_the_bus_and_what_they_write_stays(door):
    def unbook(_, context):
        context.data["log"] = [*context.data["log"], "unbooked"]

    def refund(_, context):
        context.data["log"] = [*context.data.get("log", []), "refunded", context.data["pay_output"]]

    run = saga(door, unbook=unbook, refund=refund)
    assert run.context.data["log"] == ["refunded", {"euros": 3}, "unbooked"]


def test_an_outcome_of_failed_undoes_as_well(door):
    flow = flow_of(
        step("a", "end", compensate="undo_a"),
        step("end", worker_type="a", outcome="failed"),
        step("undo_a", is_terminal=False),
    )
    run = run_flow(flow, {"a": str, "undo_a": str}, door)
    assert paths(run) == ["a#1", "end#1", "[undo]/undo_a#1"]


def test_a_limit_undoes_as_well(door):
    flow = flow_of(step("a", "b", compensate="undo_a"), step("b", "b"), step("undo_a", is_terminal=False))
    flow.add_step(step("b", "b", branches=(Branch(when="false", to="end"),)), replace=True)
    flow.add_step(step("end"))
    run = run_flow(flow, {"a": str, "b": str, "undo_a": str, "end": str}, door, limits=RunLimits(max_steps=4))
    assert run.state == "failed"
    assert paths(run)[-1] == "[undo]/undo_a#1"
    assert run.context.error.startswith("limit max_steps reached")


def test_a_cancelled_run_is_not_undone_as_it_may_be_resumed(door):
    hub = hub_of(
        SAGA, {"book": str, "pay": lambda _: hub.last_run.cancel("enough"), "send": str, "unbook": str, "refund": str}
    )
    run = go(hub.start("flow", "go"), door)
    assert run.state == "cancelled"
    assert [path for path in paths(run) if "undo" in path] == []
    check_record(run)


# --- across branches


ACROSS = flow_of(
    step("first", "p", compensate="undo"),
    ParallelStep(step_id="p", branches={"l": "l1", "r": "r1"}, on_success="last"),
    step("l1", "l2", is_terminal=False, compensate="undo"), step("l2", is_terminal=False, compensate="undo"),
    step("r1", is_terminal=False, compensate="undo"), step("last"), step("undo", is_terminal=False),
)  # fmt: skip


def test_the_order_of_undoing_is_that_of_the_workflow_backwards_whoever_ended_first(door):
    """On threads and in a loop, r1 ends before l1 does."""
    right_is_done = threading.Event()

    def left(_):
        assert door == "hand" or right_is_done.wait(30)
        return "l1"

    workers = {
        "first": lambda _: "first",
        "l1": left,
        "l2": lambda _: "l2",
        "r1": lambda _: right_is_done.set() or "r1",
        "last": boom,
        "undo": lambda got: got,
    }
    run = run_flow(ACROSS, workers, door)
    assert paths(run)[-4:] == [f"[undo]/undo#{n}" for n in (1, 2, 3, 4)]
    assert [entry["output"] for entry in run.history[-4:]] == ["r1", "l2", "l1", "first"]
    assert [entry["detail"]["undoes"] for entry in run.history[-4:]] == [
        "p#1[r]/r1#1",
        "p#1[l]/l2#1",
        "p#1[l]/l1#1",
        "first#1",
    ]


def test_all_or_nothing_undoes_what_its_branches_did_before_the_run_goes_on(door):
    flow = flow_of(
        step("first", "m", compensate="undo"),
        MapStep(step_id="m", over="data.items", body="a", failure="all_or_nothing", max_concurrency=1, on_success="end", on_failure="mend"),
        step("a", "b", is_terminal=False, compensate="undo"), step("b", is_terminal=False), step("end"), step("mend"), step("undo", is_terminal=False),
    )  # fmt: skip

    def b(n):
        if n == 2:
            raise ValueError("two")
        return n

    undone = []
    workers = {
        "first": str,
        "a": lambda n: n,
        "b": b,
        "end": list,
        "mend": lambda _: list(undone),
        "undo": undone.append,
    }
    run = run_flow(flow, workers, door, data={"items": [0, 1, 2, 3]})
    assert run.state == "completed"
    assert undone == [2, 1, 0]
    within = [f"m#1[{n}]/{name}#1" for n in range(3) for name in "ab"]
    assert paths(run) == ["first#1", *within, *(f"m#1[undo]/undo#{n}" for n in (1, 2, 3)), "m#1", "mend#1"]
    assert run.context.data["mend_output"] == [2, 1, 0]
    assert ends_of(run, "m#1") == {"0": "completed", "1": "completed", "2": "failed", "3": "not started"}


def test_all_or_nothing_keeps_all_where_all_succeed(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="all_or_nothing", on_success="end"),
        step("a", is_terminal=False, compensate="undo"), step("end"), step("undo", is_terminal=False),
    )  # fmt: skip
    run = run_flow(flow, {"a": lambda n: n, "end": boom, "undo": lambda got: got}, door, data={"items": [1, 2]})
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1", "end#1", "[undo]/undo#1", "[undo]/undo#2"]
    assert [entry["output"] for entry in run.history[-2:]] == [2, 1]


def test_what_a_group_has_undone_is_not_undone_again_when_the_run_fails(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="all_or_nothing", max_concurrency=1, on_success="end"),
        step("a", is_terminal=False, compensate="undo"), step("end"), step("undo", is_terminal=False),
    )  # fmt: skip

    def a(n):
        return boom(n) if n == 1 else n

    run = run_flow(flow, {"a": a, "end": list, "undo": str}, door, data={"items": [0, 1]})
    assert run.state == "failed"
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1[undo]/undo#1", "m#1"]


def test_an_all_or_nothing_that_could_not_be_undone_says_so(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="all_or_nothing", max_concurrency=1, on_success="end"),
        step("a", is_terminal=False, compensate="undo"), step("end"), step("undo", is_terminal=False),
    )  # fmt: skip
    run = run_flow(
        flow, {"a": lambda n: boom(n) if n == 1 else n, "end": list, "undo": boom}, door, data={"items": [0, 1]}
    )
    assert "; not undone: m#1[undo]/undo#1 failed: ValueError: boom" in entry_of(run, "m#1")["error"]


def test_losers_of_a_join_that_had_completed_steps_are_undone_when_the_run_fails(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "b"}, join="any", max_concurrency=1, on_success="end"),
        step("a", is_terminal=False, compensate="undo"), step("b", is_terminal=False), step("end"), step("undo", is_terminal=False),
    )  # fmt: skip
    run = run_flow(flow, {"a": lambda _: "A", "b": str, "end": boom, "undo": lambda got: got}, door)
    assert paths(run) == ["p#1[l]/a#1", "p#1", "end#1", "[undo]/undo#1"]


def test_a_composite_step_is_undone_with_its_own_output(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", on_success="end", compensate="undo"),
        step("a", is_terminal=False),
        step("end"),
        step("undo", is_terminal=False),
    )
    run = run_flow(flow, {"a": lambda n: n, "end": boom, "undo": lambda got: got}, door, data={"items": [1, 2]})
    assert entry_of(run, "[undo]/undo#1")["input"] == [1, 2]
    assert entry_of(run, "[undo]/undo#1")["detail"] == {"undoes": "m#1"}


def test_a_spawned_workflow_is_undone_by_its_own_steps(door):
    inner = flow_of(step("x", "y", compensate="undo_x"), step("y"), step("undo_x", is_terminal=False), name="inner")
    flow = flow_of(step("plan", "end"), step("end"))
    run = run_flow(
        flow,
        {"plan": lambda _: Spawn(inner), "x": lambda _: "X", "y": str, "end": boom, "undo_x": lambda got: got},
        door,
    )
    assert paths(run) == ["plan#1", "plan#1[spawn]/x#1", "plan#1[spawn]/y#1", "plan#1.2", "end#1", "[undo]/undo_x#1"]
    assert entry_of(run, "[undo]/undo_x#1")["input"] == "X"


@pytest.mark.parametrize("stop", ["refund", "unbook"])
def test_undoing_goes_on_after_a_crash_and_repeats_nothing_that_was_undone(stop):
    journal, calls = MemoryJournal(), []

    def of(name):
        def work(given):
            calls.append(name)
            if name == stop and calls.count(name) == 1:
                raise KeyboardInterrupt
            return given

        return work

    def hub():
        return hub_of(
            SAGA,
            {"book": of("book"), "pay": of("pay"), "send": boom, "unbook": of("unbook"), "refund": of("refund")},
            journal=journal,
        )

    with pytest.raises(KeyboardInterrupt):
        hub().start("flow", "go", run_id="r").run()
    again = hub().reopen("r")
    through("sync", again)
    assert again.state == "failed"
    done = [entry["path"] for entry in again.history if entry["success"] and "undo" in entry["path"]]
    assert done == ["[undo]/refund#1", "[undo]/unbook#1"]
    assert {name: calls.count(name) for name in ("book", "pay", "refund", "unbook")} == {
        "book": 1,
        "pay": 1,
        "refund": 1,
        "unbook": 1,
    } | {stop: 2}
