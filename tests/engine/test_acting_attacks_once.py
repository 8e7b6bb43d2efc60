"""Attacks on acting: an action that was allowed once happens once."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit import (
    ParallelStep,
    WorkerDefinition,
)
from orchestration_kit.engine.outcome import Action
from orchestration_kit.engine.refusals import ActionRefused
from tests.engine.gatekeeping import FakeGate, No, Says
from tests.engine.test_acting_attacks import World, actions_of
from tests.support import step


def test_an_approval_is_used_by_one_of_many_threads():
    def worker(_, context):
        def act():
            barrier.wait(5)
            try:
                context.act(Action("pay", {"usd": 7}))
            except ActionRefused:
                pass

        threads = [threading.Thread(target=act) for _ in range(8)]
        [one.start() for one in threads]
        [one.join() for one in threads]

    barrier = threading.Barrier(8)
    world = World(worker, FakeGate({"pay": "ask"}))
    run = world.start()
    run.approve()
    run.run()
    assert world.done == [("pay", {"usd": 7})]
    assert run.state == "blocked"  # the others ask anew


def test_threads_of_one_worker_lose_no_entry_and_share_one_budget():
    class Five(FakeGate):
        def validate_plan(self, plan, *, history=(), now=None):
            many = len(history) >= 5
            return Says(plan, (No("budget", "enough"),), "retry") if many else Says(dict(plan))

    def worker(_, context):
        def act():
            barrier.wait(5)
            try:
                context.act(Action("send", {"to": "ann"}, cost=0.5))
            except ActionRefused:
                pass

        threads = [threading.Thread(target=act) for _ in range(16)]
        [one.start() for one in threads]
        [one.join() for one in threads]

    barrier = threading.Barrier(16)
    world = World(worker, Five())
    run = world.start()
    assert len(world.done) == 5
    assert [one["approved"] for one in actions_of(run)].count(True) == 5
    assert len(actions_of(run)) == 16
    assert run.context.history[0]["usage"]["cost_usd"] == 2.5


@pytest.mark.parametrize("within", [False, True])
def test_a_hand_that_fails_uses_the_approval_up(within):
    paid = []

    def hand(data):
        paid.append(data)
        raise ConnectionError("the answer got lost")

    def worker(_, context):
        action = Action("pay", {"usd": 7})
        return context.act(action) if within else action

    steps = [step("a", "b", max_retries=3), step("b")]
    world = World(worker, FakeGate({"pay": "ask"}), hands={"pay": hand}, steps=steps)
    run = world.start()
    run.approve()
    run.run()
    assert (run.state, len(paid)) == ("blocked", 1)


def test_an_approved_action_that_was_interrupted_is_asked_about_anew():
    def hand(data):
        world.done.append(data)
        raise KeyboardInterrupt

    world = World(lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}), hands={"pay": hand})
    run = world.start()
    run.approve()
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert actions_of(run, -1)[0]["error"] == "KeyboardInterrupt"
    again = world.hub.reopen(run.run_id)
    again.run()
    assert (again.state, len(world.done)) == ("blocked", 1)


def test_an_approval_that_was_not_used_survives_an_interrupt():
    def worker(_, context):
        if context.attempt == 2:
            raise KeyboardInterrupt
        return context.act(Action("pay", {"usd": 7}))

    world = World(worker, FakeGate({"pay": "ask"}))
    run = world.start()
    run.approve()
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert world.hub.reopen(run.run_id).run().state == "completed"
    assert len(world.done) == 1


def test_a_refresh_pays_nobody_twice():
    world = World(lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}))
    run = world.start()
    run.approve()
    run.run()
    world.hub.register_worker(WorkerDefinition(worker_type="b", name="b", executor=lambda given: f"{given}!"))
    again = run.refresh()
    assert (again.state, len(world.done)) == ("completed", 1)


def test_a_refresh_by_another_worker_asks_anew_for_the_same_action():
    world = World(lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}))
    run = world.start()
    run.approve()
    run.run()
    world.hub.register_worker(
        WorkerDefinition(worker_type="a", name="a", executor=lambda _: Action("pay", {"usd": 7}, 0.0))
    )
    again = run.refresh()
    assert (again.state, len(world.done)) == ("blocked", 1)
    again.approve()
    assert again.run().state == "completed"
    assert len(world.done) == 2


@pytest.mark.parametrize("how", ["fork", "retry"])
def test_a_fork_and_a_retry_do_not_use_the_approval_again(how):
    world = World(lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}))
    run = world.start()
    run.approve()
    run.run()
    again = run.fork(at="a#1") if how == "fork" else run.retry()
    again.run()
    assert (again.state, len(world.done)) == ("blocked", 1)


def test_a_fork_of_another_branch_does_not_take_an_approval_with_it():
    steps = [
        ParallelStep(step_id="p", branches={"x": "a", "y": "c"}, is_terminal=True),
        step("a"),
        step("c", "d"),
        step("d"),
    ]
    world = World(
        lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}), steps=steps,
        workers={"c": lambda _: "c", "d": lambda _, context: context.act(Action("drop", {}))},
    )  # fmt: skip
    world.gate.refuses["drop"] = "ask"
    run = world.start()
    assert run.state == "blocked"
    run.approve(request=next(one for one in run.waiting if one.step == "a"))
    other = run.fork(at=next(one.path for one in run.waiting if one.step == "d"))
    run.run()
    assert world.done == [("pay", {"usd": 7})]
    other.run()
    assert world.done == [("pay", {"usd": 7})]
    assert {one.step for one in other.waiting} == {"a", "d"}


def test_skip_and_stand_ins_do_not_get_around_the_gate():
    world = World(lambda _: "fine", FakeGate({"drop": "fail"}))
    run = world.hub.start("flow", "goal", workers={"a": lambda _: Action("drop", {})})
    assert run.run().state == "failed"
    run = world.hub.start("flow", "goal")
    run.skip(Action("send", {}))
    assert world.done == []
    run = world.hub.start("flow", "goal")
    run.use("a", lambda _, context: context.act(Action("drop", {})))
    assert run.run().state == "failed"
    assert world.done == []
