"""What a step, a workflow and a run may use: held before an attempt, settled after it, never silently passed."""

from __future__ import annotations

import pytest

from orchestration_kit import Branch, Budget, MapStep, ParallelStep, RunLimits, SubworkflowStep
from orchestration_kit.testing import FakeClock
from tests.branches.doors import entry_of, flow_of, hub_of, paths, run_flow, through
from tests.support import step


def spend(cost=0.0, tokens=0):
    def work(given, context):
        context.add_usage(cost_usd=cost, input_tokens=tokens)
        return given

    return work


LOOP = (Branch(when="visits < 10", to="a"),)


def test_a_step_whose_budget_is_spent_is_not_attempted_again_and_goes_where_it_says(door):
    flow = flow_of(
        step("a", "end", branches=LOOP, budget=Budget(max_cost_usd=1.0, on_budget="enough")),
        step("end"),
        step("enough"),
    )
    run = run_flow(flow, {"a": spend(0.4), "end": str, "enough": lambda given: given["error"]}, door)
    assert run.state == "completed"
    assert paths(run) == ["a#1", "a#2", "a#3", "a#4", "enough#1"]
    refused = entry_of(run, "a#4")
    assert (refused["error_type"], refused["next_step"], refused["duration_s"], refused["usage"]) == (
        "BudgetSpent",
        "enough",
        0.0,
        None,
    )
    assert refused["error"] == "the budget of step 'a' is spent: max_cost_usd $1; $1.2 were spent"


def test_with_a_reserve_nothing_is_overspent(door):
    flow = flow_of(
        step("a", "end", branches=LOOP, budget=Budget(max_cost_usd=1.0, reserve_usd=0.4, on_budget="enough")),
        step("end"),
        step("enough"),
    )
    run = run_flow(flow, {"a": spend(0.4), "end": str, "enough": dict}, door)
    assert paths(run) == ["a#1", "a#2", "a#3", "enough#1"]
    assert sum(entry["usage"]["cost_usd"] for entry in run.history if entry["usage"]) == pytest.approx(0.8)


@pytest.mark.parametrize("budget", [{"max_cost_usd": 0}, {"max_tokens": 0}, {"max_seconds": 0}])
def test_a_budget_of_nothing_is_spent_before_the_first_attempt(door, budget):
    flow = flow_of(step("a", "end", budget=Budget(**budget, on_budget="enough")), step("end"), step("enough"))
    run = run_flow(flow, {"a": lambda _: 1 / 0, "end": str, "enough": dict}, door)
    assert paths(run) == ["a#1", "enough#1"]
    assert entry_of(run, "a#1")["error_type"] == "BudgetSpent"


def test_without_a_way_on_a_spent_budget_is_a_failure_that_is_not_retried(door):
    flow = flow_of(
        step("a", "end", max_retries=3, on_failure="mend", budget=Budget(max_tokens=0)), step("end"), step("mend")
    )
    run = run_flow(flow, {"a": lambda _: 1 / 0, "end": str, "mend": dict}, door)
    assert paths(run) == ["a#1", "mend#1"]
    flow = flow_of(step("a", "end", budget=Budget(max_tokens=0)), step("end"))
    run = run_flow(flow, {"a": lambda _: 1 / 0, "end": str}, door)
    assert run.state == "failed"
    assert run.context.error.startswith("a#1 failed: ")
    assert "max_tokens 0 tokens; 0 were used" in run.context.error


def test_busy_seconds_count_attempts_and_waits_before_retries(door):
    from orchestration_kit import RetryPolicy

    clock = FakeClock()

    def work(given, context):
        clock.advance(2)
        if context.attempt == 1:
            raise ValueError("again")
        return given

    flow = flow_of(
        step(
            "a",
            "end",
            branches=LOOP,
            max_retries=1,
            retry=RetryPolicy(backoff_s=3),
            budget=Budget(max_seconds=10, on_budget="enough"),
        ),
        step("end"),
        step("enough"),
    )
    run = run_flow(flow, {"a": work, "end": str, "enough": dict}, door, clock=clock)
    assert paths(run) == ["a#1", "a#1.2", "a#2", "a#2.2", "enough#1"]
    assert run.history[3]["error"] == "the budget of step 'a' is spent: max_seconds 10 s; 12 s were used"


def test_a_step_has_one_budget_for_all_branches(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="continue", max_concurrency=4, is_terminal=True),
        step("a", is_terminal=False, budget=Budget(max_cost_usd=1.0, reserve_usd=0.25, on_budget="skip")),
        step("skip", is_terminal=False),
    )
    run = run_flow(flow, {"a": spend(0.25), "skip": lambda _: "skipped"}, door, data={"items": list(range(10))})
    assert run.state == "completed"
    outputs = run.context.data["m_output"]
    assert outputs.count("skipped") == 6
    assert sum(entry["usage"]["cost_usd"] for entry in run.history if entry["usage"]) == pytest.approx(1.0)


def test_the_budget_of_a_workflow_leads_to_its_step_from_wherever_the_run_is(door):
    flow = flow_of(
        step("a", "b"), step("b", "c"), step("c"), step("sum_up"), budget=Budget(max_tokens=100, on_budget="sum_up")
    )
    run = run_flow(
        flow, {"a": spend(tokens=60), "b": spend(tokens=60), "c": lambda _: 1 / 0, "sum_up": lambda given: given}, door
    )
    assert run.state == "completed"
    assert paths(run) == ["a#1", "b#1", "sum_up#1"]
    assert run.context.data["sum_up_output"] == {
        "error": "limit budget max_tokens reached before c#1: 100 tokens; 120 were used"
    }


def test_the_budget_of_a_workflow_leads_out_of_branches_too(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=2, on_success="end"), step("a", is_terminal=False), step("end"), step("sum_up"),
        budget=Budget(max_cost_usd=1.0, reserve_usd=0.5, on_budget="sum_up"),
    )  # fmt: skip
    run = run_flow(
        flow,
        {"a": spend(0.5), "end": list, "sum_up": lambda given: given["error"]},
        door,
        data={"items": list(range(5))},
    )
    assert run.state == "completed"
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "sum_up#1"]


def test_without_a_step_to_go_to_the_run_fails_and_names_the_limit(door):
    flow = flow_of(step("a", "b"), step("b"), budget=Budget(max_cost_usd=0.1))
    run = run_flow(flow, {"a": spend(0.2), "b": str}, door)
    assert run.state == "failed"
    assert run.context.error == "limit budget max_cost_usd reached before b#1: $0.1; $0.2 were spent"


def test_a_budget_that_was_reached_holds_no_longer_for_what_it_leads_to(door):
    flow = flow_of(
        step("a", "b"),
        step("b"),
        step("sum_up", "more"),
        step("more"),
        budget=Budget(max_cost_usd=0.1, on_budget="sum_up"),
    )
    run = run_flow(flow, {"a": spend(0.2), "b": str, "sum_up": spend(0.2), "more": spend(0.2)}, door)
    assert run.state == "completed"
    assert paths(run) == ["a#1", "sum_up#1", "more#1"]


# --- limits of the run


@pytest.mark.parametrize("limits", [{"max_cost_usd": 1.0}, {"max_tokens": 100}])
def test_a_limit_of_the_run_ends_it_in_the_middle_of_a_map(door, limits):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=1, on_success="end"),
        step("a", is_terminal=False),
        step("end"),
    )
    run = run_flow(
        flow, {"a": spend(0.4, 40), "end": list}, door, data={"items": list(range(9))}, limits=RunLimits(**limits)
    )
    assert run.state == "failed"
    assert run.context.error.startswith(f"limit {next(iter(limits))} reached")
    assert paths(run) == ["m#1[0]/a#1", "m#1[1]/a#1", "m#1[2]/a#1"]


def test_a_run_that_reached_a_limit_goes_on_with_a_higher_one(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=2, on_success="end"),
        step("a", is_terminal=False),
        step("end"),
    )
    hub = hub_of(flow, {"a": spend(0.4), "end": list})
    run = through(
        door, hub.start("flow", "go", {"items": list(range(5))}, run_id="r", limits=RunLimits(max_cost_usd=1.0))
    )
    assert run.state == "failed"
    made = [path for path in paths(run) if entry_of(run, path)["success"]]
    again = through(door, hub.reopen("r", limits=RunLimits(max_cost_usd=5.0)))
    assert again.state == "completed"
    assert again.context.data["end_output"] == list(range(5))
    assert sorted(entry["path"] for entry in again.history if entry["success"]) == [
        "end#1",
        "m#1",
        *(f"m#1[{n}]/a#1" for n in range(5)),
    ]
    assert set(made) < {entry["path"] for entry in again.history}


@pytest.mark.parametrize("where", ["run", "branch"])
def test_max_steps_counts_each_thread_of_control_by_itself(door, where):
    flow = flow_of(
        ParallelStep(step_id="p", branches={f"b{n}": "a" for n in range(4)}, on_success="end"),
        step("a", branches=(Branch(when="visits < data.rounds", to="a"),), is_terminal=False), step("end"),
    )  # fmt: skip
    run = run_flow(flow, {"a": str, "end": str}, door, data={"rounds": 5}, limits=RunLimits(max_steps=5))
    assert run.state == "completed"
    assert len(run.history) == 4 * 5 + 2
    run = run_flow(flow, {"a": str, "end": str}, door, data={"rounds": 6}, limits=RunLimits(max_steps=5))
    assert run.state == "failed"
    assert "limit max_steps reached" in run.context.error


def test_a_sub_workflow_gets_what_is_left_and_what_it_uses_counts(door):
    inner = flow_of(step("x", "y", worker_type="w"), step("y", worker_type="w"), name="inner")
    outer = flow_of(
        step("first", "s", worker_type="w"),
        SubworkflowStep(step_id="s", workflow="inner", on_success="last"),
        step("last", worker_type="w"),
        name="outer",
    )
    hub = hub_of([inner, outer], {"w": spend(0.3, 10)})
    run = through(door, hub.start("outer", "go", limits=RunLimits(max_cost_usd=2.0)))
    assert run.state == "completed"
    assert entry_of(run, "s#1")["usage"] == {
        "input_tokens": 20,
        "output_tokens": 0,
        "cost_usd": pytest.approx(0.6),
        "model": None,
    }
    run = through(door, hub.start("outer", "go", limits=RunLimits(max_cost_usd=0.5)))
    assert run.state == "failed"
    child = run.children["s#1"]
    assert (child.state, paths(child)) == ("failed", ["x#1"])
    assert child.context.error.startswith("limit max_cost_usd reached")


def test_a_loop_that_never_ends_is_ended_in_a_branch_as_well(door):
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", failure="continue", is_terminal=True),
        step("a", branches=(Branch(when="output == 1", to="a"),), is_terminal=False),
    )
    run = run_flow(flow, {"a": lambda n: n}, door, data={"items": [0, 1]}, limits=RunLimits(max_steps=7))
    assert run.state == "failed"
    assert "limit max_steps reached" in run.context.error
    assert sum(path.startswith("m#1[1]") for path in paths(run)) == 7
