"""Do branches come together as they should: joins that can never fire, branches that run past them, what they write."""

from __future__ import annotations

import pytest

from orchestration_kit.checks import Problem, check
from orchestration_kit.definition import Branch, MapStep, ParallelStep, WorkflowDefinition
from tests.support import step, workflow_of


def found(workflow: WorkflowDefinition, code: str) -> list[Problem]:
    return [problem for problem in check(workflow) if problem.code == code]


def last(step_id: str, **fields):
    """The last step of a branch."""
    return step(step_id, None, is_terminal=False, **fields)


INNER = workflow_of(step("i"), name="inner")


def forked(**fields) -> WorkflowDefinition:
    fields = {"branches": {"x": "x", "y": "y"}, "is_terminal": True, **fields}
    return workflow_of(ParallelStep(step_id="p", **fields), last("x"), last("y"))


# --- joins that never fire


def test_a_join_of_more_branches_than_there_are_is_an_error():
    [problem] = found(forked(join=3), "join-never-fires")
    assert (problem.severity, problem.steps) == ("error", ("p",))
    assert problem.message == "The join of step 'p' waits for 3 branches, and there can be only 2 branches"
    assert problem.hint == "Set join=2 or less, join='all', or add branches."
    assert found(forked(join=2, branches={"x": "x"}), "join-never-fires")[0].message.endswith("only 1 branch")


@pytest.mark.parametrize("join", ["all", "any", 1, 2, 3])
def test_steps_inline_workflows_and_conditional_branches_all_count(join):
    flow = forked(join=join, branches={"x": "x", "y": Branch(when="output.y", to="y"), "i": INNER})
    assert not found(flow, "join-never-fires")


def test_a_join_of_more_items_than_a_map_takes_is_an_error():
    flow = workflow_of(MapStep(step_id="m", body="x", join=5, max_items=4, is_terminal=True), last("x"))
    [problem] = found(flow, "join-never-fires")
    assert problem.message == "The join of step 'm' waits for 5 branches, and there can be only max_items=4"
    assert not found(
        workflow_of(MapStep(step_id="m", body="x", join=5, is_terminal=True), last("x")), "join-never-fires"
    )


def test_a_branch_that_opens_its_own_join_again_before_it_can_end_is_an_error():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x", "y": "y"}, on_success="end"), step("x", "q"), last("y"),
        ParallelStep(step_id="q", branches={"again": "p"}), step("end"),
    )  # fmt: skip
    problems = found(flow, "join-never-fires")
    assert [p.steps for p in problems] == [("p",), ("q",)]
    assert problems[0].message == "The join of step 'p' never fires: its branch 'x' opens it again before it can end"


@pytest.mark.parametrize(
    "change",
    [
        {"x": {"branches": [Branch(when="output.leaf", to="y")]}},
        {"x": {"on_failure": "y"}},
        {"p": {"join": "any"}},
        {"p": {"branches": {"x": Branch(when="output.more", to="x"), "y": "y"}}},
        {"p": {"on_failure": "end"}},
    ],
)
def test_a_tree_that_has_leaves_may_be_walked_by_branches_within_branches(change):
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x", "y": "y"}, on_success="end"),
        step("x", "p"),
        last("y"),
        step("end"),
    )
    assert found(flow, "join-never-fires")
    for step_id, fields in change.items():
        flow = flow.replace(step_id, **fields)
    assert not found(flow, "join-never-fires")


@pytest.mark.parametrize(("join", "fires"), [("any", True), (1, True), (2, True), (3, False), ("all", False)])
def test_as_many_branches_have_to_end_as_the_join_waits_for(join, fires):
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x", "y": "y", "i": INNER}, join=join, is_terminal=True),
        step("x", "p"),
        last("y"),
    )
    assert (not found(flow, "join-never-fires")) == fires


def test_a_map_over_children_may_open_itself_since_a_leaf_has_none():
    flow = workflow_of(step("visit", "children"), MapStep(step_id="children", body="visit", is_terminal=True))
    assert flow.validate() == (True, None)
    assert {p.code for p in check(flow)} == {"failure-without-path"}


# --- branches that run past the join


def test_a_branch_that_leads_on_to_the_step_after_the_join_is_a_warning():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x", "y": "y"}, on_success="end"),
        step("x", "end"),
        step("y", "x"),
        step("end"),
    )
    [problem] = found(flow, "shared-with-branch")
    assert (problem.severity, problem.steps) == ("warning", ("p", "end"))
    assert problem.message.startswith(
        "Branches of step 'p' lead on to end, which then runs in each of them and once more"
    )


def test_branches_that_open_the_same_join_again_walk_a_tree_and_run_past_nothing():
    flow = workflow_of(
        step("visit", "children"), MapStep(step_id="children", body="visit", on_success="done"), step("done")
    )
    assert not found(flow, "shared-with-branch")


def test_a_failed_end_that_branches_share_with_the_run_is_no_matter():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x"}, on_success="end", on_failure="failed"), last("x", on_failure="failed"),
        step("end"), step("failed", outcome="failed"),
    )  # fmt: skip
    assert check(flow) == []


def test_a_helper_that_branches_share_with_the_run_is_no_matter():
    flow = workflow_of(
        step("first", "tidy"), step("tidy", "p"), ParallelStep(step_id="p", branches={"x": "x"}, on_success="end"), step("x", "trim"), last("trim"),
        step("end", on_failure="trim"),
    )  # fmt: skip
    assert not found(flow, "shared-with-branch")


# --- what branches write


def test_branches_that_write_one_key_without_a_reducer_are_a_warning():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x", "y": "y"}, is_terminal=True), step("x", "z", writes=("a", "b")), last("z", writes=("c",)),
        last("y", writes=("b", "c", "d"), reads=("a", "b", "c", "d")),
    )  # fmt: skip
    [problem] = found(flow, "write-conflict")
    assert (problem.severity, problem.steps) == ("warning", ("p",))
    assert problem.message == "Several branches of step 'p' write b, c; where their values differ, the step fails"
    assert problem.hint.startswith("Say how they are made one, e.g. reducer={'b': 'list'}")


@pytest.mark.parametrize("fields", [{"reducer": "list"}, {"reducer": {"k": max}}, {"join": "any"}, {"join": 1}])
def test_a_reducer_or_a_join_of_one_makes_them_one(fields):
    branches = (last("x", writes=("k",)), last("y", writes=("k",)))
    flow = workflow_of(
        ParallelStep(step_id="p", **{"branches": {"x": "x", "y": "y"}, "is_terminal": True, **fields}), *branches
    )
    assert not found(flow, "write-conflict")
    assert found(flow.replace("p", reducer={"other": "sum"}, join="all"), "write-conflict")


def test_a_map_whose_body_writes_without_a_reducer_is_a_warning_also_deep_within():
    inner = workflow_of(MapStep(step_id="deep", body="w", is_terminal=True), last("w", writes=("k",)), name="inner")
    flow = workflow_of(ParallelStep(step_id="p", branches={"x": inner}, is_terminal=True))
    [problem] = found(flow, "write-conflict")
    assert problem.steps == ("p",)
    assert (
        problem.message
        == "In branch 'x' of step 'p': All items of step 'deep' write k; where their values differ, the step fails"
    )
    one = workflow_of(MapStep(step_id="m", body="w", is_terminal=True, max_items=1), last("w", writes=("k",)))
    assert not found(one, "write-conflict")
    assert found(one.replace("m", max_items=2), "write-conflict")


def test_two_branches_that_begin_at_one_step_write_its_keys_both():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "w", "y": "w"}, is_terminal=True), last("w", writes=("k",))
    )
    assert found(flow, "write-conflict")
