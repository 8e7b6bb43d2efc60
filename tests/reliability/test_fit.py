"""Does the first-order chain explain the runs? It is refused where it does not, and in one case of twenty where it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from orchestration_kit.reliability.chain import COMPLETED, FAILED
from orchestration_kit.reliability.counting import counts_of
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.reliability.first_passage import curves, observed_curves
from orchestration_kit.reliability.fit import goodness
from orchestration_kit.reliability.memory import contexts, ratio
from orchestration_kit.reliability.resampling import resampled, visits_of
from orchestration_kit.reliability.solving import solve
from orchestration_kit.reliability.structure import structure_of
from tests.reliability.workflows import (
    WORKFLOWS,
    Chain,
    counts_from,
    debate,
    hand_offs,
    long_pipeline,
    pair_programming,
    planner,
    review_loop,
    router,
    runs_of,
    step,
)

WITH_LOOPS = (review_loop, router, planner, debate, pair_programming, hand_offs)


def three_rounds(at, seen, before, succeeded):
    """As `visits < 3` has it: the third review that fails ends the run."""
    return (None, FAILED if seen >= 2 else "implement") if at == "review" else (None, None)


def tired(at, seen, before, succeeded):
    """Whoever corrects fails more often than whoever writes anew."""
    return (0.5, None) if at == "implement" and before == "review" else (None, None)


def learning(at, seen, before, succeeded):
    """A reviewer is content in the end."""
    return (min(0.95, 0.4 + 0.25 * seen), None) if at == "review" else (None, None)


def refused(chains, *, runs, datasets, seed):
    """How often each test of four refuses: first passage, where from, which visit, all three together."""
    found = []
    for chain in chains:
        for number in range(datasets):
            fit = goodness(counts_from(chain, runs_of(chain, runs, seed=seed + number)), seed=number)
            p_values = fit.first_passage.p_value, fit.came_from.p_value, fit.visit.p_value, fit.p_value
            found.append([p <= 0.05 for p in p_values])
    return np.sum(found, axis=0), len(found)


def test_chains_that_hold_are_refused_in_one_case_of_twenty():
    counts, of = refused([make() for make in WITH_LOOPS], runs=80, datasets=14, seed=100)
    low, high = binom.ppf([0.0005, 0.9995], of, 0.05)
    print(
        f"refused of {of}: first passage, came from, visit, together: {counts.tolist()}; band {low:.0f} to {high:.0f}"
    )
    assert low <= counts[3] <= high
    assert (counts <= high).all()


@pytest.mark.soak
@pytest.mark.parametrize("runs", [40, 150, 400])
def test_chains_that_hold_are_refused_in_one_case_of_twenty_in_the_long_run(runs):
    counts, of = refused([make() for make in WITH_LOOPS], runs=runs, datasets=100, seed=7_000)
    print(f"{runs} runs: refused of {of}: {(counts / of).round(3).tolist()}")
    assert 0.03 <= counts[3] / of <= 0.07
    assert (counts / of <= 0.07).all()


@pytest.mark.parametrize("memory", [three_rounds, tired, learning])
def test_memory_is_detected(memory):
    chain = review_loop()
    found = [goodness(counts_from(chain, runs_of(chain, 300, seed=seed, memory=memory))).holds for seed in range(8)]
    print(f"{memory.__name__}: refused in {found.count(False)} of {len(found)}")
    assert not any(found)


def test_the_words_name_the_step_and_what_it_depends_on():
    chain = review_loop()
    by_visit = goodness(counts_from(chain, runs_of(chain, 300, seed=1, memory=three_rounds)))
    assert "does not explain" in by_visit.words
    assert "What happens at 'review' depends on how often the run had been there: of" in by_visit.words
    assert by_visit.visit.worst.context == "3rd visits"
    by_origin = goodness(counts_from(chain, runs_of(chain, 300, seed=1, memory=tired)))
    assert "What happens at 'implement' depends on" in by_origin.words
    assert by_origin.words.count("What happens at") == 1  # the visit tells the same, but less clearly
    assert str(by_origin) == by_origin.words


def test_a_chain_that_holds_is_told_in_a_sentence():
    chain = review_loop()
    found = goodness(counts_from(chain, runs_of(chain, 400, seed=3)))
    assert found.holds
    assert (
        found.words
        == f"The first-order chain explains these runs (400 runs, {found.visits:,} visits; p = {found.p_value:.2f})."
    )
    few = goodness(counts_from(chain, runs_of(chain, 12, seed=3)))
    assert few.words.endswith("So few runs would show gross differences only.")


def test_time_to_the_end_is_compared_too():
    chain = review_loop()
    found = goodness(counts_from(chain, runs_of(chain, 400, seed=2, memory=learning)))
    assert found.first_passage.p_value <= 0.05
    assert (
        f"Within {found.first_passage.attempts} attempts, {100 * found.first_passage.observed:.1f} % of the runs"
        in found.words
    )
    assert found.first_passage.ks == pytest.approx(abs(found.first_passage.observed - found.first_passage.expected))


def test_the_table_shows_every_context_of_steps_that_have_several():
    chain = review_loop()
    frame = goodness(counts_from(chain, runs_of(chain, 300, seed=1, memory=tired))).frame
    assert frame.dtypes.astype(str).to_dict() == {
        "step": "str", "depends_on": "str", "context": "str", "visits": "int64", "succeeded": "float64",
        "succeeded_of_all": "float64", "way": "str", "share": "float64", "share_of_all": "float64", "excess": "float64",
    }  # fmt: skip
    of_implement = frame[(frame["step"] == "implement") & (frame["depends_on"] == "came from")]
    assert of_implement["context"].tolist() == ["after specify succeeded", "after review failed"]
    mixed = (of_implement["visits"] * of_implement["succeeded"]).sum() / of_implement["visits"].sum()
    assert of_implement["succeeded_of_all"].tolist() == pytest.approx([mixed, mixed])
    assert of_implement["excess"].abs().min() > 4


def test_the_second_order_is_preferred_by_the_criteria_only_where_there_is_memory():
    chain = review_loop()
    plain = goodness(counts_from(chain, runs_of(chain, 500, seed=5))).came_from
    marked = goodness(counts_from(chain, runs_of(chain, 500, seed=5, memory=tired))).came_from
    assert plain.aic[0] < plain.aic[1]
    assert plain.bic[0] < plain.bic[1]
    assert marked.aic[1] < marked.aic[0]
    assert marked.bic[1] < marked.bic[0]
    assert marked.p_chi_square < 0.001


def test_the_likelihood_ratio_is_that_of_a_table_worked_out_by_hand():
    chain = Chain("hand", "a", {"a": step(0.5, "b", off="b"), "b": step(0.5, COMPLETED)})
    runs = [[("a", True, 1, "b"), ("b", good, 1, COMPLETED if good else FAILED)] for good in [True] * 8 + [False] * 2]
    runs += [[("a", False, 1, "b"), ("b", good, 1, COMPLETED if good else FAILED)] for good in [True] * 3 + [False] * 7]
    found = goodness(counts_from(chain, runs)).came_from
    seen = np.array([[8, 2], [3, 7]])
    usual = seen.sum(axis=0) / 2
    assert found.statistic == pytest.approx(2 * (seen * np.log(seen / usual)).sum())
    assert found.freedom == 1
    assert found.aic[0] - found.aic[1] == pytest.approx(found.statistic - 2)


def test_contexts_are_where_a_run_came_from_and_how_often_it_had_been_there():
    chain = review_loop()
    runs = [
        [("specify", True, 1, "implement"), ("implement", True, 1, "review"), ("review", False, 1, "implement"),
         ("implement", True, 2, "review"), ("review", True, 1, "deploy"), ("deploy", True, 1, COMPLETED)],
        [("specify", False, 1, FAILED)],
    ]  # fmt: skip
    visits = visits_of(counts_from(chain, runs))
    assert contexts(visits, "came from", steps=4).tolist() == [8, 1, 3, 4, 3, 5, 8]
    assert contexts(visits, "visit", steps=4).tolist() == [1, 1, 1, 2, 2, 1, 1]
    assert visits.target.tolist() == [1, 2, 1, 2, 3, 4, 5]
    assert visits.run_attempts.tolist() == [7, 1]


def test_runs_that_were_cut_off_count_as_far_as_they_went():
    chain = review_loop()
    runs = runs_of(chain, 300, seed=6)
    random = np.random.default_rng(1)
    whole, cut = counts_from(chain, runs), counts_from(chain, runs, cut_after=random.integers(1, 9, 300).tolist())
    assert 50 < sum(path.end is None for path in cut.paths) < 250
    found = goodness(cut)
    assert found.holds
    assert found.visits < goodness(whole).visits
    none = replace(whole, paths=[replace(path, end=None) for path in whole.paths])
    with pytest.raises(ChainError, match="no run on record has come to its end"):
        goodness(none)


def test_a_past_that_is_shared_counts_once_and_still_says_where_a_run_came_from():
    chain = review_loop()
    counts = counts_from(chain, runs_of(chain, 50, seed=6))
    fork = replace(counts.paths[0], shared=2)
    visits = visits_of(replace(counts, paths=[fork]))
    assert visits.known.tolist() == [False, False] + [True] * (len(fork.visits) - 2)


def test_rates_that_somebody_gave_are_held_against_the_runs():
    chain = review_loop()
    counts = counts_from(chain, runs_of(chain, 300, seed=9))
    assert goodness(counts, against=chain).holds
    wrong = chain.with_steps({"review": step(0.8, "deploy", off="implement")})
    found = goodness(counts, against=wrong)
    assert not found.holds
    assert found.first_passage.p_value <= 0.01
    with pytest.raises(ChainError, match="has other steps; they differ in .*'?s0"):
        goodness(counts, against=long_pipeline(3))


def test_the_same_seed_gives_the_same_answer():
    counts = counts_from(router(), runs_of(router(), 60, seed=2))
    assert goodness(counts, seed=3) == goodness(counts, seed=3)


def test_a_workflow_without_choices_of_context_has_nothing_to_remember():
    found = goodness(counts_from(long_pipeline(5), runs_of(long_pipeline(5), 80, seed=2)))
    assert found.holds
    assert (found.came_from.freedom, found.came_from.p_value, found.came_from.worst) == (0, 1, None)
    assert found.frame.empty
    assert isinstance(found.frame, pd.DataFrame)


def test_runs_read_from_histories_are_tested():
    entries = [{"step": "write", "next_step": "review"}, {"step": "review", "success": False, "next_step": "write"}]
    last = [{"step": "write", "next_step": "review"}, {"step": "review"}]
    found = goodness(counts_of([[*entries, *last], last, [*entries, *entries, *last]] * 5))
    assert found.runs == 15
    assert found.visits == 5 * (4 + 2 + 6)


@pytest.mark.parametrize("make", WORKFLOWS)
def test_runs_drawn_for_the_test_are_runs_of_the_chain(make):
    chain = make()
    structure, success, ways = structure_of(chain)
    count = 20_000
    drawn = resampled(structure, success, ways, cut_after=np.zeros(count, int), seed=1, most_visits=10_000)
    solved = solve(chain)
    assert (drawn.run_end == 0).mean() == pytest.approx(solved.p_success, abs=0.015)
    assert np.bincount(drawn.step, minlength=len(structure.steps)) / count == pytest.approx(
        solved.visits, rel=0.05, abs=0.02
    )
    assert drawn.run_attempts.mean() == pytest.approx(solved.attempts_expected, rel=0.03)
    assert np.bincount(drawn.run, drawn.attempts) == pytest.approx(drawn.run_attempts)
    exact = curves(structure, [success], [ways], most=60)[0]
    seen = observed_curves(drawn.run_attempts, drawn.run_end, np.zeros(count, int), groups=1, most=60)[0]
    assert abs(exact - seen).max() < 0.015


def test_ratios_of_many_sets_at_once_are_those_of_each_by_itself():
    chain = debate()
    structure, success, ways = structure_of(chain)
    drawn = resampled(structure, success, ways, cut_after=np.zeros(90, int), seed=1, most_visits=100)
    which = np.arange(90) // 30
    together = ratio(drawn, "came from", steps=4, which=which, sets=3)
    for one in range(3):
        kept = which[drawn.run] == one
        fields = ("run", "step", "succeeded", "target", "known", "attempts")
        alone = replace(drawn, **{name: getattr(drawn, name)[kept] for name in fields})
        found = ratio(alone, "came from", steps=4, which=np.zeros(90, int), sets=1)
        assert together.statistic[one] == pytest.approx(found.statistic[0])


@pytest.mark.soak
def test_many_runs_are_tested_in_seconds():
    chain = review_loop()
    found = goodness(counts_from(chain, runs_of(chain, 8_000, seed=1)))
    assert found.holds
    assert found.runs == 8_000
