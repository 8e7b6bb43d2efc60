"""A template as the body of a map: each item has a vote, a loop or lessons of its own."""

from __future__ import annotations

from orchestration_kit import WorkflowDefinition
from orchestration_kit.definition import MapStep, SubworkflowStep, WorkflowStep
from orchestration_kit.templates import (
    create_evaluator_optimizer,
    create_map_reduce,
    create_reflexion,
    create_routing,
    create_voting,
)
from tests.templates.conftest import hub_with


def mapped(body, **fields):
    workflow = WorkflowDefinition(name="batch")
    fields = {"on_success": "end", "on_failure": "end", **fields}
    workflow.add_step(MapStep(step_id="each", over="data.items", body=body, **fields), is_initial=True)
    workflow.add_step(WorkflowStep(step_id="end", worker_type="end", is_terminal=True))
    assert workflow.problems() == []
    return workflow


def outputs(perform, workflow, workers, items):
    result = perform(workflow, workers, initial_data={"items": items})
    assert result.state == "completed"
    return result.data["each_output"]


def test_each_item_of_a_map_can_be_voted_on(perform):
    workers = {"low": lambda n: n > 1, "mid": lambda n: n > 2, "high": lambda n: n > 3}
    counts = outputs(perform, mapped(create_voting(voters=list(workers))), workers, [1, 2, 3, 4])
    assert [(count["answer"], count["votes"]) for count in counts] == [(False, 3), (False, 2), (True, 2), (True, 3)]


def test_each_item_of_a_map_is_refined_by_itself(perform):
    def generator(given):
        return given + 1 if isinstance(given, int) else given["draft"] + 1

    body = create_evaluator_optimizer("g", "e", min_rating=4)
    found = outputs(perform, mapped(body), {"g": generator, "e": lambda draft: {"rating": draft}}, [0, 2])
    assert [(one["draft"], one["rounds"]) for one in found] == [(4, 4), (4, 2)]


def test_lessons_of_all_items_are_kept_where_a_reducer_says_how(perform):
    body = create_reflexion("w", "e", "l")
    workers = {
        "w": lambda given: given if isinstance(given, int) else given["attempt"] + 1,
        "e": lambda attempt: {"passed": attempt >= 2},
        "l": lambda _, context: f"{context.data['attempt_output']} is too little",
    }
    result = perform(mapped(body, reducer={"lessons": "concat"}), workers, initial_data={"items": [1, 1, 5]})
    assert result.data["each_output"] == [2, 2, 5]
    assert [one["lesson"] for one in result.data["lessons"]] == ["1 is too little"] * 2


def test_a_template_can_be_a_route_of_another():
    inner = create_map_reduce("lister", "doubler", name="inner")
    outer = create_routing("router", {"many": SubworkflowStep(step_id="x", workflow="inner"), "one": "doubler"})
    workers = {
        "router": lambda goal: {"route": "many"},
        "lister": lambda given: [1, 2],
        "doubler": lambda number: 2 * number,
    }
    hub = hub_with(outer, workers)
    hub.register_workflow(inner)
    assert hub.execute_workflow("routing", "x", verbose=False).data["done_output"] == [2, 4]
