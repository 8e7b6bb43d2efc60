from __future__ import annotations

from orchestration_kit import WaitStep
from orchestration_kit.engine.events import EventReceived
from tests.branches.doors import check_record, entry_of, flow_of, go, hub_of, paths, through
from tests.support import step

FLOW = flow_of(step("order", "paid"), WaitStep(step_id="paid", event="payment", on_success="ship"), step("ship"))
WORKERS = {"order": str, "ship": lambda given: given}


def test_24_an_event_that_comes_before_somebody_waits_is_kept(door):
    run = hub_of(FLOW, WORKERS).start("flow", "go")
    run.send("payment", {"euros": 12})
    assert any(isinstance(event, EventReceived) for event in run.events)
    through(door, run)
    assert paths(run) == ["order#1", "paid#1", "ship#1"]
    assert entry_of(run, "paid#1")["detail"]["answer"] == "kept"
    assert run.context.data["ship_output"] == {"euros": 12}


def test_24_an_event_that_comes_while_somebody_waits_is_taken_at_once(door):
    run = go(hub_of(FLOW, WORKERS).start("flow", "go"), door)
    assert [(one.path, one.kind, one.event) for one in run.waiting] == [("paid#1", "event", "payment")]
    run.send("payment", {"euros": 12})
    through(door, run)
    assert entry_of(run, "paid#1")["detail"]["answer"] == "event"
    assert run.context.data["ship_output"] == {"euros": 12}


def test_24_kept_events_are_taken_one_by_one_the_first_first(door):
    flow = flow_of(
        WaitStep(step_id="one", event="e", on_success="two"), WaitStep(step_id="two", event="e", on_success="three"),
        WaitStep(step_id="three", event="e", is_terminal=True),
    )  # fmt: skip
    run = hub_of(flow, {}).start("flow", "go")
    run.send("e", 1)
    run.send("e", 2)
    go(run, door)
    assert (run.state, [one.path for one in run.waiting]) == ("waiting", ["three#1"])
    check_record(run)
    run.send("e", 3)
    through(door, run)
    assert [entry["output"] for entry in run.history] == [1, 2, 3]
