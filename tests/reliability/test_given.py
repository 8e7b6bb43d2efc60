"""A workflow and what is said of its workers become a chain; what is missing, or names nothing, is told all at once."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import (
    ApprovalStep,
    Branch,
    MapStep,
    ParallelStep,
    RetryPolicy,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.errors import InvalidWorkflow
from orchestration_kit.reliability import COMPLETED, FAILED, ChainError, Took, chain_of, reliability, solve
from orchestration_kit.reliability.joining import Branched, join_success, join_took
from orchestration_kit.templates import create_build_website_workflow
from tests.support import step, workflow_of

WEBSITE = create_build_website_workflow()
RATES = {"product_manager": 0.99, "coder": 0.9, "reviewer": 0.8}


def test_the_website_is_solved_by_hand():
    coder = 1 - 0.1**2  # it has a retry
    by_hand = 0.99 * coder * 0.8 / (1 - coder * 0.2)
    assert reliability(WEBSITE, RATES).p_success.value == pytest.approx(by_hand, abs=1e-12)


def test_what_is_said_of_a_step_goes_before_its_worker_and_that_before_its_type():
    workflow = workflow_of(
        WorkflowStep(step_id="a", worker_type="coder", worker="ada", on_success="b"),
        WorkflowStep(step_id="b", worker_type="coder", worker="ada", on_success="c"),
        WorkflowStep(step_id="c", worker_type="coder", on_success="d"),
        step("d"),
    )
    chain = chain_of(workflow, {"coder": {"success": 0.5, "tokens": 7}, "ada": {"success": 0.6}, "a": 0.7})
    assert [chain.steps[at].success for at in "abcd"] == [0.7, 0.6, 0.5, 1.0]
    assert [chain.steps[at].on_failure.tokens for at in "abc"] == [7, 7, 7]


def test_all_that_is_missing_is_named_at_once():
    workflow = workflow_of(
        WorkflowStep(step_id="a", worker_type="coder", branches=(Branch(when="output.x", to="b"),), on_success="c"),
        MapStep(step_id="b", over="output", body="d", on_success="c"),
        step("c"),
        step("d", None, is_terminal=False),
    )
    with pytest.raises(ChainError) as caught:
        chain_of(workflow, {})
    told = str(caught.value)
    for part in (
        "'a' (coder)",
        "'a' (to b or c)",
        "how many items there are is not known for 'b'",
        "'d' (d)",
        "default=0.9",
    ):
        assert part in told


def test_a_default_is_for_workers_that_are_not_named():
    chain = chain_of(WEBSITE, {"coder": 0.5}, default=0.9)
    assert [round(one.success, 1) for one in chain.steps.values()] == [0.9, 0.5, 0.9, 1.0, 1.0]
    with pytest.raises(ChainError, match=r"success=90"):
        chain_of(WEBSITE, {}, default=90)


def test_ways_on_conditions_have_the_shares_that_are_given():
    workflow = workflow_of(
        WorkflowStep(step_id="a", worker_type="coder", branches=(Branch(when="output.x", to="a"),), on_success="c"),
        step("c"),
    )
    chain = chain_of(workflow, {"coder": 1.0, "a": {"to": {"a": 0.25, "c": 0.75}}})
    assert chain.steps["a"].after_success == {"a": 0.25, "c": 0.75}
    assert solve(chain).visits[0] == pytest.approx(4 / 3)
    with pytest.raises(ChainError, match=r"sum to 0\.9"):
        chain_of(workflow, {"coder": 1.0, "a": {"to": {"a": 0.25, "c": 0.65}}})
    with pytest.raises(ChainError, match=r"does not lead to 'd'.* It leads to: a, c"):
        chain_of(workflow, {"coder": 1.0, "a": {"to": {"d": 1.0}}})


def test_approvals_waits_and_terminal_steps_succeed_unless_something_else_is_said():
    workflow = workflow_of(
        ApprovalStep(step_id="sign", prompt="?", on_success="wait", timeout_s=9, on_timeout="late"),
        WaitStep(step_id="wait", event="paid", on_success="done"),
        step("done"),
        step("late", outcome="failed"),
    )
    assert solve(chain_of(workflow)).p_success == 1
    chain = chain_of(workflow, {"sign": {"success": 0.5, "to_after_failure": {"late": 1.0}}, "done": 0.5})
    assert chain.steps["sign"].after_failure == {"late": 1.0}
    assert chain.steps["late"].after_success == {FAILED: 1.0}
    assert solve(chain).p_success == pytest.approx(0.25)


def test_a_sub_workflow_is_one_step():
    workflow = workflow_of(
        SubworkflowStep(step_id="send", workflow="shipping", max_retries=1, on_success="done"), step("done")
    )
    assert solve(chain_of(workflow, {"send": 0.5})).p_success == pytest.approx(0.75)


def parallel(**options):
    return workflow_of(
        ParallelStep(step_id="split", branches={"a": "x", "b": "y", "c": "z"}, on_success="done", **options),
        step("x", None, is_terminal=False),
        step("y", None, is_terminal=False),
        step("z", None, is_terminal=False),
        step("done"),
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"join": "all"}, 0.9 * 0.8 * 0.5),
        ({"join": "any"}, 1 - 0.1 * 0.2 * 0.5),
        ({"join": 2}, 0.9 * 0.8 * 0.5 + 0.9 * 0.8 * 0.5 + 0.9 * 0.2 * 0.5 + 0.1 * 0.8 * 0.5),
        ({"join": "all", "failure": "continue"}, 1 - 0.1 * 0.2 * 0.5),
    ],
)
def test_a_join_succeeds_as_often_as_enough_branches_do(options, expected):
    chain = chain_of(
        parallel(**options), {"x": {"success": 0.9, "time_s": 1}, "y": {"success": 0.8, "time_s": 5}, "z": 0.5}
    )
    assert chain.steps["split"].success == pytest.approx(expected)
    assert set(chain.steps) == {"split", "done"}


def test_branches_take_the_longest_of_their_means_and_the_cost_of_all():
    rates = {name: {"success": 1.0, "time_s": t, "cost_usd": 0.5} for name, t in (("x", 1), ("y", 5), ("z", 3))}
    took = {join: chain_of(parallel(join=join), rates).steps["split"].on_success for join in ("all", "any", 2)}
    assert {join: one.time_s for join, one in took.items()} == {"all": 5, "any": 1, 2: 3}
    assert all(one.cost_usd == 1.5 for one in took.values())


def test_a_join_whose_success_is_known_is_not_looked_into():
    chain = chain_of(parallel(), {"split": {"success": 0.6, "time_s": 4}})
    assert (chain.steps["split"].success, chain.steps["split"].on_success) == (0.6, Took(time_s=4))


def test_branches_on_conditions_are_asked_for_and_count_as_often_as_they_are_opened():
    workflow = workflow_of(
        ParallelStep(step_id="split", branches={"a": "x", "law": Branch(when="output.law", to="y")}, on_success="done"),
        step("x", None, is_terminal=False),
        step("y", None, is_terminal=False),
        step("done"),
    )
    rates = {"x": 1.0, "y": {"success": 0.5, "cost_usd": 1.0}}
    with pytest.raises(ChainError, match=r"on conditions by 'split' \(law\)"):
        chain_of(workflow, rates)
    split = chain_of(workflow, {**rates, "split": {"branches": {"law": 0.3}}}).steps["split"]
    assert split.success == pytest.approx(1 - 0.3 * 0.5)
    assert split.on_success.cost_usd == pytest.approx(0.3)
    with pytest.raises(ChainError, match="no branch 'tax'"):
        chain_of(workflow, {**rates, "split": {"branches": {"tax": 0.3}}})


def test_a_map_has_as_many_items_as_are_given():
    def flow(**options):
        return workflow_of(
            MapStep(step_id="grade", over="data.x", body="one", on_success="done", **options),
            WorkflowStep(step_id="one", worker_type="grader", max_retries=1),
            step("done"),
        )

    grade = chain_of(flow(max_concurrency=2), {"grader": {"success": 0.9, "time_s": 1.0}, "grade": {"items": 5}}).steps[
        "grade"
    ]
    assert grade.success == pytest.approx(0.99**5)
    assert grade.on_success.time_s == pytest.approx(3 * 1.1)
    assert chain_of(flow(), {"grader": 0.0, "grade": {"items": 0}}).steps["grade"].success == 1
    with pytest.raises(ChainError, match="items=-1"):
        chain_of(flow(), {"grader": 0.9, "grade": {"items": -1}})


def test_a_branch_may_be_a_workflow_with_a_loop_of_its_own():
    inner = WorkflowDefinition.from_edges(
        "inner", [("draft", "check"), ("check", "draft", "failure")], terminal=["check"]
    )
    inner = inner.replace("check", is_terminal=False, on_success="ok")
    inner.add_step(step("ok"))
    workflow = workflow_of(ParallelStep(step_id="split", branches={"a": inner}, on_success="done"), step("done"))
    chain = chain_of(workflow, {"draft": {"success": 0.9, "tokens": 10}, "check": 0.5})
    assert chain.steps["split"].success == pytest.approx(0.9 * 0.5 / (1 - 0.9 * 0.5))
    assert chain.steps["split"].on_success.tokens == pytest.approx(10 / (1 - 0.9 * 0.5))


def test_waits_before_retries_are_part_of_what_failures_take():
    policy = RetryPolicy(backoff_s=1, multiplier=3)
    workflow = workflow_of(
        WorkflowStep(step_id="a", worker_type="a", max_retries=2, retry=policy, on_success="b"), step("b")
    )
    found = reliability(workflow, {"a": {"success": 0.5, "time_s": 10.0}})
    assert found.time_s is not None
    assert found.time_s.value == pytest.approx(10 * 1.75 + 0.5 * 1 + 0.25 * 3)


@pytest.mark.parametrize(
    ("rates", "told"),
    [
        ({"codr": 0.9}, r"name 'codr'.*Did you mean 'coder'\? There is: create_specs"),
        ({"coder": 1.5}, r"'coder' have success=1.5"),
        ({"coder": {"sucess": 0.5}}, r"have 'sucess'. Did you mean 'success'\?"),
        ({"coder": {"time_s": -1}}, "time_s=-1"),
        ({"coder": {"cost_usd": float("nan")}}, "cost_usd=nan"),
        ({"coder": True}, "success=True"),
        ({"coder": {"to": 0.5}}, "to=0.5; give shares"),
        (0.9, "rates are a mapping"),
    ],
)
def test_rates_that_make_no_sense_say_why(rates, told):
    with pytest.raises(ChainError, match=told):
        chain_of(WEBSITE, rates)


def test_an_unsound_workflow_is_refused_by_the_checks():
    with pytest.raises(InvalidWorkflow):
        chain_of(workflow_of(step("a", "nowhere")), {"a": 1.0})


def test_a_worker_that_always_fails_in_a_loop_is_refused():
    with pytest.raises(ChainError, match="never ends"):
        reliability(WEBSITE, {**RATES, "coder": 1.0, "reviewer": 0.0})


BRANCHES = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([1.0, 1.0, 0.5])), min_size=1, max_size=5)


@settings(deadline=None)
@given(BRANCHES, st.sampled_from(["all", "any", 1, 2, 3]), st.sampled_from(["fail_fast", "continue"]))
def test_joins_are_the_sum_over_all_that_may_happen(given_branches, join, failure):
    branches = [Branched(p, Took(), a) for p, a in given_branches]
    total = 0.0
    for fates in product(("closed", "good", "bad"), repeat=len(branches)):
        chance = 1.0
        for fate, one in zip(fates, branches, strict=True):
            chance *= {
                "closed": 1 - one.activated,
                "good": one.activated * one.success,
                "bad": one.activated * (1 - one.success),
            }[fate]
        good, opened = fates.count("good"), len(fates) - fates.count("closed")
        if join == "all":
            holds = (good > 0 or not opened) if failure == "continue" else good == opened
        else:
            holds = good >= (1 if join == "any" else join)
        total += chance * holds
    assert join_success(branches, join, failure) == pytest.approx(total, abs=1e-9)


def test_no_branches_take_nothing():
    assert join_took([], "all", None) == Took()
    assert COMPLETED != FAILED
