"""Workflows as networkx graphs: there and back without a loss, and graphs that users draw."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings

from orchestration_kit.definition import Branch, MapStep, ParallelStep, WorkflowDefinition
from orchestration_kit.errors import DefinitionError, NotSerializable, WorkflowFileError
from tests.hostile import PAYLOADS
from tests.kinds_support import workflows
from tests.laws import examples
from tests.support import step, workflow_of

from_networkx = WorkflowDefinition.from_networkx


@settings(max_examples=examples(75), deadline=None)
@given(workflows())
def test_what_was_written_as_a_graph_is_read_back_the_same(workflow):
    graph = workflow.to_networkx()
    assert from_networkx(graph) == workflow
    assert list(graph.nodes) == list(workflow.steps)
    assert graph.number_of_edges() == sum(
        t.target in workflow.steps for s in workflow.steps.values() for t in s.transitions()
    )


def test_nodes_and_edges_tell_what_they_are():
    flow = workflow_of(
        step("a", "p", description="first", branches=[Branch(when="output.x", to="a", label="again")]),
        ParallelStep(step_id="p", branches={"l": Branch(when="output.y", to="b")}, is_terminal=True),
        step("b", outcome="failed"),
    )
    graph = flow.to_networkx()
    assert graph.nodes["a"] == {
        "kind": "step", "worker_type": "a", "description": "first", "is_terminal": False, "outcome": "completed", "step": flow.to_dict()["steps"]["a"],
    }  # fmt: skip
    assert (graph.nodes["p"]["kind"], graph.nodes["p"]["worker_type"], graph.nodes["b"]["outcome"]) == (
        "parallel",
        None,
        "failed",
    )
    assert list(graph.edges(keys=True, data=True)) == [
        ("a", "a", "branches[0]", {"kind": "branch", "label": "again", "condition": "output.x"}),
        ("a", "p", "on_success", {"kind": "success", "label": "", "condition": None}),
        ("p", "b", "branches['l']", {"kind": "body", "label": "l", "condition": "output.y"}),
    ]


def test_a_graph_of_nodes_and_edges_only_becomes_a_workflow():
    flow = from_networkx(nx.DiGraph([("b", "c"), ("a", "b")]), name="drawn")
    assert flow == WorkflowDefinition.from_edges("drawn", [("b", "c"), ("a", "b")], initial="a")
    assert flow.validate() == (True, None)


def test_nodes_that_are_no_text_go_by_what_they_print():
    flow = from_networkx(nx.path_graph(3, create_using=nx.DiGraph))
    assert (list(flow.steps), flow.initial_step, flow.name) == (["0", "1", "2"], "0", "workflow")


def test_a_run_begins_at_the_only_root_or_where_it_was_drawn_first_or_where_it_is_told():
    loop = nx.DiGraph([("x", "y"), ("y", "x")])
    loop.edges["y", "x"]["kind"] = "failure"
    assert from_networkx(loop).initial_step == "x"
    assert from_networkx(loop, initial="y").initial_step == "y"


def test_attributes_of_a_drawn_graph_become_fields_and_others_are_left_alone():
    graph = nx.MultiDiGraph(name="drawn")
    graph.add_node("draft", worker_type="coder", description="Write", max_retries=2, pos=(1, 2), color="red")
    graph.add_node("sign", kind="approval", prompt="Send?", timeout_s=5)
    graph.add_node("all", kind="parallel")
    graph.add_edges_from(
        [
            ("draft", "sign", {"weight": 3}),
            ("draft", "draft", {"condition": "visits < 2", "label": "again"}),
            ("sign", "all", {}),
        ]
    )
    graph.add_edges_from(
        [
            ("sign", "draft", {"kind": "timeout"}),
            ("sign", "draft", {"kind": "failure"}),
            ("draft", "undo", {"kind": "compensate"}),
        ]
    )
    graph.add_edges_from(
        [("all", "x", {"kind": "body", "label": "one"}), ("all", "y", {"kind": "body", "condition": "output.y"})]
    )
    graph.add_node("each", kind="map")
    graph.add_edges_from([("all", "each", {}), ("each", "x", {"kind": "body"})])
    flow = from_networkx(graph)
    assert flow.name == "drawn"
    assert (flow.steps["draft"].max_retries, flow.steps["draft"].compensate, flow.steps["draft"].branches[0].label) == (
        2,
        "undo",
        "again",
    )
    assert (flow.steps["sign"].on_timeout, flow.steps["sign"].on_failure) == ("draft", "draft")
    assert flow.steps["all"].branches == {"one": "x", "y": Branch(when="output.y", to="y")}
    assert (flow.steps["each"].body, flow.steps["each"].is_terminal) == ("x", True)
    assert flow.validate() == (True, None)


@pytest.mark.parametrize(
    ("edges", "nodes", "said"),
    [
        ([("a", "b", {"kind": "sucess"})], {}, "of kind 'sucess', which no edge can be. Did you mean 'success'?"),
        ([("a", "b", {"kind": "branch"})], {}, "The branch 'a' -> 'b' has no condition"),
        ([("a", "b", {}), ("a", "c", {})], {}, "leads to two steps after a success"),
        ([("a", "b", {"kind": "timeout"})], {}, "Step 'a' is a WorkflowStep, which has no on_timeout"),
        ([("a", "b", {"kind": "body"})], {}, "opens no further branches. Use a ParallelStep"),
        ([("a", "b", {"condition": 5})], {}, "a label or a condition that is not text"),
        ([("a", "b", {})], {"a": {"kind": "lop"}}, "Node 'a' is of kind 'lop'"),
        ([], {}, "The graph has no nodes"),
        ([], {1: {}, "1": {}}, "Two nodes of the graph have the same name as text"),
    ],
)  # fmt: skip
def test_a_graph_that_is_no_workflow_is_refused_with_what_to_do(edges, nodes, said):
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(nodes.items())
    graph.add_edges_from(edges)
    with pytest.raises(DefinitionError) as caught:
        from_networkx(graph)
    assert said in str(caught.value)


@pytest.mark.parametrize("other", [nx.Graph([("a", "b")]), {"a": ["b"]}, None])
def test_what_has_no_directions_is_refused(other):
    with pytest.raises(DefinitionError, match="takes a networkx.DiGraph or MultiDiGraph, not"):
        from_networkx(other)


def test_edges_changed_behind_the_back_of_a_step_are_refused_and_counted_without_its_attribute():
    graph = workflow_of(step("a", "b"), step("b"), step("c")).to_networkx()
    graph.add_edge("b", "c", kind="failure")
    with pytest.raises(
        DefinitionError, match="edges of node 'b' are not those of its `step` attribute.*only drawn: failure to 'c'"
    ):
        from_networkx(graph)
    del graph.nodes["b"]["step"]
    assert from_networkx(graph).steps["b"].on_failure == "c"
    graph.remove_node("c")
    assert from_networkx(graph).steps["b"].on_failure is None


def test_a_step_attribute_that_is_no_step_is_refused_with_its_field():
    graph = workflow_of(step("a")).to_networkx()
    graph.nodes["a"]["step"] = {"worker_type": "w", "on_sucess": "b"}
    with pytest.raises(WorkflowFileError, match="Did you mean 'on_success'"):
        from_networkx(graph)


def test_a_workflow_that_holds_code_is_no_graph():
    with pytest.raises(NotSerializable):
        workflow_of(MapStep(step_id="m", over=lambda o, c: [], body="m")).to_networkx()


def test_hostile_texts_are_taken_as_text_or_refused():
    taken = 0
    for payload in PAYLOADS:
        graph = nx.DiGraph()
        graph.add_node("a", worker_type=payload[:200], description=payload, step_of=payload)
        graph.add_node(payload, kind="step")
        graph.add_edge("a", payload, label=payload, condition=payload)
        try:
            flow = from_networkx(graph)
        except ValueError as error:  # of pydantic, or a DefinitionError
            assert str(error)
            continue
        taken += 1
        assert from_networkx(flow.to_networkx()) == flow
        assert flow.steps["a"].description == payload
    assert taken > 50
