"""Figures of a reliability."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from orchestration_kit.reliability import ChainError, reliability
from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep
from orchestration_kit.reliability.plots import plot
from orchestration_kit.reliability.report import Reliability
from orchestration_kit.templates import create_build_website_workflow
from tests.reliability.test_drawing import observed
from tests.reliability.workflows import long_pipeline, planner, review_loop, step

KINDS = ("decay", "repeats", "lost", "sensitivity")


def with_goals(found):
    """The same runs as repeats of goals, of which a third fails more often than not."""
    good = iter([f"g{at % 20}" for at in range(400)])
    bad = iter([f"g{at % 7}" for at in range(400)])
    paths = [replace(path, goal=next(good if path.end == COMPLETED else bad)) for path in found.counts.paths]
    return replace(found, counts=replace(found.counts, paths=paths))


def lines(axes):
    return {line.get_label(): np.asarray(line.get_ydata(), float) for line in axes.get_lines()}


@pytest.mark.parametrize("kind", [*KINDS, "all"])
@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_kind_is_drawn_in_every_theme(kind, theme):
    figure = plot(observed(review_loop(), runs=60), kind, theme=theme)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    assert file.getvalue().startswith(b"\x89PNG")
    assert len(figure.axes) == (4 if kind == "all" else 1)


def test_the_decay_curve_is_that_of_the_chain_with_a_band_and_what_was_observed():
    found = observed(planner(), runs=200)
    (axes,) = plot(found, "decay").axes
    frame = found.decay(len(lines(axes)["the chain"]) - 1)
    assert lines(axes)["the chain"] == pytest.approx(frame["probability"].to_numpy())
    took = np.array([path.attempts for path in found.counts.paths])
    completed = np.array([path.end == COMPLETED for path in found.counts.paths])
    assert lines(axes)["observed, 200 runs"] == pytest.approx(
        [(completed & (took <= d)).mean() for d in range(len(frame))]
    )
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "95 % credible band",
        "the chain",
        "observed, 200 runs",
    ]
    assert found.p_success.value - frame["probability"].iloc[-1] < 0.002


def test_the_decay_curve_goes_as_far_as_wished():
    (axes,) = plot(Reliability(review_loop()), "decay", most=7).axes
    assert axes.get_xlim() == (0, 7)
    assert len(lines(axes)["the chain"]) == 8


def test_a_workflow_that_takes_for_ever_is_drawn_up_to_a_limit():
    stays = Chain("slow", "a", {"a": step(0.0005, COMPLETED, off="a")})
    (axes,) = plot(Reliability(stays), "decay").axes
    assert axes.get_xlim()[1] == 1_024


def test_repeats_are_drawn_as_goals_differ_beside_what_would_be_if_they_did_not():
    found = with_goals(observed(review_loop(), runs=300))
    assert found.frailty.is_informed
    (axes,) = plot(found, "repeats", most=5).axes
    drawn = lines(axes)
    assert drawn["pass^k: all k"].tolist() == pytest.approx([found.pass_hat(k).value for k in range(1, 6)])
    assert drawn["pass@k: one of k"].tolist() == pytest.approx([found.pass_at(k).value for k in range(1, 6)])
    p = found.p_success.value
    assert drawn["as if goals were alike"].tolist() == pytest.approx([1 - (1 - p) ** k for k in range(1, 6)])
    assert axes.get_title(loc="left") == "Repeats, as goals differ"
    (plain,) = plot(Reliability(review_loop()), "repeats").axes
    assert plain.get_title(loc="left") == "Repeats, as if all goals were alike"
    assert "as if goals were alike" not in lines(plain)


def test_losses_and_changes_are_bars_with_the_most_on_top():
    found = reliability(
        create_build_website_workflow(),
        {"product_manager": 0.99, "coder": {"success": 0.9, "cost_usd": 0.02}, "reviewer": 0.8},
    )
    (lost,) = plot(found, "lost").axes
    assert [label.get_text() for label in lost.get_yticklabels()] == found.lost()["step"].tolist()
    assert [bar.get_width() for bar in lost.patches] == pytest.approx(found.lost()["lost"].tolist())
    (changes,) = plot(found, "sensitivity", most=3).axes
    assert [bar.get_width() for bar in changes.patches] == pytest.approx(found.sensitivity()["points"].head(3).tolist())
    assert all("$" in text.get_text() for text in changes.texts)
    assert changes.yaxis_inverted()
    assert not plot(Reliability(review_loop()), "sensitivity").axes[0].texts  # nobody told a cost


def test_a_workflow_that_cannot_fail_has_nothing_to_lose_or_to_change():
    sure = Reliability(long_pipeline(3, 1.0))
    assert plot(sure, "lost").axes[0].get_title(loc="left") == "No run is lost"
    assert plot(sure, "sensitivity").axes[0].get_title(loc="left").startswith("Nothing to change")
    plot(sure).savefig(io.BytesIO(), format="svg")


def test_names_are_drawn_as_they_are():
    name = r"$\frac{1}{0}$ <b>$x$</b> \undefined"
    chain = Chain(name, name, {name: ChainStep(success=0.5, after_success={COMPLETED: 1}, after_failure={FAILED: 1})})
    file = io.StringIO()
    plot(Reliability(chain)).savefig(file, format="svg")
    assert "<b>" not in file.getvalue()


def test_the_style_of_the_notebook_stays_as_it_was_and_pyplot_out_of_it():
    code = (
        "import sys; from orchestration_kit.reliability import Chain, ChainStep, Reliability;"
        "from orchestration_kit.reliability.plots import plot; import matplotlib; matplotlib.rcParams['lines.linewidth'] = 9;"
        "step = ChainStep(success=0.5, after_success={'[completed]': 1}, after_failure={'[failed]': 1});"
        "figure = plot(Reliability(Chain('x', 'a', {'a': step})), 'decay');"
        "print('matplotlib.pyplot' in sys.modules, matplotlib.rcParams['lines.linewidth'], figure.axes[0].lines[0].get_linewidth())"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "9.0", "1.8"]


def test_without_matplotlib_it_says_how_to_install_it():
    code = (
        "import sys; sys.modules['matplotlib'] = None; sys.modules['matplotlib.figure'] = None;"
        "from orchestration_kit.reliability import Chain, ChainStep, Reliability; import pickle;"
        "from orchestration_kit.reliability.plots import plot;"
        "step = ChainStep(success=0.5, after_success={'[completed]': 1}, after_failure={'[failed]': 1})\n"
        "try: plot(Reliability(Chain('x', 'a', {'a': step})))\n"
        "except ImportError as error: print(type(error).__name__, pickle.loads(pickle.dumps(error)))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.startswith("MissingPlotExtra A plot of reliability needs matplotlib")
    assert "pip install 'orchestration-kit[plot]'" in said


def test_what_is_not_known_is_refused():
    found = Reliability(review_loop())
    with pytest.raises(ValueError, match="Did you mean 'decay'"):
        plot(found, "decai")
    for most in (0, -1, 2.5, True):
        with pytest.raises(ChainError, match="give 1 or more"):
            plot(found, "decay", most=most)
    with pytest.raises(ValueError, match="pink"):
        plot(found, theme="pink")
