"""A choice under limits becomes one without: each limit is paid for by a price, and what is left is a lower bound.

For prices mu >= 0 the least of w . m + mu . (G m - h) over all policies is no more than the least w . m of those within
the limits G m <= h (Lagrangian relaxation: Everett, Operations Research 11, 1963; Geoffrion 1974), whatever the prices.
The best price of a limit lies where a policy within it and one beyond it cost the same: from two such policies the next
price follows, until no policy is below the line through both (Handler and Zang, A dual algorithm for the constrained
shortest path problem, Networks 10, 1980). With two limits they take turns, which is valid if not always tightest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.service.policies import least

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.service.choices import Choices

    Array = np.ndarray[Any, Any]

SLACK = 1e-9
"""A limit is kept where it is passed by no more than this; a result is the best but for this share of it."""
_ROUNDS = 40
"""Prices that are tried at most; fewer than 10 are, as a rule, and any number makes a valid bound."""
_FLAT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """The least w . m + offset, of the policies within limits."""

    weights: Array
    """(3,) of lost, USD and seconds; none below 0."""
    limits: Array
    """(J, 3) of the same; none below 0."""
    most: Array
    """(J,) what each limit may come to, rounding allowed for."""
    offset: float = 0.0
    tolerance: float | None = None
    """A policy that is better by less than this need not be found; None: by a share of `SLACK`."""

    def kept(self, amounts: Array) -> Array:
        """Return which of B policies are within all limits: (B,)."""
        import numpy as np

        return np.asarray((amounts @ self.limits.T <= self.most).all(axis=1))

    def totals(self, amounts: Array) -> Array:
        """Return what is to be least, of B policies: (B,)."""
        return amounts @ self.weights + self.offset


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """What is known of B subproblems."""

    bound: Array
    """(B,) no policy within the limits has less; inf where there is none."""
    prices: Array
    """(B, J) the prices that show it."""
    inside: Array
    """(B, k) a policy that is best at these prices, within the limit looked at last if there is one."""
    outside: Array
    """(B, k) another one, beyond it."""
    policies: Array
    """(M, k) all policies that were met."""
    amounts: Array
    """(M, 3) what they take."""


def relaxed(choices: Choices, problem: Problem, nodes: tuple[Array, Array, Array], cut: float) -> Relaxed:
    """Return lower bounds of subproblems, until each is no less than `cut`, or as high as prices make it.

    Args:
        choices: What there is to choose.
        problem: What is to be least, and the limits.
        nodes: (B, k, A) what is allowed; (B, k) proper policies to begin with; (B, J) prices to begin with.
        cut: No bound need be higher.
    """
    import numpy as np

    allowed, policy, prices = nodes
    count = len(policy)
    met: list[tuple[Array, Array]] = []
    state = Relaxed(
        np.full(count, -np.inf), prices.copy(), policy.copy(), policy.copy(), np.zeros((0, 0)), np.zeros((0, 0))
    )
    if not len(problem.most):
        found = least(choices, allowed, policy, np.broadcast_to(problem.weights, (count, 3)))
        state.bound[:] = found.value + problem.offset
        state.inside[:], state.outside[:] = found.policy, found.policy
        met.append((found.policy, found.amounts))
    turns = len(problem.most) if len(problem.most) < 2 else 2 * len(problem.most)
    for turn in range(turns):
        rows = np.flatnonzero(state.bound < cut)
        if not len(rows):
            break
        met += _priced(choices, problem, (allowed, state, rows), (turn % len(problem.most), cut))
    return Relaxed(
        state.bound,
        state.prices,
        state.inside,
        state.outside,
        np.concatenate([one for one, _ in met]),
        np.concatenate([one for _, one in met]),
    )


def _priced(
    choices: Choices, problem: Problem, nodes: tuple[Array, Relaxed, Array], way: tuple[int, float]
) -> list[tuple[Array, Array]]:
    """Raise the bounds of some subproblems by the price of one limit; return the policies met."""
    import numpy as np

    (allowed, state, rows), (j, cut) = nodes, way
    limit, most = problem.limits[j], problem.most[j]
    price: Array = state.prices[rows, j].copy()
    others: Array = state.prices[rows].copy()
    others[:, j] = 0.0
    weights: Array = problem.weights + others @ problem.limits  # of all but this limit
    offset: Array = problem.offset - others @ problem.most
    inside, outside = (cast("Array", np.full((len(rows), 3), np.nan)) for _ in range(2))  # what two policies take
    policy: Array = state.inside[rows].copy()
    met: list[tuple[Array, Array]] = []
    going = cast("Array", np.arange(len(rows)))
    is_extreme = cast(
        "Array", np.zeros(len(rows), bool)
    )  # whether the limit alone is to be least, as at an endless price
    for _ in range(_ROUNDS):
        extreme, own_price = is_extreme[going], price[going]
        priced = weights[going] + own_price[:, None] * limit
        own = cast("Array", np.where(extreme[:, None], limit, priced))
        found = least(choices, allowed[rows[going]], policy[going], own)
        met.append((found.policy, found.amounts))
        policy[going] = found.policy
        is_in: Array = found.amounts @ limit <= most
        bound: Array = found.value - own_price * most + offset[going]
        bound[extreme] = np.where(is_in[extreme], -np.inf, np.inf)  # nothing is within the limit, or nothing is known
        better: Array = bound > state.bound[rows[going]]
        state.bound[rows[going[better]]] = bound[better]
        state.prices[rows[going[better]], j] = own_price[better]
        state.inside[rows[going[is_in]]] = found.policy[is_in]
        state.outside[rows[going[~is_in]]] = found.policy[~is_in]
        # nothing is below the line through both: no other price shows more
        line: Array = (inside[going] * own).sum(axis=1)
        is_flat: Array = (found.value >= line - _FLAT * np.abs(line)) & ~np.isnan(outside[going, 0]) & ~extreme
        done = (state.bound[rows[going]] >= cut) | is_flat | (is_in & (own_price <= 0) & ~extreme)
        inside[going[is_in]], outside[going[~is_in]] = found.amounts[is_in], found.amounts[~is_in]
        going = going[~done]
        if not len(going):
            break
        no_in, no_out = np.isnan(inside[going, 0]), np.isnan(outside[going, 0])
        is_extreme[going] = no_in
        apart: Array = outside[going] - inside[going]
        with np.errstate(invalid="ignore", divide="ignore"):
            slope: Array = -(apart * weights[going]).sum(axis=1) / (apart @ limit)
        price[going] = np.where(no_out, 0.0, np.where(no_in, price[going], np.maximum(slope, 0.0)))
    return met
