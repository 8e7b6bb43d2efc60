"""Workflows from edges: what leads where, and what is refused because two edges contradict one another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.definition import ApprovalStep, MapStep, ParallelStep, WorkerType, WorkflowDefinition
from orchestration_kit.errors import DefinitionError
from tests.laws import examples
from tests.support import step

from_edges = WorkflowDefinition.from_edges


def test_edges_become_the_ways_of_their_steps():
    flow = from_edges(
        "news",
        [("draft", "check", "success"), ("check", "draft", "visits < 3"), ("check", "publish"), ("check", "failed", "failure")],
        workers={"draft": "coder", "check": WorkerType.REVIEWER},
        terminal={"publish": "completed", "failed": "failed"},
        goal="News",
        description="Daily",
    )  # fmt: skip
    assert (flow.name, flow.goal, flow.description, flow.initial_step) == ("news", "News", "Daily", "draft")
    check = flow.steps["check"]
    assert [(t.kind, t.target) for t in check.transitions()] == [
        ("branch", "draft"),
        ("success", "publish"),
        ("failure", "failed"),
    ]
    assert [s.worker_type for s in flow.steps.values()] == ["coder", "reviewer", "generic", "generic"]
    assert [(s.is_terminal, s.outcome) for s in flow.steps.values()][2:] == [(True, "completed"), (True, "failed")]
    assert flow.validate() == (True, None)


def test_conditions_are_tried_in_the_order_of_the_edges_and_may_be_code():
    def is_big(output, context):
        return output > 1

    flow = from_edges("x", [("a", "c", "output > 5"), ("a", "b"), ("a", "d", is_big)])
    assert [(branch.when, branch.to) for branch in flow.steps["a"].branches] == [("output > 5", "c"), (is_big, "d")]
    assert flow.steps["a"].on_success == "b"


def test_what_leads_nowhere_after_a_success_is_terminal_also_where_a_failure_leads_on():
    flow = from_edges("x", [("a", "b"), ("b", "a", "failure")])
    assert [(s, one.is_terminal) for s, one in flow.steps.items()] == [("a", False), ("b", True)]


def test_steps_named_as_terminal_are_the_only_ones():
    flow = from_edges("x", [("a", "b"), ("a", "c", "failure")], terminal=["b"])
    assert [s for s, one in flow.steps.items() if one.is_terminal] == ["b"]
    assert "dead-end" in {problem.code for problem in flow.problems()}


def test_ready_steps_of_any_kind_get_the_edges_and_bring_steps_of_their_own():
    both = ParallelStep(step_id="both", branches={"law": "law", "style": "style"})
    flow = from_edges("x", [("draft", "both"), ("both", "sign"), ("sign", "draft", "failure")], workers={
        "both": both, "sign": ApprovalStep(step_id="sign", prompt="Send?"), "law": "reviewer", "style": "reviewer",
    })  # fmt: skip
    assert flow.steps["both"].on_success == "sign"
    assert both.on_success is None
    assert flow.validate() == (True, None)


def test_one_step_is_a_workflow_too():
    flow = from_edges("one", [], workers={"only": "coder"})
    assert flow.steps["only"].is_terminal
    assert flow.validate() == (True, None)


def test_an_edge_that_stands_twice_is_one_edge():
    assert from_edges("x", [("a", "b"), ("a", "b")]) == from_edges("x", [("a", "b")])


@pytest.mark.parametrize(
    ("edges", "options", "said"),
    [
        ([], {}, "There are no edges. Give for example"),
        ([("a",)], {}, "is no edge. Write"),
        (["ab"], {}, "'ab' is no edge"),
        ([("a", 5)], {}, "is no edge"),
        ([("a", "b", "c", "d")], {}, "is no edge"),
        ([("a", "b"), ("a", "c")], {}, "leads to two steps after a success: 'b' and 'c'. Give one of them a condition, as in ('a', 'c', "),
        ([("a", "b", "failure"), ("a", "c", "failure")], {}, "two steps after a failure"),
        ([("a", "b", "sucess")], {}, "Did you mean 'success'?"),
        ([("a", "b", "output.")], {"terminal": ["c"]}, "terminal names 'c', which is no step"),
        ([("a", "b")], {"workers": {"aa": "coder"}}, "workers names 'aa', and no edge leads there. Did you mean 'a'?"),
        (
            [("a", "each")], {"workers": {"each": MapStep(step_id="each", over="output", body="jok"), "joke": "x"}},
            "workers names 'joke', and no edge leads there. Did you mean 'jok'?",
        ),
        ([("a", "b")], {"workers": {"a": step("z")}}, "the step 'z' under 'a'"),
        ([("a", "b")], {"workers": {"a": step("a", "c")}}, "has on_success='c', and an edge leads to 'b'"),
        ([("a", "b")], {"workers": {"b": step("b", on_failure="gone")}}, "on_failure of step 'b' names 'gone', which is no step"),
        ([("a", "b")], {"workers": {"a": step("a")}}, "Step 'a' is terminal, and an edge leads on from it"),
        ([("a", "b")], {"terminal": ["a"]}, "Step 'a' is terminal, and an edge leads on"),
        (
            [("a", "b")], {"initial": "bb", "terminal": ["c"]},
            "initial names 'bb', which is no step. Did you mean 'b'?\nterminal names 'c', which is no step",
        ),
        ([("a", "b")], {"workers": {"aa": "x", "bb": "x"}}, "'a'?\nworkers names 'bb', and no edge leads there. Did you"),
        ([("a", "b")], {"initial": "bb"}, "initial names 'bb', which is no step. Did you mean 'b'?"),
        ([("p", "b", "output.x"), ("p", "c")], {"workers": {"p": ParallelStep(step_id="p", branches={"x": "b"})}}, "has no conditional ways on"),
    ],
)  # fmt: skip
def test_edges_that_make_no_workflow_are_refused_with_what_to_do(edges, options, said):
    with pytest.raises(DefinitionError) as caught:
        from_edges("x", edges, **options)
    assert said in str(caught.value)


def test_a_map_gets_its_ways_on_from_edges_too():
    flow = from_edges(
        "x",
        [("m", "end"), ("m", "again", "size(output) == 0"), ("again", "m")],
        workers={"m": MapStep(step_id="m", body="one"), "one": "coder"},
    )
    assert flow.steps["m"].choices[0].to == "again"
    assert flow.validate() == (True, None)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from(["success", "failure", "output.ok", "visits < 2"])), min_size=1, max_size=8))  # fmt: skip
def test_each_edge_is_in_the_workflow_or_is_refused(edges):
    try:
        flow = from_edges("x", edges)
    except DefinitionError as error:
        assert "leads to two steps after a" in str(error)
        return
    drawn = {
        (s, t.target, {"branch": t.label}.get(t.kind, t.kind))
        for s, one in flow.steps.items()
        for t in one.transitions()
    }
    assert drawn == set(edges)
    assert flow.initial_step == edges[0][0]
