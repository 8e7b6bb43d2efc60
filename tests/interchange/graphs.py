"""Graphs as the documentation of LangGraph draws them, and short ways to look at imports; no node is ever run."""

from __future__ import annotations

import operator
from typing import Annotated, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

from orchestration_kit import Orchestrator, WorkerDefinition


class State(TypedDict, total=False):
    messages: Annotated[list, operator.add]
    subjects: list
    jokes: Annotated[list, operator.add]


def never(state: State):
    raise AssertionError("an import runs nothing")


def built(*nodes, **options):
    graph = StateGraph(State)
    for name in nodes:
        graph.add_node(name, never, **options)
    return graph


def react():
    """An agent that calls tools until it is done."""

    def should_continue(state: State):
        raise AssertionError("an import runs nothing")

    graph = built("agent", "tools")
    graph.add_edge(START, "agent")
    graph.add_conditional_edges("agent", should_continue, {"continue": "tools", "end": END})
    graph.add_edge("tools", "agent")
    return graph


def supervisor():
    """One node hands the work to others by a Command, until it finishes."""

    def boss(state: State) -> Command[Literal["researcher", "coder", "__end__"]]:
        raise AssertionError("an import runs nothing")

    def researcher(state: State) -> Command[Literal["boss"]]:
        raise AssertionError("an import runs nothing")

    graph = StateGraph(State)
    graph.add_node("boss", boss)
    graph.add_node("researcher", researcher)
    graph.add_node("coder", never)
    graph.add_edge(START, "boss")
    graph.add_edge("coder", "boss")
    return graph


def jokes():
    """A map with Send: as many branches as there are subjects."""

    def continue_to_jokes(state: State):
        return [Send("generate_joke", {"subject": s}) for s in state["subjects"]]

    graph = built("generate_topics", "generate_joke", "best_joke")
    graph.add_edge(START, "generate_topics")
    graph.add_conditional_edges("generate_topics", continue_to_jokes, ["generate_joke"])
    graph.add_edge("generate_joke", "best_joke")
    graph.add_edge("best_joke", END)
    return graph


def reflection():
    """Generate, reflect, generate again."""

    def should_continue(state: State) -> Literal["reflect", "__end__"]:
        raise AssertionError("an import runs nothing")

    graph = built("generate", "reflect")
    graph.add_edge(START, "generate")
    graph.add_conditional_edges("generate", should_continue)
    graph.add_edge("reflect", "generate")
    return graph


def fan_out():
    """Two at once, one of them in two steps; then a join."""
    graph = built("a", "b", "b_2", "c", "d")
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    graph.add_edge("a", "c")
    graph.add_edge("b", "b_2")
    graph.add_edge(["b_2", "c"], "d")
    graph.add_edge("d", END)
    return graph


IDIOMS = {"react": react, "supervisor": supervisor, "jokes": jokes, "reflection": reflection, "fan_out": fan_out}


def ways(imported, step_id):
    return [(way.kind, way.target) for way in imported.workflow.steps[step_id].transitions()]


def conditions(imported, step_id):
    return [text for _, text in imported.workflow.steps[step_id].conditions()]


def codes(imported):
    return [note.code for note in imported.notes]


def run(workflow, **workers):
    hub = Orchestrator()
    for name, worker in workers.items():
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=worker))
    hub.register_workflow(workflow)
    return hub.execute_workflow(workflow.name, "try it", verbose=False)
