"""The best choice of workers and retries is the one that trying them all finds: loops, failure edges, limits and ties."""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainError, ChainStep, Took, solve
from orchestration_kit.service.errors import NoChoice
from orchestration_kit.service.optimum import Chosen, Option, optimise
from orchestration_kit.service.series import front_of
from tests.laws import examples

OBJECTIVES = ("cost", "success", "value", "time")
FIGURES = st.sampled_from([0.0, 0.1, 0.1, 1.0]) | st.floats(0.01, 2).map(lambda x: round(x, 3))
CHANCES = st.sampled_from([0.0, 0.5, 0.5, 0.9, 1.0]) | st.floats(0.05, 0.99).map(lambda x: round(x, 3))
SAME = 2e-9
Tried = tuple[tuple[Chosen, ...], float, float, float]


@st.composite
def took(draw: st.DrawFn) -> Took:
    return Took(time_s=draw(FIGURES), cost_usd=draw(FIGURES))


@st.composite
def ways(draw: st.DrawFn, targets: list[str]) -> dict[str, float]:
    to = draw(st.lists(st.sampled_from(targets), min_size=1, max_size=2, unique=True))
    weights = [draw(st.sampled_from([1, 1, 2, 5])) for _ in to]
    return {name: weight / sum(weights) for name, weight in zip(to, weights, strict=True)}


@st.composite
def cases(draw: st.DrawFn, *, most: int = 4) -> tuple[Chain, dict[str, list[Option]], int]:
    """A chain of any shape, some candidates at some steps, and the highest number of retries."""
    names = [f"s{at}" for at in range(draw(st.integers(1, most)))]
    steps: dict[str, ChainStep] = {}
    options: dict[str, list[Option]] = {}
    left = 150
    retries = draw(st.integers(0, 2))
    for at, name in enumerate(names):
        onward = [*names[at + 1 :], COMPLETED]
        anywhere = [*names, FAILED, FAILED, COMPLETED]
        steps[name] = ChainStep(
            success=draw(CHANCES),
            after_success=draw(ways(draw(st.sampled_from([onward, onward, anywhere])))),
            after_failure=draw(ways(draw(st.sampled_from([[FAILED], anywhere])))),
            retries=draw(st.integers(0, 1)),
            on_success=draw(took()),
            on_failure=draw(took()),
            retried=draw(st.sampled_from([1.0, 1.0, 0.5, 0.0])),
        )
        count = draw(st.integers(0, 3))
        if count and count * (retries + 1) <= left:
            left //= count * (retries + 1)
            options[name] = [Option(f"w{i}", draw(CHANCES), draw(took()), draw(took())) for i in range(count)]
    return Chain("flow", names[0], steps), options, retries


def all_tried(chain: Chain, options: dict[str, list[Option]], retries: int) -> Iterator[Tried]:
    """Each choice after which every run ends, and its P(success), cost and time."""
    every = [[(option, count) for count in range(retries + 1) for option in given] for given in options.values()]
    for choice in itertools.product(*every):
        try:
            found = solve(chain.with_steps(dict(zip(options, made(chain, options, choice), strict=True))))
        except ChainError:
            continue
        chosen = tuple(Chosen(option.worker, count) for option, count in choice)
        yield chosen, found.p_success, found.cost_usd, found.time_s


def made(chain: Chain, options: dict[str, list[Option]], choice: Any) -> Iterator[ChainStep]:
    for step, (option, count) in zip(options, choice, strict=True):
        changed = {"success": option.success, "retries": count, "worker": option.worker}
        took_ = {"on_success": option.on_success, "on_failure": option.on_failure}
        yield replace(chain.steps[step], **changed, **took_)


def ranked(objective: str, p_success: float, cost_usd: float, time_s: float) -> tuple[float, ...]:
    if objective == "value":
        if p_success <= 0:
            return math.inf, math.inf, math.inf
        return cost_usd / p_success, time_s / p_success, -p_success
    return {"cost": (cost_usd,), "success": (-p_success, cost_usd), "time": (time_s, cost_usd)}[objective]


def is_kept(tried: Tried, target: float | None, budget: float | None, slack: float) -> bool:
    _, p_success, cost_usd, _ = tried
    return (target is None or p_success >= target - slack) and (budget is None or cost_usd <= budget + slack)


@settings(deadline=None, max_examples=examples(75))
@given(cases(), st.sampled_from(OBJECTIVES), st.data())
def test_nothing_is_better_than_what_is_chosen(case: Any, objective: str, data: st.DataObject):
    tried = list(all_tried(*case))
    assume(tried)
    reached = sorted(one[1] for one in tried)
    costs = sorted(one[2] for one in tried)
    target = data.draw(st.none() | st.sampled_from(reached) | st.floats(0, 1), "target")
    budget = data.draw(st.none() | st.sampled_from(costs) | st.floats(0, costs[-1] * 1.1), "budget")
    wanted: Any = {"target_success": target, "budget_usd": budget, "objective": objective}
    sure = [one for one in tried if is_kept(one, target, budget, 1e-12)]
    at_all = [one for one in tried if is_kept(one, target, budget, 1e-8)]
    assume(len(sure) == len(at_all))  # none so near a limit that rounding decides
    sure = [one for one in sure if math.isfinite(ranked(objective, *one[1:])[0])]
    if not sure:
        with pytest.raises(NoChoice) as caught:
            optimise(*case[:2], max_retries=case[2], **wanted)
        check_refusal(caught.value, tried, target, budget)
        return
    found = optimise(*case[:2], max_retries=case[2], **wanted)
    assert found.is_proven
    assert found.gap == pytest.approx(0, abs=1e-9)
    own = next(one for one in tried if one[0] == tuple(found.choice.values()))
    assert own[1:] == pytest.approx((found.p_success, found.cost_usd, found.time_s), rel=1e-9, abs=1e-12)
    assert is_kept(own, target, budget, 1e-8)
    best = min(ranked(objective, *one[1:]) for one in sure)
    mine = ranked(objective, *own[1:])
    assert mine[0] <= best[0] + SAME * max(1.0, abs(best[0]))
    alike = [r for r in (ranked(objective, *one[1:]) for one in sure) if r[0] <= mine[0] + 1e-13]
    for at in range(1, len(mine)):
        least = min(r[at] for r in alike)
        assert mine[at] <= least + SAME * max(1.0, abs(least))
        alike = [r for r in alike if r[at] <= mine[at] + 1e-13]


def check_refusal(error: NoChoice, tried: list[Tried], target: float | None, budget: float | None) -> None:
    highest = max(one[1] for one in tried)
    assert error.best_success == pytest.approx(highest, abs=1e-8)
    assert error.cheapest_usd == pytest.approx(min(one[2] for one in tried), abs=1e-8)
    reaching = [one[2] for one in tried if is_kept(one, target, None, 1e-12)]
    assert (error.target_usd is None) == (not reaching)
    assert error.target_usd is None or error.target_usd == pytest.approx(min(reaching), abs=1e-8)
    within = [one[1] for one in tried if is_kept(one, None, budget, 1e-12)]
    assert (error.budget_success is None) == (not within)
    assert error.budget_success is None or error.budget_success == pytest.approx(max(within), abs=1e-8)


@settings(deadline=None, max_examples=examples(60))
@given(cases(), st.sampled_from(OBJECTIVES), st.none() | st.floats(0, 1), st.data())
def test_the_order_of_steps_and_mappings_changes_nothing(case: Any, objective: Any, target: Any, data: st.DataObject):
    chain, options, retries = case
    steps = dict(data.draw(st.permutations(list(chain.steps.items()))))
    turned = {
        name: replace(
            step,
            after_success=dict(reversed(step.after_success.items())),
            after_failure=dict(reversed(step.after_failure.items())),
        )
        for name, step in steps.items()
    }
    other = Chain(chain.workflow, chain.initial, turned)
    shuffled = dict(data.draw(st.permutations(list(options.items()))))
    results: list[Any] = []
    for one, given_ in ((chain, options), (other, shuffled)):
        try:
            found = optimise(one, given_, max_retries=retries, target_success=target, objective=objective)
            results.append(dict(found.choice))
        except (NoChoice, ChainError) as error:
            results.append(type(error))
    assert results[0] == results[1]


def in_a_row(count: int, options: list[Option]) -> tuple[Chain, dict[str, list[Option]]]:
    names = [f"s{at}" for at in range(count)]
    steps = {
        name: ChainStep(success=0.5, after_success={to: 1.0}, after_failure={FAILED: 1.0})
        for name, to in zip(names, [*names[1:], COMPLETED], strict=True)
    }
    return Chain("flow", "s0", steps), dict.fromkeys(names, options)


FREE = Took()
DIME = Took(time_s=1.0, cost_usd=0.1)


def test_a_worker_that_never_fails_gets_no_retries():
    chain, options = in_a_row(2, [Option("sure", 1.0, DIME, DIME)])
    assert optimise(chain, options, target_success=0.9).choice["s0"] == Chosen("sure", 0)


def test_of_workers_that_come_to_the_same_the_one_given_first_is_taken():
    chain, options = in_a_row(2, [Option("first", 0.9, DIME, DIME), Option("second", 0.9, DIME, DIME)])
    for objective in OBJECTIVES:
        assert {one.worker for one in optimise(chain, options, objective=objective).choice.values()} == {"first"}


def test_where_nothing_costs_anything_no_step_could_do_with_fewer_retries():
    chain, options = in_a_row(3, [Option("low", 0.5, FREE, FREE), Option("high", 0.9, FREE, FREE)])
    found = optimise(chain, options, target_success=0.85)
    assert found.p_success >= 0.85
    for step, chosen in found.choice.items():
        if chosen.retries:
            fewer = replace(found.chain.steps[step], retries=chosen.retries - 1)
            assert solve(found.chain.with_steps({step: fewer})).p_success < 0.85


def test_value_without_known_costs_is_the_least_time_for_each_success():
    fast, slow = Took(time_s=1.0), Took(time_s=2.0)
    chain, options = in_a_row(1, [Option("hasty", 0.2, fast, fast), Option("careful", 0.9, slow, slow)])
    assert optimise(chain, options, objective="value").choice["s0"].worker == "careful"


def test_more_success_at_a_step_is_not_taken_where_a_failure_leads_to_a_better_way():
    steps = {
        "try": ChainStep(success=0.5, after_success={"weak": 1}, after_failure={"strong": 1}),
        "weak": ChainStep(success=0.2, after_success={COMPLETED: 1}, after_failure={FAILED: 1}),
        "strong": ChainStep(success=0.9, after_success={COMPLETED: 1}, after_failure={FAILED: 1}),
    }
    options = {"try": [Option("good", 0.9, DIME, DIME), Option("bad", 0.1, DIME, DIME)]}
    found = optimise(Chain("flow", "try", steps), options, objective="success")
    assert found.choice["try"] == Chosen("bad", 0)


def test_a_choice_with_which_a_loop_never_ends_is_left_out_though_it_costs_nothing():
    steps = {
        "write": ChainStep(success=1.0, after_success={"review": 1}, after_failure={FAILED: 1}),
        "review": ChainStep(success=0.5, after_success={COMPLETED: 1}, after_failure={"write": 1}),
    }
    options = {"review": [Option("never", 0.0, FREE, FREE), Option("fair", 0.5, DIME, DIME)]}
    found = optimise(Chain("flow", "write", steps), options)
    assert found.choice["review"].worker == "fair"
    with pytest.raises(ChainError, match="never ends: 'review', 'write'"):
        optimise(Chain("flow", "write", steps), {"review": options["review"][:1]})


def test_retries_may_be_given_by_step_and_others_are_kept():
    chain, options = in_a_row(3, [Option("half", 0.5, DIME, DIME)])
    chain = chain.with_steps({"s2": replace(chain.steps["s2"], retries=2)})
    found = optimise(chain, options, max_retries={"s0": [1, 4], "s1": [0]}, objective="success")
    assert [one.retries for one in found.choice.values()] == [4, 0, 2]
    assert found.considered == 2


def test_steps_without_options_stay_as_they_are():
    chain, options = in_a_row(3, [Option("w", 0.8, DIME, DIME)])
    found = optimise(chain, {"s1": options["s1"]}, objective="success")
    assert found.chain.steps["s0"] == chain.steps["s0"]
    assert found.chain.steps["s1"].worker == "w"
    assert list(found.choice) == ["s1"]


def test_a_step_that_no_run_comes_to_gets_the_first_option_and_no_retries():
    chain, options = in_a_row(2, [Option("a", 0.5, DIME, DIME), Option("b", 0.9, FREE, FREE)])
    idle = ChainStep(success=0.5, after_success={COMPLETED: 1}, after_failure={FAILED: 1})
    chain = Chain("flow", "s0", {**chain.steps, "idle": idle})
    assert optimise(chain, {**options, "idle": options["s0"]}).choice["idle"] == Chosen("a", 0)


def hard(count: int, *, loop: bool) -> tuple[Chain, dict[str, list[Option]]]:
    """Steps that all have the same five workers, so that many choices are nearly alike."""
    pool = [(0.6, 0.010), (0.71, 0.017), (0.83, 0.031), (0.9, 0.052), (0.97, 0.11)]
    options = [
        Option(f"w{i}", p, Took(time_s=1 + i, cost_usd=c), Took(time_s=2, cost_usd=c)) for i, (p, c) in enumerate(pool)
    ]
    chain, given_ = in_a_row(count, options)
    if loop:
        chain = chain.with_steps({f"s{count - 1}": replace(chain.steps[f"s{count - 1}"], after_failure={"s0": 1.0})})
    return chain, given_


@pytest.mark.parametrize("loop", [pytest.param(False, marks=pytest.mark.soak), True])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_ten_steps_of_five_workers_and_four_retry_counts_are_proven(objective: Any, loop: bool):
    found = optimise(*hard(10, loop=loop), target_success=0.95, budget_usd=0.9, objective=objective)
    assert found.is_proven
    assert found.considered == 20**10
    assert found.p_success >= 0.95 - 1e-9
    assert found.cost_usd <= 0.9 + 1e-9


def test_branch_and_bound_and_the_front_of_a_row_agree():
    chain, options = hard(5, loop=False)
    front = optimise(chain, options, target_success=0.97)
    # a way back that is hardly ever taken makes it a loop, and changes next to nothing
    last = replace(chain.steps["s4"], after_failure={FAILED: 1 - 1e-12, "s0": 1e-12})
    looped = optimise(chain.with_steps({"s4": last}), options, target_success=0.97)
    assert looped.cost_usd == pytest.approx(front.cost_usd, rel=1e-9)


def test_a_search_that_stops_early_says_so_and_by_how_much_it_may_be_wrong():
    chain, options = hard(10, loop=True)
    best = optimise(chain, options, target_success=0.995)
    early = optimise(chain, options, target_success=0.995, max_nodes=1)
    assert best.is_proven
    assert not early.is_proven
    assert early.gap > 0
    assert early.cost_usd - early.gap <= best.cost_usd + 1e-12
    assert early.p_success >= 0.995 - 1e-9


def test_a_refusal_says_what_could_be_had_and_survives_pickling():
    chain, options = in_a_row(1, [Option("w", 0.8, DIME, DIME)])
    with pytest.raises(NoChoice) as caught:
        optimise(chain, options, target_success=0.99, budget_usd=0.11)
    text = (
        "No choice of workers and retries for 'flow' succeeds with a probability of 0.99 or more and costs 0.11 USD a "
        "run or less. The highest P(success) there is, 0.9984, costs 0.1248 USD a run. 0.99 costs 0.124 USD at least. "
        "Within 0.11 USD, P(success) is 0.8 at best. Ask for less, allow more (budget_usd, max_retries), or add a "
        "worker that does better."
    )
    assert str(caught.value) == text
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.target_usd) == (text, pytest.approx(0.124))


def test_a_workflow_that_never_succeeds_has_no_value():
    chain, options = in_a_row(1, [Option("w", 0.0, DIME, DIME)])
    with pytest.raises(NoChoice, match="for 'flow' ever succeeds. The highest P\\(success\\) there is, 0, costs"):
        optimise(chain, options, objective="value")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"target_success": 1.5}, "target_success is a probability"),
        ({"budget_usd": -1.0}, "budget_usd is an amount in USD"),
        ({"budget_usd": math.nan}, "budget_usd is an amount in USD"),
        ({"objective": "fun"}, "objective is one of cost, success, value, time"),
        ({"max_retries": -1}, "max_retries is a number, 0 or more"),
        ({"max_retries": {"s0": []}}, "max_retries is a number"),
        ({"max_retries": {"s9": [1]}}, "max_retries is for 's9'"),
        ({"max_nodes": 0}, "max_nodes is a number"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(wrong: Any, says: str):
    with pytest.raises(ValueError, match=says):
        optimise(*in_a_row(1, [Option("w", 0.8, DIME, DIME)]), **wrong)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"s7": [Option("w", 0.5, DIME, DIME)]}, "options for 's7', which is no step"),
        ({"s0": []}, "no option for step 's0'"),
        ({"s0": [Option("w", 1.5, DIME, DIME)]}, "no probability"),
        ({"s0": [Option("w", 0.5, Took(cost_usd=-1), DIME)]}, "0 or more"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: Any, says: str):
    with pytest.raises(ValueError, match=says):
        optimise(in_a_row(1, [])[0], options)


def test_where_a_step_is_come_to_from_two_others_there_is_no_front():
    from orchestration_kit.service.choices import choices_of
    from orchestration_kit.service.options import actions_of

    chain, options = in_a_row(3, [Option("a", 0.5, DIME, DIME), Option("b", 0.9, DIME, DIME)])
    actions = {step: actions_of(chain.steps[step], given_, [0]) for step, given_ in options.items()}
    assert front_of(choices_of(chain, actions)) is not None
    skipping = {**actions, "s0": [replace(a, made=replace(a.made, after_failure={"s2": 1.0})) for a in actions["s0"]]}
    assert front_of(choices_of(chain, skipping)) is None
