"""Attacks on acting: what happens is on record, or does not happen."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit import (
    MapStep,
    Orchestrator,
    ParallelStep,
    WorkerDefinition,
)
from orchestration_kit.definition.steps import Branch
from orchestration_kit.engine.outcome import Action, Failure
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.errors import AttemptError
from tests.engine.gatekeeping import FakeGate
from tests.engine.test_acting_attacks import World, actions_of
from tests.support import hub_of, step, workflow_of


def test_a_worker_that_outlived_its_time_acts_no_more():
    late, over, told = threading.Event(), threading.Event(), []

    def worker(_, context):
        late.wait(10)
        try:
            context.act(Action("send", {}))
        except ActionRefused as error:
            told.append(str(error))
        over.set()

    world = World(worker, steps=[step("a", timeout_s=0.05, max_retries=0)])
    run = world.start()
    assert run.context.history[0]["error_type"] == "StepTimeout"
    late.set()
    over.wait(10)
    assert world.done == []
    assert "no worker is being called with this context" in told[0]


def test_an_action_under_way_when_the_time_is_up_is_on_record_as_unfinished():
    go, over = threading.Event(), threading.Event()

    def hand(data):
        go.wait(10)
        return "the secret"

    got = []

    def worker(_, context):
        try:
            got.append(context.act(Action("read", {})))
        except ActionRefused:
            got.append(None)
        over.set()

    world = World(
        worker,
        FakeGate(labels={"read": ["secret"]}),
        hands={"read": hand},
        steps=[step("a", timeout_s=0.05, max_retries=0)],
    )
    run = world.start()
    (action,) = actions_of(run)
    assert (action["approved"], action["unfinished"], action["labels"]) == (True, True, ["secret"])
    go.set()
    over.wait(10)
    assert got == [None]


def test_an_async_action_that_is_cancelled_is_on_record():
    async def hand(data):
        world.done.append(data)
        await asyncio.sleep(30)

    async def worker(_, context):
        await context.aact(Action("read", {}))

    gate = FakeGate(labels={"read": ["secret"]})
    world = World(worker, gate, hands={"read": hand}, steps=[step("a", timeout_s=0.05, max_retries=0)])
    run = world.start()
    (action,) = actions_of(run)
    assert (action["approved"], action["error"], action["labels"]) == (True, "CancelledError", ["secret"])


@pytest.mark.parametrize("door", ["threads", "tasks"])
@pytest.mark.parametrize("is_async", [False, True])
def test_what_the_loser_of_a_race_did_is_on_record(door, is_async):
    acted, free = threading.Event(), threading.Event()

    def loser(_, context):
        context.act(Action("send", {"to": "ann"}, cost=0.5))
        acted.set()
        free.wait(10)

    async def async_loser(_, context):
        await context.aact(Action("send", {"to": "ann"}, cost=0.5))
        acted.set()
        await asyncio.sleep(30)

    async def winner(_):
        while not acted.is_set():
            await asyncio.sleep(0.001)
        return "won"

    steps = [
        ParallelStep(step_id="p", branches={"x": "a", "y": "c"}, join="any", is_terminal=True),
        step("a"),
        step("c"),
    ]
    world = World(async_loser if is_async else loser, steps=steps, workers={"c": winner})
    run = world.hub.start("flow", "goal")
    if door == "threads":
        run.run()
    else:
        asyncio.run(run.arun())
    free.set()
    assert run.state == "completed"
    (record,) = [one for one in run.context.history if one["step"] == "a"]
    assert record["error_type"] == "BranchCancelled"
    assert record["detail"]["actions"][0]["action_data"] == {"to": "ann"}
    assert record["usage"]["cost_usd"] == 0.5


def test_losers_that_are_asked_about_ask_nobody_any_more():
    steps = [
        ParallelStep(step_id="p", branches={"x": "a", "y": "c"}, join="any", is_terminal=True),
        step("a"),
        step("c", "d"),
        step("d"),
    ]
    world = World(
        lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}), steps=steps,
        workers={"c": lambda _: 1, "d": lambda _: 2},
    )  # fmt: skip
    run = world.start()
    assert (run.state, world.done, run.waiting) == ("completed", [], [])


def test_what_branches_did_is_on_record_when_the_run_is_interrupted():
    acted = threading.Event()

    def acts(_, context):
        context.act(Action("send", {"to": "ann"}))
        acted.set()
        threading.Event().wait(0.2)

    def interrupts(_):
        acted.wait(10)
        raise KeyboardInterrupt

    steps = [ParallelStep(step_id="p", branches={"x": "a", "y": "c"}, is_terminal=True), step("a"), step("c")]
    world = World(acts, steps=steps, workers={"c": interrupts})
    run = world.hub.start("flow", "goal")
    with pytest.raises(KeyboardInterrupt):
        run.run()
    found = [one for entry in run.context.history for one in (entry["detail"] or {}).get("actions", ())]
    assert [one["action_type"] for one in found] == ["send"]


def test_a_context_is_good_for_its_own_attempt_only():
    kept = []

    def worker(_, context):
        kept.append(context)
        return "a"

    def thief(_, context):
        with pytest.raises(ActionRefused, match="no worker is being called"):
            kept[0].act(Action("send", {}))
        return "b"

    world = World(worker, workers={"b": thief})
    run = world.start()
    assert run.state == "completed"
    for context in (run.context, run.at("b#1").context, kept[0]):
        with pytest.raises(ActionRefused):
            context.act(Action("send", {}), lambda data: world.done.append(data))
    assert world.done == []


def act_quietly(*arguments):
    try:
        arguments[-1].act(Action("send", {}), lambda data: SEEN.append(data))
    except ActionRefused:
        pass
    return True


SEEN = []


@pytest.mark.parametrize("where", ["condition", "success_when", "input_transformer", "output_transformer", "over"])
def test_nothing_around_a_worker_acts(where):
    SEEN.clear()
    fields = {"success_when": act_quietly} if where == "success_when" else {}
    first = step("a", "m", **fields)
    if where == "condition":
        first = step("a", "m", branches=[Branch(when=act_quietly, to="m")])
    over = (lambda _, context: [act_quietly(context)]) if where == "over" else (lambda *_: [1])
    hub = Orchestrator(constraints=FakeGate(), actions={"send": SEEN.append})
    more = {where: act_quietly} if where.endswith("transformer") else {}
    hub.register_worker(WorkerDefinition(worker_type="a", name="a", executor=lambda _: "x", **more))
    hub.register_worker(WorkerDefinition(worker_type="c", name="c", executor=lambda _: "x"))
    hub.register_workflow(workflow_of(first, MapStep(step_id="m", over=over, body="c", is_terminal=True), step("c")))
    assert hub.execute_workflow("flow", "goal", verbose=False).state == "completed"
    assert SEEN == []


def test_an_action_that_is_not_returned_as_such_is_not_carried_out():
    action = Action("send", {})

    async def stream(_):
        yield action

    def pieces(_):
        yield action

    for worker in (stream, pieces, lambda _: [action]):
        world = World(worker)
        run = world.start()
        assert (run.state, world.done) == ("failed", [])
        assert "Return the Action from the worker" in run.context.error
    for worker in (lambda _: {"do": action}, lambda _: Failure("no", output=action)):
        world = World(worker)
        world.start()
        assert world.done == []


def test_an_action_on_the_data_bus_or_made_by_a_transformer_is_not_carried_out():
    def worker(_, context):
        context.data["later"] = Action("send", {})

    world = World(worker, workers={"b": lambda _, context: str(context.data["later"])})
    world.start()
    hub = world.hub
    hub.register_worker(
        WorkerDefinition(
            worker_type="a", name="a", executor=lambda _: 1, output_transformer=lambda _: Action("send", {})
        ),
    )
    assert world.start().state == "failed"
    assert world.done == []


def test_a_hand_may_act_and_is_asked_about_like_any_other():
    def hand(data, context):
        with pytest.raises(ActionRefused):
            context.act(Action("drop", {}))
        return "sent"

    world = World(lambda _: Action("send", {}), FakeGate({"drop": "retry"}))
    world.hub = hub_of(workflow_of(*world.steps), world.workers, constraints=world.gate, actions={"send": hand})
    run = world.start()
    assert [(one["action_type"], one["approved"]) for one in actions_of(run)] == [("send", True), ("drop", False)]


def test_an_action_that_nobody_carried_out_does_not_count_as_done():
    def worker(_, context):
        with pytest.raises(AttemptError, match="Nobody carries out"):
            context.act(Action("send", {}))

    world = World(worker, hands={"pay": print})
    assert actions_of(world.start())[0] == {
        "action_type": "send", "action_data": {}, "cost": 0.0, "approved": False, "violations": [], "labels": [],
        "at": pytest.approx(actions_of(world.hub.last_run)[0]["at"]), "error": "AttemptError",
    }  # fmt: skip


def test_an_action_of_no_plain_data_is_on_record_or_fails_cleanly(tmp_path):
    def worker(_, context):
        context.act(Action("send", {"client": object()}), lambda data: 1)
        raise ValueError("later")

    world = World(worker, journal=tmp_path / "runs.db")
    run = world.start()
    assert run.state == "failed"
    assert world.make().get_run(run.run_id).state == "failed"
