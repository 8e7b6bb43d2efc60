"""What was used before a resume counts on, in branches too; a budget that was reached is not reached again."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import ApprovalStep, Branch, Budget, MapStep, MemoryJournal
from tests.branches.doors import flow_of, hub_of
from tests.support import step


def pay(given, context):
    context.add_usage(cost_usd=1.0)
    return given


def driven(run, door):
    """The run, driven until it waits or ends."""
    if door == "async":
        asyncio.run(run.arun())
    else:
        run.run()
    return run


def resumed(flow, workers, journal, run_id, door):
    """The run, after another hub went on with it."""
    run = hub_of(flow, workers, journal=journal).reopen(run_id)
    run.approve()
    return driven(run, door)


@pytest.mark.parametrize("door", ["sync", "async"])
def test_a_steps_budget_counts_what_branches_used_before_a_resume(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="pay", failure="continue", max_concurrency=1, on_success="ask"),
        step("pay", budget=Budget(max_cost_usd=3, reserve_usd=1), is_terminal=False),
        ApprovalStep(step_id="ask", prompt="?", on_success="again"),
        MapStep(
            step_id="again", over="data.items", body="pay", failure="continue", max_concurrency=1, on_success="end"
        ),
        step("end"),
    )
    journal, workers = MemoryJournal(), {"pay": pay, "end": list}
    run = driven(hub_of(flow, workers, journal=journal).start("flow", "go", {"items": [1, 2]}, run_id="r"), door)
    assert run.state == "waiting"
    run = resumed(flow, workers, journal, "r", door)
    paid = [entry for entry in run.history if entry["step"] == "pay"]
    assert [entry["error_type"] for entry in paid] == [None, None, None, "BudgetSpent"]


@pytest.mark.parametrize("door", ["sync", "async"])
def test_a_run_that_went_on_over_its_budget_is_not_held_to_it_after_a_resume(door):
    flow = flow_of(
        step("pay", "pay", branches=(Branch(when="visits > 9", to="sum"),)),
        ApprovalStep(step_id="enough", prompt="Over budget. Sum up?", on_success="sum"),
        step("sum"),
    )
    flow.budget = Budget(max_cost_usd=2, on_budget="enough")
    journal, workers = MemoryJournal(), {"pay": pay, "sum": pay}
    run = driven(hub_of(flow, workers, journal=journal).start("flow", "go", run_id="r"), door)
    assert run.state == "waiting"
    run = resumed(flow, workers, journal, "r", door)
    assert (run.state, [entry["path"] for entry in run.history]) == (
        "completed",
        ["pay#1", "pay#2", "enough#1", "sum#1"],
    )
