"""Graphs of the real LangGraph become definitions: sound ones, with every node and a note on what is said otherwise."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Literal, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, Send, TimeoutPolicy, interrupt

from orchestration_kit import visualize
from orchestration_kit.errors import ConditionSyntaxError
from orchestration_kit.interchange import NotImportable, from_langgraph, from_mermaid
from tests.interchange.graphs import IDIOMS, State, built, codes, conditions, never, run, ways


@pytest.mark.parametrize("idiom", IDIOMS)
def test_idioms_of_the_documentation_become_sound_workflows(idiom):
    graph = IDIOMS[idiom]()
    made = from_langgraph(graph.compile(name=idiom))
    assert made.workflow.validate() == (True, None)
    assert set(graph.nodes) <= set(made.workflow.steps)
    assert {made.workflow.steps[name].worker_type for name in graph.nodes} == set(graph.nodes)
    assert made.workflow.name == idiom
    assert visualize(made.workflow, renderer="builtin").svg.startswith("<svg")
    assert type(made.workflow).from_yaml(made.workflow.to_yaml()) == made.workflow
    assert from_langgraph(graph).workflow.steps == made.workflow.steps, "a graph that was not compiled has the same"


def test_a_react_loop_goes_where_its_agent_says():
    made = from_langgraph(IDIOMS["react"]())
    assert ways(made, "agent") == [("branch", "tools"), ("success", "end")]
    assert conditions(made, "agent") == ['output.next == "continue"']
    assert ways(made, "tools") == [("success", "agent")]
    (note,) = made.notes
    assert note.code == "routing"
    assert "should_continue chooses the way after 'agent', in code" in str(note)
    assert "puts at output.next where to go: 'continue', 'end'. Anything else counts as 'end'" in str(note)
    says = iter(["continue", "continue", "stop"])
    result = run(made.workflow, agent=lambda value: {"next": next(says)}, tools=lambda value: "done")
    assert [entry["step"] for entry in result.history] == ["agent", "tools", "agent", "tools", "agent", "end"]
    assert result.state == "completed"


def test_a_supervisor_hands_on_by_its_commands():
    made = from_langgraph(IDIOMS["supervisor"]())
    assert ways(made, "boss") == [("branch", "researcher"), ("branch", "coder"), ("success", "end")]
    assert ways(made, "researcher") == ways(made, "coder") == [("success", "boss")]


def test_what_is_sent_becomes_a_map():
    made = from_langgraph(IDIOMS["jokes"]())
    step = made.workflow.steps["generate_topics.each"]
    assert (step.kind, step.over, step.body, step.on_success) == ("map", "output", "generate_joke", "best_joke")
    assert "puts out the list of them; the MapStep has a branch for each" in str(made.notes[0])
    result = run(
        made.workflow,
        generate_topics=lambda value: ["cats", "dogs"],
        generate_joke=lambda value: f"a joke on {value}",
        best_joke=lambda value: value[0],
    )
    assert result.get_last_output() == "a joke on cats"


def test_interrupts_become_approvals_and_conditions_look_behind_them():
    made = from_langgraph(IDIOMS["react"]().compile(interrupt_before=["tools"], interrupt_after=["agent"]))
    assert made.workflow.steps["tools.before"].kind == made.workflow.steps["agent.after"].kind == "approval"
    assert ways(made, "agent") == [("success", "agent.after")]
    assert ways(made, "agent.after") == [("branch", "tools.before"), ("success", "end")]
    assert conditions(made, "agent.after") == ['data.agent_output.next == "continue"']
    assert ways(made, "tools.before") == [("success", "tools")]
    assert made.workflow.validate() == (True, None)
    everywhere = from_langgraph(IDIOMS["reflection"]().compile(interrupt_before="*"))
    assert everywhere.workflow.initial_step == "generate.before"


def test_questions_and_commands_within_nodes_are_guessed_from_their_code():
    def asks(state: State):
        return {"messages": [interrupt("Really?")]}

    def jumps(state: State):
        return Command(goto="asks")

    graph = StateGraph(State)
    graph.add_node("asks", asks)
    graph.add_node("jumps", jumps)
    graph.add_edge(START, "jumps")
    graph.add_edge("jumps", "asks")
    made = from_langgraph(graph)
    assert sorted((note.code, note.steps) for note in made.notes) == [("interrupt", ("asks",)), ("routing", ("jumps",))]
    assert "-> Command[Literal[" in str(made.to_frame().loc[1, "hint"])


def test_retries_and_time_limits_are_kept_as_far_as_steps_have_them():
    graph = StateGraph(State)
    policy = RetryPolicy(
        initial_interval=1.5,
        backoff_factor=3,
        max_interval=20,
        max_attempts=4,
        jitter=False,
        retry_on=(OSError, KeyError),
    )
    graph.add_node("a", never, retry_policy=policy)
    graph.add_node("b", never, retry_policy=RetryPolicy())
    graph.add_node("c", never, retry_policy=[policy, RetryPolicy(retry_on=lambda error: True)])

    async def later(state: State): ...

    graph.add_node("d", later, timeout=TimeoutPolicy(run_timeout=7.5))
    for edge in ((START, "a"), ("a", "b"), ("b", "c"), ("c", "d")):
        graph.add_edge(*edge)
    made = from_langgraph(graph)
    a, b, c, d = (made.workflow.steps[name] for name in "abcd")
    assert a.max_retries == 3
    assert (a.retry.backoff_s, a.retry.multiplier, a.retry.max_backoff_s, a.retry.jitter) == (1.5, 3, 20, 0)
    assert a.retry.retry_on == ("OSError", "KeyError")
    assert b.max_retries == 2
    assert "ValueError" in b.retry.give_up_on
    assert b.retry.jitter == 0.5
    assert d.timeout_s == 7.5
    assert [(note.code, note.steps) for note in made.notes] == [("retry", ("b",)), ("retry", ("c",))]


def test_error_handlers_of_nodes_become_ways_after_a_failure():
    graph = StateGraph(State)
    graph.add_node("risky", never, error_handler=lambda state: state)
    graph.add_edge(START, "risky")
    made = from_langgraph(graph)
    assert ("failure", "__error_handler__risky") in ways(made, "risky")
    assert made.workflow.validate() == (True, None)


def test_a_graph_within_a_graph_becomes_a_workflow_of_its_own():
    inner = IDIOMS["reflection"]().compile()
    graph = StateGraph(State)
    graph.add_node("write", inner)
    graph.add_node("publish", never)
    graph.add_edge(START, "write")
    graph.add_edge("write", "publish")
    made = from_langgraph(graph.compile(), name="paper")
    step = made.workflow.steps["write"]
    assert (step.kind, step.workflow) == ("workflow", "paper.write")
    (inside,) = made.subworkflows
    assert inside.name == "paper.write"
    assert set(inside.steps) == {"generate", "reflect", "end"}
    assert "runs 'paper.write': 3 steps" in str(made)
    assert ("routing", ("generate",)) in [(note.code, note.steps) for note in made.notes]


def test_a_choice_at_the_start_gets_a_step_that_makes_it():
    def where(state: State) -> Literal["a", "b"]: ...

    graph = built("a", "b")
    graph.add_conditional_edges(START, where)
    made = from_langgraph(graph)
    assert made.workflow.initial_step == "start"
    assert ways(made, "start") == [("branch", "a"), ("success", "b")]
    assert any(note.code == "start" for note in made.notes)
    assert all("__start__" not in str(note) and "__start__" not in note.steps for note in made.notes)


def test_a_choice_that_names_no_ways_may_lead_anywhere():
    graph = built("a", "b")
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", lambda state: "b")
    made = from_langgraph(graph)
    assert ways(made, "a") == [("branch", "a"), ("branch", "b"), ("success", "end")]
    assert "does not say where it can lead" in str(made.notes[0])


def test_edges_besides_a_choice_are_told():
    def where(state: State) -> Literal["b", "c"]: ...

    graph = built("a", "b", "c", "log")
    graph.add_edge(START, "a")
    graph.add_edge("a", "log")
    graph.add_conditional_edges("a", where)
    made = from_langgraph(graph)
    assert ways(made, "a") == [("branch", "b"), ("branch", "c"), ("success", "log")]
    assert "'a' always leads to 'log' too" in " ".join(map(str, made.notes))


def test_labels_of_a_path_map_may_be_any_plain_value():
    graph = built("yes", "no", "a")
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", lambda state: True, {True: "yes", False: "no"})
    made = from_langgraph(graph)
    assert conditions(made, "a") == ["output.next == true"]


def test_names_that_no_step_can_have_are_changed_and_workers_keep_them():
    graph = built("ask/answer", "ask-answer", "end")
    for edge in ((START, "ask/answer"), ("ask/answer", "ask-answer"), ("ask-answer", "end")):
        graph.add_edge(*edge)
    made = from_langgraph(graph)
    assert list(made.workflow.steps) == ["ask-answer", "ask-answer-2", "end"]
    assert [step.worker_type for step in made.workflow.steps.values()] == ["ask/answer", "ask-answer", "end"]
    assert codes(made) == ["name", "name"]


def test_where_workers_say_it_can_be_chosen():
    made = from_langgraph(IDIOMS["react"](), route="data.way")
    assert conditions(made, "agent") == ['data.way == "continue"']
    with pytest.raises(ConditionSyntaxError, match="a path is wanted"):
        from_langgraph(IDIOMS["react"](), route="output.next == 1")


def test_services_of_a_compiled_graph_are_named():
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.store.memory import InMemoryStore

    made = from_langgraph(IDIOMS["fan_out"]().compile(checkpointer=InMemorySaver(), store=InMemoryStore()))
    assert codes(made) == ["checkpointer", "store"]


@pytest.mark.filterwarnings("ignore")
def test_a_prebuilt_agent_is_imported():
    from langchain_core.language_models import FakeListChatModel
    from langgraph.prebuilt import create_react_agent

    class Model(FakeListChatModel):
        def bind_tools(self, tools, **_):
            return self

    def search(query: str) -> str:
        """Search."""
        return query

    graph = create_react_agent(Model(responses=["hi"]), [search])
    made = from_langgraph(graph, name="agent")
    assert made.workflow.validate() == (True, None)
    assert conditions(made, "agent") == ["size(output.items) == 0"]
    assert made.workflow.steps["agent.each"].on_success == "agent"
    calls = iter([["a", "b"], []])
    result = run(made.workflow, agent=lambda value: {"items": next(calls)}, tools=lambda value: value.upper())
    assert [entry["step"] for entry in result.history if entry["worker"] is not None] == [
        "agent",
        "tools",
        "tools",
        "agent",
    ]
    after = from_langgraph(create_react_agent(Model(responses=["hi"]), [search], interrupt_after=["agent"]))
    assert conditions(after, "agent.after") == ["size(data.agent_output.items) == 0"]
    assert after.workflow.steps["agent.after.each"].over == "data.agent_output.items"
    assert after.workflow.validate() == (True, None)
    drawn = from_mermaid(graph.get_graph().draw_mermaid())
    assert drawn.workflow.validate() == (True, None)
    assert [note.code for note in drawn.notes] == ["routing", "metadata"]


def test_the_drawing_of_a_graph_says_the_same_as_the_graph():
    for idiom in ("react", "supervisor", "reflection", "fan_out"):
        graph = IDIOMS[idiom]().compile()
        drawn = from_mermaid(graph.get_graph().draw_mermaid()).workflow
        made = from_langgraph(graph).workflow
        assert set(drawn.steps) == set(made.steps) | ({"end"} & set(drawn.steps))
        for step_id in graph.builder.nodes:
            on = {way.target for way in drawn.steps[step_id].transitions()} - {"end"}
            assert on == {way.target for way in made.steps[step_id].transitions()} - {"end"}, (idiom, step_id)


@pytest.mark.soak
def test_the_order_of_steps_and_ways_does_not_depend_on_hashes():
    code = "from tests.interchange.graphs import codes, conditions, run, ways, IDIOMS\nfrom orchestration_kit.interchange import from_langgraph\nprint([from_langgraph(make()).workflow.to_json() for make in IDIOMS.values()])"
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]


def test_what_is_no_graph_is_refused_with_what_to_give():
    with pytest.raises(NotImportable, match="A str cannot be imported: it is no graph of LangGraph. Give a StateGraph"):
        from_langgraph("react")
    with pytest.raises(NotImportable, match="it has no nodes"):
        from_langgraph(StateGraph(State))

    from langgraph.func import entrypoint

    @entrypoint()
    def functional(value: TypedDict("In", {"x": int})): ...

    with pytest.raises(NotImportable, match="keeps no StateGraph to look at") as raised:
        from_langgraph(functional)
    again = pickle.loads(pickle.dumps(raised.value))
    assert str(again) == str(raised.value)


def test_a_notebook_shows_the_diagram_and_the_notes_as_text():
    graph = built("a<script>", "b")
    graph.add_edge(START, "a<script>")
    graph.add_conditional_edges("a<script>", lambda state: "b", ["b", "a<script>"])
    shown = from_langgraph(graph)._repr_mimebundle_()
    assert "<svg" in shown["text/html"]
    assert "<script>" not in shown["text/html"]
    assert "- [routing]" in shown["text/plain"]
    assert END not in shown["text/plain"]


def test_what_else_a_node_says_is_kept_or_told():
    from langgraph.types import CachePolicy

    class Node:
        def __call__(self, state: State):
            return interrupt("Really?")

    async def later(state: State): ...

    graph = StateGraph(State)
    graph.add_node("a", Node(), metadata={"description": "Asks", "owner": 3}, cache_policy=CachePolicy())
    graph.add_node("b", later, timeout=TimeoutPolicy(idle_timeout=2))
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    made = from_langgraph(graph)
    assert made.workflow.steps["a"].description == "Asks"
    assert [(note.code, note.steps) for note in made.notes] == [
        ("cache", ("a",)),
        ("interrupt", ("a",)),
        ("timeout", ("b",)),
    ]


def test_sends_to_several_nodes_are_a_choice():
    def spread(state: State):
        return [Send("b", 1), Send("c", 2)]

    graph = built("a", "b", "c")
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", spread, ["b", "c"])
    made = from_langgraph(graph)
    assert ways(made, "a") == [("branch", "b"), ("success", "c")]
    assert "sends items to one or more of 'b', 'c'" in str(made.notes[0])


def test_a_deferred_node_that_joins_nothing_is_told():
    graph = built("a")
    graph.add_node("last", never, defer=True)
    graph.add_edge(START, "a")
    graph.add_edge("a", "last")
    assert codes(from_langgraph(graph)) == ["defer"]
