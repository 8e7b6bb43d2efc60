"""Rules on recursion, compensation, budgets, code and inline workflows: all offenders, and silence on what is sound."""

from __future__ import annotations

import pytest

from orchestration_kit.checks import Problem, check
from orchestration_kit.definition import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    ParallelStep,
    RetryPolicy,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
)
from tests.support import step, workflow_of


def found(workflow: WorkflowDefinition, code: str) -> list[Problem]:
    return [problem for problem in check(workflow) if problem.code == code]


def last(step_id: str, **fields):
    return step(step_id, None, is_terminal=False, **fields)


def again(to: str | None = None, **fields) -> SubworkflowStep:
    return SubworkflowStep(step_id="again", workflow="flow", on_success=to, is_terminal=to is None, **fields)


# --- recursion


@pytest.mark.parametrize(
    "flow",
    [
        workflow_of(again()),
        workflow_of(step("a", "again"), again("end", on_failure="end"), step("end")),
        workflow_of(ParallelStep(step_id="p", branches={"x": "again", "y": "y"}, is_terminal=True), again(), last("y")),
        workflow_of(ParallelStep(step_id="p", branches={"x": workflow_of(again(), name="inner")}, is_terminal=True)),
    ],
    ids=["at once", "after a step", "in a branch", "in an inline branch"],
)
def test_a_workflow_that_runs_itself_before_it_can_end_is_an_error(flow):
    [problem] = found(flow, "endless-recursion")
    assert problem.severity == "error"
    assert problem.steps in {("again",), ("p",)}
    assert problem.message.startswith("Workflow 'flow' runs itself at ")


@pytest.mark.parametrize(
    "flow",
    [
        workflow_of(step("a", "again", branches=[Branch(when="size(output) < 2", to="end")]), again("end"), step("end")),
        workflow_of(step("a", "again", on_failure="end"), again("end"), step("end")),
        workflow_of(MapStep(step_id="m", body="again", is_terminal=True), again()),
        workflow_of(ParallelStep(step_id="p", branches={"x": Branch(when="output.more", to="again")}, is_terminal=True), again()),
        workflow_of(ParallelStep(step_id="p", branches={"x": "again", "y": "y"}, join="any", is_terminal=True), again(), last("y")),
        workflow_of(SubworkflowStep(step_id="s", workflow="other", is_terminal=True)),
    ],
    ids=["base case", "failure", "empty map", "conditional", "any", "another workflow"],
)  # fmt: skip
def test_recursion_with_a_base_case_is_allowed(flow):
    assert not found(flow, "endless-recursion")


def test_a_workflow_that_holds_itself_is_an_error_and_nothing_else_is_asked():
    flow = workflow_of(step("a", "m"))
    inner = workflow_of(MapStep(step_id="deep", body=flow, is_terminal=True), name="inner")
    flow.steps["m"] = MapStep(step_id="m", body=inner, is_terminal=True)
    [problem] = check(flow)
    assert (problem.code, problem.severity, problem.steps) == ("endless-recursion", "error", ("m",))
    assert problem.message == "Workflow 'flow' holds itself: 'each' of step 'deep' is that same workflow"


def test_one_inline_workflow_may_stand_in_several_places():
    inner = workflow_of(step("i"), name="inner")
    flow = workflow_of(ParallelStep(step_id="p", branches={"x": inner, "y": inner}, is_terminal=True))
    assert check(flow) == []


# --- compensation


def test_a_step_that_undoes_itself_is_an_error():
    flow = workflow_of(step("a", "b", compensate="a"), step("b", compensate="b"))
    [problem] = found(flow, "self-compensation")
    assert (problem.severity, problem.steps) == ("error", ("a", "b"))


def test_a_compensation_that_waits_is_a_warning_also_where_it_comes_to_that_later():
    flow = workflow_of(
        step("a", "b", compensate="ask"), step("b", "c", compensate="u"), step("c", compensate="v"), last("v"),
        ApprovalStep(step_id="ask", prompt="Undo?"), step("u", "w"), WaitStep(step_id="w", for_s=5),
    )  # fmt: skip
    problems = found(flow, "waiting-compensation")
    assert [(p.severity, p.steps) for p in problems] == [("warning", ("a",)), ("warning", ("b",))]
    assert problems[1].message.startswith("Undoing step 'b' waits at w")
    assert flow.validate() == (True, None)


# --- budgets, retries, ways that are ignored


def test_a_budget_that_bounds_nothing_is_a_warning():
    flow = workflow_of(
        step("a", "b", budget=Budget(reserve_usd=1)), step("b", "c", budget=Budget(on_budget="c")), step("c", budget=Budget(max_seconds=0)),
    ).replace(budget=Budget(on_budget="c"))  # fmt: skip
    problems = found(flow, "idle-budget")
    assert [(p.severity, p.steps) for p in problems] == [("warning", ()), ("warning", ("a",)), ("warning", ("b",))]
    assert [p.message for p in problems] == [
        "The workflow's budget bounds nothing, so that on_budget='c' is never taken", "Step 'a': its budget bounds nothing",
        "Step 'b': its budget bounds nothing, so that on_budget='c' is never taken",
    ]  # fmt: skip


def test_an_error_of_pythons_that_is_misspelt_is_a_warning_and_any_other_name_is_not():
    names = ("ConectionError", "TimeoutError", "RateLimitError", "ConnectError", "ReadTimeout", "Refused", "")
    policies = [{"retry_on": names}, {"give_up_on": ("ValueErorr",)}, {"retry_on": ("IOError",)}]
    flow = workflow_of(*[step(s, to, retry=r) for s, to, r in zip("abc", ("b", "c", None), policies, strict=True)])
    problems = found(flow, "misspelt-error")
    assert [(p.severity, p.steps) for p in problems] == [("warning", ("a",)), ("warning", ("b",)), ("warning", ("c",))]
    assert problems[2].hint.startswith("Did you mean 'OSError'?")  # which is what an IOError is called when it comes
    assert "retry_on of its retry policy names 'ConectionError'" in problems[0].message
    assert problems[1].hint.startswith("Did you mean 'ValueError'?")


def test_a_retry_policy_without_retries_is_told_of_sub_workflows_too():
    idle = SubworkflowStep(step_id="s", workflow="w", retry=RetryPolicy(backoff_s=1), is_terminal=True)
    assert found(workflow_of(idle), "idle-retry-policy")[0].steps == ("s",)
    assert not found(workflow_of(idle.model_copy(update={"max_retries": 1})), "idle-retry-policy")


def test_a_terminal_composite_opens_its_branches_and_ignores_its_ways_on():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x"}, is_terminal=True, on_failure="m"), last("x"),
        MapStep(step_id="m", body="x", is_terminal=True, branches=(Branch(when="true", to="x"),)),
    )  # fmt: skip
    assert found(flow, "ignored-transition")[0].steps == ("m",)
    assert not found(flow, "unreachable")


# --- loops


@pytest.mark.parametrize(
    "bound",
    [
        {"b": {"budget": Budget(max_cost_usd=1)}}, {"b": {"branches": [Branch(when="visits > 3", to="end")]}}, {None: {"budget": Budget(max_tokens=9)}},
    ],
)  # fmt: skip
def test_visits_and_budgets_bound_a_loop(bound):
    flow = workflow_of(step("a", "b"), step("b", "end", on_failure="a"), step("end"))
    assert found(flow, "unbounded-loop")[0].steps == ("a", "b")
    [(step_id, fields)] = bound.items()
    assert not found(flow.replace(step_id, **fields), "unbounded-loop")


def test_a_loop_in_which_a_person_or_an_event_is_asked_each_round_is_bounded_by_them():
    for asked in (
        ApprovalStep(step_id="ask", prompt="Good?", on_success="end", on_failure="fix"),
        WaitStep(step_id="ask", event="go", on_success="fix"),
    ):
        assert not found(workflow_of(asked, step("fix", "ask", on_failure="end"), step("end")), "unbounded-loop")
    pause = WaitStep(step_id="pause", for_s=5, on_success="poll")
    polling = workflow_of(step("poll", "end", on_failure="pause"), pause, step("end"))
    assert found(polling, "unbounded-loop")[0].steps == ("poll", "pause")


def test_a_loop_inside_a_branch_is_told_too():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x"}, is_terminal=True), step("x", "y"), last("y", on_failure="x")
    )
    assert found(flow, "unbounded-loop")[0].steps == ("x", "y")


# --- conditions and code


def test_conditions_of_branches_and_of_every_kind_are_read():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": Branch(when="outptu.x", to="end"), "y": Branch(when="output.x", to="end")}, success_when="size(", on_success="m"),
        MapStep(step_id="m", body="end", branches=(Branch(when="items", to="end"),), on_success="end"), step("end"),
    )  # fmt: skip
    messages = [p.message.split(":")[0] for p in found(flow, "bad-condition")]
    assert messages == ["Step 'p', branches['x'].when", "Step 'p', success_when", "Step 'm', branches[0].when"]


def test_branches_that_are_opened_together_shadow_none_of_one_another():
    opened = {"x": Branch(when="true", to="end"), "y": Branch(when="true", to="end")}
    flow = workflow_of(ParallelStep(step_id="p", branches=opened, on_success="m"), MapStep(
        step_id="m", body="end", branches=(Branch(when="true", to="end"), Branch(when="output.x", to="p")), on_success="end"), step("end"))  # fmt: skip
    assert [p.steps for p in found(flow, "shadowed-branch")] == [("m",)]


async def slowly(output, context):
    return []


def test_code_is_asked_what_it_takes_and_not_called():
    def no(*_):
        raise AssertionError("called by a check")

    flow = workflow_of(
        MapStep(step_id="m", body="x", over=lambda items: items, reducer=lambda a, b: a, on_success="s"), last("x"),
        SubworkflowStep(step_id="s", workflow="w", input={"a": slowly, "b": no}, output=no, on_success="q"),
        ApprovalStep(step_id="q", prompt="?", show=(no, lambda: 1), on_success="p"),
        ParallelStep(step_id="p", branches={"x": "x"}, reducer={"k": no, "l": lambda: 1, "m": max, "n": sum}, is_terminal=True),
    )  # fmt: skip
    problems = found(flow, "bad-callable")
    assert [p.message.split(":")[0] for p in problems] == [
        "Step 'm', over", "Step 'm', reducer", "Step 's', input['a']", "Step 'q', show[1]", "Step 'p', reducer['l']",
    ]  # fmt: skip
    assert "cannot be called with (output, context)" in problems[0].message
    assert "cannot be called with one list of values" in problems[1].message
    assert "is async" in problems[2].message


# --- inline workflows


def test_problems_of_inline_workflows_are_told_with_where_they_stand():
    inner = WorkflowDefinition(name="inner", initial_step="a", budget=Budget(max_tokens=1))
    inner.add_step(step("a", "gone"))
    inner.add_step(step("island"))
    flow = workflow_of(
        ParallelStep(step_id="review", branches={"legal": inner, "y": WorkflowDefinition(name="empty")}, on_success="grade"), MapStep(step_id="grade", body=inner, is_terminal=True)
    )  # fmt: skip
    told = [(p.code, p.steps, p.message) for p in check(flow) if p.message.startswith("In branch")]
    assert told == [
        ("missing-target", ("review",), "In branch 'legal' of step 'review': Step 'a' has invalid on_success: 'gone' is not a step"),
        ("unreachable", ("review",), "In branch 'legal' of step 'review': Unreachable from the initial step 'a': island"),
        ("no-initial-step", ("review",), "In branch 'y' of step 'review': No initial step defined"),
        ("ignored-budget", ("review",), "In branch 'legal' of step 'review': The budget of workflow 'inner' bounds nothing, since a branch is no run of its own"),
    ]  # fmt: skip
    assert any(p.message.startswith("In the body of step 'grade': Step 'a' has") for p in check(flow))


def test_an_inline_workflow_may_end_as_a_branch_does_and_has_to_end():
    ends = workflow_of(step("a", "b"), last("b"), name="inner")
    assert workflow_of(MapStep(step_id="m", body=ends, is_terminal=True)).validate() == (True, None)
    endless = workflow_of(step("a", "b"), step("b", "a"), name="inner")
    [problem] = found(workflow_of(MapStep(step_id="m", body=endless, is_terminal=True)), "no-way-out")
    assert problem.message.startswith("In the body of step 'm': A branch that comes to a, b never ends")


def test_what_is_wrong_deep_within_is_told_with_the_whole_way_there():
    deep = workflow_of(step("a", success_when="nope"), name="deep")
    middle = workflow_of(MapStep(step_id="each", body=deep, is_terminal=True), name="middle")
    flow = workflow_of(ParallelStep(step_id="p", branches={"x": middle}, is_terminal=True))
    [problem] = found(flow, "bad-condition")
    assert problem.steps == ("p",)
    assert problem.message.startswith("In branch 'x' of step 'p': In the body of step 'each': Step 'a', success_when: ")


def test_a_misnamed_step_of_an_inline_workflow_is_named_first():
    inner = workflow_of(step("a"), name="inner")
    inner.steps["a"].step_id = "z"
    inner.steps["b"] = {"worker_type": "w"}
    problems = check(workflow_of(MapStep(step_id="m", body=inner, is_terminal=True)))
    assert [(p.code, p.steps) for p in problems] == [("misnamed-step", ("m",))] * 2
    assert problems[0].message == "In the body of step 'm': The step under 'a' calls itself 'z'"
