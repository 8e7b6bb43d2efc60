"""What a person asks of runs or of given rates: figures that agree with one another, as tables, text and HTML."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from orchestration_kit import Orchestrator
from orchestration_kit.errors import UnknownStep
from orchestration_kit.history import history_frame
from orchestration_kit.reliability import (
    COMPLETED,
    FAILED,
    Chain,
    ChainError,
    ChainStep,
    MissingReliabilityExtra,
    Took,
    counts_of,
    reliability,
    solve,
    what_if,
)
from orchestration_kit.templates import create_build_website_workflow
from tests.laws import examples
from tests.reliability.chains import chains, in_a_row
from tests.reliability.test_counting import website

WEBSITE = create_build_website_workflow()
RATES = {
    "product_manager": 0.99,
    "coder": {"success": 0.9, "time_s": 2, "tokens": 500, "cost_usd": 0.01},
    "reviewer": 0.8,
}


@pytest.fixture(scope="module")
def runs():
    return website(runs=300)


@pytest.fixture(scope="module")
def seen(runs):
    return reliability(runs)


def test_runs_of_the_engine_agree_with_their_own_share(runs, seen):
    share = sum(run.state == "completed" for run in runs) / len(runs)
    assert seen.p_success.low < share < seen.p_success.high
    assert seen.p_success.value == pytest.approx(share, abs=0.02)
    frame = history_frame(runs)
    assert seen.attempts_expected.value == pytest.approx(len(frame) / len(runs), rel=0.03)
    assert seen.cost_usd.value == pytest.approx(frame["cost_usd"].sum() / len(runs), rel=0.03)
    assert seen.tokens.low < 1500 * seen.cost_usd.value < seen.tokens.high


def test_intervals_are_about_what_is_true(runs, seen):
    true = reliability(WEBSITE, {"product_manager": 0.95, "coder": 0.7, "reviewer": 0.6}).p_success.value
    assert seen.p_success.low < true < seen.p_success.high
    wide, narrow = reliability(runs, level=0.99).p_success, reliability(runs, level=0.5).p_success
    assert wide.low < seen.p_success.low < narrow.low < narrow.high < seen.p_success.high < wide.high


def test_the_same_runs_give_the_same_figures(runs, seen):
    assert reliability(runs).summary().equals(seen.summary())
    assert not reliability(runs, seed=1).summary().equals(seen.summary())


def test_runs_that_all_completed_may_be_sure():
    found = reliability([[{"step": "a", "next_step": "b"}, {"step": "b"}]] * 50)
    assert found.p_success.value > 0.98
    assert found.p_success.high == 1
    none = reliability([[{"step": "a", "success": False}]] * 50)
    assert (none.p_success.low, none.p_success.value < 0.02) == (0, True)


def test_many_steps_that_never_failed_are_not_held_against_a_workflow():
    names = [f"s{at}" for at in range(100)]
    run = [{"step": name, "next_step": onward} for name, onward in zip(names, [*names[1:], None], strict=True)]
    assert reliability([run] * 100).p_success.value > 0.99


def test_the_tables_agree_with_one_another(seen):
    steps, ways, lost = seen.steps(), seen.transitions(), seen.lost()
    assert np.allclose(ways.groupby("source")["probability"].sum(), 1)
    assert steps["visits"].sum() == pytest.approx(seen.steps_expected.value)
    assert steps["cost_usd"].sum() == pytest.approx(seen.cost_usd.value)
    assert steps["cost_share"].sum() == pytest.approx(1)
    assert lost["lost"].sum() == pytest.approx(1 - seen.p_success.value)
    assert lost["share"].sum() == pytest.approx(1)
    assert lost["count"].sum() == sum(path.end == FAILED for path in seen.counts.paths)
    for frame, low, value, high in (
        (steps, "visits_low", "visits", "visits_high"),
        (steps, "success_low", "success", "success_high"),
        (ways, "low", "probability", "high"),
        (lost, "low", "lost", "high"),
        (seen.summary(), "low", "value", "high"),
        (seen.decay(30), "low", "probability", "high"),
    ):
        assert (frame[low] <= frame[value]).all()
        assert (frame[value] <= frame[high]).all()


def test_tables_have_the_dtypes_that_are_told(seen):
    told = {
        "summary": "str float64 float64 float64",
        "steps": "str str float64 float64 float64 Int64 int64 float64 float64 float64 Float64 Float64 Float64 Float64 Float64 float64",
        "transitions": "str str str float64 float64 float64 Int64",
        "lost": "str float64 float64 float64 float64 Int64",
        "decay": "int64 float64 float64 float64",
    }
    for found in (seen, reliability(WEBSITE, RATES)):
        for name, dtypes in told.items():
            assert " ".join(map(str, getattr(found, name)().dtypes)) == dtypes, name
    assert " ".join(map(str, seen.visits("coder").dtypes)) == "int64 float64"


@settings(deadline=None, max_examples=examples(60))
@given(chains())
def test_visits_sum_to_one_and_their_mean_is_the_expected_number(chain: Chain):
    found = reliability(chain)
    for at, step in enumerate(chain.steps):
        frame = found.visits(step)
        assert frame["probability"].sum() == pytest.approx(1)
        assert (frame["visits"] * frame["probability"]).sum() == pytest.approx(found.solved.visits[at], abs=1e-6)
        assert (frame["probability"] >= 0).all()


@settings(deadline=None, max_examples=examples(20))
@given(chains())
def test_the_decay_curve_rises_to_the_probability_of_success(chain: Chain):
    found = reliability(chain)
    curve = found.decay(3_000)["probability"]
    assert curve[0] == 0
    assert (np.diff(curve) >= -1e-15).all()
    assert curve.iloc[-1] == pytest.approx(found.p_success.value, abs=1e-4)


def test_the_decay_curve_is_that_of_hand():
    found = reliability(in_a_row(0.5, retries=2))
    assert found.decay(4)["probability"].tolist() == [0, 0.5, 0.75, 0.875, 0.875]
    assert reliability(in_a_row(0.5, retries=1_000_000)).decay(1)["probability"].tolist() == [0, 0.5]


def test_a_step_is_named_itself_or_by_its_worker(seen):
    assert seen.visits("coder").equals(seen.visits("implement_code"))
    with pytest.raises(UnknownStep, match=r"Did you mean 'review_code'"):
        seen.visits("review")
    with pytest.raises(ValueError, match="several steps: completed, failed"):
        seen.visits("generic")


def test_what_if_is_the_chain_of_the_other_rates():
    found = reliability(WEBSITE, RATES).what_if(
        {"coder": 0.95, "reviewer": {"cost_usd": 0.1}}, retries={"review_code": 2}
    )
    rates = {**RATES, "coder": {**RATES["coder"], "success": 0.95}, "reviewer": {"success": 0.8, "cost_usd": 0.1}}
    flow = WEBSITE.replace("review_code", max_retries=2)
    assert found.p_success == reliability(flow, rates).p_success
    assert found.cost_usd.value == pytest.approx(reliability(flow, rates).cost_usd.value)
    assert (
        found.p_success
        == what_if(reliability(WEBSITE, RATES).chain, {"coder": 0.95}, retries={"review_code": 2}).p_success
    )


@settings(deadline=None, max_examples=examples(40))
@given(chains())
def test_what_is_as_it_was_changes_nothing(chain: Chain):
    as_it_was = {name: {"success": step.success, "to": dict(step.after_success)} for name, step in chain.steps.items()}
    retries = {name: step.retries for name, step in chain.steps.items()}
    assert what_if(chain, as_it_was, retries=retries).p_success.value == pytest.approx(solve(chain).p_success)


def test_what_is_changed_is_known_and_the_rest_as_uncertain_as_it_was(seen):
    same = seen.what_if({"coder": seen.chain.steps["implement_code"].success})
    assert same.p_success.value == pytest.approx(seen.p_success.value)
    assert same.p_success.high - same.p_success.low < seen.p_success.high - seen.p_success.low
    sure = seen.what_if({"coder": 1.0, "product_manager": 1.0})
    assert (sure.p_success.value, sure.p_success.low) == pytest.approx((1, 1))
    steps = sure.steps().set_index("step")
    assert steps.loc["implement_code", ["success_low", "success", "success_high"]].tolist() == [1, 1, 1]
    assert steps.loc["review_code", "success_low"] < steps.loc["review_code", "success"]


def test_changes_add_up(seen):
    twice = seen.what_if({"coder": 0.9}).what_if(retries={"review_code": 1})
    once = seen.what_if({"coder": 0.9}, retries={"review_code": 1})
    assert twice.p_success == once.p_success
    assert "implement_code, review_code changed" in repr(once)


@pytest.mark.parametrize(
    ("rates", "retries", "told"),
    [
        ({"codr": 1}, None, "Did you mean 'coder'"),
        ({"coder": {"items": 3}}, None, "a join is one step of it"),
        ({"review_code": {"to": {"done": 1.0}}}, None, "It leads to: completed"),
        (None, {"coder": -1}, "give 0 or more"),
        (None, {"nobody": 1}, "retries name 'nobody'"),
        (None, 3, 'retries={"review_code": 2}'),
    ],
)
def test_changes_of_what_is_not_there_say_why(seen, rates, retries, told):
    with pytest.raises(ChainError, match=told):
        seen.what_if(rates, retries=retries)


def test_several_runs_of_goals_that_are_alike_are_powers():
    found = reliability(in_a_row(0.9))
    assert found.frailty is None
    assert (found.pass_hat(3).value, found.pass_at(3).value) == pytest.approx((0.9**3, 1 - 0.1**3))
    with pytest.raises(ValueError, match="k=0"):
        found.pass_hat(0)


def test_goals_that_differ_make_pass_hat_more_than_a_power():
    def runs_of(goal, good, bad):
        return [_run(goal, n, n < good) for n in range(good + bad)]

    easy, hard = runs_of("easy", 20, 0), runs_of("hard", 2, 18)
    found = reliability([*easy, *hard])
    assert found.frailty is not None
    p = found.p_success.value
    assert found.pass_hat(4).value > p**4 + 0.2
    assert found.pass_at(4).value < 1 - (1 - p) ** 4
    assert "2 goals" in repr(found)


def _run(goal, number, good):
    from orchestration_kit.engine.events import RunFinished, RunStarted
    from orchestration_kit.history.entries import records_of_entries

    records = records_of_entries([{"step": "a", "worker_type": "a", "worker": "w", "success": good}])
    state = "completed" if good else "failed"
    run = f"{goal}_{number}"
    return [RunStarted(run, "flow", "0", goal, {}, run, 0.0), *records, RunFinished(run, state, None, 1.0, 1)]


def test_what_nobody_told_is_absent(seen):
    found = reliability([[{"step": "a", "duration_s": 2.0}]])
    assert found.time_s is not None
    assert (found.tokens, found.cost_usd) == (None, None)
    assert found.summary()["measure"].tolist() == ["p_success", "steps", "attempts", "time_s"]
    assert found.steps()["cost_usd"].isna().all()
    assert "cost" not in repr(found)
    assert "nan" not in repr(found) + found._repr_html_()
    assert reliability(in_a_row(0.5)).time_s is None


def test_text_says_what_it_is_from_and_the_figures(seen):
    text = repr(seen)
    assert text.startswith("<Reliability of 'build_website', from 300 runs (")
    for part in ("P(success)", "95 %", "steps", "cost", "$", "runs lost at", "5 goals"):
        assert part in text
    assert "by given rates" in repr(reliability(WEBSITE, RATES))


def test_names_are_data_in_html():
    name = "<script>alert(1)</script>"
    step = ChainStep(
        success=0.5, after_success={COMPLETED: 1.0}, after_failure={FAILED: 1.0}, on_success=Took(cost_usd=1)
    )
    html = reliability(Chain(name, name, {name: step}))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_probability_near_one_keeps_its_digits():
    assert "0.99990" in repr(reliability(in_a_row(0.9999)))


def test_fit_needs_runs(seen):
    assert "runs" in str(seen.fit())
    with pytest.raises(ValueError, match="is of given rates"):
        reliability(WEBSITE, RATES).fit()
    with pytest.raises(ValueError, match="changed by what_if"):
        seen.what_if({"coder": 1.0}).fit()


def test_counts_and_chains_are_taken_too(runs, seen):
    assert reliability(counts_of(runs)).p_success == seen.p_success
    assert reliability(seen.chain).p_success.value == seen.p_success.value
    assert reliability(seen, level=0.9).p_success.level == 0.9


def test_what_has_no_runs_says_what_to_give(runs):
    hub = Orchestrator()
    with pytest.raises(TypeError, match=r"hub\.get_run\(one\.run_id\)"):
        reliability(_summaries(runs))
    with pytest.raises(TypeError, match="no history in an Orchestrator"):
        reliability(hub)
    with pytest.raises(TypeError, match=r"reliability\(runs\)\.what_if\(rates\)"):
        reliability(runs, {"coder": 0.5})
    with pytest.raises(ValueError, match="level=95"):
        reliability(runs, level=95)


def _summaries(runs):
    from orchestration_kit.engine.summary import RunSummary, Totals

    return [RunSummary("r", "flow", "completed", None, 0.0, 1.0, None, None, {}, None, Totals())]


def test_without_scipy_it_says_how_to_install_it(monkeypatch):
    from orchestration_kit.reliability import needs

    def refuse(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(needs, "import_module", refuse)
    with pytest.raises(MissingReliabilityExtra, match=r"pip install 'orchestration-kit\[reliability\]'") as caught:
        solve(in_a_row(*[0.9] * 100))
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), ImportError)


def test_importing_it_imports_no_heavy_library():
    import subprocess
    import sys

    code = "import orchestration_kit.reliability, sys; print([m for m in ('scipy', 'numpy', 'pandas', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_runs_that_were_cut_off_are_told():
    found = reliability([[{"step": "a", "next_step": "b"}, {"step": "b"}], [{"step": "a", "next_step": "b"}]])
    assert "1 of them cut off" in repr(found)
    assert isinstance(found.summary(), pd.DataFrame)


def test_a_diagram_of_it_shows_how_likely_each_way_is(seen):
    outline = seen.diagram(renderer="builtin").outline
    assert "build_website" in outline
    assert "%" in outline
    assert reliability(in_a_row(0.5)).diagram(renderer="builtin").outline


def test_a_step_that_never_succeeded_is_taken_to_lead_to_a_good_end():
    found = reliability([[{"step": "a", "success": False}]] * 3)
    assert found.chain.steps["a"].after_success == {COMPLETED: 1.0}
    assert 0 < found.p_success.high < 0.7


def test_it_is_plotted_by_itself(seen):
    assert len(seen.plot().axes) >= 4
    assert len(seen.plot("decay").axes) == 1
