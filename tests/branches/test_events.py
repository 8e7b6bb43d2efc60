"""Events from outside: taken by whoever waits, kept for whoever will, refused where nobody ever can."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit import MapStep, MemoryJournal, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.engine.refusals import AnswerRefused
from orchestration_kit.errors import RunStateError
from tests.branches.doors import check_record, entry_of, flow_of, go, hub_of, paths, through
from tests.support import step

FLOW = flow_of(
    step("order", "paid"), WaitStep(step_id="paid", event="payment_received", on_success="ship"), step("ship")
)
WORKERS = {"order": str, "ship": lambda given: given}


def test_an_event_that_no_step_waits_for_is_refused_with_the_name_that_is_near(door):
    run = go(hub_of(FLOW, WORKERS).start("flow", "go"), door)
    with pytest.raises(AnswerRefused, match="no step waits for the event 'payment_recieved'") as caught:
        run.send("payment_recieved", {})
    assert "Its events: payment_received. Did you mean 'payment_received'?" in str(caught.value)
    assert len(run.waiting) == 1


def test_a_workflow_without_events_says_so():
    run = hub_of(flow_of(step("order", "ship"), step("ship")), WORKERS).start("flow", "go")
    with pytest.raises(AnswerRefused, match="no step waits for the event 'x'"):
        run.send("x")


def test_events_of_inline_workflows_are_known(door):
    inner = flow_of(WaitStep(step_id="w", event="deep", is_terminal=True), name="inner")
    flow = flow_of(ParallelStep(step_id="p", branches={"a": inner}, is_terminal=True))
    run = hub_of(flow, {}).start("flow", "go")
    run.send("deep", 7)
    through(door, run)
    assert run.context.data["p_output"] == {"a": 7}


def test_an_event_after_the_end_is_refused(door):
    run = hub_of(FLOW, WORKERS).start("flow", "go")
    run.send("payment_received", 1)
    through(door, run)
    with pytest.raises(RunStateError, match="it has ended"):
        run.send("payment_received", 2)


def test_a_payload_is_copied_when_it_is_sent(door):
    payload = {"euros": [1]}
    run = hub_of(FLOW, WORKERS).start("flow", "go")
    run.send("payment_received", payload)
    payload["euros"].append(2)
    through(door, run)
    assert run.context.data["ship_output"] == {"euros": [1]}


def test_a_payload_that_cannot_be_put_on_record_is_refused_and_nothing_is_lost(door):
    run = go(hub_of(FLOW, WORKERS, journal=MemoryJournal()).start("flow", "go"), door)
    with pytest.raises(Exception, match="payment_received"):
        run.send("payment_received", threading.Lock())
    assert run.state == "waiting"
    run.send("payment_received", 1)
    assert go(run, door).state == "completed"


def test_several_waiting_branches_are_served_in_order_one_event_each(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="w", is_terminal=True), WaitStep(step_id="w", event="e")
    )
    run = go(hub_of(flow, {}).start("flow", "go", {"items": list(range(12))}), door)
    for n in range(12):
        assert len(run.waiting) == 12 - n
        run.send("e", n)
        go(run, door)
    assert run.context.data["m_output"] == list(range(12))


def test_events_sent_before_are_given_out_in_the_order_in_which_they_came(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="w", max_concurrency=1, is_terminal=True),
        WaitStep(step_id="w", event="e"),
    )
    run = hub_of(flow, {}).start("flow", "go", {"items": [0, 1, 2]})
    for n in range(3):
        run.send("e", n)
    through(door, run)
    assert sorted(run.context.data["m_output"]) == [0, 1, 2]
    assert {entry["detail"]["answer"] for entry in run.history if entry["step"] == "w"} == {"kept"}


def test_an_event_reaches_the_run_of_a_sub_workflow_that_waits_for_it(door):
    outer = flow_of(SubworkflowStep(step_id="s", workflow="inner", on_success="ship"), step("ship"), name="outer")
    inner = flow_of(WaitStep(step_id="w", event="e", is_terminal=True), name="inner")
    run = go(hub_of([inner, outer], WORKERS).start("outer", "go", run_id="r"), door)
    assert [(one.run_id, one.path) for one in run.waiting] == [("r/s#1", "w#1")]
    run.send("e", 5)
    through(door, run)
    assert run.context.data["ship_output"] == 5


def test_an_event_for_a_sub_workflow_that_does_not_wait_yet_is_kept_for_it(door):
    """It waits for "first" now and will wait for "second"; its parent waits for neither."""
    outer = flow_of(SubworkflowStep(step_id="s", workflow="inner", on_success="ship"), step("ship"), name="outer")
    inner = flow_of(
        WaitStep(step_id="w", event="first", on_success="v"),
        WaitStep(step_id="v", event="second", is_terminal=True),
        name="inner",
    )
    run = go(hub_of([inner, outer], WORKERS).start("outer", "go", run_id="r"), door)
    run.send("second", 2)
    run.send("first", 1)
    assert go(run, door).state == "completed"
    assert run.context.data["ship_output"] == 2


def test_an_event_sent_from_a_worker_of_another_branch_is_taken_while_the_run_is_driven(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"wait": "w", "work": "a"}, on_success="ship"), WaitStep(step_id="w", event="e"), step("a", "b", is_terminal=False),
        step("b", is_terminal=False), step("ship"),
    )  # fmt: skip
    hub = hub_of(flow, {**WORKERS, "a": lambda _: hub.last_run.send("e", "from a"), "b": str})
    run = through(door, hub.start("flow", "go"))
    assert run.context.data["p_output"] == {"wait": "from a", "work": "None"}
    check_record(run)


def test_an_event_sent_from_another_thread_wakes_a_run_that_is_being_driven(door):
    """A branch works on until it is told that the event was taken; so the run is driven all the while."""
    taken = threading.Event()
    begun = threading.Event()

    def busy(_):
        begun.set()
        assert door == "hand" or taken.wait(30)

    flow = flow_of(
        ParallelStep(step_id="p", branches={"work": "a", "wait": "w"}, is_terminal=True), step("a", is_terminal=False), WaitStep(step_id="w", event="e", on_success="b"),
        step("b", is_terminal=False),
    )  # fmt: skip
    run = hub_of(flow, {"a": busy, "b": lambda given: taken.set() or given}).start("flow", "go")
    sender = threading.Thread(target=lambda: (begun.wait(30), run.send("e", "woken")))
    sender.start()
    go(run, door)
    sender.join()
    through(door, run)
    assert run.context.data["p_output"] == {"work": None, "wait": "woken"}


@pytest.mark.parametrize("when", ["before", "while"])
def test_an_event_outlives_the_process(door, when):
    journal = MemoryJournal()
    run = hub_of(FLOW, WORKERS, journal=journal).start("flow", "go", run_id="r")
    if when == "while":
        go(run, door)
    run.send("payment_received", {"euros": 3})
    del run
    again = hub_of(FLOW, WORKERS, journal=journal).reopen("r")
    through(door, again)
    assert again.context.data["ship_output"] == {"euros": 3}
    assert entry_of(again, "paid#1")["detail"]["answer"] == ("kept" if when == "before" else "event")
    assert paths(again) == ["order#1", "paid#1", "ship#1"]
