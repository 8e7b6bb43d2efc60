"""Which way a run took, where several lead to the same step, and where its budget led it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration_kit import Branch, Orchestrator, WorkerDefinition
from orchestration_kit.definition.budgets import Budget
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep
from orchestration_kit.visual import visualize
from tests.visual.models import groups, texts
from tests.visual.workflows import end, of, step


def taken(diagram: Any) -> dict[tuple[str, str, str], int]:
    """How often each edge was taken, by its ends and its label; the entry is left out."""
    edges = groups(diagram.svg, "edge")
    found: dict[tuple[str, str, str], int] = {}
    for edge, group in zip(diagram.model.edges, edges, strict=True):
        ends = (group.get("data-source", "start"), group.get("data-target", ""))
        if edge.kind != "entry":
            found[*ends, edge.label] = int(group.get("data-traversals", "-1"))
    return found


def hub_for(workflow: Any, **workers: Any) -> Orchestrator:
    hub = Orchestrator()
    for name, work in {"w": lambda given: given, **workers}.items():
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=work))
    hub.register_workflow(workflow)
    return hub


def ran(workflow: Any, **workers: Any) -> Any:
    return hub_for(workflow, **workers).execute_workflow(workflow.name, "g", verbose=False)


def is_one(output: Any, context: Any) -> bool:
    return output == 1


LAMBDAS = (lambda output, _: output == 1, lambda output, _: output == 2)


@pytest.mark.parametrize(
    "conditions",
    [("output == 1", "output == 2"), (is_one, "output == 2"), LAMBDAS],
    ids=["text", "callable", "lambdas"],
)
@pytest.mark.parametrize("judge", [None, "output > 0", "output == 1 || output > 0", lambda output, _: output > 0])
@pytest.mark.parametrize("given", [1, 2, 3])
def test_of_two_conditional_ways_to_one_step_the_one_that_held_is_taken(
    conditions: Any, judge: Any, given: int
) -> None:
    branches = [Branch(when=one, to="b", label=name) for one, name in zip(conditions, "pq", strict=True)]
    workflow = of("w", step("a", "x", branches=branches, on_success="b", success_when=judge), end("b"))
    context = ran(workflow, x=lambda _: given)
    expected = {("a", "b", name): int(given == at) for at, name in enumerate(("p", "q", "else"), 1)}
    assert taken(visualize(context)) == expected
    assert taken(visualize(workflow, overlay=context.history)) == expected


def test_a_loop_counts_each_of_its_ways() -> None:
    branches = [Branch(when="output < 3", to="a", label="low"), Branch(when="output < 5", to="a", label="high")]
    numbers = iter(range(10))
    context = ran(of("w", step("a", "x", branches=branches, on_success="done"), end()), x=lambda _: next(numbers))
    assert taken(visualize(context)) == {("a", "a", "low"): 3, ("a", "a", "high"): 2, ("a", "done", "else"): 1}


def test_a_history_without_conditions_counts_for_the_first_way() -> None:
    branches = [Branch(when="output == 1", to="b", label="p"), Branch(when="output == 2", to="b", label="q")]
    workflow = of("w", step("a", branches=branches, on_success="b"), end("b"))
    entry = {"step": "a", "path": "a#1", "visit": 1, "success": True, "next_step": "b"}
    assert sum(taken(visualize(workflow, overlay=[entry])).values()) == 1


def test_branches_that_begin_with_one_step_are_told_apart() -> None:
    branches = {"p": "work", "q": Branch(when="output == 'other'", to="work"), "r": "work"}
    workflow = of("w", ParallelStep(step_id="fan", branches=branches, on_success="done"), step("work"), end())
    found = taken(visualize(ran(workflow)))
    assert {label.split()[0]: times for (source, _, label), times in found.items() if source == "fan" and label} == {
        "p": 1, "q": 0, "r": 1,
    }  # fmt: skip


def test_a_failure_and_a_spent_budget_that_lead_to_one_step_are_told_apart() -> None:
    budget = Budget(max_cost_usd=0.01, on_budget="plan")
    workflow = of("w", step("a", "x", max_retries=3, budget=budget, on_success="plan", on_failure="plan"), end("plan"))

    def spend(_: Any, context: Any) -> Any:
        context.add_usage(cost_usd=0.02)
        raise OSError

    found = taken(visualize(ran(workflow, x=spend)))
    assert found["a", "plan", "budget spent"] == 1
    assert found["a", "plan", "\N{BALLOT X} fails"] == 0


def spending(_: Any, context: Any) -> int:
    context.add_usage(cost_usd=0.011)
    return 1


def bounded(on_budget: str | None) -> Any:
    steps = [step("a", "x", on_success="b"), step("b", "x", on_success="c"), end("c", worker="x")]
    steps += [end("stop", outcome="failed")] if on_budget else []
    return of("w", *steps, budget=Budget(max_cost_usd=0.02, on_budget=on_budget))


def test_the_way_of_a_spent_budget_is_taken_and_the_step_that_was_due_is_not() -> None:
    context = ran(bounded("stop"), x=spending)
    shown = visualize(context)
    expected = {("start", "stop", "run's budget spent"): 1, ("a", "b", ""): 1, ("b", "c", ""): 0}
    assert taken(shown) == expected
    assert shown.overlay is not None
    assert shown.overlay.step("c").state == "skipped"
    assert taken(visualize(bounded("stop"), overlay=context.history)) == expected
    assert taken(visualize(context.history))["start", "stop", "run's budget spent"] == 1


def test_a_run_that_its_budget_ended_went_no_further() -> None:
    assert taken(visualize(ran(bounded(None), x=spending))) == {("a", "b", ""): 1, ("b", "c", ""): 0}


def test_branches_that_a_spent_budget_cut_off_are_cancelled() -> None:
    each = MapStep(step_id="each", over="data.items", body="a", on_success="done", max_concurrency=1)
    workflow = of(
        "w", each, step("a", "x", on_success="b"), step("b", "x"), end(), end("stop", outcome="failed"),
        budget=Budget(max_cost_usd=0.03, on_budget="stop"),
    )  # fmt: skip
    run = hub_for(workflow, x=spending).start("w", "g", {"items": [1, 2, 3]})
    run.run()
    shown = visualize(run)
    found = taken(shown)
    assert found["start", "stop", "run's budget spent"] == 1
    assert found["a", "b", ""] == 1
    assert shown.overlay is not None
    assert shown.overlay.step("each").state == "cancelled"


def test_a_step_that_waits_where_the_budget_led_has_its_way_taken() -> None:
    ask = ApprovalStep(step_id="ask", prompt="Go on?", is_terminal=True)
    workflow = of(
        "w",
        step("a", "x", on_success="b"),
        end("b", worker="x"),
        ask,
        budget=Budget(max_cost_usd=0.01, on_budget="ask"),
    )
    hub = hub_for(workflow, x=spending)
    run = hub.start("w", "g")
    run.run()
    assert run.state == "waiting"
    before = taken(visualize(run))
    assert before == {("start", "ask", "run's budget spent"): 1, ("a", "b", ""): 0}
    run.approve()
    run.run()
    assert taken(visualize(run)) == before


def test_tokens_that_nobody_told_are_left_out() -> None:
    shown = visualize(ran(of("w", end("a", worker="x")), x=spending))
    assert "$0.011" in shown.outline
    assert "tok" not in shown.outline
    assert not any("tok" in text for text in texts(shown.svg))
