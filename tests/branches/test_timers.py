"""Waits for times, time limits of waits, and a clock that somebody sets. No test sleeps: the clock is a fake one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestration_kit import ApprovalStep, MapStep, MemoryJournal, ParallelStep, WaitStep
from orchestration_kit.testing import FakeClock
from tests.branches.doors import check_record, ends_of, entry_of, flow_of, go, hub_of, paths, run_flow, through
from tests.support import step

DAY = 86_400.0
START = 1_700_000_000.0


def test_a_wait_for_some_seconds_passes_on_what_came_in(door):
    clock = FakeClock(START)
    flow = flow_of(step("a", "w"), WaitStep(step_id="w", for_s=90, on_success="b"), step("b"))
    run = run_flow(flow, {"a": lambda _: "A", "b": lambda given: given}, door, clock=clock)
    assert run.state == "completed"
    assert paths(run) == ["a#1", "w#1", "b#1"]
    assert run.context.data["b_output"] == "A"
    assert entry_of(run, "w#1")["detail"]["answer"] == "time"
    assert sum(clock.slept) == 90


def test_a_wait_until_a_moment(door):
    clock = FakeClock(START)
    until = datetime.fromtimestamp(START, UTC) + timedelta(hours=2)
    flow = flow_of(WaitStep(step_id="w", until=until, on_success="b"), step("b"))
    run = run_flow(flow, {"b": str}, door, clock=clock)
    assert run.state == "completed"
    assert clock.time() == START + 7200


def test_a_moment_that_has_passed_is_not_waited_for(door):
    clock = FakeClock(START)
    flow = flow_of(WaitStep(step_id="w", until=datetime(2001, 1, 1, tzinfo=UTC), on_success="b"), step("b"))
    run = run_flow(flow, {"b": str}, door, clock=clock)
    assert run.state == "completed"
    assert clock.time() == START


def test_branches_wait_side_by_side(door):
    clock = FakeClock(START)
    flow = flow_of(
        ParallelStep(step_id="p", branches={"a": "w1", "b": "w2", "c": "w3"}, is_terminal=True),
        WaitStep(step_id="w1", for_s=30), WaitStep(step_id="w2", for_s=10), WaitStep(step_id="w3", for_s=20),
    )  # fmt: skip
    run = run_flow(flow, {}, door, clock=clock)
    assert run.state == "completed"
    assert clock.time() == START + 30
    answered = [event.path for event in run.machine.arrivals() if type(event).__name__ == "Answered"]
    assert answered == ["p#1[b]/w2#1", "p#1[c]/w3#1", "p#1[a]/w1#1"]
    assert paths(run) == ["p#1[a]/w1#1", "p#1[b]/w2#1", "p#1[c]/w3#1", "p#1"]


def test_a_timer_as_a_time_limit_of_a_region(door):
    """join="any" with a timer beside the work: the work was too slow."""
    clock = FakeClock(START)
    flow = flow_of(
        ParallelStep(step_id="p", branches={"work": "w", "late": "t"}, join="any", is_terminal=True),
        WaitStep(step_id="w", event="done"), WaitStep(step_id="t", for_s=60),
    )  # fmt: skip
    run = go(hub_of(flow, {}, clock=clock).start("flow", "go"), door)
    assert run.state == "waiting"
    clock.advance(61)
    through(door, run)
    assert ends_of(run, "p#1") == {"work": "cancelled", "late": "completed"}


def waits(kind):
    if kind == "approval":
        return ApprovalStep(step_id="w", prompt="?", timeout_s=3600, on_timeout="late", on_success="b")
    return WaitStep(step_id="w", event="e", timeout_s=3600, on_timeout="late", on_success="b")


@pytest.mark.parametrize("kind", ["approval", "event"])
def test_nothing_is_over_before_its_time(door, kind):
    clock = FakeClock(START)
    run = go(
        hub_of(flow_of(waits(kind), step("b"), step("late")), {"b": str, "late": dict}, clock=clock).start(
            "flow", "go"
        ),
        door,
    )
    clock.advance(3599.99)
    assert go(run, door).state == "waiting"
    clock.advance(0.02)
    assert paths(through(door, run)) == ["w#1", "late#1"]
    entry = entry_of(run, "w#1")
    assert (entry["error_type"], entry["next_step"]) == ("WaitTimeout", "late")
    assert "waited 3600 s for " in entry["error"]


def test_without_a_way_on_a_timeout_is_a_failure(door):
    clock = FakeClock(START)
    flow = flow_of(WaitStep(step_id="w", event="e", timeout_s=1, on_success="b", on_failure="f"), step("b"), step("f"))
    run = go(hub_of(flow, {"b": str, "f": dict}, clock=clock).start("flow", "go"), door)
    clock.advance(2)
    assert paths(through(door, run)) == ["w#1", "f#1"]


@pytest.mark.parametrize("jump", [DAY, -DAY])
@pytest.mark.parametrize("kind", ["approval", "event", "time"])
def test_a_clock_that_jumps_a_day_makes_no_timer_early_nor_late(door, kind, jump):
    clock = FakeClock(START)
    blocker = ApprovalStep(step_id="hold", prompt="?")
    timed = WaitStep(step_id="w", for_s=3600) if kind == "time" else waits(kind)
    flow = flow_of(
        ParallelStep(step_id="p", branches={"timed": "w", "hold": "hold"}, is_terminal=True),
        timed,
        blocker,
        step("b", is_terminal=False),
        step("late", is_terminal=False),
    )
    flow = (
        flow if kind != "time" else flow_of(*[one for one in flow.steps.values() if one.step_id not in {"b", "late"}])
    )
    run = go(hub_of(flow, {"b": str, "late": dict}, clock=clock).start("flow", "go"), door)
    clock.jump(jump)
    assert len(go(run, door).waiting) == 2
    clock.advance(3599)
    assert len(go(run, door).waiting) == 2
    clock.advance(2)
    assert [one.path for one in go(run, door).waiting] == ["p#1[hold]/hold#1"]


def test_a_wait_until_a_moment_is_not_early_where_the_clock_was_put_forward(door):
    clock = FakeClock(START)
    until = datetime.fromtimestamp(START + 3600, UTC)
    flow = flow_of(
        ParallelStep(step_id="p", branches={"timed": "w", "hold": "hold"}, is_terminal=True),
        WaitStep(step_id="w", until=until),
        ApprovalStep(step_id="hold", prompt="?"),
    )
    run = go(hub_of(flow, {}, clock=clock).start("flow", "go"), door)
    clock.jump(DAY)
    assert len(go(run, door).waiting) == 2
    clock.jump(-DAY)
    clock.advance(3601)
    assert len(go(run, door).waiting) == 1


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_jump_of_the_clock_does_not_change_a_retry_or_its_duration(door, jump):
    clock = FakeClock(START)

    def work(n, context):
        clock.jump(jump)
        clock.advance(5)
        if context.attempt == 1:
            raise ValueError("again")
        return n

    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=1, is_terminal=True),
        step("a", is_terminal=False, max_retries=1),
    )
    run = run_flow(flow, {"a": work}, door, data={"items": [1]}, clock=clock)
    assert run.state == "completed"
    assert [entry["duration_s"] for entry in run.history[:2]] == [5, 5]


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_after_a_restart_a_timer_counts_from_what_the_clock_says_and_no_longer_than_it_was_meant_to(jump):
    journal, clock = MemoryJournal(), FakeClock(START)
    flow = flow_of(waits("approval"), step("b"), step("late"))
    workers = {"b": str, "late": dict}
    go(hub_of(flow, workers, journal=journal, clock=clock).start("flow", "go", run_id="r"))
    clock.advance(1800)
    clock.jump(jump)
    again = go(hub_of(flow, workers, journal=journal, clock=clock).reopen("r"))
    if jump > 0:  # all that a new process can know is the time of day
        assert again.state == "completed"
        return
    assert again.state == "waiting"
    clock.advance(3601)
    assert go(again).state == "completed"


def test_what_was_waited_counts_when_a_cancelled_run_is_resumed(door):
    clock = FakeClock(START)
    hub = hub_of(flow_of(waits("event"), step("b"), step("late")), {"b": str, "late": dict}, clock=clock)
    run = go(hub.start("flow", "go", run_id="r"), door)
    clock.advance(3000)
    run.cancel()
    again = hub.reopen("r")
    assert go(again, door).state == "waiting"
    assert again.waiting[0].deadline == START + 3600
    clock.advance(601)
    through(door, again)
    assert paths(again) == ["w#1", "late#1"]
    check_record(again)


def test_a_cancel_leads_out_of_a_wait_for_a_time():
    """The run's own thread waits for a day; another one cancels it."""
    import threading

    class Watched(FakeClock):
        def sleep(self, seconds, wake):
            entered.set()
            assert wake.wait(30)

    entered = threading.Event()
    run = hub_of(
        flow_of(WaitStep(step_id="w", for_s=DAY, on_success="b"), step("b")), {"b": str}, clock=Watched()
    ).start("flow", "go")
    canceller = threading.Thread(target=lambda: (entered.wait(30), run.cancel("enough")))
    canceller.start()
    run.run()
    canceller.join()
    assert (run.state, run.context.error) == ("cancelled", "enough")
    check_record(run)
