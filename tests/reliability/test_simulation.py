"""Runs that are drawn agree with what is exact, and say how many they had to cut off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainStep, reliability, simulate, solve
from orchestration_kit.templates import create_build_website_workflow
from tests.laws import examples
from tests.reliability.chains import chains, in_a_row

RATES = {"product_manager": 0.99, "coder": {"success": 0.8, "time_s": 2, "cost_usd": 0.01}, "reviewer": 0.7}


@settings(max_examples=examples(30), deadline=None)
@given(chains(), st.integers(0, 99))
def test_simulated_runs_agree_with_the_exact_figures(chain: Chain, seed: int):
    found, exact, n = simulate(chain, n=20_000, seed=seed), solve(chain), 20_000
    assert not found.cut_off.any()
    within = 5 * np.sqrt(exact.p_success * exact.p_failure / n) + 1e-9
    assert abs(found.p_success.value - exact.p_success) <= within
    for drawn, expected in (
        (found.steps, exact.steps_expected),
        (found.attempts, exact.attempts_expected),
        (found.time_s, exact.time_s),
        (found.tokens, exact.tokens),
        (found.cost_usd, exact.cost_usd),
    ):
        assert abs(drawn.mean() - expected) <= 6 * drawn.std() / np.sqrt(n) + 1e-9


def test_the_same_seed_draws_the_same_runs_and_another_seed_others():
    workflow = create_build_website_workflow()
    one, same, other = (simulate(workflow, RATES, 100_000, seed=seed) for seed in (1, 1, 2))
    assert one.frame().equals(same.frame())
    assert not one.frame().equals(other.frame())


def test_runs_that_do_not_end_are_cut_off_and_counted():
    step = ChainStep(success=0.5, after_success={COMPLETED: 1.0}, after_failure={"s0": 1.0})
    found = simulate(Chain("loop", "s0", {"s0": step}), n=10_000, seed=1, max_steps=3)
    assert found.steps.max() == 3
    assert 1_000 < found.cut_off.sum() < 1_500
    assert not (found.cut_off & found.success).any()
    assert "cut off after 3 steps" in repr(found)


def test_the_share_that_completes_within_so_many_attempts_is_the_decay_curve():
    found = reliability(create_build_website_workflow(), RATES)
    drawn = simulate(found, n=100_000, seed=3)
    curve = found.decay(20)["probability"]
    for most in (0, 4, 6, 20):
        share = (drawn.success & (drawn.attempts <= most)).mean()
        assert share == pytest.approx(curve[most], abs=0.008)


def test_a_run_takes_what_its_attempts_take():
    found = simulate(create_build_website_workflow(), RATES, 1_000, seed=4)
    frame = found.frame()
    assert list(map(str, frame.dtypes)) == [
        "bool",
        "bool",
        "int64",
        "int64",
        "float64",
        "float64",
        "float64",
        "category",
    ]
    assert np.allclose(frame["cost_usd"], frame["time_s"] / 2 * 0.01)
    assert set(frame["ended_at"]) <= {"completed", "failed"}
    assert found.visits.sum() == found.steps.sum()


def test_rates_of_a_chain_are_what_is_other():
    chain = in_a_row(0.5, 1.0)
    assert simulate(chain, {"s0": 1.0}, 100).success.all()


@pytest.mark.parametrize(
    ("options", "told"), [({"n": 0}, "n=0"), ({"n": 2.5}, "n=2.5"), ({"max_steps": 0}, "max_steps=0")]
)
def test_numbers_that_are_none_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        simulate(in_a_row(0.5), **options)


def test_only_chains_can_be_simulated():
    with pytest.raises(TypeError, match=r"give reliability\(runs\)"):
        simulate([1, 2])


def test_a_step_that_always_fails_uses_up_its_retries():
    chain = in_a_row(0.0, retries=4)
    found = simulate(chain, n=50)
    assert set(found.attempts.tolist()) == {5}
    assert not found.success.any()
    assert chain.steps["s0"].after_failure == {FAILED: 1.0}
