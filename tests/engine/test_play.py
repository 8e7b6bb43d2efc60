"""A run that is driven beside its caller: play, pause, wait, await; nothing is lost and nobody drives twice."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    RetryPolicy,
    Run,
    RunLimits,
    SQLiteJournal,
    SubworkflowStep,
    WaitStep,
)
from orchestration_kit.errors import MissingWorkers, RunStateError, UnknownStep
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


class TestSkip:
    def test_a_skipped_visit_puts_out_what_goes_in_and_calls_nobody(self):
        def never(_):
            raise AssertionError("it was called")

        run = chain(never).start("flow", "g")
        entry = run.skip()
        assert (entry["worker"], entry["input"], entry["output"], entry["next_step"]) == ("skipped", "g", "g", "b")
        assert run.context.data == {"a_output": "g"}
        assert run.run().state.value == "completed"

    def test_an_output_may_be_given_by_hand(self):
        run = chain().start("flow", "g")
        run.skip({"n": 1})
        assert run.run().data["c_output"] == {"n": 1}

    def test_it_is_judged_like_any_output(self):
        hub = hub_of(
            workflow_of(step("a", "b", success_when="output.ok == true", on_failure="b"), step("b")),
            {"a": echo, "b": echo},
        )
        run = hub.start("flow", "g")
        assert run.skip({"ok": False})["success"] is False
        assert hub.start("flow", "g").skip({"ok": True})["success"] is True

    def test_an_output_by_hand_that_does_not_do_is_not_tried_again(self, tmp_path):
        from orchestration_kit import replay

        asks = workflow_of(step("a", "b", success_when="output.ok == true", max_retries=2), step("b"))
        run = hub_of(asks, {"a": echo, "b": echo}, journal=tmp_path / "runs.db").start("flow", "g")
        run.skip({"ok": False})
        assert [(entry["attempt"], entry["worker"]) for entry in run.history] == [(1, "skipped")]
        assert replay(run).is_same

    def test_a_retry_after_a_skip_calls_the_worker(self):
        asks = workflow_of(step("a", "b", success_when="output.ok == true"), step("b"))
        run = hub_of(asks, {"a": lambda _: {"ok": True}, "b": echo}).start("flow", "g")
        run.skip({"ok": False})
        assert run.state.value == "failed"
        assert run.retry().run().state.value == "completed"
        assert [entry["worker"] == "skipped" for entry in run.history] == [True, False, False]

    def test_a_run_with_a_skip_resumes_and_replays(self, tmp_path):
        from orchestration_kit import replay

        path = tmp_path / "runs.db"
        run = chain(journal=path).start("flow", "g", run_id="r")
        run.skip("mine")
        again = Run.resume("r", chain(journal=path))
        assert again.run().data["c_output"] == "mine"
        assert replay(again).is_same

    def test_a_step_without_a_worker_is_not_skipped(self):
        each = MapStep(step_id="each", body="one", over="data.items", on_success="end")
        hub = hub_of(workflow_of(each, step("one"), step("end")), {"one": echo, "end": echo})
        with pytest.raises(RunStateError, match="each#1 is a step of kind 'map'"):
            hub.start("flow", "g", {"items": [1]}).skip()

    def test_nothing_is_skipped_after_the_end(self):
        run = chain().start("flow", "g")
        run.run()
        with pytest.raises(RunStateError, match="nothing is to be skipped: it has ended"):
            run.skip()


class TestRetry:
    def test_a_run_that_stopped_at_a_failure_makes_that_visit_again(self):
        fails = [True]

        def worker(given):
            if fails:
                raise ValueError("once")
            return given

        run = chain(worker).start("flow", "g")
        assert run.run().state.value == "failed"
        fails.clear()
        assert run.retry() is run
        assert run.run().state.value == "completed"
        assert [(entry["path"], entry["success"]) for entry in run.history[:2]] == [("a#1", False), ("a#1", True)]

    def test_where_the_run_went_on_it_is_a_fork_that_begins_there(self):
        hub = hub_of(workflow_of(step("a", "b", on_failure="b"), step("b")), {"a": lambda _: 1 / 0, "b": echo})
        run = hub.start("flow", "g")
        run.run()
        run.use("a", echo)
        again = run.retry()
        assert again is not run
        assert again.next_step == "a"
        assert again.run().data["b_output"] == "g"
        assert run.context.data["b_output"] != "g"

    def test_without_a_failure_it_says_what_to_do(self):
        run = chain().start("flow", "g")
        run.run()
        with pytest.raises(RunStateError, match=r"no attempt of it has failed\. Fork it|Fork it"):
            run.retry()


class TestStandIns:
    def test_a_worker_stands_in_for_one_run_alone_and_for_its_forks(self):
        hub = chain()
        run = hub.start("flow", "g")
        run.step()
        run.use("b", str.upper, name="shout")
        assert run.step()["worker"] == "shout"
        assert run.run().data["c_output"] == "G"
        assert run.fork(at="b#1").run().data["c_output"] == "G"
        assert hub.execute_workflow("flow", "g", verbose=False).data["c_output"] == "g"

    def test_none_gives_the_step_back(self):
        run = chain().start("flow", "g", workers={"a": str.upper})
        run.use("a", None)
        assert run.run().data["c_output"] == "g"
        run.use("a", None)  # nobody stands in there any more
        with pytest.raises(UnknownStep, match="Its steps: a, b, c"):
            run.use("aa", None)

    def test_a_run_can_bring_all_its_workers(self):
        hub = hub_of(workflow_of(step("a", "b"), step("b", "c"), step("c")), {})
        with pytest.raises(MissingWorkers):
            hub.start("flow", "g", workers={"a": echo})
        run = hub.start("flow", "g", workers={"a": echo, "b": str.upper})
        assert run.run().data["c_output"] == "G"

    def test_unknown_steps_are_named(self):
        with pytest.raises(UnknownStep, match="'bb'"):
            chain().start("flow", "g", workers={"bb": echo})
        with pytest.raises(UnknownStep, match="'bb'"):
            chain().start("flow", "g").use("bb", echo)

    def test_they_stand_in_within_branches_too(self):
        each = MapStep(step_id="each", body="one", over="data.items", on_success="end")
        hub = hub_of(workflow_of(each, step("one"), step("end")), {"one": echo, "end": echo})
        run = hub.start("flow", "g", {"items": ["x", "y"]}, workers={"one": str.upper})
        assert run.run().data["each_output"] == ["X", "Y"]

    def test_a_run_of_a_journal_is_made_whole_by_its_workers(self, tmp_path):
        path, flow = tmp_path / "runs.db", workflow_of(step("a", "b"), step("b"))
        hub_of(flow, {}, journal=path).start("flow", "g", run_id="r", workers={"a": echo, "b": echo}).step()
        hub = hub_of(flow, {}, journal=path)
        run = hub.get_run("r")
        with pytest.raises(MissingWorkers):
            run.step()
        assert Run.resume("r", hub, workers={"a": echo, "b": str.upper}).run().data["b_output"] == "G"

    def test_refresh_runs_again_what_stands_in_now(self):
        calls = []

        def first(given):
            calls.append("a")
            return given

        run = chain(first).start("flow", "g")
        run.run()
        run.use("b", str.upper)
        renewed = run.refresh()
        assert renewed.context.data["c_output"] == "G"
        assert calls == ["a"]


def test_who_looks_at_a_run_is_told_that_a_run_within_it_was_answered():
    inner = workflow_of(ApprovalStep(step_id="ask", prompt="Well?", on_success="a"), step("a"), name="inner")
    hub = hub_of(inner, {"a": echo})
    hub.register_workflow(
        workflow_of(SubworkflowStep(step_id="sub", workflow="inner", on_success="a"), step("a"), name="outer")
    )
    run = hub.start("outer", "g")
    run.run()
    told = []
    run.resting_observers.append(lambda: told.append(run.waiting))
    run.approve()
    assert told == [[]]


@pytest.mark.parametrize("drive", [Run.run, lambda run: asyncio.run(run.arun())])
def test_what_ended_a_play_is_not_raised_again_after_the_run_went_on(drive):
    run = chain().start("flow", "g")

    def no_more(**_):
        raise OSError("the disk is full")

    run._drive = no_more
    run.play()
    with pytest.raises(OSError, match="the disk is full"):
        run.wait(LONG)
    del run._drive
    drive(run)
    assert run.wait(LONG).state.value == "completed"
