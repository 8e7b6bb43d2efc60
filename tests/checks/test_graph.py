"""The workflow as a graph, and the checks against their definitions by brute force."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import Branch, WorkflowDefinition, WorkflowStep
from orchestration_kit.checks import RULES, check, paths
from orchestration_kit.checks.graph import cycles, in_order, reachable, to_graph
from tests.laws import examples
from tests.support import step, workflow_of


def when(text, to: str) -> Branch:
    return Branch(when=text, to=to)


SOUND = workflow_of(
    step("a", "b", on_failure="end"),
    step("b", "a", on_failure="end", branches=[when("visits >= 3", "end"), when("output.ok", "end")]),
    step("end"),
)


def test_the_graph_keeps_all_kinds_of_an_edge_and_leaves_out_missing_targets():
    graph = to_graph(
        workflow_of(step("a", "b", on_failure="b", branches=[when("true", "b"), when("visits > 1", "gone")]), step("b"))
    )
    assert list(graph.nodes) == ["a", "b"]
    assert list(graph.edges(data="kinds")) == [("a", "b", ["branch", "success", "failure"])]


def test_cycles_are_groups_of_steps_that_reach_one_another():
    graph = to_graph(
        workflow_of(step("a", "b"), step("b", "a", on_failure="c"), step("c", "c", on_failure="d"), step("d"))
    )
    assert sorted(map(sorted, cycles(graph))) == [["a", "b"], ["c"]]


def test_steps_come_in_the_order_of_their_workflow():
    assert in_order({"end", "a"}, SOUND) == ("a", "end")


@pytest.mark.parametrize("shape", [pytest.param("chain", marks=pytest.mark.soak), "loop"])
def test_ten_thousand_steps_are_checked_without_recursion_and_within_a_second_or_two(shape):
    size = 10_000
    workflow = WorkflowDefinition(name="big", initial_step="s0")
    last = {"on_success": "s0", "on_failure": "end"} if shape == "loop" else {"on_success": "end"}
    for n in range(size):
        fields = {"on_success": f"s{n + 1}"} if n < size - 1 else last
        data = {"reads": (f"k{n - 1}",) if n else (), "writes": (f"k{n}",)}
        workflow.steps[f"s{n}"] = WorkflowStep(step_id=f"s{n}", worker_type="w", **fields, **data)
    workflow.steps["end"] = WorkflowStep(step_id="end", worker_type="w", is_terminal=True)
    begun = time.process_time()
    problems = check(workflow)
    took = time.process_time() - begun
    assert {problem.code for problem in problems} == {"failure-without-path", "never-read"} | (
        {"unbounded-loop"} if shape == "loop" else set()
    )
    assert all(len(str(problem)) < 1_000 for problem in problems)
    assert took < 5, f"{took:.1f} s"
    print(f"10,000 steps in a {shape}: checked in {took:.2f} s")


# --- laws: against the definitions, written out


IDS = [f"s{n}" for n in range(6)]
TARGETS = st.none() | st.sampled_from([*IDS, "gone"])


@st.composite
def any_workflows(draw: st.DrawFn) -> WorkflowDefinition:
    """Steps with any transitions at all, sound or not."""
    ids = IDS[: draw(st.integers(1, len(IDS)))]
    workflow = WorkflowDefinition(name="any", initial_step=draw(st.sampled_from([*ids, "gone", None])))
    for step_id in ids:
        branches = tuple(when("output.ok", to) for to in draw(st.lists(st.sampled_from([*IDS, "gone"]), max_size=2)))
        workflow.steps[step_id] = WorkflowStep(
            step_id=step_id, worker_type="w", on_success=draw(TARGETS), on_failure=draw(TARGETS), is_terminal=draw(st.booleans()), branches=branches
        )  # fmt: skip
    return workflow


def closure(workflow: WorkflowDefinition) -> dict[str, set[str]]:
    """For each step what can be reached from it, itself included: Warshall's algorithm."""
    reach = {
        s: {s} | {t.target for t in step.transitions() if t.target in workflow.steps}
        for s, step in workflow.steps.items()
    }
    for via, start in itertools.product(workflow.steps, workflow.steps):
        if via in reach[start]:
            reach[start] |= reach[via]
    return reach


@settings(max_examples=examples(300), deadline=None)
@given(any_workflows())
def test_reachability_and_ways_out_are_what_their_definitions_say(workflow):
    reach = closure(workflow)
    steps = workflow.steps
    named = {
        rule: [s for problem in rule(workflow) for s in problem.steps]
        for rule in (paths.unreachable_steps, paths.endless_loops, paths.dead_ends)
    }
    lost = [s for s in steps if s not in reach[workflow.initial_step]] if workflow.initial_step in steps else []
    assert named[paths.unreachable_steps] == lost
    dead = [s for s, step in steps.items() if not step.is_terminal and step.on_success is None]
    assert named[paths.dead_ends] == [s for s in dead if s not in lost]
    trapped = [
        s
        for s, step in steps.items()
        if not any(steps[other].is_terminal for other in reach[s])
        and s not in dead
        and any(t.target in steps for t in step.transitions())
    ]
    assert named[paths.endless_loops] == trapped
    graph = to_graph(workflow)
    for s in steps:
        assert reachable([s], graph.successors) == reach[s]
    loops = {
        frozenset(other for other in reach[s] if s in reach[other])
        for s, step in steps.items()
        if any(s in reach[t.target] for t in step.transitions() if t.target in steps)
    }
    assert {frozenset(group) for group in cycles(graph)} == loops


@settings(max_examples=examples(150), deadline=None)
@given(any_workflows())
def test_from_every_step_of_a_workflow_without_errors_an_end_can_be_reached(workflow):
    valid, message = workflow.validate()
    assert valid == (message is None)
    if valid:
        reach = closure(workflow)
        assert set(reach[workflow.initial_step]) == set(workflow.steps)
        assert all(any(workflow.steps[other].is_terminal for other in reach[s]) for s in workflow.steps)


def test_every_rule_is_a_named_function_that_changes_nothing():
    before = SOUND.model_copy(deep=True)
    for rule in RULES:
        assert rule.__doc__
        assert list(rule(SOUND)) == []
    assert before == SOUND


def test_a_step_under_another_id_is_named_before_anything_else():
    workflow = workflow_of(step("a", "b"), step("b"))
    workflow.steps["b"].step_id = "z"
    workflow.steps["c"] = {"worker_type": "x"}
    problems = workflow.problems()
    assert [(p.code, p.steps) for p in problems] == [("misnamed-step", ("b",)), ("misnamed-step", ("c",))]
    assert "calls itself 'z'" in problems[0].message
    assert "is dict, not a WorkflowStep" in problems[1].message


async def later(output, context):
    return False


@pytest.mark.parametrize(
    ("condition", "said"), [(later, "is async"), (lambda output: True, "cannot be called with (output, context)")]
)
def test_a_callable_that_cannot_be_a_condition_is_refused(condition, said):
    [problem] = [p for p in workflow_of(step("a", success_when=condition)).problems() if p.code == "bad-condition"]
    assert said in problem.message
