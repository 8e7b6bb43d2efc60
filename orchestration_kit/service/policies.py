"""Weights of what a run takes become the best choice at every step: policy iteration, for many problems at once.

A policy is one choice at each step. With weights w >= 0 the expected total of w . (lost, USD, seconds) is that of a
stochastic shortest path, and Howard's policy iteration finds the policy that is least at every step at once (Bertsekas
and Tsitsiklis, An analysis of stochastic shortest path problems, Mathematics of Operations Research 16, 1991).

A choice is changed only where that is strictly better. A proper policy, under which every run ends, then stays proper:
were the new one to stay in some steps for ever, V >= c + P V there, summed with the stationary probabilities, leaves
c = 0 and equality everywhere, so that nothing had been changed in any of them. At the end V <= c_a + P_a V for all
choices a, hence V <= the value of every proper policy, as P_a^n V goes to 0: no assumption on the others is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.service.choices import Choices

    Array = np.ndarray[Any, Any]

STRICT = 1e-13
"""By this share of its value at least a step must gain for its choice to change."""
_ROUNDS = 200
"""Rounds until it is given up: a dozen are many, and more come of rounding alone."""
_NUMBERS = 4_000_000
_ROUNDING, _ENDLESS = 1e-14, 1e200


@dataclass(frozen=True, slots=True, eq=False)
class Least:
    """The best policies of B problems."""

    policy: Array
    """(B, k) the choice at each step."""
    amounts: Array
    """(B, 3) what a run takes with it: lost, USD, seconds."""
    value: Array
    """(B,) its weighted total: no policy allowed has less."""


def at_once_of(k: int) -> int:
    """Return how many problems of k steps are held in memory together."""
    return max(1, _NUMBERS // max(1, k * k))


def matrices(choices: Choices, policy: Array) -> Array:
    """Return I - P of policies, (B, k, k)."""
    import numpy as np

    k = len(choices.steps)
    at = np.arange(k)
    moves = choices.to[at, policy]
    moves[:, at, at] = 0.0
    matrix = -moves
    # what leaves is summed, not subtracted from 1: exact where a loop is left seldom
    matrix[:, at, at] = moves.sum(axis=2) + choices.ends[at, policy]
    return matrix


def amounts_of(choices: Choices, policy: Array) -> Array:
    """Return what a run takes with each of B proper policies: lost, USD, seconds, (B, 3).

    Args:
        choices: What there is to choose.
        policy: (B, k) the choice at each step.
    """
    import numpy as np

    if not choices.steps:
        return np.broadcast_to(choices.before, (len(policy), 3)).copy()
    at_once = at_once_of(len(choices.steps))
    if len(policy) > at_once:
        parts = [policy[at : at + at_once] for at in range(0, len(policy), at_once)]
        return np.concatenate([amounts_of(choices, part) for part in parts])
    taken = choices.amounts[np.arange(len(choices.steps)), policy]
    found = np.linalg.solve(matrices(choices, policy), taken)
    return choices.before + np.einsum("k,bkm->bm", choices.start, found)


def amounts_changed(choices: Choices, policy: Array) -> Array:
    """Return what a run takes if one choice of a proper policy is exchanged for another, but for rounding: (k, A, 3).

    With N = (I - P)^-1, one row of P is exchanged (Sherman and Morrison 1950): the step is visited as often as before
    over 1 - (what the new row adds) N. Where a run would never end, that is a very high number.
    """
    import numpy as np

    at = np.arange(len(choices.steps))
    inverse = cast("Array", np.linalg.inv(matrices(choices, policy[None])[0]))
    totals: Array = inverse @ choices.amounts[at, policy]
    gains: Array = choices.amounts + choices.to @ totals - totals[:, None]
    # of the row as `matrices` has it: 1 - P there is what leaves
    leaves = choices.ends + choices.to.sum(axis=2) - choices.to[at, :, at]
    onward: Array = np.einsum("kaj,jk->ka", choices.to, inverse) - choices.to[at, :, at] * inverse[at, at][:, None]
    again: Array = leaves * inverse[at, at][:, None] - onward
    ends = again > _ROUNDING * leaves * inverse[at, at][:, None]
    share = (choices.start @ inverse)[:, None] / np.where(ends, again, 1.0)
    found = choices.before + choices.start @ totals + share[:, :, None] * gains
    return np.where(ends[:, :, None], found, _ENDLESS)


def is_proper(choices: Choices, policy: Array) -> Array:
    """Return of each of B policies whether every run ends with it, wherever it begins: (B,)."""
    import numpy as np

    at = np.arange(len(choices.steps))
    if not choices.may_loop:
        return np.ones(len(policy), bool)
    moves = choices.to[at, policy] > 0
    ending = choices.ends[at, policy] > 0
    while True:
        more = ending | (moves & ending[:, None, :]).any(axis=2)
        if (more == ending).all():
            return np.asarray(ending.all(axis=1))
        ending = more


def proper_policy(choices: Choices, allowed: Array) -> Array | None:
    """Return a policy with which every run ends, wherever it begins, (k,); None if there is none.

    Args:
        choices: What there is to choose.
        allowed: (k, A) which of it is allowed.
    """
    import numpy as np

    policy = np.zeros(len(allowed), np.int64)
    ending = np.zeros(len(allowed), bool)
    while not ending.all():
        leads = allowed & ((choices.ends > 0) | ((choices.to > 0) & ending).any(axis=2))
        new = leads.any(axis=1) & ~ending
        if not new.any():
            return None
        policy[new] = leads[new].argmax(axis=1)
        ending |= new
    return policy


def least(choices: Choices, allowed: Array, policy: Array, weights: Array) -> Least:
    """Return the policies with the least weighted totals.

    Args:
        choices: What there is to choose.
        allowed: (B, k, A) which of it is allowed.
        policy: (B, k) proper policies to begin with, allowed ones.
        weights: (B, 3) of lost, USD and seconds, none below 0.
    """
    import numpy as np

    count, k = policy.shape
    width = choices.there.shape[1]
    if not k:
        amounts = amounts_of(choices, policy)
        return Least(policy, amounts, (amounts * weights).sum(axis=1))
    at = cast("Array", np.arange(k))
    to = choices.to.reshape(k * width, k).T
    amounts = choices.amounts.reshape(k * width, 3).T
    policy = policy.copy()
    values = np.zeros((count, k))
    active = cast("Array", np.arange(count))
    for _ in range(_ROUNDS):
        chosen, own = policy[active], weights[active]
        taken = choices.amounts[at, chosen] @ own[:, :, None]
        found = np.linalg.solve(matrices(choices, chosen), taken)[:, :, 0]
        values[active] = found
        ahead = (own @ amounts + found @ to).reshape(-1, k, width)
        ahead[~allowed[active]] = np.inf
        best = ahead.argmin(axis=2)
        gains = np.take_along_axis(ahead, best[:, :, None], 2)[:, :, 0] < found - STRICT * (
            found + found.max(axis=1)[:, None]
        )
        changed = gains.any(axis=1)
        if not changed.any():
            break
        active, best, gains = active[changed], best[changed], gains[changed]
        policy[active] = np.where(gains, best, policy[active])
    else:
        values[active] = -np.inf  # no bound is known, rather than a wrong one
    totals = values @ choices.start + weights @ choices.before
    return Least(policy, amounts_of(choices, policy), totals)
