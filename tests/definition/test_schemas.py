"""JSON Schemas of approvals: none that could take for ever, none of values without end."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from orchestration_kit import AnswerRefused, ApprovalStep, Orchestrator, WorkflowDefinition, WorkflowStep
from orchestration_kit.definition.kinds import MAX_NESTING, MapStep
from orchestration_kit.definition.schemas import MAX_PARTS, MAX_TEXT, as_json_schema, check_pattern


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "(a|aa)+", "(a*)*", r"(a)\1", "(x+x+)+y", "((ab)*c)*", "(a+){2,}", "(.*?,){11}P"]
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern):
    with pytest.raises(ValueError, match="repeats what repeats"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["^[a-z]+$", r"^\d{4}-\d{2}$", "(ab){2}", r"^\w+@\w+\.\w+$", "a|b", "(?:a|b)*", "^(yes|no)$", ""]
)
def test_a_pattern_of_the_usual_kind_is_taken(pattern):
    check_pattern(pattern)


def test_patterns_are_found_wherever_they_stand():
    for schema in (
        {"type": "string", "pattern": "(a+)+"},
        {"properties": {"x": {"anyOf": [{"type": "null"}, {"pattern": "(a+)+"}]}}},
        {"patternProperties": {"(a+)+": {}}},
        {"$defs": {"x": {"items": {"pattern": "(a+)+"}}}},
    ):
        with pytest.raises(ValidationError, match="repeats what repeats"):
            ApprovalStep(step_id="s", prompt="?", schema=schema)


def test_what_is_no_regular_expression_is_no_schema():
    with pytest.raises(ValueError, match="no JSON Schema"):
        as_json_schema({"pattern": "("})


@pytest.mark.parametrize("value", [list(range(MAX_PARTS + 1)), "x" * (MAX_TEXT + 1), {"a": ["x" * (MAX_TEXT + 1)]}])
def test_a_value_too_large_for_its_schema_is_refused_and_the_question_stays_open(value):
    workflow = WorkflowDefinition(name="w")
    workflow.add_step(
        ApprovalStep(step_id="s", prompt="?", schema={"uniqueItems": True}, is_terminal=True), is_initial=True
    )
    hub = Orchestrator()
    hub.register_workflow(workflow)
    run = hub.start("w", "g")
    run.run()
    with pytest.raises(AnswerRefused, match="too large"):
        run.approve(value)
    run.approve("fine")
    assert run.run().state == "completed"


def nested(depth: int) -> WorkflowDefinition:
    inner = WorkflowDefinition(name="w0")
    inner.add_step(WorkflowStep(step_id="s", worker_type="x", is_terminal=True), is_initial=True)
    for level in range(1, depth + 1):
        outer = WorkflowDefinition(name=f"w{level}")
        outer.add_step(MapStep(step_id="m", body=inner, is_terminal=True), is_initial=True)
        inner = outer
    return inner


def test_workflows_stand_within_one_another_to_a_depth():
    assert nested(MAX_NESTING).validate() == (True, None)
    with pytest.raises(ValidationError, match="more than 16 deep"):
        nested(MAX_NESTING + 1)
    deep: dict[str, object] = {
        "name": "w0",
        "initial_step": "s",
        "steps": {"s": {"worker_type": "x", "is_terminal": True}},
    }
    for _ in range(200):
        step = {"kind": "map", "body": deep, "is_terminal": True}
        deep = {"name": "w", "initial_step": "m", "steps": {"m": step}}
    with pytest.raises((ValueError, RecursionError)):
        WorkflowDefinition.from_dict(deep)
