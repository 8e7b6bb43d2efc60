"""The cascade, run: the first answer that is accepted, and no more money than allowed."""

from __future__ import annotations

import pytest

from orchestration_kit.definition import Budget, WorkflowStep
from orchestration_kit.templates import create_fallback_cascade
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import way

SURE = "output.confidence >= 0.8"
STEPS = ["rules", "small", "large"]


def team(*confidences):
    return {
        name: ScriptedWorker({"answer": name, "confidence": confidence})
        for name, confidence in zip(STEPS, confidences, strict=True)
    }


@pytest.mark.parametrize(
    ("confidences", "steps"),
    [
        ((0.9, 0, 0), ["rules", "done"]),
        ((0.5, 0.8, 0), ["rules", "small", "done"]),
        ((0.5, 0.7, 1), ["rules", "small", "large", "done"]),
        ((0.5, 0.7, 0.1), ["rules", "small", "large", "none_accepted"]),
    ],
)
def test_the_first_answer_that_is_accepted_ends_it(perform, confidences, steps):
    result = perform(create_fallback_cascade(STEPS, SURE), team(*confidences))
    assert way(result) == steps
    assert result.state == ("completed" if steps[-1] == "done" else "failed")
    assert result.get_last_output()["answer"] == steps[-2]


def test_a_failure_leads_on_and_the_next_is_told(perform):
    workers = team(0, 0.9, 0) | {"rules": ScriptedWorker(ValueError("no rule"))}
    result = perform(create_fallback_cascade(STEPS, SURE), workers)
    assert (result.state, way(result)) == ("completed", ["rules", "small", "done"])
    assert workers["small"].calls == [{"error": "no rule"}]


def test_an_answer_that_cannot_be_judged_is_not_accepted(perform):
    workers = team(0, 0.9, 0) | {"rules": lambda goal: "dunno"}
    assert way(perform(create_fallback_cascade(STEPS, SURE), workers)) == ["rules", "small", "done"]


def test_without_a_condition_only_failures_lead_on(perform):
    workers = team(0, 0, 0) | {"rules": ScriptedWorker(ValueError("no rule"))}
    assert way(perform(create_fallback_cascade(STEPS), workers)) == ["rules", "small", "done"]


def test_when_all_fail_the_run_fails_with_the_last_error(perform):
    workers = {name: ScriptedWorker(ValueError(f"{name} fails")) for name in STEPS}
    result = perform(create_fallback_cascade(STEPS, SURE), workers)
    assert (result.state, way(result)) == ("failed", [*STEPS, "none_accepted"])
    assert result.get_last_output() == {"error": "large fails"}


def costs(_, context):
    context.add_usage(cost_usd=0.04)
    return {"confidence": 0.1}


LARGE = WorkflowStep(step_id="large", worker_type="large", budget=Budget(reserve_usd=0.04))


@pytest.mark.parametrize(("workers", "max_cost_usd"), [(STEPS, 0.08), (["rules", "small", LARGE], 0.1)])
def test_a_spent_budget_ends_it_before_the_next_worker(perform, workers, max_cost_usd):
    large = ScriptedWorker()
    workflow = create_fallback_cascade(workers, SURE, budget=Budget(max_cost_usd=max_cost_usd))
    result = perform(workflow, {"rules": costs, "small": costs, "large": large})
    assert (result.state, way(result)) == ("failed", ["rules", "small", "budget_spent"])
    assert large.calls == []


def test_a_budget_may_lead_somewhere_else(perform):
    workflow = create_fallback_cascade(STEPS, SURE, budget=Budget(max_cost_usd=0.04, on_budget="none_accepted"))
    result = perform(workflow, {"rules": costs, "small": ScriptedWorker(), "large": ScriptedWorker()})
    assert (result.state, way(result)) == ("failed", ["rules", "none_accepted"])
