"""Blocked: a person decides about an action that was refused, and exactly that action happens, or nothing."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import AnswerRefused, MapStep, Run, SQLiteJournal, SubworkflowStep, history_frame, runs_frame
from orchestration_kit.engine.outcome import Action
from tests.engine.gatekeeping import FakeGate
from tests.support import hub_of, step, workflow_of


class World:
    """A hub whose worker `a` returns or asks for an action of type `pay` that a person has to decide on."""

    def __init__(self, worker=None, *, within=False, **options):
        self.paid, self.calls = [], []
        self.amount = 7

        def returns(_, context):
            self.calls.append(context.attempt)
            context.add_usage(input_tokens=10)
            return Action("pay", {"usd": self.amount})

        def asks(_, context):
            self.calls.append(context.attempt)
            context.add_usage(input_tokens=10)
            return context.act(Action("pay", {"usd": self.amount}))

        self.gate = FakeGate({"pay": "ask"})
        self.workflow = workflow_of(step("a", "b", on_failure="c"), step("b"), step("c", outcome="failed"))
        self.workers = {
            "a": worker or (asks if within else returns),
            "b": lambda given: given,
            "c": lambda given: given,
        }
        self.hub = self.new_hub(**options)

    def new_hub(self, **options):
        return hub_of(
            self.workflow,
            self.workers,
            constraints=self.gate,
            actions={"pay": lambda data: self.paid.append(data) or "paid"},
            **options,
        )

    def start(self):
        run = self.hub.start("flow", "goal")
        run.run()
        return run


def test_the_run_is_blocked_and_shows_what_is_refused_and_why():
    run = World().start()
    assert run.state == "blocked"
    (request,) = run.waiting
    assert request.shown == {
        "action_type": "pay", "action_data": {"usd": 7}, "cost": 0.0,
        "violations": [{"rule": "fake", "message": "no pay here"}],
    }  # fmt: skip
    assert "no pay here [fake]" in request.prompt
    assert "blocked" in repr(run)
    assert runs_frame(run)["state"].tolist() == ["blocked"]


@pytest.mark.parametrize("within", [False, True], ids=["returned", "asked for within"])
def test_what_was_approved_happens_once(within):
    world = World(within=within)
    run = world.start()
    assert world.paid == []
    run.approve()
    context = run.run()
    assert context.state == "completed"
    assert world.paid == [{"usd": 7}]
    assert context.data["a_output"] == context.data["b_output"] == "paid"
    assert world.calls == ([1, 2] if within else [1])  # what was returned is carried out as it was shown
    first, second = context.history[:2]
    assert (first["error_type"], first["usage"]["input_tokens"]) == ("ActionRefused", 10)
    assert second["detail"]["answer"] == "approved"
    assert second["detail"]["actions"][0]["approved_by"] == "a person"
    assert history_frame(run)["step"].tolist() == ["a", "a", "b"]


@pytest.mark.parametrize("within", [False, True])
def test_what_was_rejected_fails_the_step_with_the_reason(within):
    world = World(within=within)
    run = world.start()
    run.reject("too much")
    context = run.run()
    assert (context.state, world.paid) == ("failed", [])
    assert context.history[1]["error_type"] == "ApprovalRejected"
    assert "too much" in context.history[1]["error"]
    assert context.history[1]["next_step"] == "c"


def test_an_action_that_changed_after_the_approval_is_asked_about_anew():
    world = World(within=True)
    run = world.start()
    first = run.waiting[0]
    run.approve(request=first)
    world.amount = 7_000_000
    run.run()
    assert (run.state, world.paid) == ("blocked", [])
    assert run.waiting[0].shown["action_data"] == {"usd": 7_000_000}
    with pytest.raises(AnswerRefused):
        run.approve(request=first)


def test_an_approval_is_good_for_one_time():
    world = World(lambda _, context: [context.act(Action("pay", {"usd": 7})), context.act(Action("pay", {"usd": 7}))])
    run = world.start()
    run.approve()
    run.run()
    assert run.state == "blocked"
    assert len(world.paid) == 1


def test_it_survives_the_process(tmp_path):
    world = World(journal=tmp_path / "runs.db")
    run_id = world.start().run_id
    hub = world.new_hub(journal=SQLiteJournal(tmp_path / "runs.db"))
    assert [one.state for one in hub.runs()] == ["blocked"]
    run = Run.resume(run_id, orchestrator=hub) if False else hub.get_run(run_id)
    assert run.state == "blocked"
    run.approve()
    assert hub.resume(run_id, verbose=False).state == "completed"
    assert world.paid == [{"usd": 7}]
    assert world.calls == [1]


def test_in_an_event_loop():
    async def worker(_, context):
        return await context.aact(Action("pay", {"usd": 7}))

    world = World(worker)

    async def main():
        run = world.hub.start("flow", "goal")
        await run.arun()
        assert run.state == "blocked"
        run.approve()
        await run.arun()
        return run

    assert asyncio.run(main()).state == "completed"
    assert world.paid == [{"usd": 7}]


@pytest.mark.parametrize("is_async", [False, True])
def test_branches_wait_for_themselves(is_async):
    paid = []
    body = step("pay", on_failure=None)
    workflow = workflow_of(
        MapStep(step_id="m", over="data.sums", body="pay", is_terminal=True, failure="continue"), body
    )
    hub = hub_of(
        workflow, {"pay": lambda usd: Action("pay" if usd > 5 else "give", {"usd": usd})},
        constraints=FakeGate({"pay": "ask"}), actions={kind: lambda data: paid.append(data["usd"]) or data["usd"] for kind in ("pay", "give")},
    )  # fmt: skip
    run = hub.start("flow", "goal", {"sums": [1, 9, 2, 8]})
    asyncio.run(run.arun()) if is_async else run.run()
    assert (run.state, sorted(paid)) == ("blocked", [1, 2])
    first, second = run.waiting
    run.approve(request=second)
    run.reject("no", request=first)
    asyncio.run(run.arun()) if is_async else run.run()
    assert sorted(paid) == [1, 2, 8]
    assert run.is_finished


def test_a_run_within_a_run_is_asked_about_through_the_outer_one():
    world = World()
    sub = SubworkflowStep(step_id="sub", workflow="flow", is_terminal=True)
    world.hub.register_workflow(workflow_of(sub, name="outer"))
    run = world.hub.start("outer", "goal")
    run.run()
    assert run.state == "waiting"
    run.approve()
    assert run.run().state == "completed"
    assert world.paid == [{"usd": 7}]


def test_a_replay_of_the_record_asks_nobody_and_pays_nobody():
    from orchestration_kit import replay

    world = World()
    run = world.start()
    run.approve()
    run.run()
    assert replay(run).context.state == "completed"
    assert len(world.paid) == 1


@pytest.mark.parametrize("within", [False, True])
def test_a_cassette_replays_the_question_too_and_carries_nothing_out(within, tmp_path):
    recorded = World(within=within, cassette=tmp_path / "pay.yaml")
    run = recorded.start()
    run.approve()
    histories = [run.run().history]
    again = World(within=within, cassette=tmp_path / "pay.yaml")
    run = again.start()
    assert run.state == "blocked"
    run.approve()
    histories.append(run.run().history)
    assert (again.paid, again.calls) == ([], [])
    first, second = (
        [(one["step"], one["attempt"], one["output"], one["error"], one["usage"]) for one in history]
        for history in histories
    )
    assert first == second
    assert [one["detail"] and len(one["detail"].get("actions", ())) for one in histories[0]] == [
        one["detail"] and len(one["detail"].get("actions", ())) for one in histories[1]
    ]


def test_by_hand_the_question_comes_with_the_step():
    world = World()
    run = world.hub.start("flow", "goal")
    run.step()
    assert run.state == "blocked"
    run.approve()
    run.step()
    assert world.paid == [{"usd": 7}]


@pytest.mark.parametrize("value", [{"usd": 3}, 3, False, "yes"])
def test_a_value_that_would_change_nothing_of_what_happens_is_refused(value):
    world = World()
    run = world.start()
    with pytest.raises(AnswerRefused, match="happens exactly as it was shown"):
        run.approve(value)
    assert (run.state, world.paid) == ("blocked", [])
    run.approve()
    assert run.run().state == "completed"


def test_a_value_given_through_the_outer_run_is_refused_too():
    world = World()
    sub = SubworkflowStep(step_id="sub", workflow="flow", is_terminal=True)
    world.hub.register_workflow(workflow_of(sub, name="outer"))
    run = world.hub.start("outer", "goal")
    run.run()
    with pytest.raises(AnswerRefused, match="a value changes nothing"):
        run.approve({"usd": 3})


def test_two_runs_that_did_the_same_at_other_times_do_not_part():
    from orchestration_kit import compare

    runs = []
    for _ in range(2):
        run = World().start()
        run.approve()
        run.run()
        runs.append(run)
    assert compare(*runs).first_divergence is None
