"""Two sets side by side."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.engine.summary import RunSummary, Totals
from orchestration_kit.scale import run_many
from orchestration_kit.scale.comparison import ALL, comparison
from orchestration_kit.scale.goals import Goal
from orchestration_kit.scale.intervals import (
    correlation,
    difference_of_means,
    difference_of_shares,
    mean_of_differences,
    student_t,
)
from orchestration_kit.scale.plan import Planned
from tests.scale.sets import GOALS, hub_of, moody


def side(**goals):
    """Runs by goal: "+" completed, "-" failed, "?" waits, "." not begun; each costs 1 and takes 2 s."""
    found = []
    for goal, marks in goals.items():
        for repeat, mark in enumerate(marks, 1):
            state = {"+": "completed", "-": "failed", "?": "waiting"}.get(mark)
            totals = Totals(attempts=1, steps=1, duration_s=2.0, cost_usd=1.0)
            summary = state and RunSummary("r", "w", state, None, 0.0, None, None, None, {}, None, totals)
            found.append((Planned(f"s/{goal}/{repeat}", Goal(goal, goal.upper(), {}), repeat), summary or None))
    return found


def test_goals_are_compared_by_their_id_and_in_all():
    frame = comparison(side(x="++--", y="+++-"), side(y="++++", x="+++-"))
    assert frame["goal_id"].tolist() == ["x", "y", pd.NA]
    assert frame["goal"].tolist() == ["X", "Y", ALL]
    assert frame["runs_a"].tolist() == [4, 4, 8]
    assert frame["success_a"].tolist() == [0.5, 0.75, 0.625]
    assert frame["success_difference"].tolist() == [0.25, 0.25, 0.25]
    assert (frame["success_low"] < 0.25).all()
    assert (frame["success_high"] > 0.25).all()
    assert frame["cost_difference_usd"].tolist() == [0.0, 0.0, 0.0]
    assert frame["duration_a_s"].tolist() == [2.0, 2.0, 2.0]


def test_a_goal_that_one_set_lacks_is_in_no_overall_figure():
    frame = comparison(side(x="++", y="+-"), side(y="--", z="++"))
    assert frame["goal_id"].tolist() == ["x", "y", "z", pd.NA]
    assert frame["runs_b"].tolist() == [0, 2, 2, 2]
    assert frame["success_difference"].isna().tolist() == [True, False, True, False]
    assert frame.iloc[-1]["success_difference"] == -0.5


def test_runs_that_did_not_end_do_not_count():
    frame = comparison(side(x="+?.-"), side(x="...."))
    assert frame["runs_a"].tolist() == [2, 0]
    assert pd.isna(frame["success_difference"][0])
    assert frame.iloc[-1]["goal"] == ALL


def test_easy_and_hard_goals_make_the_paired_interval_narrower_than_an_unpaired_one():
    hard = {f"h{n}": "-" for n in range(10)}
    easy = {f"e{n}": "+" for n in range(10)}
    frame = comparison(side(**hard, **easy), side(**{**hard, "h0": "+"}, **easy))
    width = frame.iloc[-1]["success_high"] - frame.iloc[-1]["success_low"]
    unpaired = difference_of_shares(0.5, 0.55, of_a=20, of_b=20)
    assert width < 0.5 * (unpaired.high - unpaired.low)


def test_nothing_failed_is_not_yet_certainty():
    last = comparison(side(x="+", y="+", z="+"), side(x="+", y="+", z="+")).iloc[-1]
    assert last["success_difference"] == 0
    assert last["success_low"] < 0 < last["success_high"]


def test_a_set_compared_with_another_of_the_same_goals():
    one = run_many("flow", GOALS, hub=hub_of(draft=moody), repeats=3, seed=1)
    other = run_many("flow", GOALS, hub=hub_of(), repeats=3, seed=1)
    frame = one.compare(other)
    assert len(frame) == 7
    assert frame["success_b"].tolist() == [1.0] * 7
    assert frame.iloc[-1]["success_difference"] == pytest.approx(1 - frame["success_a"][:-1].mean())
    assert str(frame["cost_difference_usd"].dtype) == "Float64"
    same = one.compare(one)
    assert same["success_difference"].tolist() == [0.0] * 7


def test_only_sets_can_be_compared():
    runs = run_many("flow", ["a"], hub=hub_of())
    with pytest.raises(TypeError, match="another RunSet"):
        runs.compare(runs.frame())


# --- intervals


def test_the_example_of_newcombe():
    # Stat. Med. 17 (1998), 873-890, table II (a): 56/70 and 48/80 by method 10.
    assert difference_of_shares(48 / 80, 56 / 70, of_a=80, of_b=70)[1:] == pytest.approx((0.0524, 0.3339), abs=1e-4)
    # (h): 0/10 and 0/20.
    assert difference_of_shares(0, 0, of_a=20, of_b=10)[1:] == pytest.approx((-0.1611, 0.2775), abs=1e-4)


@given(
    st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20), st.floats(-1, 1, allow_nan=False)
)
def test_an_interval_holds_the_difference_and_turns_with_the_sides(hits_a, hits_b, of_a, of_b, alike):
    a, b = min(hits_a, of_a) / of_a, min(hits_b, of_b) / of_b
    one = difference_of_shares(a, b, of_a=of_a, of_b=of_b, correlation=alike)
    other = difference_of_shares(b, a, of_a=of_b, of_b=of_a, correlation=alike)
    assert -1 <= one.low <= one.value + 1e-12
    assert one.value - 1e-12 <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_means_are_compared_as_welch_has_it():
    from scipy import stats

    a, b = [1.0, 2.5, 3.0, 4.0], [2.0, 6.0, 7.5, 3.0, 9.0]
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert difference_of_means(a, b)[1:] == pytest.approx((expected.low, expected.high), rel=1e-4)
    pairs = [1.0, 3.0, -1.0, 2.0]
    expected = stats.ttest_1samp(pairs, 0).confidence_interval(0.95)
    assert mean_of_differences(pairs)[1:] == pytest.approx((expected.low, expected.high), rel=1e-4)


@pytest.mark.parametrize("freedom", [1, 2, 2.5, 3, 4.7, 5, 10, 33.3, 1e3, 1e7])
def test_quantiles_of_student(freedom):
    from scipy import stats

    assert student_t(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-4)


def test_too_little_gives_no_interval():
    assert difference_of_means([], [1.0]) == (None, None, None)
    assert difference_of_means([1.0], [2.0]) == (1.0, None, None)
    assert difference_of_means([1.0, 1.0], [2.0, 2.0]) == (1.0, 1.0, 1.0)
    assert mean_of_differences([]) == (None, None, None)
    assert mean_of_differences([2.0]) == (2.0, None, None)
    assert correlation([1.0, 1.0], [1.0, 2.0]) == 0.0
    assert correlation([1.0, 2.0], [2.0, 4.0]) == pytest.approx(1.0)
