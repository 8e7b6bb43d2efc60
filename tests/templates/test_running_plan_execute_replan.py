"""Plan, execute, replan, run: task by task, and a new plan where one goes wrong."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_plan_execute_replan
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import visits, way


def test_tasks_are_done_in_order_each_knowing_the_ones_before(perform):
    executor = ScriptedWorker("A", "B")
    result = perform(
        create_plan_execute_replan("planner", "executor"), {"planner": lambda g: ["a", "b"], "executor": executor}
    )
    assert way(result) == ["plan", "first_task", "execute", "next_task", "execute", "next_task", "done"]
    assert executor.calls == [
        {"task": "a", "number": 1, "results": []},
        {"task": "b", "number": 2, "results": [{"task": "a", "output": "A"}]},
    ]
    assert result.data["done_output"] == {"results": [{"task": "a", "output": "A"}, {"task": "b", "output": "B"}]}


def test_an_empty_plan_is_done_at_once(perform):
    result = perform(create_plan_execute_replan("planner", "executor"), {"planner": lambda g: [], "executor": str})
    assert (way(result), result.data["done_output"]) == (["plan", "first_task", "done"], {"results": []})


def test_a_failed_task_leads_to_a_new_plan_that_knows_what_was_done(perform):
    planner = ScriptedWorker(["a", "b", "c"], ["b2"])
    executor = ScriptedWorker("A", ValueError("no way"), "B2")
    result = perform(create_plan_execute_replan("planner", "executor"), {"planner": planner, "executor": executor})
    assert result.state == "completed"
    assert planner.calls[1] == {
        "replan": 1,
        "task": "b",
        "output": {"error": "no way"},
        "left": ["c"],
        "results": [{"task": "a", "output": "A"}],
    }
    assert [one["task"] for one in result.data["done_output"]["results"]] == ["a", "b2"]


def test_a_new_plan_is_made_where_the_condition_holds(perform):
    planner = ScriptedWorker(["a", "b"], [])
    executor = ScriptedWorker({"surprise": True})
    workflow = create_plan_execute_replan("planner", "executor", "has(output.surprise) && output.surprise == true")
    result = perform(workflow, {"planner": planner, "executor": executor})
    assert (result.state, result.data["done_output"]) == ("completed", {"results": []})
    assert planner.calls[1]["output"] == {"surprise": True}


@pytest.mark.parametrize("max_replans", [0, 1, 3])
def test_there_are_only_so_many_new_plans(perform, max_replans):
    workers = {"planner": lambda g: ["a"], "executor": ScriptedWorker(ValueError("no"), repeat_last=True)}
    result = perform(create_plan_execute_replan("planner", "executor", max_replans=max_replans), workers)
    assert (result.state, way(result)[-1]) == ("failed", "no_replans_left")
    assert visits(result, "plan") == max_replans + 1


@pytest.mark.parametrize(("tasks", "end"), [(3, "done"), (4, "too_many_tasks")])
def test_there_are_only_so_many_tasks(perform, tasks, end):
    workflow = create_plan_execute_replan("planner", "executor", max_tasks=3)
    result = perform(workflow, {"planner": lambda g: list(range(tasks)), "executor": lambda given: given["task"]})
    assert way(result)[-1] == end
    assert visits(result, "execute") == 3


@pytest.mark.parametrize("plan", ["a, b", {"tasks": []}, None])
def test_what_is_no_list_is_no_plan(perform, plan):
    result = perform(create_plan_execute_replan("planner", "executor"), {"planner": lambda g: plan, "executor": str})
    assert way(result) == ["plan", "first_task", "failed"]
    assert "a plan is a list of tasks" in result.data["failed_output"]["error"]
