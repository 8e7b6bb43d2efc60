"""What is settled by hand: a visit that is skipped, one that is made again, a worker for one run alone."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    Run,
    SubworkflowStep,
)
from orchestration_kit.errors import MissingWorkers, RunStateError, UnknownStep
from tests.support import hub_of, step, workflow_of

LONG = 30.0


def echo(given):
    return given


def chain(gate=echo, **options):
    return hub_of(workflow_of(step("a", "b"), step("b", "c"), step("c")), {"a": gate, "b": echo, "c": echo}, **options)


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
