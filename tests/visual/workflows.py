"""Workflows with every kind of step, as small as they can be."""

from __future__ import annotations

from typing import Any

from orchestration_kit import WorkflowDefinition, WorkflowStep
from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, SubworkflowStep, WaitStep
from orchestration_kit.definition.steps import Branch


def step(name: str, worker: str = "w", **fields: Any) -> WorkflowStep:
    return WorkflowStep(step_id=name, worker_type=worker, **fields)


def end(name: str = "done", **fields: Any) -> WorkflowStep:
    return step(name, is_terminal=True, **fields)


def of(name: str, *steps: Any, **fields: Any) -> WorkflowDefinition:
    """A workflow of these steps; the first is the initial one."""
    workflow = WorkflowDefinition(name=name, **fields)
    for at, one in enumerate(steps):
        workflow.add_step(one, is_initial=at == 0)
    return workflow


def reviewed() -> WorkflowDefinition:
    """Three branches, one of two steps, and a join."""
    return of(
        "contract",
        step("draft", on_success="review", on_failure="failed"),
        ParallelStep(
            step_id="review",
            branches={"style": "check_style", "law": "check_law", "facts": "check_facts"},
            on_success="done",
            on_failure="failed",
        ),
        step("check_style"),
        step("check_law", lock="law_db", rate="10/s", max_retries=1, on_failure="failed"),
        step("check_facts", on_success="cite"),
        step("cite", budget=Budget(max_cost_usd=1.0, max_tokens=10_000, max_seconds=60.0)),
        end(),
        end("failed", outcome="failed"),
    )


def graded(**fields: Any) -> WorkflowDefinition:
    """A map with a body of two steps."""
    each = MapStep(step_id="each", over="data.answers", body="grade", on_success="done", **fields)
    return of(
        "grade", step("collect", on_success="each"), each, step("grade", on_success="comment"), step("comment"), end()
    )


def refund() -> WorkflowDefinition:
    """A person, a timeout, an event, a sub-workflow, a budget, and steps that undo others."""
    return of(
        "refund",
        ApprovalStep(
            step_id="sign",
            prompt="Send it?",
            timeout_s=86_400,
            on_timeout="remind",
            on_success="charge",
            on_failure="no",
        ),
        step("remind", on_success="sign"),
        step("charge", compensate="give_back", on_success="ship", budget=Budget(max_cost_usd=5, on_budget="no")),
        step("give_back"),
        SubworkflowStep(step_id="ship", workflow="shipping", on_success="paid", timeout_s=30),
        WaitStep(step_id="paid", event="payment_received", timeout_s=600, on_timeout="no", on_success="pause"),
        WaitStep(step_id="pause", for_s=30, on_success="done"),
        end(),
        end("no", outcome="failed"),
    )


def nested() -> WorkflowDefinition:
    """Inline workflows as branches, one of them with branches of its own; a branch with a condition."""
    ask = ParallelStep(step_id="ask", branches={"a": "m1", "b": "m2", "c": "m3"}, join=2, on_success="tally")
    vote = of("vote", ask, step("m1"), step("m2"), step("m3"), end("tally"))
    fan = ParallelStep(
        step_id="fan",
        branches={
            "legal": of("check", step("read", on_success="good"), end("good")),
            "vote": vote,
            "quick": Branch(when="data.amount < 100", to="short_cut"),
        },
        join="any",
        on_success="over",
    )
    over = MapStep(step_id="over", over="output", body=of("item", end("a")), failure="continue", on_success="done")
    return of("outer", fan, step("short_cut"), over, end())


def shared() -> WorkflowDefinition:
    """Two maps with one body: it stands in neither of them."""
    return of(
        "shared",
        MapStep(step_id="first", over="data.a", body="work", on_success="second"),
        MapStep(step_id="second", over="data.b", body="work", on_success="done"),
        step("work", on_success="tidy"),
        step("tidy"),
        end(),
    )


def deep(levels: int) -> WorkflowDefinition:
    """Maps over maps."""
    workflow = of("bottom", end("leaf"))
    for level in range(levels):
        workflow = of(f"level{level}", MapStep(step_id=f"map{level}", body=workflow, is_terminal=True))
    return workflow


def undone() -> WorkflowDefinition:
    """A trip that is undone where the last step of it fails."""
    return of(
        "trip",
        step("flight", compensate="cancel", on_success="hotel"),
        step("hotel", compensate="cancel", on_success="car"),
        end("car", worker="cars"),
        step("cancel"),
    )


ALL = {one.__name__: one for one in (reviewed, graded, refund, nested, shared, undone)}
