"""Random chains, and the textbook's way of solving them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from orchestration_kit.reliability import COMPLETED, FAILED, Chain, ChainStep, Took

SHARES = st.integers(1, 20)


@st.composite
def chains(draw: st.DrawFn, *, most: int = 6, loops: bool = True) -> Chain:
    """Chains in which every visit may end the run, so that all of them do."""
    count = draw(st.integers(1, most))
    names = [f"s{at}" for at in range(count)]

    def ways(at: int) -> dict[str, float]:
        onward = names if loops else names[at + 1 :]
        targets = draw(st.lists(st.sampled_from([*onward, COMPLETED, FAILED]), min_size=1, max_size=3, unique=True))
        weights = [draw(SHARES) for _ in targets]
        return {target: weight / sum(weights) for target, weight in zip(targets, weights, strict=True)}

    def leads_out(shares: dict[str, float]) -> dict[str, float]:
        return {**{to: share * 0.9 for to, share in shares.items()}, FAILED: shares.get(FAILED, 0) * 0.9 + 0.1}

    def took() -> Took:
        return Took(time_s=draw(st.floats(0, 9)), tokens=draw(st.integers(0, 99)), cost_usd=draw(st.floats(0, 1)))

    steps = {
        name: ChainStep(
            success=draw(st.sampled_from([0.0, 1.0]) | st.floats(0.05, 0.95)),
            after_success=leads_out(ways(at)),
            after_failure=leads_out(ways(at)),
            retries=draw(st.integers(0, 3)),
            retried=draw(st.sampled_from([1.0, 1.0, 0.5, 0.0])),
            on_success=took(),
            on_failure=took(),
        )
        for at, name in enumerate(names)
    }
    return Chain("random", "s0", steps)


def textbook(chain: Chain) -> tuple[Any, Any]:
    """The fundamental matrix (I - Q)^-1, and the chances of both ends from each step, dense and without any care."""
    places = {step: at for at, step in enumerate((*chain.steps, COMPLETED, FAILED))}
    n = len(chain.steps)
    moves = np.zeros((n, n + 2))
    for at, step in enumerate(chain.steps.values()):
        p_visit = 0.0
        attempts_left = 1.0
        for attempt in range(step.retries + 1):
            p_visit += attempts_left * step.success
            last = attempt == step.retries
            attempts_left *= (1 - step.success) * (0 if last else step.retried)
        for chance, ways in ((p_visit, step.after_success), (1 - p_visit, step.after_failure)):
            for target, share in ways.items():
                moves[at, places[target]] += chance * share
    fundamental = np.linalg.inv(np.eye(n) - moves[:, :n])
    return fundamental, fundamental @ moves[:, n:]


def in_a_row(*success: float, retries: int = 0) -> Chain:
    """A chain of steps that have to succeed one after the other."""
    names = [f"s{at}" for at in range(len(success))]
    steps = {
        name: ChainStep(success=p, after_success={onward: 1.0}, after_failure={FAILED: 1.0}, retries=retries)
        for name, p, onward in zip(names, success, [*names[1:], COMPLETED], strict=True)
    }
    return Chain("row", "s0", steps)
