"""What is wanted of a choice becomes problems, one after another: what is best first, then what decides a tie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.service.bounds import SLACK, Problem
from orchestration_kit.service.branching import Found, Search
from orchestration_kit.service.choices import COST, LOST, TIME
from orchestration_kit.service.errors import NoChoice
from orchestration_kit.service.policies import amounts_changed, amounts_of, is_proper
from orchestration_kit.service.series import front_of

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.service.choices import Choices

    Array = np.ndarray[Any, Any]

_SAME = 1e-12
"""Choices whose objectives differ by no more than this share come to the same."""
_LOOSE = 1e-6
Limit = tuple["Array", float]
"""Weights of lost, USD and seconds, and what they may come to, rounding allowed for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a choice must keep."""

    target_success: float | None = None
    budget_usd: float | None = None


class Stages:
    """Finds the best choice by a sequence of problems."""

    def __init__(self, workflow: str, choices: Choices, limits: Limits, *, max_nodes: int) -> None:
        self.workflow, self.choices, self.limits, self.max_nodes = workflow, choices, limits, max_nodes
        self.nodes = 0
        self.gap = 0.0
        self.is_proven = True
        self._front: Array | None = None
        self._looked = False

    def best(self, objective: str) -> Array:
        """Return the best policy, (k,).

        Raises:
            NoChoice: nothing keeps the limits.
        """
        kept = self._kept(self.limits)
        known = self._within(kept)
        if objective == "value":
            policy, also = self._value(kept, known)
        else:
            first = {"cost": COST, "success": LOST, "time": TIME}[objective]
            found = self._least(_one(first), kept, known=known)
            policy = self._policy(found)
            self.gap = found.total - found.bound
            also = [*kept, _no_more(_one(first), found.total)]
            if objective != "cost":
                policy = self._then(_one(COST), also, policy)
                also.append(_no_more(_one(COST), float(self._amounts(policy)[COST])))
        return self._polished(policy, also)

    def _within(self, kept: list[Limit]) -> Array | None:
        """Return a policy within both limits, if there are two: what reaches the target is cheapest within no budget.

        Of a problem with one limit it is known at once whether anything is within it.
        """
        if len(kept) < 2:
            return None
        found = self._least(_one(COST), kept[:1])
        if found.policy is None or (found.is_proven and found.total > kept[1][1]):
            raise self._none(is_proven=found.is_proven)
        return found.policy if found.total <= kept[1][1] else None

    def _value(self, kept: list[Limit], known: Array | None) -> tuple[Array, list[Limit]]:
        """Return the policy of the least cost a success, then of the least time a success, then of the most success."""
        found = self._least(_one(LOST), kept, known=known)
        policy = self._policy(found)
        if self._amounts(policy)[LOST] >= 1.0 - _SAME:
            raise self._none(is_proven=found.is_proven)
        also = list(kept)
        for of in (COST, TIME):
            policy, ratio = self._least_a_success(of, also, policy)
            # x / (1 - lost) <= ratio, as x + ratio * lost <= ratio
            also.append(_no_more(_one(of) + ratio * _one(LOST), ratio))
        policy = self._then(_one(LOST), also, policy)
        also.append(_no_more(_one(LOST), float(self._amounts(policy)[LOST])))
        return policy, also

    def _least_a_success(self, of: int, kept: list[Limit], policy: Array) -> tuple[Array, float]:
        """Return the policy of the least x / P(success) (Dinkelbach, Management Science 13, 1967).

        At the least ratio r, x - r P is 0 at least; at a higher one some policy is below 0, and its ratio is less.
        There are only so many policies, and no ratio comes twice.
        """
        while True:
            amounts = self._amounts(policy)
            ratio = float(amounts[of] / (1 - amounts[LOST]))
            # a tolerance of its own, as the least is near 0
            apart = (-ratio, SLACK * float(amounts[of]))
            found = self._least(_one(of) + ratio * _one(LOST), kept, apart=apart, known=policy)
            better = self._policy(found)
            if of == COST and not found.is_proven:
                # cost - ratio * P >= bound for all, so that cost / P >= ratio + bound / P
                least_p = self.limits.target_success or 0.0
                self.gap = min(-found.bound / least_p, ratio) if least_p else ratio
            if found.total >= -_SAME * amounts[of]:
                return policy, ratio
            policy = better  # it succeeds at times, as x - r P is below 0

    def _then(self, weights: Array, kept: list[Limit], policy: Array) -> Array:
        """Return the policy that is best by what decides a tie."""
        return self._policy(self._least(weights, kept, known=policy))

    def _least(
        self,
        weights: Array,
        kept: list[Limit],
        *,
        apart: tuple[float, float | None] = (0.0, None),
        known: Array | None = None,
    ) -> Found:
        """Return the least of weights within limits."""
        import numpy as np

        problem = Problem(
            weights,
            np.array([limit for limit, _ in kept]).reshape(-1, 3),
            np.array([most for _, most in kept]),
            *apart,
        )
        timed = weights[TIME] > 0 or any(limit[TIME] > 0 for limit, _ in kept)
        front = None if timed else self._worth()
        if front is not None:
            found = Found()
            amounts = amounts_of(self.choices, front)
            within = np.flatnonzero(problem.kept(amounts))
            found.nodes = len(front)
            if len(within):
                totals = problem.totals(amounts[within])
                at = int(totals.argmin())
                found.policy, found.amounts = front[within[at]], amounts[within[at]]
                found.total = found.bound = float(totals[at])
        else:
            seeds = None if known is None else known[None]
            found = Search(self.choices, problem, max_nodes=max(self.max_nodes - self.nodes, 1)).run(seeds)
        self.nodes += found.nodes
        self.is_proven &= found.is_proven
        return found

    def _worth(self) -> Array | None:
        if not self._looked:
            self._looked = True
            self._front = front_of(self.choices)
        return self._front

    def _policy(self, found: Found) -> Array:
        if found.policy is None:
            raise self._none(is_proven=found.is_proven)
        return found.policy

    def _amounts(self, policy: Array) -> Array:
        return amounts_of(self.choices, policy[None])[0]

    def _kept(self, limits: Limits) -> list[Limit]:
        kept: list[Limit] = []
        if limits.target_success is not None:
            kept.append((_one(LOST), 1 - limits.target_success + SLACK))
        if limits.budget_usd is not None and limits.budget_usd != float("inf"):
            kept.append((_one(COST), limits.budget_usd * (1 + SLACK)))
        return kept

    def _polished(self, policy: Array, kept: list[Limit]) -> Array:
        """Return a policy that is as good, and of lower rank at each step: fewer retries, an option given earlier."""
        import numpy as np

        weights = np.array([limit for limit, _ in kept]).reshape(-1, 3)
        most = np.array([most for _, most in kept])
        policy = policy.copy()
        loose = most + _LOOSE * (1 + np.abs(most))
        changed = len(policy) > 0
        while changed:
            changed = False
            # one formula for all, rounding allowed for; what comes of it is looked at again
            likely = np.asarray((amounts_changed(self.choices, policy) @ weights.T <= loose).all(axis=2))
            for at in range(len(policy)):
                lower = np.flatnonzero(likely[at, : policy[at]])
                tried = np.repeat(policy[None], len(lower), axis=0)
                tried[:, at] = lower
                tried = tried[is_proper(self.choices, tried)]
                same = (amounts_of(self.choices, tried) @ weights.T <= most).all(axis=1)
                if same.any():
                    policy = tried[int(same.argmax())]
                    changed = True
                    break
        return policy

    def _none(self, *, is_proven: bool) -> NoChoice:
        """Return what could be had, as an error."""
        target, budget = self.limits.target_success, self.limits.budget_usd
        most = self._least(_one(LOST), [])
        highest = self._then(_one(COST), [_no_more(_one(LOST), most.total)], self._policy(most))
        cheapest = self._least(_one(COST), [])
        reaching = self._least(_one(COST), self._kept(Limits(target, None)))
        affordable = self._least(_one(LOST), self._kept(Limits(None, budget)))
        amounts = self._amounts(highest)
        return NoChoice(
            self.workflow,
            (target, budget),
            (1 - float(amounts[LOST]), float(amounts[COST])),
            cheapest.total,
            None if reaching.policy is None else reaching.total,
            None if affordable.policy is None else 1 - affordable.total,
            is_proven and self.is_proven,
        )


def _one(which: int) -> Array:
    import numpy as np

    found = np.zeros(3)
    found[which] = 1.0
    return found


def _no_more(weights: Array, total: float) -> Limit:
    """Return the limit that something does not get worse."""
    return weights, total + _SAME * abs(total) + 1e-15
