from __future__ import annotations

from orchestration_kit import ParallelStep
from tests.branches.doors import ends_of, flow_of, paths, run_flow
from tests.support import step


def test_11_a_branch_ends_where_nothing_is_left_to_do(door):
    """No terminal step: the branch ends at a step that leads nowhere else."""
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "b"}, is_terminal=True),
        step("a", "a2", is_terminal=False),
        step("a2", is_terminal=False),
        step("b", is_terminal=False),
    )
    run = run_flow(flow, {"a": str, "a2": str, "b": str}, door)
    assert run.state == "completed"
    assert paths(run) == ["p#1[l]/a#1", "p#1[l]/a2#1", "p#1[r]/b#1", "p#1"]


def test_43_a_terminal_step_ends_its_own_branch_and_nothing_else(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "b"}, on_success="end"),
        step("a", is_terminal=True),
        step("b", "b2", is_terminal=False),
        step("b2", is_terminal=False),
        step("end"),
    )
    run = run_flow(flow, {"a": str, "b": str, "b2": str, "end": dict}, door)
    assert paths(run) == ["p#1[l]/a#1", "p#1[r]/b#1", "p#1[r]/b2#1", "p#1", "end#1"]
    assert ends_of(run, "p#1") == {"l": "completed", "r": "completed"}


def test_43_a_terminal_step_of_the_run_ends_it_whatever_else_there_is(door):
    flow = flow_of(step("a", "stop"), step("stop", worker_type="a", outcome="failed"))
    run = run_flow(flow, {"a": str}, door)
    assert run.state == "failed"
    assert run.context.error == "the run ended at stop#1, whose outcome is failed"


def test_43_a_terminal_step_whose_outcome_is_failed_fails_its_branch(door):
    flow = flow_of(
        ParallelStep(step_id="p", branches={"l": "a", "r": "b"}, failure="continue", is_terminal=True),
        step("a", worker_type="b", outcome="failed"),
        step("b", is_terminal=False),
    )
    run = run_flow(flow, {"b": str}, door)
    assert run.state == "completed"
    assert ends_of(run, "p#1") == {"l": "failed", "r": "completed"}
    assert run.context.data["p_output"] == {
        "l": {"error": "it ended at p#1[l]/a#1, whose outcome is failed"},
        "r": "go",
    }
