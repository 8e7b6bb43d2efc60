"""Edges of a LangGraph graph to several nodes become branches with a join, or what can be said instead."""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START

from orchestration_kit.interchange import from_langgraph
from tests.interchange.graphs import IDIOMS, State, built, codes, conditions, never, run, ways


def test_edges_to_several_nodes_become_branches_with_a_join():
    made = from_langgraph(IDIOMS["fan_out"]())
    step = made.workflow.steps["a.branches"]
    assert (step.kind, step.branches, step.on_success) == ("parallel", {"b": "b", "c": "c"}, "d")
    assert ways(made, "b_2") == ways(made, "c") == []
    assert codes(made) == [], "the edge from both of them waits there as well"
    result = run(made.workflow, a=lambda v: 1, b=lambda v: v + 1, b_2=lambda v: v * 10, c=lambda v: v, d=lambda v: v)
    assert result.get_last_output() == {"b": 20, "c": 1}


def test_a_join_that_runs_once_for_each_length_of_branch_is_told():
    graph = built("a", "b", "b_2", "c", "d")
    for edge in ((START, "a"), ("a", "b"), ("a", "c"), ("b", "b_2"), ("b_2", "d"), ("c", "d")):
        graph.add_edge(*edge)
    made = from_langgraph(graph)
    assert "meet at 'd', which LangGraph runs once for each length" in str(made.notes[0])
    deferred = built("a", "b", "b_2", "c")
    deferred.add_node("d", never, defer=True)
    for edge in ((START, "a"), ("a", "b"), ("a", "c"), ("b", "b_2"), ("b_2", "d"), ("c", "d")):
        deferred.add_edge(*edge)
    assert codes(from_langgraph(deferred)) == []


def test_branches_within_branches_join_from_the_inside_to_the_outside():
    graph = built("a", "b", "c", "b1", "b2", "joined", "end_of_all")
    edges = [(START, "a"), ("a", "b"), ("a", "c"), ("b", "b1"), ("b", "b2"), ("b1", "joined"), ("b2", "joined")]
    for edge in (*edges, ("joined", "end_of_all"), ("c", "end_of_all")):
        graph.add_edge(*edge)
    made = from_langgraph(graph)
    assert made.workflow.steps["a.branches"].on_success == "end_of_all"
    assert made.workflow.steps["b.branches"].on_success == "joined"
    assert made.workflow.validate() == (True, None)


def test_a_choice_within_a_branch_that_leads_to_the_join_ends_the_branch():
    def again(state: State) -> Literal["b", "d"]: ...

    graph = built("a", "b", "c", "d")
    for edge in ((START, "a"), ("a", "b"), ("a", "c"), ("c", "d")):
        graph.add_edge(*edge)
    graph.add_conditional_edges("b", again)
    made = from_langgraph(graph)
    assert ways(made, "b") == [("branch", "b"), ("success", "b.end")]
    assert made.workflow.steps["b.end"].is_terminal
    assert made.workflow.validate() == (True, None)


def test_branches_that_meet_half_way_become_a_choice_and_that_is_told():
    graph = built("a", "b", "c", "d", "e")
    for edge in ((START, "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("c", "e"), ("d", END), ("e", END)):
        graph.add_edge(*edge)
    made = from_langgraph(graph)
    assert made.workflow.validate() == (True, None)
    assert [note.steps for note in made.notes] == [("a",), ("c",)]
    note = made.notes[0]
    assert "begins 'b', 'c' at once, and" in str(note)
    assert "'d'" in str(note)


def test_a_path_that_returns_a_list_opens_those_branches():
    def route_bc_or_cd(state: State) -> list[str]: ...

    graph = built("a", "b", "c", "d", "e")
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", route_bc_or_cd, ["b", "c", "d"])
    for node in ("b", "c", "d"):
        graph.add_edge(node, "e")
    made = from_langgraph(graph)
    assert conditions(made, "a.branches") == [f'"{name}" in output.next' for name in "bcd"]
    assert made.workflow.validate() == (True, None)
    workers = {name: lambda v: v for name in "bcde"}
    result = run(made.workflow, a=lambda v: {"next": ["b", "d"]}, **workers)
    assert list(result.get_last_output()) == ["b", "d"]


def test_several_starts_are_branches():
    graph = built("a", "b", "c")
    for edge in ((START, "a"), (START, "b"), ("a", "c"), ("b", "c")):
        graph.add_edge(*edge)
    made = from_langgraph(graph)
    assert made.workflow.initial_step == "start"
    assert made.workflow.steps["start.branches"].on_success == "c"
    assert made.workflow.validate() == (True, None)
