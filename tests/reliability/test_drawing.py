"""What is known of a workflow, on its diagram."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep
from orchestration_kit.reliability import reliability
from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep
from orchestration_kit.reliability.drawing import diagram_of, percent
from orchestration_kit.reliability.fitting import chain_of_counts, draws_of, with_all_ways
from orchestration_kit.reliability.report import Reliability
from orchestration_kit.reliability.solving import solve
from orchestration_kit.templates import create_build_website_workflow, create_sectioning
from tests.reliability.workflows import counts_from, debate, planner, review_loop, router, runs_of, step

RATES = {"product_manager": 0.99, "coder": 0.9, "reviewer": 0.8}


def observed(chain, *, runs=400, seed=1):
    counts = with_all_ways(counts_from(chain, runs_of(chain, runs, seed=seed)))
    fitted = chain_of_counts(counts)
    draws = draws_of(counts, solve(fitted).completes_from > 0, draws=300, seed=0)
    return Reliability(fitted, 0.95, counts, draws)


def labels(diagram):
    return {(edge.source, edge.target, edge.kind): edge.label for edge in diagram.model.edges if edge.label}


def test_arrows_of_a_definition_say_how_likely_they_are():
    diagram = diagram_of(reliability(create_build_website_workflow(), RATES))
    assert labels(diagram) == {
        ("create_specs", "implement_code", "success"): "99 %",
        ("create_specs", "failed", "failure"): "✗ 1 %",
        ("implement_code", "review_code", "success"): "99 %",
        ("implement_code", "failed", "failure"): "✗ 1 %",
        ("implement_code", "implement_code", "retry"): "retry ×1",
        ("review_code", "completed", "success"): "80 %",
        ("review_code", "implement_code", "failure"): "✗ 20 %",
    }
    by_id = {node.id: node for node in diagram.model.nodes}
    assert (by_id["implement_code"].marks, by_id["implement_code"].note) == ("1.23 visits · loses 1 %", "succeeds 90 %")
    assert (by_id["completed"].marks, by_id["completed"].note) == ("98 % of runs", "")
    assert "1.1 attempts a visit" in by_id["implement_code"].tooltip
    assert "A run completes with 98 %." in diagram.model.description


def test_arrows_of_observed_runs_have_intervals():
    found = observed(review_loop())
    diagram = diagram_of(found)
    row = found.transitions().set_index(["source", "target"]).loc[("review", "deploy")]
    assert labels(diagram)["review", "deploy", "success"] == percent(row["probability"], row["low"], row["high"])
    assert re.fullmatch(r"✗ \d+ % \(\d+–\d+\)", labels(diagram)["review", "implement", "failure"])
    assert re.search(r"\d+ % \(\d+–\d+\) of runs", diagram.outline)


def test_a_chain_alone_is_drawn_with_both_ends():
    diagram = diagram_of(router())
    assert [node.outcome for node in diagram.model.nodes[-2:]] == ["completed", "failed"]
    assert labels(diagram)["route", "code", "branch"] == "49 %"
    assert labels(diagram)["ask", FAILED, "failure"] == "✗ 40 %"
    assert diagram.model.edges[0].target == "route"


def test_a_step_that_fails_with_no_way_on_leads_to_the_end_as_failed():
    flow = WorkflowDefinition(name="short", initial_step="ask")
    flow.add_step(WorkflowStep(step_id="ask", worker_type="coder", on_success="done"))
    flow.add_step(WorkflowStep(step_id="done", worker_type="generic", is_terminal=True))
    diagram = diagram_of(reliability(flow, {"coder": 0.75}))
    assert labels(diagram)["ask", FAILED, "failure"] == "✗ 25 %"
    assert (diagram.model.nodes[-1].title, diagram.model.nodes[-1].marks) == ("failed: no way on", "25 % of runs")
    assert FAILED not in {node.id for node in diagram_of(reliability(flow, {"coder": 1.0})).model.nodes}


def test_what_no_run_did_is_no_arrow_to_the_end():
    hub = Orchestrator()
    flow = WorkflowDefinition(name="short", initial_step="ask")
    flow.add_step(WorkflowStep(step_id="ask", worker_type="coder", on_success="done"))
    flow.add_step(WorkflowStep(step_id="done", worker_type="generic", is_terminal=True))
    hub.register_worker(WorkerDefinition(name="coder", worker_type="coder", executor=lambda goal: "code"))
    hub.register_workflow(flow)
    runs = [hub.execute_workflow("short", "go", verbose=False) for _ in range(5)]
    assert [node.title for node in diagram_of(reliability(runs)).model.nodes] == ["start", "ask", "done"]


def test_a_branch_says_its_probability_first_and_its_condition_in_the_tooltip():
    flow = WorkflowDefinition(name="routes", initial_step="ask")
    condition = "output.kind == 'a very particular kind of question'"
    flow.add_step(
        WorkflowStep(
            step_id="ask",
            worker_type="coder",
            branches=[{"when": condition, "to": "a"}],
            on_success="b",
            on_failure="b",
        )
    )
    flow.add_step(WorkflowStep(step_id="a", worker_type="generic", is_terminal=True))
    flow.add_step(WorkflowStep(step_id="b", worker_type="generic", is_terminal=True))
    diagram = diagram_of(reliability(flow, {"coder": 0.9, "ask": {"to": {"a": 0.3, "b": 0.7}}}))
    edges = {(edge.target, edge.kind): edge for edge in diagram.model.edges}
    assert edges["a", "branch"].label.startswith("27 % · output.kind")
    assert edges["b", "success"].label == "63 % · else"
    assert edges["b", "failure"].label == "✗ 10 %"
    assert condition in edges["a", "branch"].tooltip


def test_a_step_with_branches_says_in_its_frame_what_it_loses():
    diagram = diagram_of(reliability(create_sectioning({"left": "coder", "right": "coder"}, "reviewer"), default=0.9))
    frame = next(one for one in diagram.model.clusters if one.id == "sections")
    assert frame.note == "1 visit · loses 19 %"
    assert labels(diagram)["sections", "fan_in", "success"] == "81 %"


def test_runs_of_a_hub_are_drawn_on_their_definition():
    hub = Orchestrator()
    answers = iter([True, False, True] * 20)
    hub.register_worker(WorkerDefinition(name="coder", worker_type="coder", executor=lambda goal: "code"))
    flow = WorkflowDefinition(name="loop", initial_step="write")
    flow.add_step(WorkflowStep(step_id="write", worker_type="coder", on_success="check"))
    flow.add_step(
        WorkflowStep(
            step_id="check", worker_type="judge", on_success="done", on_failure="write", success_when="output == true"
        )
    )
    flow.add_step(WorkflowStep(step_id="done", worker_type="generic", is_terminal=True))
    hub.register_worker(WorkerDefinition(name="judge", worker_type="judge", executor=lambda given: next(answers)))
    hub.register_workflow(flow)
    runs = [hub.execute_workflow("loop", "go", verbose=False) for _ in range(12)]
    diagram = diagram_of(reliability(runs, workflow=flow))
    assert {node.id for node in diagram.model.nodes} >= {"write", "check", "done"}
    assert re.match(r"\d+ % \(\d+–\d+\)", labels(diagram)["check", "done", "success"])


def test_without_graphviz_the_built_in_layout_draws(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for chain in (review_loop(), router(), planner(), debate()):
        diagram = diagram_of(chain)
        assert diagram.renderer == "builtin"
        assert ET.fromstring(diagram.svg).tag.endswith("svg")


@pytest.mark.parametrize(
    "look", [{"direction": "LR"}, {"detail": "compact"}, {"theme": "dark"}, {"renderer": "builtin"}]
)
def test_it_is_drawn_as_wished(look):
    diagram = diagram_of(review_loop(), **look)
    assert "61 %" not in diagram.svg
    assert "60 %" in diagram.svg
    assert (diagram.model.direction, diagram.model.detail) == (look.get("direction", "TB"), look.get("detail", "full"))


def test_names_are_data_and_never_markup():
    name = "<script>alert('&\"')</script>"
    chain = Chain(
        name, name, {name: ChainStep(success=0.5, after_success={COMPLETED: 1}, after_failure={FAILED: 1}, worker=name)}
    )
    for renderer in ("builtin", None):
        svg = diagram_of(chain, renderer=renderer).svg
        assert "<script" not in svg
        ET.fromstring(svg)


def test_a_definition_of_other_steps_is_not_drawn_over():
    chain = Chain("other", "x", {"x": step(0.5, COMPLETED)})
    diagram = diagram_of(chain, workflow=create_build_website_workflow())
    assert [node.id for node in diagram.model.nodes][1:] == ["x", COMPLETED, FAILED]


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ((0.83,), "83 %"), ((0.83, 0.79, 0.87), "83 % (79–87)"), ((0.0,), "0 %"), ((1.0,), "100 %"), ((0.994,), "99.4 %"),
        ((0.0042, 0.0, 0.011), "0.4 % (0–1.1)"), ((0.99999,), ">99.99 %"), ((0.5, 0.5, 0.5), "50 %"), ((1.0, 0.97, 1.0), "100 % (97–100)"),
    ],
)  # fmt: skip
def test_percent_has_the_digits_that_tell_it_from_0_and_1(figures, text):
    assert percent(*figures) == text
