"""The human gate, run: nothing happens before somebody agreed, or time ran out."""

from __future__ import annotations

import pytest

from orchestration_kit import OrchestrationError
from orchestration_kit.definition import ApprovalStep
from orchestration_kit.templates import create_human_gate
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.templates.conftest import hub_with, way


def started(workflow, team=None, clock=None):
    """A run of a workflow, as far as it goes without a person."""
    run = hub_with(workflow, team or {}, clock=clock or FakeClock()).start(workflow.name, "the goal")
    run.run()
    return run


def test_the_run_waits_and_then_acts_on_the_approved_value():
    cashier = ScriptedWorker("paid")
    workflow = create_human_gate("Refund?", {"type": "integer"}, propose="clerk", act="cashier")
    run = started(workflow, {"clerk": lambda goal: 40, "cashier": cashier})
    assert (run.state, cashier.calls) == ("waiting", [])
    (request,) = run.waiting
    assert (request.prompt, request.shown) == ("Refund?", {"input": 40})
    run.approve(30)
    result = run.run()
    assert (result.state, way(result)) == ("completed", ["propose", "ask", "act", "done"])
    assert (cashier.calls, result.data["done_output"]) == ([30], "paid")


def test_without_workers_the_approved_value_is_the_result():
    run = started(create_human_gate("Which one?"))
    run.approve("the second")
    assert run.run().data["done_output"] == "the second"


def test_a_rejection_says_why_and_nothing_is_done():
    run = started(create_human_gate("Refund?", act="cashier"), {"cashier": ScriptedWorker()})
    run.reject("too much")
    result = run.run()
    assert (result.state, way(result)) == ("failed", ["ask", "rejected"])
    assert "too much" in str(result.data["rejected_output"])


def test_an_answer_that_does_not_fit_is_refused_and_the_run_waits_on():
    run = started(create_human_gate("Refund?", {"type": "integer"}))
    with pytest.raises(OrchestrationError, match="is not of type 'integer'"):
        run.approve("a lot")
    assert run.state == "waiting"


def late(workflow, team=None):
    clock = FakeClock()
    run = started(workflow, team, clock)
    clock.advance(61)
    return run, run.run()


def test_where_nobody_answers_in_time_the_run_fails_at_expired():
    _, result = late(create_human_gate("Refund?", timeout=60))
    assert (result.state, way(result)) == ("failed", ["ask", "expired"])


def test_it_may_go_on_with_what_was_proposed():
    cashier = ScriptedWorker("paid")
    workflow = create_human_gate("?", timeout=60, on_timeout="proceed", propose="clerk", act="cashier")
    _, result = late(workflow, {"clerk": lambda goal: 40, "cashier": cashier})
    assert (result.state, cashier.calls) == ("completed", [40])


def test_it_may_go_on_with_the_goal_where_nothing_was_proposed():
    _, result = late(create_human_gate("?", timeout=60, on_timeout="proceed"))
    assert (result.state, result.data["done_output"]) == ("completed", "the goal")


def test_somebody_else_may_decide_instead():
    boss = ApprovalStep(step_id="boss", prompt="They are asleep. Refund?")
    workflow = create_human_gate("?", timeout=60, on_timeout="escalate", escalate_to=boss, propose="clerk")
    run, result = late(workflow, {"clerk": lambda goal: 40})
    assert result.state == "waiting"
    assert (run.waiting[0].prompt, run.waiting[0].shown) == ("They are asleep. Refund?", {"input": 40})
    run.approve(40)
    assert run.run().data["done_output"] == 40


def test_in_time_is_in_time():
    clock = FakeClock()
    run = started(create_human_gate("?", timeout=60), clock=clock)
    clock.advance(59)
    run.approve(1)
    assert run.run().state == "completed"


def test_a_proposal_that_fails_is_shown_to_nobody():
    run = started(create_human_gate("?", propose="clerk"), {"clerk": ScriptedWorker(ValueError("no idea"))})
    assert (run.state, way(run)) == ("failed", ["propose", "failed"])
