from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from orchestration_kit import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    ParallelStep,
    RetryPolicy,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
    create_build_website_workflow,
)
from orchestration_kit.errors import NotSerializable
from orchestration_kit.widgets.composing.code import code_of
from tests.hostile import PAYLOADS
from tests.kinds_support import workflows
from tests.laws import examples


def made_by(code: str, variable: str = "workflow") -> WorkflowDefinition:
    space: dict = {}
    exec(compile(code, "<cell>", "exec"), space)
    return space[variable]


def every_kind() -> WorkflowDefinition:
    inner = WorkflowDefinition(name="inner", steps={"x": WorkflowStep(step_id="x", worker_type="own")}, initial_step="x")  # fmt: skip
    steps = [
        WorkflowStep(
            step_id="step", worker_type="coder", worker="One", on_success="map", on_failure="end", max_retries=3, timeout_s=2.5, lock="db", rate="10/s",
            branches=(Branch(when="output.n > 1", to="map", label="many"), Branch(when="true", to="end")), retry=RetryPolicy(backoff_s=1.5, retry_on=("ValueError", "OSError")),
            budget=Budget(max_cost_usd=1.0, on_budget="end"), reads=("a",), writes=("b",), compensate="end", success_when="output.ok", description="A step",
        ),
        ParallelStep(step_id="parallel", branches={"a": "step", "b": Branch(when="data.x", to="map"), "c": inner}, join=2, reducer={"x": "sum"}, failure="continue", max_concurrency=2),
        MapStep(step_id="map", body=inner, over="data.items", join="any", reducer="list", branches=(Branch(when="true", to="end"),)),
        SubworkflowStep(step_id="sub", workflow="other", input={"a": "data.x"}, output="output.y"),
        ApprovalStep(step_id="ask", prompt="Sure?", show=("data.x",), schema={"type": "object", "properties": {"n": {"minimum": 1.5}}}, timeout_s=9, on_timeout="end"),
        WaitStep(step_id="until", until=datetime(2030, 1, 2, 3, 4, tzinfo=UTC)),
        WaitStep(step_id="for", for_s=3.0),
        WaitStep(step_id="event", event="paid"),
        WorkflowStep(step_id="end", worker_type="generic", is_terminal=True, outcome="failed"),
    ]  # fmt: skip
    return WorkflowDefinition(name="all", description="d", goal="g", initial_step="step", steps={s.step_id: s for s in steps}, budget=Budget(max_tokens=9))  # fmt: skip


def test_code_of_every_kind_makes_the_same_workflow():
    code = code_of(every_kind())
    assert made_by(code) == every_kind()
    assert code.startswith("from datetime import datetime\n")
    assert max(map(len, code.splitlines())) <= 120


def test_code_of_the_website_workflow_reads_as_a_person_would_write_it():
    code = code_of(create_build_website_workflow())
    assert made_by(code) == create_build_website_workflow()
    assert code.startswith("from orchestration_kit import WorkflowDefinition, WorkflowStep\n\nworkflow = Workflow")
    assert "is_initial=True" in code
    assert "initial_step" not in code


@given(workflows())
@settings(max_examples=examples(30), deadline=None)
def test_code_of_any_workflow_sound_or_not_makes_the_same(workflow):
    assert made_by(code_of(workflow)) == workflow


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_texts_stay_texts(payload):
    step = WorkflowStep(step_id="a", worker_type="coder", description=payload, reads=(payload,))
    workflow = WorkflowDefinition(name="flow", goal=payload, description=payload, steps={"a": step})
    code = code_of(workflow)
    assert made_by(code) == workflow
    assert code.isascii() or code.encode("utf-8"), "a notebook can keep it"


def check_it(output, context):
    return True


def test_a_function_that_has_a_name_is_imported():
    step = WorkflowStep(step_id="a", worker_type="coder", success_when=check_it)
    workflow = WorkflowDefinition(name="flow", steps={"a": step}, initial_step="a")
    code = code_of(workflow)
    assert f"from {__name__} import check_it" in code
    assert made_by(code) == workflow


def test_a_function_without_a_name_is_refused():
    step = WorkflowStep(step_id="a", worker_type="coder", success_when=lambda output, context: True)
    with pytest.raises(NotSerializable, match="lambda"):
        code_of(WorkflowDefinition(name="flow", steps={"a": step}))
