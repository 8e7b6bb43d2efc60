"""Attacks on the firewall between brain and hand: what was approved happens, once, on record, and nothing else does."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit.engine.outcome import Action, Failure
from orchestration_kit.engine.refusals import ActionRefused
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
