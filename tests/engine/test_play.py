"""A run that is driven beside its caller: play, pause, wait, await; nothing is lost and nobody drives twice."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import (
    MapStep,
    RetryPolicy,
    Run,
    RunLimits,
    SQLiteJournal,
    WaitStep,
)
from orchestration_kit.errors import RunStateError, UnknownStep
from orchestration_kit.testing import FakeClock
from tests.support import hub_of, step, workflow_of

LONG = 30.0


class Gate:
    """A worker that says when it was called and waits to be let through."""

    def __init__(self):
        self.called, self.free = threading.Event(), threading.Event()

    def __call__(self, given):
        self.called.set()
        assert self.free.wait(LONG)
        return given


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.free.set()


def echo(given):
    return given


def chain(gate=echo, **options):
    return hub_of(workflow_of(step("a", "b"), step("b", "c"), step("c")), {"a": gate, "b": echo, "c": echo}, **options)


def test_play_returns_at_once_and_wait_waits_for_the_end(gate):
    run = chain(gate).start("flow", "g")
    run.play()
    assert gate.called.wait(LONG)
    assert run.is_driven
    gate.free.set()
    assert run.wait(LONG).state.value == "completed"
    assert not run.is_driven
    assert [entry["step"] for entry in run.history] == ["a", "b", "c"]


def test_what_play_does_is_what_run_does():
    played, made = chain().start("flow", "g", run_id="r"), chain().start("flow", "g", run_id="r")
    played.play()
    played.wait(LONG)
    made.run()
    assert [(e["path"], e["input"], e["output"], e["next_step"]) for e in played.history] == [
        (e["path"], e["input"], e["output"], e["next_step"]) for e in made.history
    ]


def test_play_makes_as_many_visits_as_asked_for_and_goes_on_where_it_stopped():
    run = chain().start("flow", "g")
    run.play(visits=1)
    assert run.wait(LONG).state.value == "in_progress"
    assert (len(run.history), run.next_step) == (1, "b")
    run.play(visits=5)
    assert run.wait(LONG).state.value == "completed"


def test_play_stops_before_a_step():
    run = chain().start("flow", "g")
    run.play(until="c")
    run.wait(LONG)
    assert (len(run.history), run.next_step) == (2, "c")


def test_a_pause_lets_the_visit_under_way_end_and_begins_no_other(gate):
    run = chain(gate).start("flow", "g")
    run.play()
    assert gate.called.wait(LONG)
    run.pause()
    assert run.is_pausing
    gate.free.set()
    assert run.wait(LONG).state.value == "in_progress"
    assert ([entry["step"] for entry in run.history], run.next_step) == (["a"], "b")
    assert not run.is_pausing
    assert run.run().state.value == "completed"


def test_a_pause_before_the_thread_has_begun_counts(gate):
    run = chain(gate).start("flow", "g")
    run.play()
    run.pause()
    gate.free.set()
    run.wait(LONG)
    assert len(run.history) <= 1
    assert not run.is_finished


def test_a_pause_of_a_run_that_nobody_drives_changes_nothing():
    run = chain().start("flow", "g")
    run.pause()
    assert run.run().state.value == "completed"
    run.pause()


def test_a_blocking_run_is_paused_from_another_thread(gate):
    run = chain(gate).start("flow", "g")
    thread = threading.Thread(target=run.run)
    thread.start()
    assert gate.called.wait(LONG)
    run.pause()
    gate.free.set()
    thread.join(LONG)
    assert run.next_step == "b"
    assert run.run().state.value == "completed"


@pytest.mark.parametrize("door", ["sync", "async"])
def test_a_pause_in_branches_lets_those_under_way_end_and_loses_none(gate, door):
    each = MapStep(step_id="each", body="one", over="data.items", max_concurrency=2, on_success="end")
    seen = []

    def one(given):
        seen.append(given)
        return gate(given)

    hub = hub_of(workflow_of(each, step("one"), step("end")), {"one": one, "end": echo})
    run = hub.start("flow", "g", {"items": list(range(6))})
    if door == "sync":
        run.play()
    else:
        threading.Thread(target=lambda: asyncio.run(run.arun())).start()
    assert gate.called.wait(LONG)
    rested = threading.Event()
    run.resting_observers.append(rested.set)
    run.pause()
    gate.free.set()
    assert rested.wait(LONG)
    run.wait(LONG)
    assert not run.is_finished
    assert len(seen) <= 2
    assert run.run().data["each_output"] == list(range(6))
    assert sorted(seen) == list(range(6))


def test_a_pause_between_two_attempts_keeps_the_retry_for_later():
    tries = []
    clock = FakeClock()

    def flaky(given):
        tries.append(given)
        if len(tries) == 1:
            raise ValueError("not yet")
        return given

    hub = hub_of(workflow_of(step("a", max_retries=1, retry=RetryPolicy(backoff_s=5))), {"a": flaky}, clock=clock)
    run = hub.start("flow", "g")
    run.audience.observers.append(lambda event: run.pause() if getattr(event, "retry_in_s", None) else None)
    run.run()
    assert (len(tries), run.next_step, run.state.value) == (1, "a", "in_progress")
    run.audience.observers.clear()
    assert run.run().state.value == "completed"
    assert [entry["attempt"] for entry in run.history] == [1, 2]


def test_a_wait_for_a_time_is_left_when_the_run_pauses_and_goes_on_later():
    hub = hub_of(workflow_of(WaitStep(step_id="w", for_s=3600, on_success="a"), step("a")), {"a": echo})
    run = hub.start("flow", "g")
    asked = threading.Event()
    run.audience.observers.append(lambda event: asked.set() if type(event).__name__ == "WaitStarted" else None)
    run.play()
    assert asked.wait(LONG)
    run.pause()
    run.wait(LONG)
    assert run.state.value == "waiting"
    assert not run.is_driven


def test_cancel_ends_a_run_that_is_played(gate):
    run = chain(gate).start("flow", "g")
    run.play()
    assert gate.called.wait(LONG)
    run.cancel("enough")
    run.cancel("twice is once")
    gate.free.set()
    assert run.wait(LONG).state.value == "cancelled"
    assert run.machine.finished.reason == "enough"


def test_who_plays_keeps_others_out(gate):
    run = chain(gate).start("flow", "g")
    run.play()
    assert gate.called.wait(LONG)
    for other in (run.play, run.run, run.step, run.skip, run.retry, lambda: asyncio.run(run.arun())):
        with pytest.raises(RunStateError, match="being driven"):
            other()
    with pytest.raises(RunStateError, match="being driven"):
        run.use("b", echo)
    gate.free.set()
    assert run.wait(LONG).state.value == "completed"


def test_a_run_that_has_ended_is_not_played_again():
    run = chain().start("flow", "g")
    run.run()
    with pytest.raises(RunStateError, match="it has ended"):
        run.play()
    assert run.wait().state.value == "completed"


def test_wait_says_what_to_do_when_it_takes_too_long(gate):
    run = chain(gate).start("flow", "g")
    run.play()
    with pytest.raises(TimeoutError, match=r"still goes on after 0\.01 s.*run\.pause\(\)"):
        run.wait(0.01)


def test_wait_raises_what_stopped_the_run():
    class Broken(SystemExit):
        pass

    def worker(_):
        raise Broken

    run = chain(worker).start("flow", "g")
    run.play()
    with pytest.raises(Broken):
        run.wait(LONG)
    assert run.state.value == "cancelled"


@pytest.mark.parametrize("wrong", [{"visits": 0}, {"visits": -1}])
def test_play_refuses_what_makes_no_sense(wrong):
    with pytest.raises(ValueError, match="at least one"):
        chain().start("flow", "g").play(**wrong)


def test_play_refuses_an_unknown_step():
    with pytest.raises(UnknownStep, match="Did you mean 'c'|Its steps"):
        chain().start("flow", "g").play(until="cc")


def test_a_run_can_be_awaited_and_leaves_the_loop_free(gate):
    async def main():
        run = chain(gate).start("flow", "g")
        others = 0

        async def other():
            nonlocal others
            while not gate.called.is_set():
                await asyncio.sleep(0)
            others += 1
            gate.free.set()

        task = asyncio.create_task(other())
        context = await run
        await task
        return context.state.value, others

    assert asyncio.run(main()) == ("completed", 1)


def test_an_await_that_is_cancelled_cancels_the_run(gate):
    async def main():
        run = chain(gate).start("flow", "g")

        async def waiting():
            await run

        task = asyncio.create_task(waiting())
        while not gate.called.is_set():
            await asyncio.sleep(0)
        gate.free.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return run

    run = asyncio.run(main())
    assert run.is_finished


def test_rest_is_told_after_each_driving():
    told = []
    run = chain().start("flow", "g")
    run.resting_observers.append(lambda: told.append((run.is_driven, len(run.history))))
    run.step()
    run.play(visits=1)
    run.wait(LONG)
    run.run()
    deadline = threading.Event()
    run.resting_observers.append(deadline.set)
    assert told[0] == (False, 1)
    assert (False, 2) in told
    assert told[-1] == (False, 3)


def test_who_waits_goes_on_after_rest_was_told():
    run = chain().start("flow", "g")
    told = []
    run.resting_observers.append(lambda: told.append(run.is_driven))
    run.play()
    run.wait(LONG)
    assert told == [False]


def test_who_waits_waits_no_more_where_telling_of_rest_is_ended_by_force():
    run = chain().start("flow", "g")

    def ends_the_thread():
        raise SystemExit

    run.resting_observers.append(ends_the_thread)
    run.play()
    with pytest.raises(SystemExit):
        run.wait(LONG)
    assert run.state.value == "completed"


def test_one_who_hears_of_rest_and_raises_is_left_out(caplog):
    run = chain().start("flow", "g")

    def broken():
        raise ValueError("not my day")

    run.resting_observers.append(broken)
    run.step()
    assert run.resting_observers == []
    assert "not my day" in caplog.text
    assert run.run().state.value == "completed"


def test_a_played_run_is_in_its_journal(tmp_path):
    path = tmp_path / "runs.db"
    run = chain(journal=path).start("flow", "g", run_id="r")
    run.play(visits=2)
    run.wait(LONG)
    again = Run.resume("r", chain(journal=SQLiteJournal(path)))
    assert [entry["step"] for entry in again.history] == ["a", "b"]
    assert again.run().state.value == "completed"


def test_a_limit_ends_a_played_run():
    run = chain(limits=RunLimits(max_steps=2)).start("flow", "g")
    run.play()
    assert run.wait(LONG).state.value == "failed"
    assert "max_steps" in run.machine.finished.reason
