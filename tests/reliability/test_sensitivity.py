"""What each small change brings is what solving the changed chain says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from orchestration_kit.reliability import COMPLETED, Chain, ChainStep, reliability, solve
from orchestration_kit.reliability.sensitivity import sensitivity
from orchestration_kit.templates import create_build_website_workflow
from tests.laws import examples
from tests.reliability.chains import chains, in_a_row


@settings(max_examples=examples(50), deadline=None)
@given(chains())
def test_each_change_is_as_the_changed_chain_has_it(chain: Chain):
    before = solve(chain)
    for row in sensitivity(chain).itertuples():
        step = chain.steps[row.step]
        more = {"retries": step.retries + 1} if row.kind == "retry" else {"success": min(1.0, step.success + 0.01)}
        after = solve(chain.with_steps({row.step: replace(step, **more)}))
        assert row.points == pytest.approx(100 * (after.p_success - before.p_success), abs=1e-9)
        assert row.cost_usd == pytest.approx(after.cost_usd - before.cost_usd, abs=1e-9)
        assert row.tokens == pytest.approx(after.tokens - before.tokens, abs=1e-8)
        assert row.time_s == pytest.approx(after.time_s - before.time_s, abs=1e-9)
        assert row.steps == pytest.approx(after.steps_expected - before.steps_expected, abs=1e-9)


def test_a_loop_that_is_hardly_left_is_solved_change_by_change():
    step = ChainStep(success=1e-9, after_success={COMPLETED: 1.0}, after_failure={"s0": 1.0})
    retry, point = sensitivity(Chain("loop", "s0", {"s0": step})).itertuples()
    assert retry.points == pytest.approx(0, abs=1e-9)
    assert point.steps == pytest.approx(1 / (1e-9 + 0.01) - 1e9)


def test_the_change_that_brings_most_is_first_and_in_words():
    frame = reliability(
        create_build_website_workflow(), {"product_manager": 0.99, "coder": 0.7, "reviewer": 0.8}
    ).sensitivity()
    assert frame["change"][0] == "one more retry of implement_code"
    assert "create_specs succeeds 1 point more often" in set(frame["change"])
    assert frame["points"].is_monotonic_decreasing
    assert not set(frame["step"]) & {"completed", "failed"}


def test_what_cannot_be_retried_is_not():
    chain = in_a_row(0.5)
    joined = chain.with_steps({"s0": replace(chain.steps["s0"], worker_type="map")})
    assert sensitivity(joined)["kind"].tolist() == ["success"]


def test_a_workflow_that_cannot_fail_has_nothing_to_gain():
    frame = sensitivity(in_a_row(1.0, 1.0))
    assert len(frame) == 0
    assert str(frame["points"].dtype) == "float64"
