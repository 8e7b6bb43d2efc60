from __future__ import annotations

from orchestration_kit import ApprovalStep
from orchestration_kit.testing import FakeClock
from tests.branches.doors import entry_of, flow_of, paths, run_flow
from tests.support import step

FLOW = flow_of(
    step("offer", "sign"),
    ApprovalStep(
        step_id="sign", prompt="Take it?", timeout_s=60, on_success="send", on_failure="file", on_timeout="remind"
    ),
    step("send"),
    step("file"),
    step("remind"),
)
WORKERS = {"offer": lambda _: {"price": 3}, "send": lambda given: given, "file": dict, "remind": dict}


def test_16_the_person_decides_in_time(door):
    run = run_flow(FLOW, WORKERS, door, lambda run: run.approve("yes"), clock=FakeClock())
    assert run.state == "completed"
    assert paths(run) == ["offer#1", "sign#1", "send#1"]
    entry = entry_of(run, "sign#1")
    assert (entry["input"], entry["output"], entry["next_step"], entry["worker_type"]) == (
        {"price": 3},
        "yes",
        "send",
        "approval",
    )
    assert entry["detail"]["answer"] == "approved"


def test_16_the_person_says_no(door):
    run = run_flow(FLOW, WORKERS, door, lambda run: run.reject("too dear"), clock=FakeClock())
    assert paths(run) == ["offer#1", "sign#1", "file#1"]
    assert run.context.data["file_output"] == {"error": "sign#1 was rejected: too dear"}


def test_16_the_time_decides_where_nobody_does(door):
    clock = FakeClock()
    run = run_flow(FLOW, WORKERS, door, lambda run: (clock.advance(60), run.step()), clock=clock)
    assert run.state == "completed"
    assert paths(run) == ["offer#1", "sign#1", "remind#1"]
    entry = entry_of(run, "sign#1")
    assert (entry["error_type"], entry["detail"]["answer"], entry["next_step"]) == ("WaitTimeout", "timeout", "remind")
