"""A chain is solved exactly: against the textbook, every path written out, and a thousand chains at once."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings

from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainError, ChainStep, solve
from orchestration_kit.reliability.batches import batch
from orchestration_kit.reliability.solving import fundamental
from orchestration_kit.reliability.structure import structure_of
from tests.laws import examples
from tests.reliability.chains import chains, in_a_row, textbook


@settings(deadline=None, max_examples=examples(60))
@given(chains())
def test_a_chain_is_solved_as_in_the_textbook(chain: Chain):
    found = solve(chain)
    visits, chances = textbook(chain)
    assert np.allclose(found.visits, visits[0], rtol=1e-10, atol=1e-13)
    assert np.allclose(found.completes_from, chances[:, 0], rtol=1e-10, atol=1e-13)


@settings(deadline=None, max_examples=examples(60))
@given(chains())
def test_every_run_ends_and_is_lost_at_one_step(chain: Chain):
    found = solve(chain)
    assert found.p_success + found.p_failure == pytest.approx(1, abs=1e-12)
    assert found.lost.sum() == pytest.approx(found.p_failure, abs=1e-12)


@settings(deadline=None, max_examples=examples(60))
@given(chains(most=4, loops=False))
def test_a_chain_without_loops_is_the_sum_over_all_its_paths(chain: Chain):
    def completes(step_id: str) -> tuple[float, float]:
        if step_id in (COMPLETED, FAILED):
            return float(step_id == COMPLETED), 0.0
        step = chain.steps[step_id]
        p = steps = 0.0
        for chance, ways in ((step.visit_success, step.after_success), (step.visit_failure, step.after_failure)):
            for target, share in ways.items():
                onward = completes(target)
                p += chance * share * onward[0]
                steps += chance * share * onward[1]
        return p, steps + 1

    found = solve(chain)
    assert (found.p_success, found.steps_expected) == pytest.approx(completes("s0"), abs=1e-12)


@settings(deadline=None, max_examples=examples(60))
@given(chains())
def test_a_visit_succeeds_or_fails(chain: Chain):
    structure, success, _ = structure_of(chain)
    good, bad, attempts = structure.visits(success)
    for at, step in enumerate(chain.steps.values()):
        assert step.visit_success + step.visit_failure == pytest.approx(1, abs=1e-12)
        assert (good[at], bad[at], attempts[at]) == pytest.approx(
            (step.visit_success, step.visit_failure, step.attempts)
        )


@settings(max_examples=examples(40), deadline=None)
@given(chains(), chains(most=3))
def test_many_chains_at_once_are_each_as_by_itself(chain: Chain, other: Chain):
    structure, success, ways = structure_of(chain)
    random = np.random.default_rng(len(other.steps))
    drawn = random.uniform(0.05, 1, (5, len(success)))
    shares = ways * random.uniform(0.5, 1, (5, len(ways)))
    for at in range(5):  # those of one step after one outcome sum to 1
        for source, succeeded in set(zip(structure.source.tolist(), structure.succeeded.tolist(), strict=True)):
            group = (structure.source == source) & (structure.succeeded == succeeded)
            shares[at, group] /= shares[at, group].sum()
    p_success, visits = batch(structure, drawn, shares)
    for at in range(5):
        found = solve(_with(chain, drawn[at], shares[at]))
        assert p_success[at] == pytest.approx(found.p_success, abs=1e-9)
        assert np.allclose(visits[at], found.visits, atol=1e-9)


def _with(chain: Chain, success, shares) -> Chain:
    from dataclasses import replace

    structure, _, _ = structure_of(chain)
    names = (*chain.steps, COMPLETED, FAILED)
    ways: dict = {}
    for at in range(len(structure.source)):
        key = (names[structure.source[at]], bool(structure.succeeded[at]))
        ways.setdefault(key, {})[names[structure.target[at]]] = float(shares[at])
    return chain.with_steps({
        step_id: replace(step, success=float(success[at]), after_success=ways[step_id, True], after_failure=ways[step_id, False])
        for at, (step_id, step) in enumerate(chain.steps.items())
    })  # fmt: skip


def _ring(count: int, leave: float) -> Chain:
    """A loop of many steps that is left once in 1 / leave rounds, to a good end in one of four cases."""
    steps = {
        f"s{at}": ChainStep(success=1.0, after_success={f"s{(at + 1) % count}": 1.0}, after_failure={FAILED: 1.0})
        for at in range(count)
    }
    out = {"s0": 1 - leave, COMPLETED: leave / 4, FAILED: 3 * leave / 4}
    steps[f"s{count - 1}"] = ChainStep(success=1.0, after_success=out, after_failure={FAILED: 1.0})
    return Chain("ring", "s0", steps)


@pytest.mark.parametrize("count", [2, 30, 41, 200])
@pytest.mark.parametrize("leave", [0.5, 1e-3, 1e-12])
def test_a_loop_that_is_hardly_ever_left_is_solved_to_the_last_digits(count: int, leave: float):
    found = solve(_ring(count, leave))
    assert found.p_success == pytest.approx(0.25, rel=1e-9)
    assert found.visits == pytest.approx(np.full(count, 1 / leave), rel=1e-9)


def test_a_step_that_is_repeated_until_it_succeeds_once_in_a_trillion_times_is_right():
    step = ChainStep(success=1e-12, after_success={COMPLETED: 1.0}, after_failure={"s0": 1.0}, retries=3)
    found = solve(Chain("stubborn", "s0", {"s0": step}))
    assert found.p_success == 1
    assert found.attempts_expected == pytest.approx(1e12, rel=1e-9)


def test_a_failure_that_is_tiny_keeps_its_digits():
    step = in_a_row(1 - 1e-9, retries=2).steps["s0"]
    assert step.visit_failure == pytest.approx(1e-27, rel=1e-6)


def test_a_run_that_could_go_on_for_ever_is_refused():
    steps = {
        "write": ChainStep(success=1.0, after_success={"review": 1.0}, after_failure={FAILED: 1.0}),
        "review": ChainStep(success=0.0, after_success={COMPLETED: 1.0}, after_failure={"write": 1.0}),
    }
    with pytest.raises(ChainError, match=r"no way leads from 'write', 'review' to an end") as caught:
        solve(Chain("endless", "write", steps))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_trap_that_no_run_comes_to_does_no_harm():
    row = in_a_row(0.9, 0.8)
    trap = ChainStep(success=1.0, after_success={"trap": 1.0}, after_failure={"trap": 1.0})
    found = solve(row.with_steps({"trap": trap}))
    assert found.p_success == pytest.approx(0.72)
    assert (found.visits[2], found.completes_from[2]) == (0, 0)


def test_a_step_called_failed_loses_no_run_but_the_one_before_it_does():
    steps = {
        "a": ChainStep(success=0.9, after_success={"b": 1.0}, after_failure={"failed": 1.0}),
        "b": ChainStep(success=0.5, after_success={COMPLETED: 1.0}, after_failure={FAILED: 1.0}),
        "failed": ChainStep(success=1.0, after_success={FAILED: 1.0}, after_failure={FAILED: 1.0}),
    }
    assert solve(Chain("two", "a", steps)).lost == pytest.approx([0.1, 0.45, 0])


def test_a_workflow_that_never_completes_loses_all_runs_where_it_begins():
    assert solve(in_a_row(0.0, 0.5)).lost.tolist() == [1, 0]


def test_a_large_chain_is_solved_as_a_small_one():
    p = np.random.default_rng(1).uniform(0.99, 1, 1_000)
    found = solve(in_a_row(*p.tolist()))
    assert found.p_success == pytest.approx(float(np.prod(p)), rel=1e-12)
    assert found.visits == pytest.approx(np.concatenate([[1.0], np.cumprod(p)[:-1]]), rel=1e-12)


@settings(deadline=None, max_examples=examples(60))
@given(chains())
def test_the_fundamental_matrix_is_that_of_the_textbook(chain: Chain):
    structure, success, ways = structure_of(chain)
    visits, _ = textbook(chain)
    reached = solve(chain).visits > 0
    found = fundamental(structure, structure.shares(success, ways))
    assert np.allclose(found[np.ix_(reached, reached)], visits[np.ix_(reached, reached)])


@settings(deadline=None, max_examples=examples(60))
@given(chains())
def test_one_more_retry_never_makes_a_visit_fail_more_often(chain: Chain):
    from dataclasses import replace

    for step in chain.steps.values():
        more = replace(step, retries=step.retries + 1)
        assert more.visit_success >= step.visit_success - 1e-15
        assert more.visit_failure <= step.visit_failure + 1e-15
        assert more.attempts >= step.attempts - 1e-15
