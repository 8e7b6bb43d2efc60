"""Goals that differ in difficulty: the fit, its test, its intervals, and forecasts of repeats that it has not seen."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import betabinom, binom

from orchestration_kit.reliability.frailty import Frailty, beta_binomial, observed_pass_at, observed_pass_hat
from orchestration_kit.reliability.overdispersion import Tails, power_mean
from tests.laws import examples

GOALS = st.lists(
    st.integers(1, 12).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))), min_size=1, max_size=12
)

POPULATIONS = {
    "easy and hard": lambda random, goals: np.where(random.random(goals) < 0.6, 0.95, 0.15),
    "three kinds": lambda random, goals: random.choice([0.2, 0.6, 0.98], goals),
    "beta(2, 1)": lambda random, goals: random.beta(2, 1, goals),
    "nearly always or never": lambda random, goals: random.beta(0.5, 0.5, goals),
    "logit-normal": lambda random, goals: 1 / (1 + np.exp(-(1 + 1.5 * random.standard_normal(goals)))),
}
ALIKE = {"alike, 0.5": 0.5, "alike, 0.8": 0.8, "alike, 0.95": 0.95}


def errors_of_forecasts(population, *, k, trials=20, goals=100, half=5, seed=0):
    """The mean error of forecasts of pass^k on repeats held out: by the fit, by p^k, by the share without any fit."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(trials):
        p = population(random, goals)
        fit, held_out = random.binomial(half, p), random.binomial(half, p)
        seen = observed_pass_hat(held_out.tolist(), [half] * goals, k)
        fitted = beta_binomial(fit, [half] * goals)
        forecasts = (
            float(power_mean(fitted.mean, fitted.correlation, k)),
            (fit.sum() / (half * goals)) ** k,
            observed_pass_hat(fit.tolist(), [half] * goals, k),
        )
        found.append([abs(one - seen) for one in forecasts])
    return np.mean(found, axis=0)


def some_of(names, number):
    """The first ones; the others are for the long tests."""
    return [*list(names)[:number], *(pytest.param(name, marks=pytest.mark.soak) for name in list(names)[number:])]


@pytest.mark.parametrize("name", some_of(POPULATIONS, 2))
def test_repeats_held_out_are_forecast_much_better_than_by_p_to_the_k(name):
    for k in (3, 5):
        fitted, naive, _ = errors_of_forecasts(POPULATIONS[name], k=k, seed=k)
        print(f"{name}, pass^{k}: off by {fitted:.3f}, p^{k} by {naive:.3f}")
        assert fitted < 0.05
        assert fitted < naive / 3


@pytest.mark.parametrize("name", some_of(ALIKE, 1))
def test_where_goals_do_not_differ_forecasts_are_about_as_good_as_p_to_the_k(name):
    fitted, naive, _ = errors_of_forecasts(lambda random, goals: np.full(goals, ALIKE[name]), k=5, seed=1)
    print(f"{name}, pass^5: off by {fitted:.3f}, p^5 by {naive:.3f}")
    assert fitted < naive + 0.01


@pytest.mark.parametrize("name", ["three kinds", "beta(2, 1)"])
def test_a_pass_hat_beyond_the_repeats_at_hand_is_forecast_where_shares_cannot_be(name):
    random = np.random.default_rng(3)
    p = POPULATIONS[name](random, 300)
    fitted = beta_binomial(random.binomial(4, p), [4] * 300)
    assert math.isnan(observed_pass_hat([1], [4], 8))
    assert float(power_mean(fitted.mean, fitted.correlation, 8)) == pytest.approx((p**8).mean(), abs=0.06)


def test_the_fit_is_where_the_likelihood_is_greatest():
    random = np.random.default_rng(5)
    of = random.integers(1, 9, 60)
    good = random.binomial(of, random.beta(2, 1.2, 60))
    found = beta_binomial(good, of)

    def loss(logs):
        return -betabinom.logpmf(good, of, *np.exp(logs)).sum()

    best = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4_000})
    assert [found.alpha, found.beta] == pytest.approx(np.exp(best.x), rel=1e-3)
    alike = binom.logpmf(good, of, good.sum() / of.sum()).sum()
    assert found.log_likelihood_gain == pytest.approx(-best.fun - alike, abs=1e-6)
    assert found.mean == pytest.approx(found.alpha / (found.alpha + found.beta))
    assert found.correlation == pytest.approx(1 / (found.alpha + found.beta + 1))
    assert found.spread == pytest.approx(betabinom(1, found.alpha, found.beta).std() * math.sqrt(found.correlation))


def test_pass_hat_and_pass_at_are_moments_of_the_beta_distribution():
    found = beta_binomial([5, 5, 4, 0, 1, 5], [5] * 6)
    draws = np.random.default_rng(0).beta(found.alpha, found.beta, 400_000)
    for k in (1, 2, 5):
        assert found.pass_hat(k).value == pytest.approx((draws**k).mean(), abs=0.003)
        assert found.pass_at(k).value == pytest.approx(1 - ((1 - draws) ** k).mean(), abs=0.003)


@settings(max_examples=examples(20), deadline=None)
@given(GOALS, st.integers(2, 8))
def test_pass_hat_is_between_p_to_the_k_and_p_and_intervals_hold_their_figures(goals, k):
    found = beta_binomial(*zip(*goals))
    p = found.pass_hat(1).value
    hat, at = found.pass_hat(k), found.pass_at(k)
    assert p == pytest.approx(found.mean)
    assert p**k - 1e-9 <= hat.value <= p + 1e-9
    assert p - 1e-9 <= at.value <= 1 - (1 - p) ** k + 1e-9
    for one in (hat, at, found.pass_hat(1)):
        assert 0 <= one.low <= one.value <= one.high <= 1 + 1e-12
    for smaller, larger in pairwise([found.pass_hat(k, level=level) for level in (0.5, 0.9, 0.99)]):
        assert larger.low <= smaller.low + 1e-6
        assert smaller.high <= larger.high + 1e-6
    assert 0 <= found.p_value <= 1
    assert found.words


@settings(max_examples=examples(20), deadline=None)
@given(GOALS, st.randoms(use_true_random=False))
def test_the_order_of_goals_and_the_names_of_outcomes_do_not_matter(goals, random):
    found = beta_binomial(*zip(*goals))
    mixed = list(goals)
    random.shuffle(mixed)
    turned = beta_binomial([of - good for good, of in mixed], [of for _, of in mixed])
    assert turned.correlation == pytest.approx(found.correlation, abs=1e-4)
    assert turned.mean == pytest.approx(1 - found.mean, abs=1e-4)
    assert turned.pass_at(3).value == pytest.approx(1 - found.pass_hat(3).value, abs=1e-4)


def test_goals_that_are_alike_are_refused_in_one_case_of_twenty_and_others_nearly_always():
    random = np.random.default_rng(11)
    alike = sum(beta_binomial(random.binomial(5, 0.7, 50), [5] * 50).p_value < 0.05 for _ in range(60))
    low, high = binom.ppf([0.0005, 0.9995], 60, 0.05)
    print(f"refused {alike} of 60 where goals are alike")
    assert low <= alike <= high
    differ = sum(beta_binomial(random.binomial(5, random.beta(2, 1, 50)), [5] * 50).p_value < 0.05 for _ in range(12))
    assert differ >= 11


@pytest.mark.soak
@pytest.mark.parametrize(("alpha", "beta"), [(2, 1), (0.3, 0.3), (8, 2), (math.inf, math.inf)])
def test_intervals_hold_the_truth_in_95_percent_of_datasets(alpha, beta):
    random = np.random.default_rng(2)
    mean, correlation = (0.8, 0.0) if math.isinf(alpha) else (alpha / (alpha + beta), 1 / (1 + alpha + beta))
    held = np.zeros(2)
    for _ in range(500):
        p = np.full(60, mean) if math.isinf(alpha) else random.beta(alpha, beta, 60)
        found = beta_binomial(random.binomial(6, p), [6] * 60)
        hat, at = float(power_mean(mean, correlation, 5)), 1 - float(power_mean(1 - mean, correlation, 3))
        held += [
            found.pass_hat(5).low <= hat <= found.pass_hat(5).high,
            found.pass_at(3).low <= at <= found.pass_at(3).high,
        ]
    print(held / 500)
    assert (held / 500 > 0.92).all()


def test_the_profile_of_one_figure_is_followed_to_its_edge():
    good, of = [5, 5, 4, 0, 1, 5, 3, 2], [5] * 8
    found = beta_binomial(good, of)
    tails, best = Tails.of(good, of), found.log_likelihood_gain
    points = [(mean, one) for mean in np.linspace(0.001, 0.999, 300) for one in np.linspace(0, 0.999, 300)]
    means, correlations = np.array(points).T
    gains = tails.log_likelihood(means, correlations) - float(tails.log_likelihood(sum(good) / sum(of), 0.0))
    within = power_mean(means, correlations, 4)[gains >= best - 1.9207]
    assert [found.pass_hat(4).low, found.pass_hat(4).high] == pytest.approx([within.min(), within.max()], abs=0.004)


@pytest.mark.parametrize(
    ("successes", "trials", "words"),
    [
        ([5] * 8, [5] * 8, "all succeeded, so nothing tells"),
        ([0] * 8, [5] * 8, "all failed, so nothing tells"),
        ([1, 0, 1], [1, 1, 1], "each goal ran once"),
        ([50], [100], "a single goal"),
        ([3, 3, 3, 3], [6] * 4, "no sign that goals differ"),
        ([1, 7, 2], [2, 9, 4], "15 runs of 3 goals"),
        ([5, 0, 5, 0], [5] * 4, "goals differ in difficulty"),
        ([4, 3, 5, 5, 2], [5] * 5, "success varies"),
    ],
)
def test_edges_are_fitted_and_told(successes, trials, words):
    found = beta_binomial(successes, trials)
    assert words in found.words.replace("may differ", "differ")
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in (found.pass_hat(4), found.pass_at(4)))


def test_after_nothing_but_success_the_interval_is_that_of_as_many_trials_as_goals():
    found = beta_binomial([5] * 8, [5] * 8)
    assert (found.pass_hat(4).value, found.pass_hat(4).high, found.correlation) == (1, 1, 0)
    assert found.pass_hat(4).low == pytest.approx(math.exp(-1.9207 / 8), abs=0.01)
    assert math.isinf(found.alpha)
    assert math.isinf(found.beta)


def test_without_repeats_the_interval_allows_for_goals_of_every_kind():
    found = beta_binomial([1] * 70 + [0] * 30, [1] * 100)
    assert not found.is_informed
    assert found.pass_hat(5).value == pytest.approx(0.7**5)
    assert found.pass_hat(5).low < 0.7**5 * 0.8
    assert found.pass_hat(5).high > 0.7


def test_a_goal_is_drawn_towards_the_mean_of_all_the_less_the_more_it_was_tried():
    found = beta_binomial([5, 5, 4, 0, 1, 5], [5] * 6)
    assert found.mean < found.of_goal(5, 5) < found.of_goal(50, 50) < 1
    assert found.of_goal(0, 0) == pytest.approx(found.mean)
    assert beta_binomial([3, 3], [6, 6]).of_goal(6, 6) == pytest.approx(0.5)


def test_thousands_of_repeats_are_fitted():
    random = np.random.default_rng(1)
    found = beta_binomial(random.binomial(2_000, random.beta(3, 2, 40)), [2_000] * 40)
    assert found.mean == pytest.approx(0.6, abs=0.1)
    assert found.pass_hat(3).low < found.pass_hat(3).value < found.pass_hat(3).high


@pytest.mark.parametrize(
    ("successes", "trials", "message"),
    [
        ([], [], "one length"),
        ([1], [1, 2], "one length"),
        ([3], [2], "3 successes in 2"),
        ([0], [0], "0 trials"),
        ([-1], [2], "-1 successes"),
    ],
)
def test_counts_that_are_none_are_refused(successes, trials, message):
    with pytest.raises(ValueError, match=message):
        beta_binomial(successes, trials)


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "2"])
def test_a_k_that_is_none_is_refused(k):
    for ask in (beta_binomial([1, 2], [2, 2]).pass_hat, beta_binomial([1, 2], [2, 2]).pass_at):
        with pytest.raises(ValueError, match="no number of runs"):
            ask(k)


def test_shares_without_a_fit_are_unbiased():
    random = np.random.default_rng(0)
    p = np.array([0.2, 0.5, 0.9])
    found = [
        (observed_pass_hat(good, [4] * 3, 2), observed_pass_at(good, [4] * 3, 2))
        for good in (random.binomial(4, p).tolist() for _ in range(4_000))
    ]
    assert np.mean(found, axis=0) == pytest.approx([(p**2).mean(), (1 - (1 - p) ** 2).mean()], abs=0.01)


def test_a_fit_is_plain_data():
    found = beta_binomial([1, 2], [2, 2])
    assert found == Frailty(found.mean, found.correlation, (1, 2), (2, 2), found.log_likelihood_gain)
    assert hash(found) == hash(beta_binomial([1, 2], [2, 2]))
