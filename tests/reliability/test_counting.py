"""What runs did is counted as the chain has it: visits, retries, ends; branches folded in, stopped attempts left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    Orchestrator,
    RunLimits,
    SubworkflowStep,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.history import history_frame
from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainError, ChainStep, counts_of, reliability
from orchestration_kit.reliability.counting import Way
from orchestration_kit.templates import create_build_website_workflow
from tests.support import hub_of, step, workflow_of


def ways(counts, source):
    """Where a step led, by outcome: counts that are not 0."""
    return {(w.succeeded, w.target): w.count for w in counts.ways if w.source == source and w.count}


def website(*, seed=0, runs=40):
    def coin(p, good, context):
        context.add_usage(input_tokens=10, output_tokens=5, cost_usd=0.01)
        if context.random.random() < p:
            return good
        raise ValueError("no")

    workers = {
        "product_manager": lambda given, context: coin(0.95, {"pages": 1}, context),
        "coder": lambda given, context: coin(0.7, {"html": ""}, context),
        "reviewer": lambda given, context: {"approved": context.random.random() < 0.6},
    }
    hub = hub_of(create_build_website_workflow(), workers)
    found = [hub.start("build_website", f"site {n % 5}", seed=f"{seed}-{n}") for n in range(runs)]
    for run in found:
        run.run(progress=False)
    return found


def test_attempts_visits_and_ends_are_those_of_the_history():
    runs = website()
    counts = counts_of(runs)
    frame = history_frame(runs)
    for at, name in enumerate(counts.steps):
        mine = frame[frame["step"] == name]
        assert (counts.success[at], counts.failure[at]) == (mine["success"].sum(), (~mine["success"]).sum())
    assert [path.end for path in counts.paths] == [COMPLETED if r.state == "completed" else FAILED for r in runs]
    assert sum(len(path.visits) for path in counts.paths) == len(frame.groupby(["run", "path"], observed=True))
    assert sum(path.attempts for path in counts.paths) == len(frame)
    assert counts.goals == [f"site {n % 5}" for n in range(40)]
    assert counts.retries == (0, 1, 0, 0, 0)
    assert counts.told == (True, True, True)
    assert counts.workers[:3] == ("product_manager", "coder", "reviewer")
    assert counts.certain == (False, False, False, True, True)


def test_declared_ways_are_known_before_anybody_took_them():
    counts = counts_of(website(runs=1))
    assert Way("create_specs", False, "failed", 0) in counts.ways
    assert {way.source for way in counts.ways} == set(counts.steps)


def test_a_frame_gives_the_counts_of_its_runs():
    runs = website()
    of_runs, of_frame = counts_of(runs), counts_of(history_frame(runs), workflow=create_build_website_workflow())
    assert of_runs.ways == of_frame.ways
    assert of_runs.success.tolist() == of_frame.success.tolist()
    assert np.allclose(of_runs.took, of_frame.took, atol=1e-3)
    assert [path.visits for path in of_runs.paths] == [path.visits for path in of_frame.paths]
    assert [path.end for path in of_runs.paths] == [path.end for path in of_frame.paths]


def test_without_a_definition_what_was_seen_is_all_there_is():
    frame = history_frame(website())
    counts = counts_of(frame)
    assert counts.definition is None
    assert counts.retries[counts.steps.index("implement_code")] == 1
    assert ways(counts, "failed").keys() <= {(True, FAILED)}
    assert ways(counts, "completed").keys() == {(True, COMPLETED)}


def test_rows_of_runs_may_be_mixed_and_of_other_dtypes():
    frame = history_frame(website(runs=5))
    mixed = frame.sort_values(["seq", "run"]).astype(object)
    mixed = mixed.assign(run=mixed["run"].astype(str))
    assert counts_of(mixed).ways == counts_of(frame.sort_values(["run", "seq"])).ways


def test_events_of_a_run_give_its_counts():
    run = website(runs=1)[0]
    assert [way for way in counts_of(run.events).ways if way.count] == [way for way in counts_of(run).ways if way.count]


def test_what_branches_did_is_part_of_the_step_that_opened_them():
    def quote(hotel, context):
        context.add_usage(input_tokens=10, output_tokens=0, cost_usd=0.5)
        if hotel == "bad":
            raise ValueError("closed")
        return hotel

    workflow = workflow_of(
        MapStep(step_id="ask", over="data.hotels", body="quote", on_success="done", on_failure="sorry"),
        step("quote", None, is_terminal=False),
        step("done"),
        step("sorry", outcome="failed"),
    )
    hub = hub_of(workflow, {"quote": quote})
    runs = [hub.start("flow", "go", initial_data={"hotels": names}) for names in (["a", "b"], ["a", "bad"], [])]
    for run in runs:
        run.run(progress=False)
    counts = counts_of(runs)
    assert counts.steps == ("ask", "done", "sorry")
    assert (counts.success[0], counts.failure[0]) == (2, 1)
    assert counts.took[0, 1, 2] == pytest.approx(0.5)  # two hotels, and none
    assert counts.took[0, 0, 1] == 20
    assert ways(counts, "ask") == {(True, "done"): 2, (False, "sorry"): 1}
    assert [len(path.visits) for path in counts.paths] == [2, 2, 2]


def test_a_parallel_step_takes_as_long_as_it_took_on_the_clock():
    entries = [
        {"step": "x", "path": "split#1[a]/x#1", "timestamp": 100.0, "duration_s": 5.0},
        {"step": "y", "path": "split#1[b]/y#1", "timestamp": 101.0, "duration_s": 2.0},
        {"step": "split", "timestamp": 105.0, "duration_s": 1.0, "worker_type": "parallel"},
    ]
    assert counts_of(entries).took[0, 1, 0] == 6


def test_a_sub_workflow_is_one_step_and_its_runs_do_not_count_again(tmp_path):
    inner = workflow_of(step("ship"), name="shipping")
    outer = workflow_of(SubworkflowStep(step_id="send", workflow="shipping", on_success="done"), step("done"))
    hub = hub_of(outer, {"ship": str.upper}, journal=tmp_path / "runs.db")
    hub.register_workflow(inner)
    run = hub.start("flow", "go")
    run.run(progress=False)
    everything = [hub.get_run(one.run_id) for one in hub.runs()]
    assert len(everything) == 2
    assert counts_of(everything).steps == ("send", "done")
    assert len(counts_of(everything).paths) == 1


def test_an_answer_is_a_success_and_a_rejection_a_failure():
    workflow = workflow_of(
        ApprovalStep(step_id="sign", prompt="Send?", on_success="done", on_failure="no"), step("done"), step("no", outcome="failed")
    )  # fmt: skip
    hub = hub_of(workflow, {})
    runs = [hub.start("flow", "go") for _ in range(3)]
    for run in runs:
        run.run(progress=False)
    runs[0].approve(True)
    runs[1].reject("not now")
    for run in runs[:2]:
        run.run(progress=False)
    counts = counts_of(runs)
    assert (counts.success[0], counts.failure[0]) == (1, 1)
    assert [path.end for path in counts.paths] == [COMPLETED, FAILED]  # nothing is on record of the one that waits


def test_attempts_that_somebody_stopped_are_left_out():
    def write(given, context):
        if context.goal == "stop":
            raise KeyboardInterrupt
        return given

    hub = hub_of(workflow_of(step("plan", "write"), step("write", "done"), step("done")), {"plan": str, "write": write})
    good, stopped = hub.start("flow", "go"), hub.start("flow", "stop")
    good.run(progress=False)
    with pytest.raises(KeyboardInterrupt):
        stopped.run(progress=False)
    counts = counts_of([good, stopped])
    at = counts.steps.index("write")
    assert (counts.success[at], counts.failure[at]) == (1, 0)
    assert counts.paths[1].end is None
    assert ways(counts, "plan") == {(True, "write"): 2}  # it did lead there


def test_a_run_that_a_limit_ended_failed_where_it_stood():
    workflow = workflow_of(step("write", "check"), step("check", "done", on_failure="write"), step("done"))

    def never(given):
        raise ValueError("no")

    hub = hub_of(workflow, {"write": str, "check": never})
    run = hub.start("flow", "go", limits=RunLimits(max_steps=5))
    run.run(progress=False)
    counts = counts_of(run)
    assert counts.paths[0].end == FAILED
    assert ways(counts, "write") == {(True, "check"): 2, (True, FAILED): 1}


def test_the_past_that_a_fork_shares_counts_once():
    workflow = workflow_of(step("a", "b"), step("b", "done"), step("done"))
    hub = hub_of(workflow, {"a": str, "b": str})
    run = hub.start("flow", "go")
    run.run(progress=False)
    fork = run.fork(at="b#1")
    fork.run(progress=False)
    both, alone = counts_of([run, fork]), counts_of(fork)
    assert both.success.tolist() == [1, 2, 2]
    assert ways(both, "a") == {(True, "b"): 1}
    assert [path.shared for path in both.paths] == [0, 1]
    assert [len(path.visits) for path in both.paths] == [3, 3]
    assert alone.success.tolist() == [1, 1, 1]


def test_undoing_is_no_part_of_the_chain():
    workflow = workflow_of(
        step("book", "pay", compensate="cancel"),
        step("pay", "done"),
        step("done"),
        step("cancel", None, is_terminal=False),
    )

    def pay(given):
        raise ValueError("broke")

    hub = hub_of(workflow, {"book": str, "pay": pay, "cancel": str})
    run = hub.start("flow", "go")
    run.run(progress=False)
    assert len(history_frame(run)) == 3
    counts = counts_of(run)
    assert counts.steps == ("book", "pay", "done")
    assert ways(counts, "pay") == {(False, FAILED): 1}


def test_errors_that_are_not_retried_show_in_the_share_that_is():
    from orchestration_kit import RetryPolicy

    policy = RetryPolicy(give_up_on=("KeyError",))
    workflow = workflow_of(
        WorkflowStep(step_id="a", worker_type="a", max_retries=1, retry=policy, on_success="b"), step("b")
    )

    def flaky(given, context):
        raise KeyError("final") if int(given) % 2 else ValueError("again")

    hub = hub_of(workflow, {"a": flaky})
    runs = [hub.start("flow", str(n)) for n in range(10)]
    for run in runs:
        run.run(progress=False)
    counts = counts_of(runs)
    assert counts.retried[0] == 0.5
    assert reliability(runs).chain.steps["a"].attempts == pytest.approx(1.5, abs=0.05)


def test_waits_before_retries_belong_to_the_failure():
    entries = [
        {"step": "a", "attempt": 1, "success": False, "duration_s": 1.0, "retry_in_s": 3.0},
        {"step": "a", "attempt": 2, "duration_s": 2.0},
    ]
    counts = counts_of(entries)
    assert counts.took[0, :, 0].tolist() == [4.0, 2.0]
    frame = history_frame([{**entries[0], "timestamp": 0.0}, {**entries[1], "timestamp": 4.0}])
    assert counts_of(frame).took[0, :, 0].tolist() == [4.0, 2.0]


def test_runs_drawn_from_a_chain_lead_back_to_it():
    rng = np.random.default_rng(8)
    entries, good, back = [], 0.8, 0.3
    for _ in range(3_000):
        history, at = [], "a"
        while at:
            fine = rng.random() < good
            to = ("b" if rng.random() > back else "a") if at == "a" and fine else None
            history.append({"step": at, "success": bool(fine), "next_step": to})
            at = to
        entries.append(history)
    chain = reliability(entries).chain
    assert chain.steps["a"].success == pytest.approx(good, abs=0.02)
    assert chain.steps["a"].after_success["a"] == pytest.approx(back, abs=0.02)
    exact = Chain("x", "a", {
        "a": ChainStep(success=good, after_success={"a": back, "b": 1 - back}, after_failure={FAILED: 1.0}),
        "b": ChainStep(success=good, after_success={COMPLETED: 1.0}, after_failure={FAILED: 1.0}),
    })  # fmt: skip
    assert reliability(exact).p_success.value == pytest.approx(reliability(entries).p_success.value, abs=0.02)


def test_a_parallel_step_alone_is_no_run_of_its_own():
    inside = [{"step": "x", "path": "split#1[a]/x#1"}]
    with pytest.raises(ChainError, match="happened in branches"):
        counts_of(inside)


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([], "no attempt yet"),
        (pd.DataFrame({"step": ["a"]}), r"no column run, path, .* Give history_frame\(runs\)"),
        (history_frame([{"step": "a"}]).iloc[:0], "no rows"),
        ([[{"step": "a"}], [{"step": "b"}]], "begin at different steps: a, b"),
        ([{"step": "a", "success": False, "error": "x", "error_type": "RunCancelled"}], "stopped by somebody"),
    ],
)
def test_what_cannot_be_counted_says_why(runs, told):
    with pytest.raises(ChainError, match=told):
        counts_of(runs)


def test_runs_of_several_workflows_are_told_apart():
    hub = Orchestrator()
    for name in ("one", "two"):
        hub.register_workflow(WorkflowDefinition.from_edges(name, [], workers={"a": step("a")}, initial="a"))
    runs = [hub.start(name, "go") for name in ("one", "two")]
    for run in runs:
        run.run(progress=False)
    with pytest.raises(ChainError, match="several workflows: one, two"):
        counts_of(runs)
