"""Every template, run to its end: the same way through every door, drawn, in a frame, replayed, and journaled."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import MemoryJournal, SQLiteJournal, replay, visualize
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
    create_software_pipeline,
    create_voting,
)
from orchestration_kit.testing import assert_same_flow
from tests.templates.conftest import as_async, hub_with


def lesson(evaluation, context):
    return f"lesson {context.visit}"


def tasks(_):
    return [{"worker": name, "n": n} for n, name in enumerate(["coder", "searcher", "coder"])]


RUNS = {
    "chain": (
        create_gated_chain({"a": "a", "b": "b"}, {"a": "size(output) > 1"}),
        {"a": lambda t: t + "a", "b": lambda t: t + "b"},
        "the goalab",
    ),
    "routing": (
        create_routing("r", {"x": "x", "y": "y"}, 0.5),
        {"r": lambda t: {"route": "y", "confidence": 0.7}, "x": str, "y": lambda t: "Y"},
        "Y",
    ),
    "sectioning": (
        create_sectioning({"x": "x", "y": "y"}, "m"),
        {"x": lambda t: 1, "y": lambda t: 2, "m": lambda s: s["x"] + s["y"]},
        3,
    ),
    "voting": (
        create_voting(voters=["x", "y", "z"], aggregator="judge", judge="j"),
        {"x": lambda t: 1, "y": lambda t: 2, "z": lambda t: 1, "j": lambda votes: votes["y"]},
        2,
    ),
    "voting, early": (
        create_voting(voters=["x", "y", "z"], early_stop=True, tie_break="judge", judge="j"),
        {"x": lambda t: 1, "y": lambda t: 2, "z": lambda t: 3, "j": lambda count: count["of"]},
        3,
    ),
    "map-reduce": (
        create_map_reduce("s", "w", "r", max_concurrency=2),
        {"s": lambda t: list(range(5)), "w": lambda n: n * n, "r": lambda squares: squares},
        [0, 1, 4, 9, 16],
    ),
    "orchestrator": (
        create_orchestrator_workers("p", ["coder", "searcher"], "s"),
        {"p": tasks, "coder": lambda t: t["n"], "searcher": lambda t: -t["n"], "s": lambda outputs: outputs},
        [0, -1, 2],
    ),
    "optimizer": (
        create_evaluator_optimizer("g", "e", min_rating=3),
        {"g": lambda given, context: context.visit, "e": lambda draft: {"rating": draft}},
        {"draft": 3, "rating": 3, "evaluation": {"rating": 3}, "round": 3, "rounds": 3},
    ),
    "replan": (
        create_plan_execute_replan("p", "e"),
        {"p": lambda given: ["a", "b"], "e": lambda given: given["task"].upper()},
        {"results": [{"task": "a", "output": "A"}, {"task": "b", "output": "B"}]},
    ),
    "cascade": (
        create_fallback_cascade(["x", "y"], "output.sure == true"),
        {"x": lambda t: {"sure": False}, "y": lambda t: {"sure": True}},
        {"sure": True},
    ),
    "gate": (
        create_human_gate("?", timeout=60, propose="p", act="a"),
        {"p": lambda t: 40, "a": lambda value: f"did {value}"},
        "did 30",
    ),
    "debate": (
        create_debate({"ada": "x", "ben": "y"}, "j", max_rounds=2),
        {"x": lambda g, context: "x", "y": lambda g, context: len(context.data.get("debate", [])), "j": lambda m: m},
        {"round": 2, "statements": {"ada": "x", "ben": 1}, "agreed": False},
    ),
    "reflexion": (
        create_reflexion("w", "e", "l"),
        {"w": lambda g, context: context.visit, "e": lambda attempt: {"passed": attempt == 3}, "l": lesson},
        3,
    ),
    "software": (
        create_software_pipeline(approval="Deploy?"),
        {
            "product_manager": str.upper,
            "coder": lambda given, context: f"code {context.visit}",
            "reviewer": lambda code: {"approved": code == "code 2"},
            "tester": lambda review: {"passed": True},
            "deployer": lambda approved, context: context.data["code_output"],
        },
        "code 2",
    ),
}


def finished(case, *, kind="sync", **options):
    """A run of a case to its end, somebody approving what is asked."""
    workflow, workers, _ = RUNS[case]
    team = workers if kind in ("sync", "by hand") else {name: as_async(worker) for name, worker in workers.items()}
    run = hub_with(workflow, team, **options).start(workflow.name, "the goal", run_id=case)

    def go_on():
        if kind == "by hand":
            while run.state in ("initialized", "in_progress"):
                run.step()
        elif kind == "async door":
            asyncio.run(run.arun())
        else:
            run.run()

    go_on()
    if run.state == "waiting":
        run.approve(30)
        go_on()
    return run


@pytest.mark.parametrize("case", RUNS)
def test_a_template_gives_what_it_says(case):
    run = finished(case)
    assert run.context.error is None
    assert (run.state, run.context.data["done_output"]) == ("completed", RUNS[case][2])


@pytest.mark.parametrize("kind", ["async", "async door", "by hand"])
@pytest.mark.parametrize("case", RUNS)
def test_a_template_takes_the_same_way_through_every_door(case, kind):
    assert_same_flow(finished(case), finished(case, kind=kind))


@pytest.mark.parametrize("case", RUNS)
def test_a_run_of_a_template_is_replayed(case):
    replayed = replay(finished(case))
    assert replayed.is_same, str(replayed)


@pytest.mark.parametrize("case", RUNS)
def test_a_run_of_a_template_is_drawn_and_is_a_frame(case):
    run = finished(case)
    assert "done" in str(visualize(run)._repr_mimebundle_()["text/plain"])
    assert len(run.context.to_frame()) == len(run.history)


@pytest.mark.parametrize("case", RUNS)
def test_a_run_of_a_template_is_the_same_out_of_a_journal(case, tmp_path):
    for journal in (MemoryJournal(), SQLiteJournal(tmp_path / "runs.db")):
        run = finished(case, journal=journal)
        workflow, workers, result = RUNS[case]
        again = hub_with(workflow, workers, journal=journal).get_run(case)
        assert_same_flow(run, again)
        assert again.context.data["done_output"] == result
