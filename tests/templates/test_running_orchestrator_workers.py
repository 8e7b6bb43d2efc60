"""Orchestrator and workers, run: each task to the worker that the plan names."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_orchestrator_workers
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import visits, way

WORKERS = {"code": "coder", "search": "searcher", "draw": "artist"}
PLAN = [{"worker": "search", "for": "facts"}, {"worker": "code", "for": "a page"}, {"worker": "search", "for": "more"}]


def team(*plans, **others):
    return {
        "planner": ScriptedWorker(*plans),
        "coder": lambda task: f"code for {task['for']}",
        "searcher": lambda task: f"found {task['for']}",
        "artist": ScriptedWorker(),
        "writer": lambda outputs: " + ".join(map(str, outputs)),
        **others,
    }


def test_each_task_goes_to_the_worker_that_the_plan_names(perform):
    result = perform(create_orchestrator_workers("planner", WORKERS, "writer"), team(PLAN))
    assert result.state == "completed"
    assert result.data["done_output"] == "found facts + code for a page + found more"
    assert way(result) == [
        "plan", "assign", "search", "assign", "code", "assign", "search", "tasks", "synthesize", "done",
    ]  # fmt: skip


def test_one_worker_may_do_all(perform):
    result = perform(create_orchestrator_workers("planner", {"code": "coder"}, "writer"), team(PLAN[1:2]))
    assert result.data["done_output"] == "code for a page"


@pytest.mark.parametrize("task", [{"worker": "sing", "for": "joy"}, {"for": "joy"}, "joy", {"worker": None}])
def test_a_task_for_nobody_fails_alone(perform, task):
    result = perform(create_orchestrator_workers("planner", WORKERS, "writer"), team([PLAN[0], task]))
    assert result.state == "completed"
    first, second = result.data["tasks_output"]
    assert (first, list(second)) == ("found facts", ["error"])


def test_a_failed_task_may_fail_the_run(perform):
    workflow = create_orchestrator_workers("planner", WORKERS, "writer", failure_mode="fail_fast")
    result = perform(workflow, team(PLAN, coder=ScriptedWorker(ValueError("no idea"))))
    assert (result.state, way(result)[-2:]) == ("failed", ["tasks", "failed"])


def test_a_plan_without_tasks_is_synthesized_all_the_same(perform):
    result = perform(create_orchestrator_workers("planner", WORKERS, "writer"), team([]))
    assert (way(result), result.data["done_output"]) == (["plan", "tasks", "synthesize", "done"], "")


@pytest.mark.parametrize("plan", [{"tasks": PLAN}, "search", None])
def test_what_is_no_list_is_no_plan(perform, plan):
    result = perform(create_orchestrator_workers("planner", WORKERS, "writer"), team(plan))
    assert (result.state, way(result)[-1]) == ("failed", "failed")


def test_a_plan_of_too_many_tasks_fails_before_one_is_worked_on(perform):
    result = perform(create_orchestrator_workers("planner", WORKERS, "writer", max_tasks=2), team(PLAN))
    assert (result.state, visits(result, "assign")) == ("failed", 0)


def test_another_plan_is_made_where_the_synthesizer_wants_one(perform):
    again = {"replan": True, "missing": "a picture"}
    workers = team(PLAN[:1], PLAN[1:2], writer=ScriptedWorker(again, "all of it"))
    result = perform(create_orchestrator_workers("planner", WORKERS, "writer", max_plans=2), workers)
    assert (result.state, result.data["done_output"]) == ("completed", "all of it")
    assert workers["planner"].calls == ["the goal", again]


@pytest.mark.parametrize("max_plans", [1, 3])
def test_there_are_only_so_many_plans(perform, max_plans):
    workers = team(*[PLAN] * max_plans, writer=lambda outputs: {"replan": True})
    result = perform(create_orchestrator_workers("planner", WORKERS, "writer", max_plans=max_plans), workers)
    assert (result.state, way(result)[-1], visits(result, "plan")) == ("failed", "no_plans_left", max_plans)
