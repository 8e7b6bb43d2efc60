"""New workflows from given ones: replaced fields, new names, several in a row. What is given stays as it is."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

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
from orchestration_kit.definition.algebra import with_names
from orchestration_kit.errors import DefinitionError, UnknownStep
from tests.kinds_support import IDS, workflows
from tests.laws import examples
from tests.support import step, workflow_of

from_edges = WorkflowDefinition.from_edges


# --- replace


def test_a_step_gets_other_fields_and_the_original_keeps_its_own():
    flow = workflow_of(step("a", "b"), step("b"))
    before = flow.model_copy(deep=True)
    other = flow.replace("a", max_retries=3, description="once more")
    assert (other.steps["a"].max_retries, other.steps["a"].description) == (3, "once more")
    assert flow == before
    assert other.steps["b"] is not flow.steps["b"]


def test_the_workflow_gets_other_fields_of_its_own():
    flow = workflow_of(step("a"))
    other = flow.replace(name="other", goal="A goal", budget=Budget(max_tokens=5))
    assert (other.name, other.goal, other.budget.max_tokens, list(other.steps)) == ("other", "A goal", 5, ["a"])
    assert flow.name == "flow"


def test_a_new_id_is_written_wherever_the_step_is_named():
    flow = workflow_of(
        step("a", "b", on_failure="a", compensate="a", budget=Budget(max_tokens=1, on_budget="a"), branches=[Branch(when="data.a_output.n > 1", to="a")]),
        ParallelStep(step_id="b", branches={"x": "a", "y": Branch(when="data['a_output'] == 'data.a_output'", to="a")}, on_success="m", reducer={"a_output": "last"}),
        MapStep(step_id="m", over="data.a_output", body="a", on_success="w", reads=("a_output", "a")),
        WaitStep(step_id="w", event="e", timeout_s=1, on_timeout="a", on_success="s"),
        SubworkflowStep(step_id="s", workflow="a", input={"a_output": "data.a_output"}, output="data.a_output", on_success="q"),
        ApprovalStep(step_id="q", prompt="a", show=("data.a_output.text",), is_terminal=True, success_when="!has(data.a_output.x) || output.data.a_output"),
    )  # fmt: skip
    flow = flow.replace(budget=Budget(max_tokens=5, on_budget="a"))
    other = flow.replace("a", step_id="the a")
    steps = other.steps
    assert list(steps) == ["the a", "b", "m", "w", "s", "q"]
    assert (other.initial_step, other.budget.on_budget) == ("the a", "the a")
    a = steps["the a"]
    assert (a.on_success, a.on_failure, a.compensate, a.budget.on_budget, a.branches[0].to) == (
        "b",
        "the a",
        "the a",
        "the a",
        "the a",
    )
    assert a.branches[0].when == 'data["the a_output"].n > 1'
    assert steps["b"].branches["x"] == "the a"
    assert steps["b"].branches["y"] == Branch(when="data[\"the a_output\"] == 'data.a_output'", to="the a")
    assert steps["b"].reducer == {"the a_output": "last"}
    assert (steps["m"].over, steps["m"].body, steps["m"].reads) == (
        'data["the a_output"]',
        "the a",
        ("the a_output", "a"),
    )
    assert steps["w"].on_timeout == "the a"
    assert (steps["s"].workflow, steps["s"].input, steps["s"].output) == (
        "a",
        {"a_output": 'data["the a_output"]'},
        "data.a_output",
    )
    assert steps["q"].show == ('data["the a_output"].text',)
    assert steps["q"].success_when == '!has(data["the a_output"].x) || output.data.a_output'


def test_inside_an_inline_workflow_outer_outputs_are_renamed_and_its_own_are_not():
    inner = workflow_of(step("i", success_when="data.a_output == 1 && data.i_output == 2"), name="inner")
    own = workflow_of(step("a", success_when="data.a_output == 1"), name="own")
    flow = workflow_of(
        step("a", "p"), ParallelStep(step_id="p", branches={"inner": inner, "own": own}, is_terminal=True)
    )
    branches = flow.replace("a", step_id="z").steps["p"].branches
    assert branches["inner"].steps["i"].success_when == 'data["z_output"] == 1 && data.i_output == 2'
    assert branches["own"].steps["a"].success_when == "data.a_output == 1"


@pytest.mark.parametrize(
    ("condition", "new", "said"),
    [("has(data.a_output)", "z", "has(...) takes no name in brackets"), ("data.a_output", "both ' and \"", "quotes or backslashes"), ("data.a_output", "a\\b", "quotes or backslashes")],
)  # fmt: skip
def test_a_name_that_a_condition_cannot_have_is_refused(condition, new, said):
    flow = workflow_of(step("a", "b"), step("b", success_when=condition))
    with pytest.raises(DefinitionError) as caught:
        flow.replace("a", step_id=new)
    assert said in str(caught.value)
    assert "Step 'b' holds" in str(caught.value)


def test_a_wrong_step_field_or_value_is_refused_with_the_one_that_was_meant():
    flow = workflow_of(step("review", "b"), step("b"))
    with pytest.raises(UnknownStep, match="Did you mean 'review'"):
        flow.replace("revew", max_retries=1)
    with pytest.raises(
        DefinitionError, match=r"Step 'review' \(a WorkflowStep\) has no field 'maxretries'. Did you mean 'max_retries'"
    ):
        flow.replace("review", maxretries=1)
    with pytest.raises(DefinitionError, match="A workflow has no field 'gaol'. Did you mean 'goal'"):
        flow.replace(gaol="x")
    with pytest.raises(DefinitionError, match="'review' cannot be called 'b': workflow 'flow' has such a step"):
        flow.replace("review", step_id="b")
    with pytest.raises(DefinitionError, match=r"of kind 'step', which cannot be changed.*add_step\(WorkflowStep"):
        flow.replace("review", kind="map")
    with pytest.raises(ValidationError, match="max_retries"):
        flow.replace("review", max_retries=-1)
    assert flow == workflow_of(step("review", "b"), step("b"))


@settings(max_examples=examples(30), deadline=None)
@given(workflows(), st.sampled_from(IDS))
def test_replace_shares_nothing_that_can_be_changed(workflow, step_id):
    before = workflow.to_json()
    assume(step_id in workflow.steps)
    other = workflow.replace(step_id, description="changed").replace(goal="changed")
    for one in other.steps.values():
        one.on_failure = "changed"
        for name, value in one:
            if isinstance(value, dict):
                value.clear()
            elif isinstance(value, WorkflowDefinition):
                value.steps.clear()
    other.steps.clear()
    assert workflow.to_json() == before


@settings(max_examples=examples(50), deadline=None)
@given(workflows())
def test_new_names_and_back_is_where_it_began(workflow):
    """Texts may be spelt another way, with data["x"] for data.x, which a second round shows to be the same."""
    there, back = {s: f"{s} new" for s in workflow.steps}, {f"{s} new": s for s in workflow.steps}
    once = with_names(with_names(workflow, there), back)
    assert with_names(with_names(once, there), back) == once
    assert [sorted(t[:3] for t in s.transitions()) for s in once.steps.values()] == [
        sorted(t[:3] for t in s.transitions()) for s in workflow.steps.values()
    ]
    assert {p.code for p in once.problems()} == {p.code for p in workflow.problems()}


# --- compose


WRITE = from_edges(
    "write",
    [("draft", "check"), ("draft", "failed", "failure")],
    terminal={"check": "completed", "failed": "failed"},
    goal="Text",
)
SHIP = from_edges(
    "ship",
    [("check", "publish"), ("check", "failed", "failure")],
    terminal={"publish": "completed", "failed": "failed"},
    goal="Online",
)


def test_the_completed_end_of_one_leads_to_the_next_and_a_failed_end_ends_the_whole():
    whole = WorkflowDefinition.compose(WRITE, SHIP)
    assert whole == WRITE.compose(SHIP)
    assert (whole.name, whole.goal, whole.initial_step) == ("write+ship", "Text; Online", "draft")
    assert {s: (one.on_success, one.on_failure, one.is_terminal, one.outcome) for s, one in whole.steps.items()} == {
        "draft": ("write.check", "write.failed", False, "completed"), "write.check": ("ship.check", None, False, "completed"),
        "write.failed": (None, None, True, "failed"), "ship.check": ("publish", "ship.failed", False, "completed"),
        "publish": (None, None, True, "completed"), "ship.failed": (None, None, True, "failed"),
    }  # fmt: skip
    assert whole.validate() == (True, None)
    assert (WRITE.steps["check"].is_terminal, list(SHIP.steps)) == (True, ["check", "publish", "failed"])


def test_a_step_that_becomes_a_link_takes_no_ways_on_that_it_ignored_before():
    first = workflow_of(step("a", "a", is_terminal=True, branches=[Branch(when="true", to="a")]), name="one")
    link = first.compose(workflow_of(step("b"), name="two")).steps["a"]
    assert [(t.kind, t.target) for t in link.transitions()] == [("success", "b")]


def test_a_workflow_may_stand_twice_in_a_row():
    one = workflow_of(step("a", success_when="data.a_output == 1"), name="x/1")
    whole = one.compose(one, one, name="thrice")
    assert list(whole.steps) == ["x-1.a", "x-1-2.a", "x-1-3.a"]
    assert whole.steps["x-1-2.a"].success_when == 'data["x-1-2.a_output"] == 1'
    assert (whole.name, whole.validate()) == ("thrice", (True, None))


def test_one_alone_is_a_copy_of_it():
    assert WRITE.compose() == WRITE
    assert WRITE.compose().steps is not WRITE.steps


def test_branches_end_where_they_did_and_only_the_run_leads_on():
    first = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x"}, on_success="end"), step("x"), step("end"), name="first"
    )
    whole = first.compose(workflow_of(step("next"), name="second"))
    assert [(s, one.is_terminal) for s, one in whole.steps.items()] == [
        ("p", False),
        ("x", True),
        ("end", False),
        ("next", True),
    ]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: WRITE.compose(WorkflowDefinition(name="empty")), "Workflow 'empty' has no initial step"),
        (lambda: workflow_of(step("a", outcome="failed")).compose(SHIP), "no terminal step with outcome='completed' that its run comes to"),
        (lambda: WRITE.compose(SHIP.replace(budget=Budget(max_tokens=1))), "Workflow 'ship' has a budget for its run"),
        (lambda: workflow_of(ParallelStep(step_id="p", branches={"x": "end"}, on_success="end"), step("end")).compose(SHIP), "ends at end, and so does a branch of it"),
        (lambda: workflow_of(step("a"), name="x" * 200).compose(workflow_of(step("a"))), "too long for an id"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_refused_with_what_to_do(make, said):
    with pytest.raises(DefinitionError) as caught:
        make()
    assert said in str(caught.value)


def chain(name: str, size: int) -> WorkflowDefinition:
    ids = [f"{name}{n}" for n in range(size)]
    return from_edges(name, [*itertools.pairwise(ids)], workers=dict.fromkeys(ids, "coder"))


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_composing_is_associative_where_no_ids_clash(sizes):
    a, b, c = (chain(name, size) for name, size in zip("abc", sizes, strict=True))
    assert a.compose(b).compose(c) == a.compose(b.compose(c)) == a.compose(b, c)


def shape(workflow: WorkflowDefinition) -> list[tuple]:
    """A workflow without the names of its steps: they are numbered as they stand."""
    number = {step_id: index for index, step_id in enumerate(workflow.steps)}
    return [
        (one.kind, one.is_terminal, one.outcome, [(t.kind, number.get(t.target)) for t in one.transitions()])
        for one in workflow.steps.values()
    ]


def joinable(workflow: WorkflowDefinition, name: str) -> WorkflowDefinition:
    """The same with a first step of its own, and one completed end that only the run comes to."""
    for step_id, one in workflow.steps.items():
        workflow = workflow.replace(step_id, outcome="failed") if one.is_terminal else workflow
    workflow = workflow.replace(name=name, initial_step="first")
    workflow.add_step(step("first", "s0", on_failure="end"))
    workflow.add_step(step("end"))
    return workflow


@settings(max_examples=examples(30), deadline=None)
@given(*[workflows(max_size=3, depth=1, missing=False)] * 3)
def test_composing_is_associative_up_to_names(a, b, c):
    a, b, c = (joinable(one, name) for one, name in zip((a, b, c), "abc", strict=True))
    left, right, flat = a.compose(b).compose(c), a.compose(b.compose(c)), a.compose(b, c)
    assert shape(left) == shape(right) == shape(flat)
    assert WorkflowDefinition.from_json(flat.to_json()) == flat
    problems = {p.code for one in (a, b, c) for p in one.problems() if p.severity == "error"}
    assert {p.code for p in flat.problems() if p.severity == "error"} == problems


def test_a_worker_step_stays_the_kind_it_was():
    assert isinstance(WRITE.compose(SHIP).steps["write.check"], WorkflowStep)
