"""Attacks on the firewall between brain and hand: what was approved happens, once, on record, and nothing else does."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from orchestration_kit import (
    MapStep,
    Orchestrator,
    ParallelStep,
    SQLiteJournal,
    SubworkflowStep,
    WorkerDefinition,
)
from orchestration_kit.definition.steps import Branch
from orchestration_kit.engine.outcome import Action, Failure
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.errors import AttemptError
from orchestration_kit.governance.constraints import ConstraintEngine
from orchestration_kit.governance.rules import rule
from tests.engine.gatekeeping import FakeGate, No, Says
from tests.support import hub_of, step, workflow_of


class World:
    """A hub whose step `a` acts; `done` is what was carried out, by type."""

    def __init__(
        self, worker, gate=None, *, hands=("send", "pay", "drop", "read"), steps=None, workers=None, **options
    ):
        self.done = []
        self.gate = gate or FakeGate()
        given = hands if isinstance(hands, dict) else {kind: self.hand(kind) for kind in hands}
        self.steps = steps or [step("a", "b", max_retries=0, on_failure=None), step("b")]
        self.workers = {"a": worker, "b": lambda given: given, **(workers or {})}
        self.make = lambda **more: hub_of(
            workflow_of(*self.steps), self.workers, constraints=self.gate, actions=given, **{**options, **more}
        )
        self.hub = self.make()

    def hand(self, kind):
        return lambda data: self.done.append((kind, dict(data))) or f"{kind} done"

    def start(self, **options):
        run = self.hub.start("flow", "goal", **options)
        run.run()
        return run


def actions_of(run, at=0):
    return ((run.context.history[at]["detail"]) or {}).get("actions", [])


# --- what is checked is what is carried out


class Changing(Action):
    """Says something else each time it is asked."""

    def __init__(self, kinds=("send",), datas=({"to": "ann"},)):
        self.kinds, self.datas = iter(kinds), iter(datas)
        self.last = {}

    def _next(self, name, found):
        self.last[name] = next(found, self.last.get(name))
        return self.last[name]

    action_type = property(lambda self: self._next("kind", self.kinds))
    action_data = property(lambda self: self._next("data", self.datas))
    cost = 0.0


@pytest.mark.parametrize("is_returned", [False, True])
def test_an_action_whose_parts_change_between_two_looks_is_carried_out_as_it_was_checked(is_returned):
    def worker(_, context):
        action = Changing(("send", "drop", "drop"), ({"to": "ann"}, {"to": "eve"}, {"to": "eve"}))
        return action if is_returned else context.act(action)

    world = World(worker, FakeGate({"drop": "fail"}))
    run = world.start()
    assert world.done == [("send", {"to": "ann"})]
    assert [(one["action_type"], one["action_data"]) for one in actions_of(run)] == [("send", {"to": "ann"})]


@pytest.mark.parametrize("on_violation", ["retry", "ask"])
def test_a_plan_is_not_changed_by_the_worker_while_the_gate_looks_at_it(on_violation):
    data = {"to": "ann", "more": ["a"]}

    class Slow(FakeGate):
        def validate_plan(self, plan, **more):
            verdict = Says(plan, (No("r", "no"),), "ask") if on_violation == "ask" else Says(plan)
            data["to"], data["more"][0] = "eve", "e"  # another thread of the worker's; the verdict has the very dict
            return verdict

    world = World(lambda _: Action("send", data), Slow())
    run = world.start()
    if on_violation == "ask":
        run.approve()
        run.run()
    assert world.done == [("send", {"to": "ann", "more": ["a"]})]


def test_what_a_person_approved_is_not_changed_between_the_comparison_and_the_hand():
    data = {"usd": 7}

    class Slow(FakeGate):
        def validate_plan(self, plan, **more):
            data["usd"] = 7
            verdict = super().validate_plan(plan, **more)
            data["usd"] = 7_000_000
            return verdict

    world = World(
        lambda _, context: context.act(Action("pay", {**data, "usd": 7} if not world.asked else data)),
        Slow({"pay": "ask"}),
    )
    world.asked = False
    run = world.start()
    run.approve()
    world.asked, data["usd"] = True, 7
    run.run()
    assert world.done == [("pay", {"usd": 7})]


def test_a_hand_gets_data_of_its_own():
    seen = []

    def hand(data):
        data["to"].append("eve")
        data["more"] = 1
        return data

    class Looks(FakeGate):
        def check_outcome(self, plan, result, **more):
            seen.append(plan["action_data"])
            return super().check_outcome(plan, result, **more)

    world = World(lambda _: Action("send", {"to": ["ann"]}), Looks(), hands={"send": hand})
    run = world.start()
    assert seen == [{"to": ["ann"]}] and actions_of(run)[0]["action_data"] == {"to": ["ann"]}


class Text(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("send")


class Dict(dict):
    def get(self, key, default=None):
        return "ann"


@pytest.mark.parametrize(
    "action", [Action(Text("shell"), {}), Action("send", Dict(to="eve")), Action("send", {"to": Text("eve")})]
)
def test_lookalikes_of_texts_and_dicts_are_refused_by_the_constraint_engine(action):
    @rule(covers=["send"])
    def to_ann(plan):
        return None if plan["action_data"].get("to") == "ann" else "not to ann"

    world = World(lambda _: action, ConstraintEngine([to_ann]))
    assert world.start().state == "failed"
    assert world.done == []


class Bad(FakeGate):
    verdict = None

    def validate_plan(self, plan, **_):
        return self.verdict


@pytest.mark.parametrize(
    "verdict", [None, True, Says({}), Says(None), Says({"action_type": 5, "action_data": {}, "cost": 0}), object()]
)
def test_a_gate_that_gives_no_verdict_approves_of_nothing(verdict):
    gate = Bad()
    gate.verdict = verdict
    world = World(lambda _: Action("send", {"to": "ann"}), gate)
    run = world.start()
    assert (run.state, world.done) == ("failed", [])
    assert actions_of(run)[0]["approved"] is False


def test_a_gate_that_says_nothing_of_an_outcome_lets_nothing_through():
    class Silent(FakeGate):
        def check_outcome(self, *_, **__):
            return None

    run = World(lambda _: Action("read", {}), Silent()).start()
    assert run.state == "failed" and "read done" not in str(run.context.data)


# --- a verdict cannot be talked away


def swallowing(then):
    def worker(_, context):
        try:
            context.act(Action("drop", {}))
        except ActionRefused:
            return then(context)

    return worker


def raising(_):
    raise ValueError("something else")


TALKS = {
    "a failure of its own": lambda _: Failure("try me again"),
    "another error": raising,
    "an output": lambda _: "fine",
    "another action": lambda _: Action("send", {}),
}


@pytest.mark.parametrize("then", TALKS.values(), ids=TALKS)
@pytest.mark.parametrize(("on_violation", "state"), [("fail", "failed"), ("ask", "blocked")])
def test_a_refused_action_ends_the_attempt_whatever_the_worker_makes_of_it(then, on_violation, state):
    steps = [step("a", "b", max_retries=5), step("b")]
    world = World(swallowing(then), FakeGate({"drop": on_violation}), steps=steps)
    run = world.start()
    assert (run.state, world.done, len(run.context.history)) == (state, [], 1)
    assert run.context.history[0]["error_type"] == "ActionRefused"


def test_a_refusal_in_a_thread_of_the_worker_counts():
    def worker(_, context):
        def act():
            with pytest.raises(ActionRefused):
                context.act(Action("drop", {}))

        threads = [threading.Thread(target=act) for _ in range(8)]
        [one.start() for one in threads]
        [one.join() for one in threads]
        return "fine"

    assert World(worker, FakeGate({"drop": "fail"})).start().state == "failed"


def test_an_approval_does_not_cover_what_was_not_shown():
    """The person saw `amount`; by the time of the approval the run holds a secret, too."""

    class Growing(FakeGate):
        more = ()

        def validate_plan(self, plan, **_):
            return Says(plan, (No("amount", "much"), *self.more), self.way)

    for way, state in (("fail", "failed"), ("ask", "blocked")):
        gate = Growing()
        gate.way = "ask"
        world = World(lambda _: Action("pay", {"usd": 7}), gate)
        run = world.start()
        run.approve()
        gate.more, gate.way = (No("secrets", "the run holds a secret"),), way
        run.run()
        assert (run.state, world.done) == (state, [])


# --- once


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


# --- on record, or not at all


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


# --- secrets and approvals

KEY = "sk-proj-" + "Ab3" * 16


@pytest.mark.parametrize("within", [False, True])
def test_an_action_with_a_secret_cannot_be_approved_unseen(within):
    def worker(_, context):
        action = Action("pay", {"header": KEY})
        return context.act(action) if within else action

    world = World(worker, FakeGate({"pay": "ask"}))
    run = world.start()
    assert (run.state, world.done) == ("failed", [])
    assert "it holds a secret" in run.context.error and KEY not in str(run.context.history)


# --- runs within runs


def nested(tmp_path, done):
    gate = FakeGate(labels={"read": ["secret"]}, after={"secret": {"send"}})
    hub = Orchestrator(
        constraints=gate,
        actions={"send": done.append, "read": lambda data: "s"},
        journal=SQLiteJournal(tmp_path / "runs.db"),
    )
    for name, kind in (("reader", "read"), ("sender", "send")):
        hub.register_worker(
            WorkerDefinition(worker_type=name, name=name, executor=lambda _, kind=kind: Action(kind, {}))
        )
    from orchestration_kit import ApprovalStep

    asks = ApprovalStep(step_id="ask", prompt="go on?", on_success="send")
    hub.register_workflow(workflow_of(asks, step("send", worker_type="sender"), name="inner"))
    sub = SubworkflowStep(step_id="sub", workflow="inner", is_terminal=True)
    hub.register_workflow(workflow_of(step("read", "sub", worker_type="reader"), sub, name="outer"))
    return hub


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_a_run_within_a_run_that_goes_on_alone_knows_what_was_done_before_it(how, tmp_path):
    done = []
    run = nested(tmp_path, done).start("outer", "goal", run_id="r")
    run.run()
    hub = nested(tmp_path, done)
    child = hub.get_run("r/sub#1")
    if how == "fork":
        child = child.fork(at="ask#1", run_id="f")
        child.put_on_record()
        hub = nested(tmp_path, done)
        child = hub.get_run("f")
    child.run()
    child.approve()
    child.run()
    assert (child.state, done) == ("failed", [])


def test_what_undoes_a_step_is_asked_about_too():
    steps = [step("a", "b", compensate="undo"), step("b", on_failure=None, max_retries=0), step("undo")]
    world = World(
        lambda _: "a", FakeGate({"drop": "fail"}), steps=steps,
        workers={"b": lambda _: Failure("no"), "undo": lambda _: Action("drop", {})},
    )  # fmt: skip
    run = world.start()
    assert (run.state, world.done) == ("failed", [])
    assert any(one["step"] == "undo" and actions_of(run, i) for i, one in enumerate(run.context.history))


# --- recordings


def test_a_recording_carries_nothing_out(tmp_path):
    def worker(_, context):
        context.act(Action("send", {"to": "ann"}))
        return Action("pay", {})

    first = World(worker, cassette=tmp_path / "c.yaml")
    recorded = first.start()
    again = World(worker, cassette=tmp_path / "c.yaml")
    replayed = again.start()
    assert len(first.done) == 2 and again.done == []
    assert recorded.context.data == replayed.context.data
    assert [one["action_type"] for one in actions_of(replayed)] == ["send", "pay"]


def test_a_cancel_while_a_hand_works_leaves_its_action_on_record():
    def hand(data):
        world.hub.last_run.cancel("enough")
        return "sent"

    world = World(lambda _: Action("send", {}), hands={"send": hand}, steps=[step("a", "b"), step("b")])
    run = world.hub.start("flow", "goal")
    run.run()
    assert run.state == "cancelled"
    assert actions_of(run)[0]["approved"] and "unfinished" not in actions_of(run)[0]


def test_an_approval_that_is_shared_with_a_fork_is_used_by_one_of_the_two():
    steps = [
        ParallelStep(step_id="p", branches={"x": "a", "y": "c"}, is_terminal=True),
        step("a"),
        step("c", "d"),
        step("d"),
    ]
    world = World(
        lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}), steps=steps,
        workers={"c": lambda _: "c", "d": lambda _: "d"},
    )  # fmt: skip
    run = world.hub.start("flow", "goal")
    run.step()
    run.approve()
    run.step()
    other = run.fork(at="p#1[y]/d#1")
    run.run()
    other.run()
    assert (run.state, other.state, len(world.done)) == ("completed", "blocked", 1)


def test_what_was_rejected_is_asked_about_anew_in_a_retry():
    world = World(lambda _: Action("pay", {"usd": 7}), FakeGate({"pay": "ask"}))
    run = world.start()
    run.reject("no")
    assert run.run().state == "failed"
    again = run.retry()
    again.run()
    assert (again.state, world.done) == ("blocked", [])


CRASHES = """
import os, sys
from pathlib import Path
from orchestration_kit.engine.outcome import Action
from tests.engine.gatekeeping import FakeGate
from tests.support import hub_of, step, workflow_of

folder, is_first = Path(sys.argv[1]), sys.argv[2] == "first"

def hand(data, context):
    with (folder / "paid").open("a") as paid:
        paid.write(context.idempotency_key + " ")
    if is_first:
        os._exit(9)  # carried out, and not on record
    return "paid"

hub = hub_of(
    workflow_of(step("a")), {"a": lambda _: Action("pay", {"usd": 7})},
    constraints=FakeGate({"pay": "ask"}), actions={"pay": hand}, journal=folder / "runs.db",
)
if is_first:
    run = hub.start("flow", "goal", run_id="r")
    run.run()
    run.approve()
    run.run()
print(hub.resume("r", verbose=False).state.value)
"""


def test_after_a_crash_an_approved_action_in_flight_is_repeated_with_the_same_key(tmp_path):
    crashed, resumed = (
        subprocess.run(
            [sys.executable, "-c", CRASHES, str(tmp_path), which], capture_output=True, text=True, check=False
        )
        for which in ("first", "second")
    )
    assert (crashed.returncode, resumed.stdout.strip()) == (9, "completed"), resumed.stderr
    one, other = (tmp_path / "paid").read_text().split()
    assert one == other


def test_what_a_resumed_run_within_a_run_did_counts_once():
    tries = []

    def breaks_off_once(_):
        tries.append(1)
        if len(tries) == 1:
            raise KeyboardInterrupt
        return Action("pay", {})

    world = World(lambda _: Action("send", {}), steps=[step("a", "b"), step("b")], workers={"b": breaks_off_once})
    world.hub.register_workflow(
        workflow_of(SubworkflowStep(step_id="sub", workflow="flow", is_terminal=True), name="outer")
    )
    run = world.hub.start("outer", "goal")
    with pytest.raises(KeyboardInterrupt):
        run.run()
    again = world.hub.reopen(run.run_id)
    assert again.run().state == "completed"
    found = [one["action_type"] for at in range(len(again.context.history)) for one in actions_of(again, at)]
    assert found == ["send", "pay"]
    assert [seen for _, seen, _ in world.gate.seen] == [[], ["send"]]
