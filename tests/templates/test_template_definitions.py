"""Every template: sound without a warning, the same after a file, drawn, and refusing what makes no sense."""

from __future__ import annotations

import inspect
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit import Orchestrator, WorkflowDefinition, templates, visualize
from orchestration_kit.definition.conditions import compile_condition
from orchestration_kit.errors import MissingWorkers
from orchestration_kit.templates import (
    create_debate,
    create_evaluator_optimizer,
    create_fallback_cascade,
    create_gated_chain,
    create_human_gate,
    create_map_reduce,
    create_orchestrator_workers,
    create_plan_execute_replan,
    create_reflexion,
    create_routing,
    create_sectioning,
    create_voting,
)
from orchestration_kit.templates.parameters import quoted, votes
from orchestration_kit.templates.ready_workers import PREFIX
from orchestration_kit.workers.patterns import pattern_workers
from tests.templates.grid import grid

CASES = grid()
PATTERNS = [
    name for name in templates.__all__ if name not in ("create_build_website_workflow", "create_generic_pipeline")
]


def made(case: str) -> WorkflowDefinition:
    function, arguments, options = CASES[case]
    return function(*arguments, **options)


@pytest.mark.parametrize("case", CASES)
def test_a_template_is_sound_without_a_warning(case):
    workflow = made(case)
    assert workflow.validate() == (True, None)
    assert [str(problem) for problem in workflow.problems()] == []


@pytest.mark.parametrize("case", CASES)
def test_a_template_goes_through_files(case):
    workflow = made(case)
    assert WorkflowDefinition.from_yaml(workflow.to_yaml()) == workflow
    assert WorkflowDefinition.from_json(workflow.to_json()) == workflow
    assert WorkflowDefinition.from_yaml(workflow.to_yaml()).fingerprint() == workflow.fingerprint()


@pytest.mark.parametrize("case", CASES)
def test_a_template_is_drawn(case):
    workflow = made(case)
    drawn = visualize(workflow)._repr_mimebundle_()
    assert workflow.initial_step in str(drawn["text/plain"])


@pytest.mark.parametrize("case", CASES)
def test_a_template_ends_at_done_or_at_a_step_that_says_why_not(case):
    workflow = made(case)
    ends = {s: step for s, step in workflow.steps.items() if getattr(step, "worker_type", "") == "end"}
    assert ends["done"].outcome == "completed"
    assert all(step.outcome == "failed" for s, step in ends.items() if s not in ("done", "stopped"))
    assert all(step.is_terminal and step.description for step in ends.values())


@pytest.mark.parametrize("case", CASES)
def test_no_worker_of_a_template_can_be_missing_unnoticed(case):
    workflow = made(case)
    needed = {step.worker or str(step.worker_type) for step in workflow.steps.values() if hasattr(step, "worker_type")}
    hub = Orchestrator()
    hub.register_workflow(
        WorkflowDefinition(name="other", initial_step="a", steps={"a": {"worker_type": "end", "is_terminal": True}})
    )
    hub.register_workflow(workflow)
    try:
        hub.start(workflow.name, "the goal")
    except MissingWorkers as error:
        named = {text.split("'")[1] for text in error.missing}
    else:
        named = set()
    assert named == needed - {"end"}


@pytest.mark.parametrize("case", CASES)
def test_every_step_of_a_template_says_what_it_is_for(case):
    assert all(step.description for step in made(case).steps.values())
    assert made(case).description
    assert made(case).goal


@pytest.mark.parametrize("case", CASES)
def test_the_ready_workers_of_a_template_are_those_it_names(case):
    workflow = made(case)
    named = {str(getattr(step, "worker_type", "")) for step in workflow.steps.values()}
    assert {str(one.worker_type) for one in pattern_workers(workflow)} == {one for one in named if PREFIX in one}


@pytest.mark.parametrize("case", CASES)
def test_each_call_makes_a_workflow_of_its_own(case):
    one, other = made(case), made(case)
    next(iter(one.steps.values())).description = "changed"
    assert other == made(case) != one


def test_the_grid_holds_every_template():
    assert {function.__name__ for function, _, _ in CASES.values()} == set(PATTERNS)


@pytest.mark.parametrize("template", PATTERNS)
def test_a_template_says_when_to_use_it_and_when_not(template):
    function = getattr(templates, template)
    text = " ".join((inspect.getdoc(function) or "").split())
    assert "Use it " in text
    assert "not use it" in text
    assert "The result is the output of `done`" in text
    assert all(f"{name}: " in text for name in inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        (create_gated_chain, "steps gates on_gate_fail"),
        (create_routing, "router routes min_confidence fallback"),
        (create_sectioning, "fan_out fan_in max_concurrency failure_mode"),
        (create_voting, "n aggregator threshold early_stop tie_break"),
        (create_map_reduce, "source worker reduce max_concurrency"),
        (create_orchestrator_workers, "planner workers synthesizer max_plans"),
        (create_evaluator_optimizer, "generator evaluator min_rating max_refinements keep_best"),
        (create_plan_execute_replan, "planner executor replan_when max_replans"),
        (create_fallback_cascade, "workers accept budget"),
        (create_human_gate, "prompt response_schema timeout on_timeout"),
        (create_debate, "participants max_rounds judge"),
        (create_reflexion, "attempts evaluator lessons top_k"),
    ],
)
def test_a_template_has_the_parameters_its_pattern_usually_has(template, parameters):
    assert set(parameters.split()) <= set(inspect.signature(template).parameters)


@pytest.mark.parametrize("case", CASES)
def test_a_template_can_be_given_a_name(case):
    function, arguments, options = CASES[case]
    assert function(*arguments, **options, name="mine").name == "mine"
    assert function(*arguments, **options).name == function.__name__.removeprefix("create_")


def test_every_kind_of_voting_is_sound():
    shapes = product(
        range(1, 7), ["majority", "quorum"], [None, 1, 0.5, 1.0], [False, True], ["first", "fail", "judge"]
    )
    for n, aggregator, threshold, early_stop, tie_break in shapes:
        workflow = create_voting(
            n,
            aggregator,
            voters="c",
            threshold=threshold,
            early_stop=early_stop,
            tie_break=tie_break,
            judge="judge" if tie_break == "judge" else None,
        )
        assert workflow.problems() == [], (n, aggregator, threshold, early_stop, tie_break)


def test_an_early_stop_asks_at_first_so_many_as_can_decide_it():
    asked = {n: len(create_voting(n, voters="c", early_stop=True).steps["votes"].bodies) for n in range(1, 8)}
    assert asked == {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 4}
    by_threshold = create_voting(7, voters="c", early_stop=True, threshold=6)
    assert (len(by_threshold.steps["votes"].bodies), len(by_threshold.steps["more_votes"].bodies)) == (6, 1)


def test_a_quick_quorum_joins_with_so_many_answers():
    assert create_voting(5, "quorum", voters="c", early_stop=True).steps["votes"].join == 3
    assert create_voting(5, "quorum", voters="c").steps["votes"].join == "all"


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_any_route_can_stand_in_a_condition(route):
    class Facts:
        goal, data, visit, attempt = "", {}, 1, 1

    condition = compile_condition(f"output.route == {quoted(route)}")
    assert condition.evaluate("route", {"route": route}, Facts).result
    assert not condition.evaluate("route", {"route": route + "x"}, Facts).result


@given(st.integers(1, 100), st.floats(0.001, 1))
def test_a_share_of_votes_is_rounded_up_and_never_too_many(n, share):
    needed = votes("threshold", share, n)
    assert 1 <= needed <= n
    assert needed >= share * n - 1e-6
    assert needed - 1 < share * n
