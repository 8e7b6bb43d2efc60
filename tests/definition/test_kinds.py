"""Steps of all kinds as models and in files: what goes through a file, and what is refused with a word of help."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from orchestration_kit.definition import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    ParallelStep,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.definition.budgets import rate_of
from orchestration_kit.errors import NotSerializable, WorkflowFileError
from tests.kinds_support import workflows
from tests.laws import examples
from tests.support import step, workflow_of

SCHEMA = Draft202012Validator(WorkflowDefinition.json_schema())


@settings(max_examples=examples(75), deadline=None)
@given(workflows())
def test_a_workflow_of_any_kinds_goes_through_every_file_and_keeps_its_fingerprint(workflow):
    for again in (
        WorkflowDefinition.from_dict(workflow.to_dict()),
        WorkflowDefinition.from_json(workflow.to_json()),
        WorkflowDefinition.from_yaml(workflow.to_yaml()),
    ):
        assert again == workflow
        assert again.fingerprint() == workflow.fingerprint()
    SCHEMA.validate(workflow.to_dict())


def test_in_a_file_a_step_that_is_no_plain_one_says_its_kind_first():
    workflow = workflow_of(
        ParallelStep(step_id="p", branches={"a": "a", "b": Branch(when="output.b", to="b")}, on_success="m"),
        MapStep(step_id="m", over="data.items", body="a", is_terminal=True),
    )
    written = workflow.to_dict()["steps"]
    assert written["p"] == {
        "kind": "parallel",
        "on_success": "m",
        "branches": {"a": "a", "b": {"when": "output.b", "to": "b"}},
    }
    assert next(iter(written["m"])) == "kind"


@pytest.mark.parametrize("kind", ["parallel", "map", "workflow", "approval", "wait"])
def test_without_its_kind_a_step_in_a_file_is_refused(kind):
    fields = {
        "parallel": {"branches": {"a": "a"}}, "map": {"body": "a"}, "workflow": {"workflow": "w"}, "approval": {"prompt": "?"}, "wait": {"for_s": 1},
    }[kind]  # fmt: skip
    good = {"name": "x", "steps": {"s": {"kind": kind, **fields}}}
    assert WorkflowDefinition.from_dict(good).steps["s"].kind == kind
    SCHEMA.validate(good)
    bad = {"name": "x", "steps": {"s": fields}}
    assert not SCHEMA.is_valid(bad)
    with pytest.raises(WorkflowFileError):
        WorkflowDefinition.from_dict(bad)


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(WorkflowFileError, match="parallel, map, workflow, approval, wait"):
        WorkflowDefinition.from_dict({"name": "x", "steps": {"s": {"kind": "loop"}}})


def test_a_workflow_that_stands_in_a_step_goes_through_a_file_with_it():
    inner = workflow_of(step("a", "b"), step("b"), name="inner")
    workflow = workflow_of(MapStep(step_id="m", body=inner, is_terminal=True))
    assert WorkflowDefinition.from_json(workflow.to_json()).steps["m"].body == inner


@pytest.mark.parametrize(
    "held",
    [
        MapStep(step_id="s", over=lambda output, context: [], body="s"), ParallelStep(step_id="s", branches={"a": "s"}, reducer=max),
        ParallelStep(step_id="s", branches={"a": "s"}, reducer={"x": max}), SubworkflowStep(step_id="s", workflow="w", input={"a": lambda o, c: 1}),
        ApprovalStep(step_id="s", prompt="?", show=(lambda o, c: 1,)), ParallelStep(step_id="s", branches={"a": Branch(when=lambda o, c: True, to="s")}),
        MapStep(step_id="s", body=workflow_of(step("i", success_when=lambda o, c: True))),
    ],
)  # fmt: skip
def test_code_in_any_field_of_any_kind_is_named_when_it_is_to_be_written(held):
    for write in (workflow_of(held).to_dict, workflow_of(held).to_json, workflow_of(held).to_yaml):
        with pytest.raises(NotSerializable, match="is a Python callable"):
            write()
    assert workflow_of(held).fingerprint() == workflow_of(held).fingerprint()


class Answer(BaseModel):
    amount: float


def test_a_type_becomes_the_schema_of_an_approval():
    assert ApprovalStep(step_id="s", prompt="?", schema=bool).schema == {"type": "boolean"}
    assert ApprovalStep(step_id="s", prompt="?", schema=Answer).schema["required"] == ["amount"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ApprovalStep(step_id="s", prompt="?", schema={"type": 5}), "it is no JSON Schema"),
        (lambda: ApprovalStep(step_id="s", prompt="?", schema=object()), "a type that pydantic can make one of"),
        (lambda: ApprovalStep(step_id="s", prompt="?", on_timeout="a"), "has on_timeout but no timeout_s"),
        (lambda: WaitStep(step_id="s"), "waits for nothing; give one of until=..., for_s=..., event=..."),
        (lambda: WaitStep(step_id="s", for_s=1, event="e"), "waits for for_s and event"),
        (lambda: WaitStep(step_id="s", for_s=1, timeout_s=2), "waits for a time, which cannot time out"),
        (lambda: WaitStep(step_id="s", until=datetime(2030, 1, 1)), "timezone"),
        (lambda: MapStep(step_id="s", body=Branch(when="true", to="a")), "a body has no condition of its own"),
        (lambda: MapStep(step_id="s", body=5), "a branch leads to a step's id, a WorkflowDefinition or a Branch"),
        (lambda: MapStep(step_id="s", body="a", over="items"), "it names 'items'"),
        (lambda: MapStep(step_id="s", body="a", over="data.a + 1"), "a path is wanted"),
        (lambda: MapStep(step_id="s", body="a", over=5), "it is a path such as"),
        (lambda: MapStep(step_id="s", body="a", join=0), "join"),
        (lambda: MapStep(step_id="s", body="a", join=True), "join"),
        (lambda: ParallelStep(step_id="s", branches={}), "branches"),
        (lambda: ParallelStep(step_id="s", branches={"a": "b"}, reducer="avg"), "there is no reducer 'avg'. There are: first"),
        (lambda: ParallelStep(step_id="s", branches={"a": "b"}, reducer=5), "a reducer is one of first"),
        (lambda: ParallelStep(step_id="s", branches={"a#1": "b"}), "step id 'a#1' holds"),
        (lambda: Budget(max_tokens=5, reserve_tokens=6), "reserve_tokens=6 is more than the whole budget of 5"),
        (lambda: WorkflowStep(step_id="s", worker_type="w", rate="fast"), "a rate is a number a time"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_word_of_help(make, said):
    with pytest.raises(ValidationError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rate"), [("10/s", (10, 1)), (" 1.5 / min", (1.5, 60)), ("1000/h", (1000, 3600)), ("5/d", (5, 86400))]
)
def test_a_rate_is_a_number_a_time(text, rate):
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["0/s", "-1/s", "1/y", "1", "/s", "1e3/s", "١/s", ""])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="a rate is a number a time"):
        rate_of(text)


def test_transitions_of_every_kind_are_named_with_field_and_label():
    parallel = ParallelStep(
        step_id="p", branches={"a": "x", "b": Branch(when="output.b", to="y")}, on_success="z", compensate="u"
    )
    assert [(t.kind, t.field, t.target, t.label) for t in parallel.transitions()] == [
        ("body", "branches['a']", "x", "a"), ("body", "branches['b']", "y", "b"), ("success", "on_success", "z", ""), ("compensate", "compensate", "u", "undone by"),
    ]  # fmt: skip
    wait = WaitStep(step_id="w", event="e", timeout_s=60, on_timeout="late", is_terminal=True)
    assert [(t.kind, t.target, t.label) for t in wait.transitions()] == [("timeout", "late", "after 60 s")]
    spent = WorkflowStep(step_id="s", worker_type="w", budget=Budget(max_tokens=1, on_budget="stop"))
    assert [(t.kind, t.field, t.target) for t in spent.transitions()] == [("budget", "budget.on_budget", "stop")]


def test_a_time_has_one_fingerprint_however_it_came():
    made = workflow_of(WaitStep(step_id="w", until=datetime(2030, 1, 1, tzinfo=UTC), is_terminal=True))
    assert WorkflowDefinition.from_json(made.to_json()).fingerprint() == made.fingerprint()
