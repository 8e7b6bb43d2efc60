"""Is the skeleton sound? Each check names all its offenders, and stays silent on what is sound."""

from __future__ import annotations

import pytest

from orchestration_kit import Branch, Problem, WorkflowDefinition, create_build_website_workflow
from orchestration_kit.checks import check
from tests.support import step, workflow_of


def found(workflow: WorkflowDefinition, code: str) -> list[Problem]:
    return [problem for problem in check(workflow) if problem.code == code]


def only(workflow: WorkflowDefinition, code: str) -> Problem:
    problems = found(workflow, code)
    assert len(problems) == 1, problems
    return problems[0]


def when(text, to: str) -> Branch:
    return Branch(when=text, to=to)


SOUND = workflow_of(
    step("a", "b", on_failure="end"),
    step("b", "a", on_failure="end", branches=[when("visits >= 3", "end"), when("output.ok", "end")]),
    step("end"),
)


def test_a_sound_workflow_has_no_problems():
    assert check(SOUND) == SOUND.problems() == []


def test_the_website_workflow_is_sound_but_for_its_unbounded_loop():
    problems = check(create_build_website_workflow())
    assert [(problem.code, problem.severity) for problem in problems] == [("unbounded-loop", "warning")]


def test_every_problem_says_what_is_wrong_and_what_to_do():
    broken = workflow_of(
        step("a", "nowhere", branches=[when("true", "a"), when("true", "gone")]),
        step("b", None, is_terminal=False),
        step("c", "c", success_when="nope"),
        step("end", "a", is_terminal=True),
    )
    problems = check(broken)
    assert len({problem.code for problem in problems}) >= 7
    for problem in problems:
        assert problem.message
        assert not problem.message.endswith(".")
        assert problem.hint or problem.code == "bad-condition"
        assert str(problem) == (f"{problem.message}. {problem.hint}" if problem.hint else f"{problem.message}.")
        assert set(problem.steps) <= set(broken.steps)


def test_errors_come_before_warnings():
    severities = [problem.severity for problem in check(workflow_of(step("a", "a"), step("b", "zzz")))]
    assert severities == sorted(severities, key=["error", "warning"].index)
    assert set(severities) == {"error", "warning"}


# --- initial step


def test_a_run_has_to_start_somewhere():
    problem = only(WorkflowDefinition(name="x"), "no-initial-step")
    assert (problem.severity, problem.message) == ("error", "No initial step defined")
    assert "add_step(step, is_initial=True)" in problem.hint


def test_the_initial_step_has_to_be_there():
    workflow = workflow_of(step("start"))
    workflow.initial_step = "strat"
    problem = only(workflow, "missing-initial-step")
    assert (problem.severity, problem.steps) == ("error", ("strat",))
    assert problem.message == "Initial step 'strat' not found"
    assert problem.hint.endswith("Did you mean 'start'?")
    assert not found(workflow, "unreachable")


# --- transitions


def test_every_transition_to_a_missing_step_is_named_with_field_and_nearest_step():
    workflow = workflow_of(
        step("write", "revew", on_failure="zzzzz", branches=[when("true", "write"), when("visits > 1", "wriet")]),
        step("review"),
    )
    problems = found(workflow, "missing-target")
    assert [problem.message for problem in problems] == [
        "Step 'write' has invalid branches[1]: 'wriet' is not a step",
        "Step 'write' has invalid on_success: 'revew' is not a step",
        "Step 'write' has invalid on_failure: 'zzzzz' is not a step",
    ]
    assert [problem.hint for problem in problems] == [
        "Did you mean 'write'? Steps: write, review.",
        "Did you mean 'review'? Steps: write, review.",
        "Add the step, or correct the name. Steps: write, review.",
    ]
    assert all(problem.severity == "error" and problem.steps == ("write",) for problem in problems)


def test_what_a_terminal_step_ignores_need_not_be_there_but_its_failure_path_has_to():
    workflow = workflow_of(step("a", "gone", is_terminal=True, on_failure="lost", branches=[when("true", "away")]))
    assert [problem.message for problem in found(workflow, "missing-target")] == [
        "Step 'a' has invalid on_failure: 'lost' is not a step"
    ]


def test_dead_ends_are_all_named_also_those_with_branches_only():
    one = workflow_of(step("a", "b"), step("b", None, is_terminal=False))
    problem = only(one, "dead-end")
    assert (problem.severity, problem.steps) == ("error", ("b",))
    assert problem.message == "Dead end: step 'b' is neither terminal nor with an on_success step"
    two = workflow_of(
        step("a", None, is_terminal=False, branches=[when("output.ok", "b")]),
        step("b", None, is_terminal=False, on_failure="a"),
    )
    problem = only(two, "dead-end")
    assert problem.message == "Dead end: steps a, b are neither terminal nor with an on_success step"
    assert problem.hint == "Set on_success=..., or is_terminal=True where the run may end."
    assert not found(SOUND, "dead-end")


def test_unreachable_steps_are_all_named_in_the_order_of_the_workflow():
    workflow = workflow_of(step("a", "end"), step("y", "x"), step("end"), step("x", "y"), step("z"))
    problem = only(workflow, "unreachable")
    assert (problem.severity, problem.steps) == ("error", ("y", "x", "z"))
    assert problem.message == "Unreachable from the initial step 'a': y, x, z"
    assert problem.hint == "Lead a transition to each of them, or remove them."


def test_a_step_is_reached_by_a_branch_or_a_failure_too():
    workflow = workflow_of(
        step("a", "end", on_failure="f", branches=[when("visits > 1", "b")]),
        step("b", "end"),
        step("f", "end"),
        step("end"),
    )
    assert not found(workflow, "unreachable")


def test_a_loop_nobody_can_leave_is_an_error_that_names_its_steps():
    workflow = workflow_of(
        step("a", "end", branches=[when("output.x", "b")]), step("b", "c", on_failure="c"), step("c", "b"), step("end")
    )
    problem = only(workflow, "no-way-out")
    assert (problem.severity, problem.steps) == ("error", ("b", "c"))
    assert problem.message == "No terminal step can be reached from b, c: a loop nobody can leave"
    assert problem.hint == "Lead a transition out of it to a step with is_terminal=True."
    assert only(workflow_of(step("me", "me")), "no-way-out").steps == ("me",)


def test_a_way_into_a_dead_end_is_not_called_a_loop():
    problem = only(workflow_of(step("a", "b"), step("b", None, is_terminal=False)), "no-way-out")
    assert problem.message == "No terminal step can be reached from a: the way ends at b"
    assert problem.hint == "Lead a transition from b to a step with is_terminal=True."


def test_a_failure_path_is_a_way_out():
    assert not found(workflow_of(step("a", "a", on_failure="end"), step("end")), "no-way-out")


# --- conditions


def test_every_bad_condition_is_named_with_its_place():
    workflow = workflow_of(
        step(
            "a",
            "end",
            success_when="outptu.ok",
            branches=[when("visits >", "end"), when("true", "end"), when("x" * 3_000, "end")],
        ),
        step("b", "end", success_when="data"),
        step("end"),
    )
    problems = found(workflow, "bad-condition")
    assert [problem.severity for problem in problems] == ["error"] * 4
    assert [problem.steps for problem in problems] == [("a",), ("a",), ("a",), ("b",)]
    assert [problem.message.split(":")[0] for problem in problems] == [
        "Step 'a', branches[0].when", "Step 'a', branches[2].when", "Step 'a', success_when", "Step 'b', success_when",
    ]  # fmt: skip
    assert "Did you mean 'output'" in problems[2].message
    assert "it has 3,000 characters" in problems[1].message


def test_callables_are_not_parsed():
    def is_good(output, context):
        raise AssertionError("called by a check")

    workflow = workflow_of(
        step("a", "a", success_when=is_good, branches=[when(is_good, "end"), when(is_good, "end")]), step("end")
    )
    assert [problem.code for problem in check(workflow)] == ["failure-without-path"]


def test_a_terminal_step_that_leads_on_is_a_warning():
    workflow = workflow_of(
        step("a", "b"),
        step("b", "a", is_terminal=True),
        step("c", None, is_terminal=True, branches=[when("true", "a")]),
    )
    problem = only(workflow, "ignored-transition")
    assert (problem.severity, problem.steps) == ("warning", ("b", "c"))
    assert problem.message == "Terminal, so that on_success and branches are never taken: b, c"
    assert not found(workflow_of(step("a", on_failure="b"), step("b")), "ignored-transition")


def test_a_branch_that_is_never_taken_is_a_warning():
    branches = [
        when("output.n > 1", "b"),
        when("output.n>1 // again", "c"),
        when("true", "b"),
        when("visits > 9", "c"),
        when(lambda o, c: True, "c"),
    ]
    workflow = workflow_of(step("a", "b", branches=branches), step("b"), step("c"))
    problems = found(workflow, "shadowed-branch")
    assert [problem.severity for problem in problems] == ["warning"] * 2
    assert [problem.message for problem in problems] == [
        "Step 'a': branches[1] to 'c' is never taken, since branches[0] holds whenever it does",
        "Step 'a': branches[3] to 'c' is never taken, since branches[2] holds whenever it does",
    ]
    assert problems[0].hint == "Put the narrower condition first."


def test_conditions_that_differ_in_a_text_shadow_nothing():
    branches = [when("output.x == 'a b'", "b"), when("output.x == 'ab'", "c"), when("output.x == 'a  b'", "b")]
    assert not found(workflow_of(step("a", "b", branches=branches), step("b"), step("c")), "shadowed-branch")


# --- loops and failures


def test_a_loop_that_only_the_limits_bound_is_a_warning_that_shows_it():
    workflow = workflow_of(step("a", "b"), step("b", "end", on_failure="a"), step("end"))
    problem = only(workflow, "unbounded-loop")
    assert (problem.severity, problem.steps) == ("warning", ("a", "b"))
    assert problem.message == "Only the run's limits bound the loop a -> b"
    assert "Branch(when='visits >= 5', to=...), or set RunLimits(max_steps=...)" in problem.hint
    long = workflow_of(*(step(f"s{n}", f"s{n + 1}") for n in range(8)), step("s8", "end", on_failure="s0"), step("end"))
    assert (
        only(long, "unbounded-loop").message
        == "Only the run's limits bound the loop s0 -> s1 -> s2 -> s3 -> s4 -> s5 ..."
    )
    assert only(workflow_of(step("a", "end", on_failure="a"), step("end")), "unbounded-loop").steps == ("a",)


@pytest.mark.parametrize(
    "condition", ["visits >= 3", "output.ok || visits > 9", lambda output, context: context.visit > 3]
)
def test_a_condition_on_visits_or_code_bounds_a_loop(condition):
    by_branch = workflow_of(step("a", "b"), step("b", "a", branches=[when(condition, "end")]), step("end"))
    by_success = workflow_of(step("a", "end", on_failure="a", success_when=condition), step("end"))
    assert not found(by_branch, "unbounded-loop")
    assert not found(by_success, "unbounded-loop")


@pytest.mark.parametrize("condition", ["output.visits > 3", "goal == 'visits'", "attempt > 3", "nope > 3"])
def test_other_conditions_bound_no_loop(condition):
    assert found(workflow_of(step("a", "a", branches=[when(condition, "end")]), step("end")), "unbounded-loop")


def test_a_failure_without_a_path_is_a_warning():
    problem = only(
        workflow_of(step("a", "b"), step("b", "end", on_failure="end"), step("c", "b"), step("end")),
        "failure-without-path",
    )
    assert (problem.severity, problem.steps) == ("warning", ("a", "c"))
    assert problem.message == "Without on_failure, so that a failure there ends the run: a, c"


# --- the graph


def test_a_retry_policy_that_never_retries_is_a_warning():
    idle = workflow_of(step("a", "b", retry={"backoff_s": 5}), step("b", retry={"backoff_s": 5}, max_retries=1))
    assert [(p.steps, p.severity) for p in idle.problems() if p.code == "idle-retry-policy"] == [(("a",), "warning")]
