"""Scorecard row 22: 64 parallel workers and one budget. Reserve, then settle: overshoot 0."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import Budget, MapStep
from tests.branches.doors import flow_of, go, hub_of
from tests.laws import examples
from tests.support import step

WORKERS = 64
CENT = 0.01


def race(door, costs, budget_cents, reserve_cents, where="step"):
    """Run a map with one budget; every worker uses up to its reserve. Return what was spent, and how many were made."""
    budget = Budget(max_cost_usd=budget_cents * CENT, reserve_usd=reserve_cents * CENT, on_budget="skip")
    mutex, spent = threading.Lock(), [0]

    def use(n, context):
        with mutex:
            spent[0] += costs[n]
        context.add_usage(cost_usd=costs[n] * CENT)
        return n

    async def ause(n, context):
        await asyncio.sleep(0)
        return use(n, context)

    is_step = where == "step"
    flow = flow_of(
        MapStep(step_id="m", over="data.items", body="a", max_concurrency=WORKERS, is_terminal=True),
        step("a", is_terminal=False, budget=budget if is_step else None), step("skip", is_terminal=not is_step),
        budget=None if is_step else budget,
    )  # fmt: skip
    hub = hub_of(flow, {"a": use if door == "sync" else ause, "skip": lambda _: "skipped"})
    run = go(hub.start("flow", "go", {"items": list(range(len(costs)))}), door)
    assert run.state == "completed"
    made = sum(entry["usage"] is not None for entry in run.history)
    assert spent[0] == sum(round(entry["usage"]["cost_usd"] / CENT) for entry in run.history if entry["usage"])
    return spent[0], made


@pytest.mark.parametrize("where", ["step", "workflow"])
@pytest.mark.parametrize("door", ["sync", "async"])
def test_row_22_64_parallel_workers_never_overspend_a_budget(capsys, door, where):
    """640 attempts are asked for, at 1 cent each; there is room for 100."""
    spent, made = race(door, [1] * 640, 100, 1, where)
    with capsys.disabled():
        print(
            f"\nrow 22 ({door}, {where}): {WORKERS} workers, spent {spent} of 100 cents, overshoot {max(0, spent - 100)}"
        )
    assert (spent, made) == (100, 100)


@given(
    costs=st.lists(st.integers(0, 7), min_size=1, max_size=90),
    budget=st.integers(7, 60),
    door=st.sampled_from(["sync", "async"]),
)
@settings(max_examples=examples(25), deadline=None)
def test_row_22_what_was_set_aside_and_not_used_is_given_back(costs, budget, door):
    """Attempts that use less than their reserve leave room for more; none is refused while its reserve would fit."""
    spent, made = race(door, costs, budget, 7)
    assert spent <= budget
    if made < len(costs):
        assert spent > budget - 7


@pytest.mark.soak
@given(
    costs=st.lists(st.integers(0, 7), min_size=1, max_size=200),
    budget=st.integers(7, 200),
    door=st.sampled_from(["sync", "async"]),
)
@settings(max_examples=600, deadline=None)
def test_row_22_what_was_set_aside_and_not_used_is_given_back_long(costs, budget, door):
    spent, made = race(door, costs, budget, 7)
    assert spent <= budget
    if made < len(costs):
        assert spent > budget - 7
