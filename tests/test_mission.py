"""The documented examples of the mission, as written."""

from __future__ import annotations

import pandas as pd
import pytest

from orchestration_kit import (
    Orchestrator,
    WorkerDefinition,
    WorkerType,
    WorkflowContext,
    WorkflowDefinition,
    WorkflowState,
    WorkflowStep,
    create_build_website_workflow,
    create_generic_pipeline,
)


def website_hub(**executors):
    hub = Orchestrator()
    executors = {
        "product_manager": lambda input_data, context: {"pages": ["Home"], "goal": context.goal},
        "coder": lambda input_data, context: {"files": {"index.html": "<!doctype html>"}},
        "reviewer": lambda input_data, context: {"approved": True},
        "generic": lambda input_data, context: input_data,
    } | executors
    for worker_type, executor in executors.items():
        hub.register_worker(
            WorkerDefinition(worker_type=WorkerType(worker_type), name=worker_type, description="", executor=executor)
        )
    hub.register_workflow(create_build_website_workflow())
    return hub


def test_three_workers_and_a_generic_one_build_a_website():
    hub = website_hub()
    result = hub.execute_workflow(workflow_name="build_website", goal="Build a portfolio website", verbose=False)
    assert result.state == WorkflowState.COMPLETED
    assert [entry["step"] for entry in result.history] == ["create_specs", "implement_code", "review_code", "completed"]
    assert [entry["worker_type"] for entry in result.history] == ["product_manager", "coder", "reviewer", "generic"]
    assert result.data["review_code_output"] == {"approved": True}
    assert result.metadata["workflow_name"] == "build_website"
    assert list(pd.DataFrame(result.history)["step"]) == [entry["step"] for entry in result.history]


def test_a_failed_review_goes_back_to_the_coder_with_its_reasons():
    verdicts = iter([{"approved": False, "reasons": ["no title"]}, {"approved": True}])
    seen = []

    def coder(input_data, context):
        seen.append(input_data)
        return {"files": {}}

    result = website_hub(coder=coder, reviewer=lambda i, c: next(verdicts)).execute_workflow(
        "build_website", "A site", verbose=False
    )
    assert result.state == "completed"
    assert [e["path"] for e in result.history if e["step"] == "implement_code"] == [
        "implement_code#1",
        "implement_code#2",
    ]
    assert seen[1]["output"] == {"approved": False, "reasons": ["no title"]}
    assert "output.approved == true" in seen[1]["error"]


@pytest.mark.parametrize("verdict", ["looks good", None, 7, ["fine"], {"score": 3}])
def test_a_reviewer_that_says_nothing_of_approval_has_approved(verdict):
    result = website_hub(reviewer=lambda i: verdict).execute_workflow("build_website", "A site", verbose=False)
    assert result.state == "completed"
    assert result.data["review_code_output"] == verdict


def test_a_worker_that_raises_takes_on_failure_and_its_output_is_the_error():
    def broken(input_data, context):
        raise RuntimeError("no idea")

    result = website_hub(product_manager=broken).execute_workflow("build_website", "A site", verbose=False)
    assert result.state == WorkflowState.FAILED
    assert result.history[0]["output"] == {"error": "no idea"}
    assert (result.history[0]["success"], result.history[0]["error_type"]) == (False, "RuntimeError")
    assert result.data["create_specs_output"] == {"error": "no idea"}
    assert result.history[-1]["step"] == "failed"


def test_retries_count_as_said():
    calls = []

    def coder(input_data, context):
        calls.append(context.attempt)
        if len(calls) < 2:
            raise RuntimeError("once more")
        return {"files": {}}

    result = website_hub(coder=coder).execute_workflow("build_website", "A site", verbose=False)
    assert result.state == "completed"
    assert calls == [1, 2]
    assert [(e["attempt"], e["success"]) for e in result.history if e["step"] == "implement_code"] == [
        (1, False),
        (2, True),
    ]


def test_without_a_worker_for_it_a_terminal_step_passes_the_last_output_through():
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="coder", name="coder", executor=lambda goal: goal.upper()))
    workflow = WorkflowDefinition("small", "", "")
    workflow.add_step(WorkflowStep(step_id="write", worker_type="coder", on_success="end"), is_initial=True)
    workflow.add_step(WorkflowStep(step_id="end", worker_type=WorkerType.GENERIC, is_terminal=True))
    hub.register_workflow(workflow)
    result = hub.execute_workflow("small", "hi", verbose=False)
    assert result.data["end_output"] == "HI"
    assert (result.history[-1]["worker"], result.history[-1]["output"]) == (None, "HI")


def test_the_default_is_a_printed_account(capsys):
    website_hub().execute_workflow("build_website", "A site")
    printed = capsys.readouterr().out
    for expected in ("build_website: A site", "create_specs#1", "review_code", "completed after 4 attempts"):
        assert expected in printed


def test_an_invalid_workflow_is_refused_with_a_value_error_that_says_so():
    workflow = WorkflowDefinition(name="broken", description="", goal="")
    workflow.add_step(WorkflowStep(step_id="one", worker_type="generic", on_success="missing"), is_initial=True)
    valid, message = workflow.validate()
    assert not valid
    assert "invalid on_success" in message.lower()
    with pytest.raises(ValueError, match="Invalid workflow: Step 'one' has invalid on_success: 'missing'"):
        Orchestrator().register_workflow(workflow)


def test_transformers_shape_what_goes_in_and_what_comes_out():
    hub = Orchestrator()
    hub.register_worker(
        WorkerDefinition(
            worker_type=WorkerType.CODER,
            name="coder",
            description="Implements",
            executor=lambda input_data, context: f"code for {input_data}",
            input_transformer=lambda context: context.data["specs"],
            output_transformer=lambda output, context: {"result": output, "step": context.current_step},
        )
    )
    hub.register_workflow(create_generic_pipeline([("write", WorkerType.CODER, "Write")]))
    result = hub.execute_workflow("write", "goal", initial_data={"specs": "a shop"}, verbose=False)
    assert result.data["write_output"] == {"result": "code for a shop", "step": "write"}
    assert result.history[0]["input"] == "a shop"


def test_a_context_made_by_hand_keeps_its_history():
    context = WorkflowContext(
        workflow_id="test_123", goal="Test", state=WorkflowState.INITIALIZED, current_step="step1"
    )
    context.add_history(worker_type="one", input_data="in", output_data="first")
    context.add_history(worker_type="two", input_data="in", output_data="second")
    assert len(context.history) == 2
    assert context.get_last_output() == "second"
    assert context.get_last_output("one") == "first"
    assert context.get_last_output("nobody") is None
    assert set(context.history[0]) >= {"timestamp", "worker_type", "step", "input", "output"}


def test_the_hub_knows_its_workers_by_type_and_its_workflows_by_name():
    hub = website_hub()
    assert WorkerType.CODER in hub.workers
    assert "coder" in hub.workers
    assert "build_website" in hub.workflows


def test_a_doer_works_inside_an_executor():
    from pydantic_ai.models.test import TestModel

    from orchestration_kit import DoerAgent

    doer = DoerAgent(model=TestModel(call_tools=["string_length"], custom_output_text="42"))

    def coder_executor(input_data, context):
        return {"files": {"index.html": doer.run(input_data)["response"]}}

    result = website_hub(coder=coder_executor).execute_workflow("build_website", goal="Build a site", verbose=False)
    assert result.state == WorkflowState.COMPLETED
    assert result.get_last_output("coder") == {"files": {"index.html": "42"}}


def test_a_doer_is_a_worker():
    from pydantic_ai.models.test import TestModel

    from orchestration_kit import DoerAgent, worker_from

    hub = Orchestrator()
    hub.register_worker(
        worker_from(DoerAgent(model=TestModel(call_tools=[], custom_output_text="done")), worker_type="generic")
    )
    hub.register_workflow(create_generic_pipeline([("do", "generic", "Do it")]))
    assert hub.execute_workflow("do", goal="Do it", verbose=False).data["do_output"] == "done"


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (
            {"action_type": "sql_query", "action_data": {"query": "SELECT name FROM users WHERE id = ?"}, "cost": 0.01},
            True,
        ),
        ({"action_type": "sql_query", "action_data": {"query": "DROP TABLE users"}, "cost": 0.01}, False),
        (
            {"action_type": "file_operation", "action_data": {"operation": "read", "path": "report.csv"}, "cost": 0.0},
            True,
        ),
        ({"action_type": "file_operation", "action_data": {"operation": "read", "path": "../../etc/passwd"}}, False),
        (
            {
                "action_type": "api_call",
                "action_data": {"url": "https://api.example.com/v1", "method": "GET"},
                "cost": 0.1,
            },
            True,
        ),
        (
            {"action_type": "api_call", "action_data": {"url": "https://evil.test/", "method": "GET"}, "cost": 0.1},
            False,
        ),
        (
            {"action_type": "api_call", "action_data": {"url": "https://example.com/", "method": "GET"}, "cost": 9.0},
            False,
        ),
        ({"action_type": "send_email", "action_data": {"to": "ann@example.com", "subject": "Hi", "body": "..."}}, True),
        ({"action_type": "send_email", "action_data": {"to": "eve@evil.test", "subject": "Hi", "body": "..."}}, False),
        ({"action_type": "shell_command", "action_data": {"command": "rm -rf /"}}, False),
        ({"action_type": "launch_rocket", "action_data": {}}, False),
    ],
)
def test_the_firewall_between_brain_and_hand(plan, expected):
    from orchestration_kit import ConstraintEngine, DoerAgent, create_default_engine

    engine = create_default_engine(max_cost=1.0, allowed_domains=["example.com"])
    assert isinstance(engine, ConstraintEngine)
    plan = {"cost": 0.0, **plan}
    verdict = engine.validate_plan(plan)
    assert verdict.approved is expected
    assert bool(verdict.violations) is not expected
    approved, reason = DoerAgent(constraints=engine).validate_action_plan(plan)
    assert approved is expected
    assert reason
