"""Ready-made workflows: sound, as documented, and refusing what makes no pipeline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit import WorkerType, WorkflowDefinition, create_build_website_workflow, create_generic_pipeline
from orchestration_kit.errors import DuplicateStep
from orchestration_kit.testing import ScriptedWorker
from tests.support import hub_of


def test_the_website_workflow_goes_from_specs_to_code_to_review():
    workflow = create_build_website_workflow()
    assert workflow.name == "build_website"
    assert workflow.initial_step == "create_specs"
    assert {s: (step.on_success, step.on_failure) for s, step in workflow.steps.items()} == {
        "create_specs": ("implement_code", "failed"),
        "implement_code": ("review_code", "failed"),
        "review_code": ("completed", "implement_code"),
        "completed": (None, None),
        "failed": (None, None),
    }
    assert [step.worker_type for step in workflow.steps.values()] == [
        WorkerType.PRODUCT_MANAGER, WorkerType.CODER, WorkerType.REVIEWER, WorkerType.GENERIC, WorkerType.GENERIC,
    ]  # fmt: skip
    assert {s: step.outcome for s, step in workflow.steps.items() if step.is_terminal} == {
        "completed": "completed",
        "failed": "failed",
    }
    assert all(step.description for step in workflow.steps.values())
    assert workflow.validate() == (True, None)


def test_each_call_makes_a_workflow_of_its_own():
    one, other = create_build_website_workflow(), create_build_website_workflow()
    one.steps["create_specs"].max_retries = 9
    del one.steps["failed"]
    assert other == create_build_website_workflow() != one


@pytest.mark.parametrize(
    "workflow", [create_build_website_workflow(), create_generic_pipeline([("a", "coder", "A"), ("b", "mine", "")])]
)
def test_templates_go_through_files(workflow):
    assert (
        WorkflowDefinition.from_yaml(workflow.to_yaml()) == WorkflowDefinition.from_json(workflow.to_json()) == workflow
    )


def test_a_review_that_never_approves_ends_at_the_limit_and_not_silently():
    hub = hub_of(
        create_build_website_workflow(),
        {"product_manager": str, "coder": str, "reviewer": ScriptedWorker({"approved": False}, repeat_last=True)},
    )
    result = hub.execute_workflow("build_website", "A site", verbose=False)
    assert result.state == "failed"
    assert "limit max_steps reached" in result.error


def test_a_pipeline_is_a_line_whose_failures_all_lead_to_failed():
    pipeline = create_generic_pipeline(
        [("draft", WorkerType.CODER, "Write it"), ("check", "reviewer", ""), ("send", "postman", "Off")]
    )
    assert (pipeline.name, pipeline.initial_step) == ("draft_check_send", "draft")
    assert {s: (step.on_success, step.on_failure, step.is_terminal) for s, step in pipeline.steps.items()} == {
        "draft": ("check", "failed", False),
        "check": ("send", "failed", False),
        "send": (None, "failed", True),
        "failed": (None, None, True),
    }
    assert (pipeline.steps["draft"].description, pipeline.steps["check"].worker_type) == (
        "Write it",
        WorkerType.REVIEWER,
    )
    assert pipeline.steps["failed"].outcome == "failed"
    assert pipeline.problems() == []


def test_a_pipeline_runs_in_order_and_stops_at_a_failure():
    pipeline = create_generic_pipeline([("a", "a", ""), ("b", "b", ""), ("c", "c", "")])
    workers = {"a": lambda text: text + "a", "b": lambda text: text + "b", "c": lambda text: text + "c"}
    assert hub_of(pipeline, workers).execute_workflow("a_b_c", "-", verbose=False).data["c_output"] == "-abc"
    workers["b"] = ScriptedWorker(OSError("gone"))
    result = hub_of(pipeline, workers).execute_workflow("a_b_c", "-", verbose=False)
    assert (result.state, [e["step"] for e in result.history]) == ("failed", ["a", "b", "failed"])


@pytest.mark.parametrize(
    ("steps", "error", "said"),
    [
        ([], ValueError, "A pipeline needs at least one step"),
        ([("failed", "w", "")], ValueError, "The step id 'failed' is taken"),
        (
            [("a", "w", ""), ("b", "w", ""), ("a", "w", "")],
            DuplicateStep,
            "a different step 'a' .they differ in position in the list",
        ),
        ([("a#1", "w", "")], ValueError, "step id 'a#1' holds '#'"),
    ],
)
def test_what_makes_no_pipeline_is_refused(steps, error, said):
    with pytest.raises(error, match=said):
        create_generic_pipeline(steps)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=30), min_size=1, max_size=30, unique=True))
def test_every_pipeline_is_sound_and_has_a_name_that_fits(ids):
    pipeline = create_generic_pipeline([(step_id, "w", "") for step_id in ids])
    assert pipeline.validate() == (True, None)
    assert pipeline.name in ("_".join(ids), f"pipeline_of_{len(ids)}_steps")
    assert len(pipeline.name) <= 200
