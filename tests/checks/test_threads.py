"""The run's own thread, its branches and its compensations: who has to end where, against brute force."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.checks import check, paths
from orchestration_kit.checks.endings import endings
from orchestration_kit.checks.threads import threads_of
from orchestration_kit.definition import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    ParallelStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)
from tests.kinds_support import workflows
from tests.laws import examples
from tests.support import step, workflow_of


def codes(workflow: WorkflowDefinition) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for problem in check(workflow):
        found.setdefault(problem.code, []).append(problem.steps)
    return found


def open_step(step_id: str, **fields) -> WorkflowStep:
    """A step that is not terminal and leads nowhere."""
    return step(step_id, None, is_terminal=False, **fields)


# --- examples


def test_a_step_that_leads_nowhere_is_a_proper_end_of_a_branch_a_body_and_a_compensation():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x", "y": Branch(when="output.y", to="y")}, on_success="m"),
        open_step("x"),
        open_step("y"),
        MapStep(step_id="m", body="each", on_success="end"),
        open_step("each"),
        step("end", compensate="undo"),
        open_step("undo"),
    )
    assert flow.validate() == (True, None)
    assert set(codes(flow)) == {"failure-without-path"}


def test_a_step_that_leads_nowhere_is_a_dead_end_where_the_run_comes_there_too():
    flow = workflow_of(ParallelStep(step_id="p", branches={"x": "x"}, on_success="x"), open_step("x"), step("end"))
    assert codes(flow)["dead-end"] == [("x",)]


def test_a_composite_that_leads_nowhere_is_a_dead_end_of_the_run_and_an_end_of_a_branch():
    flow = workflow_of(
        MapStep(step_id="outer", body="inner", is_terminal=True), MapStep(step_id="inner", body="x"), open_step("x")
    )
    assert flow.validate() == (True, None)
    assert codes(workflow_of(MapStep(step_id="outer", body="x"), open_step("x")))["dead-end"] == [("outer",)]


def test_a_terminal_step_inside_a_branch_is_no_end_of_the_run():
    flow = workflow_of(ParallelStep(step_id="p", branches={"x": "x"}, on_success="p"), step("x"))
    assert codes(flow)["no-way-out"] == [("p",)]


def test_a_branch_that_never_ends_is_an_error_that_names_its_steps():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x", "y": "y"}, is_terminal=True),
        step("x", "z"),
        step("z", "x"),
        open_step("y"),
    )
    [problem] = [p for p in check(flow) if p.code == "no-way-out"]
    assert (problem.severity, problem.steps) == ("error", ("x", "z"))
    assert problem.message == "A branch that comes to x, z never ends: a loop nobody can leave"
    assert "or to one without on_success" in problem.hint


def test_branches_bodies_compensations_timeouts_and_budgets_reach_their_steps():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x"}, on_success="w"),
        MapStep(step_id="x", body="each"),
        open_step("each", compensate="undo"),
        open_step("undo"),
        WaitStep(step_id="w", event="e", timeout_s=1, on_timeout="late", on_success="end"),
        step("late", "end", budget=Budget(max_tokens=1, on_budget="poor")),
        step("poor"),
        step("end"),
    ).replace(budget=Budget(max_tokens=5, on_budget="spent"))
    flow.add_step(open_step("spent"))
    flow.add_step(step("lost"))
    found = codes(flow)
    assert found["unreachable"] == [("lost",)]
    assert found["dead-end"] == [("spent",)]


def test_targets_of_every_kind_have_to_be_there():
    flow = workflow_of(
        ParallelStep(
            step_id="p",
            branches={"x": "gone", "y": Branch(when="true", to="gone2")},
            on_success="m",
            compensate="gone3",
        ),
        MapStep(step_id="m", body="gone4", on_success="w"),
        WaitStep(step_id="w", event="e", timeout_s=1, on_timeout="gone5", on_success="end"),
        step("end", budget=Budget(max_tokens=1, on_budget="ends")),
    ).replace(budget=Budget(max_tokens=5, on_budget="gone6"))
    problems = [p for p in check(flow) if p.code == "missing-target"]
    assert [p.message.split(":")[0] for p in problems] == [
        "Step 'p' has invalid branches['x']", "Step 'p' has invalid branches['y']", "Step 'p' has invalid compensate", "Step 'm' has invalid body",
        "Step 'w' has invalid on_timeout", "Step 'end' has invalid budget.on_budget", "The workflow has invalid budget.on_budget",
    ]  # fmt: skip
    assert problems[-1].steps == ()
    assert "Did you mean 'end'?" in problems[-2].hint


def test_a_failure_inside_a_branch_needs_no_path_of_its_own():
    flow = workflow_of(
        ParallelStep(step_id="p", branches={"x": "x"}, on_success="both", on_failure="end"), step("x", "y"), open_step("y"),
        WaitStep(step_id="both", for_s=1, on_success="ask"), ApprovalStep(step_id="ask", prompt="?", on_success="end"), step("end"),
    )  # fmt: skip
    assert codes(flow) == {"failure-without-path": [("ask",)]}


# --- laws


def walk(workflow: WorkflowDefinition, starts: list[str], kinds: set[str]) -> set[str]:
    """What can be reached over transitions of these kinds, with Warshall's algorithm."""
    ids = list(workflow.steps)
    reach = {
        s: {s} | {t.target for t in one.transitions() if t.kind in kinds and t.target in workflow.steps}
        for s, one in workflow.steps.items()
    }
    for via, start in itertools.product(ids, ids):
        if via in reach[start]:
            reach[start] |= reach[via]
    return set().union(*(reach[s] for s in starts if s in workflow.steps))


ALL = {"body", "branch", "success", "failure", "timeout", "budget", "compensate"}
OWN = ALL - {"body", "compensate"}


@settings(max_examples=examples(100), deadline=None)
@given(workflows())
def test_threads_dead_ends_and_ways_out_are_what_their_definitions_say(workflow):
    steps = workflow.steps
    spent = workflow.budget.on_budget if workflow.budget else None
    starts = [workflow.initial_step, *([spent] if spent in steps else [])] if workflow.initial_step in steps else []
    opened = [t.target for s in steps.values() for t in s.transitions() if t.kind in ("body", "compensate")]
    aside = walk(workflow, opened, OWN)
    main = walk(workflow, starts, OWN) if starts else set(steps) - aside
    threads = threads_of(workflow)
    assert (threads.main, threads.aside) == (main, aside)
    lost = set(steps) - walk(workflow, starts, ALL) if starts else set()
    told = {
        rule: {s for problem in rule(workflow) for s in problem.steps}
        for rule in (paths.unreachable_steps, paths.dead_ends, paths.endless_loops, paths.endless_branches)
    }
    assert told[paths.unreachable_steps] == lost
    nowhere = {s for s, one in steps.items() if not one.is_terminal and one.on_success is None}
    assert told[paths.dead_ends] == nowhere & main

    def leads_on(s: str) -> bool:
        return any(t.kind in OWN and t.target in steps for t in steps[s].transitions())

    def ends(s: str, ok: set[str]) -> bool:
        return bool(walk(workflow, [s], OWN) & ok)

    terminal = {s for s, one in steps.items() if one.is_terminal}
    assert told[paths.endless_loops] == {
        s for s in steps if (s in main or s not in aside) and s not in nowhere and leads_on(s) and not ends(s, terminal)
    }
    assert told[paths.endless_branches] == {s for s in aside - main if leads_on(s) and not ends(s, terminal | nowhere)}


@settings(max_examples=examples(100), deadline=None)
@given(workflows(max_size=4, depth=0))
def test_where_nothing_is_opened_endings_are_plain_reachability(workflow):
    plain = {s: one for s, one in workflow.steps.items() if not isinstance(one, ParallelStep)}
    flow = WorkflowDefinition(name="plain", steps=plain)
    found = endings(flow)
    for s in plain:
        reach = walk(flow, [s], OWN)
        missing = any(t.kind in OWN and t.target not in plain for r in reach for t in plain[r].transitions())
        if not missing:
            assert (s in found.of_run) == any(plain[r].is_terminal for r in reach)
            assert (s in found.of_branches) == any(plain[r].is_terminal or plain[r].on_success is None for r in reach)


@settings(max_examples=examples(100), deadline=None)
@given(workflows(), st.data())
def test_checks_of_any_workflow_of_any_kinds_name_known_steps_and_change_nothing(workflow, data):
    before = workflow.to_json()
    problems = check(workflow)
    assert workflow.to_json() == before
    for problem in problems:
        assert problem.message
        assert not problem.message.endswith(".")
        assert problem.hint or problem.code == "bad-condition"
        assert set(problem.steps) <= {*workflow.steps, workflow.initial_step}
        assert len(str(problem)) < 2_000
    assert problems == check(WorkflowDefinition.from_json(workflow.to_json()))
