"""A problem with limits becomes the best choice, and the proof: branch and bound over what is chosen at a step.

A subproblem has the choice at some steps made. Its lower bound (see `bounds.py`) tells whether it can hold anything
better than the best policy within the limits so far; if not, it is put aside, else one more step is decided. Where two
policies share the best price, one within the limit and one beyond it, they differ at the step that is decided next.
What is chosen at a step that no run comes to changes nothing, so that it is enough to look at proper policies.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.service.bounds import SLACK, Problem, Relaxed, relaxed
from orchestration_kit.service.policies import amounts_changed, amounts_of, at_once_of, is_proper, proper_policy

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.service.choices import Choices

    Array = np.ndarray[Any, Any]

_AT_ONCE = 16
_TRIED = 10
"""Of changes that look better, so many are looked at again, without the rounding of a formula for all."""
_TINY = 1e-15


@dataclass(slots=True, eq=False)
class Found:
    """What came of a search."""

    policy: Array | None = None
    """(k,) the best policy within the limits; None if there is none."""
    amounts: Array | None = None
    """(3,) what it takes: lost, USD, seconds."""
    total: float = float("inf")
    """What was to be least."""
    bound: float = float("inf")
    """No policy within the limits has less than this, but for `SLACK`."""
    nodes: int = 0
    """Subproblems that were bounded."""
    is_proven: bool = True


class Search:
    """Finds the least of a problem."""

    def __init__(self, choices: Choices, problem: Problem, *, max_nodes: int) -> None:
        self.choices, self.problem, self.max_nodes = choices, problem, max_nodes
        self.left = choices.there.copy()
        """(k, A) what may still be better than the best so far."""
        self.found = Found()
        self._open: list[tuple[float, int, Array, Array, Array]] = []
        self._count = 0

    @property
    def cut(self) -> float:
        """A subproblem whose bound is no lower holds nothing that is better."""
        total = self.found.total
        return total if self.found.policy is None else total - self._tolerance - _TINY

    @property
    def _tolerance(self) -> float:
        tolerance = self.problem.tolerance
        return SLACK * abs(self.found.total) if tolerance is None else tolerance

    def run(self, known: Array | None = None) -> Found:
        """Return the best policy within the limits.

        Args:
            known: (M, k) policies to begin with.
        """
        import numpy as np

        choices, problem = self.choices, self.problem
        k = len(choices.steps)
        if known is not None and len(known):
            self._offer(known, amounts_of(choices, known))
        self._bound(np.full((1, k), -1), np.zeros((1, k), np.int64), np.zeros((1, len(problem.most))))
        if self._open and self.found.policy is not None:
            self._improve()
            self._fix()
        while self._open:
            if self.found.nodes >= self.max_nodes:
                self.found.is_proven = False
                break
            self._step()
        lowest = min((entry[0] for entry in self._open), default=self.found.total)
        self.found.bound = min(lowest, self.found.total)
        return self.found

    def _step(self) -> None:
        """Decide one more step of the subproblems that promise most."""
        import numpy as np

        fixes: list[Array] = []
        policies: list[Array] = []
        prices: list[Array] = []
        for _ in range(min(_AT_ONCE, len(self._open))):
            bound, _, fixed, pair, price = heapq.heappop(self._open)
            if bound >= self.cut:
                self._open.clear()
                break
            step = self._to_decide(fixed, pair)
            if step is None:
                continue
            for action in np.flatnonzero(self.left[step]).tolist():
                fixes.append(fixed.copy())
                fixes[-1][step] = action
                policies.append(pair[0].copy())
                policies[-1][step] = action
                prices.append(price)
        if fixes:
            self._bound(np.array(fixes), np.array(policies), np.array(prices).reshape(len(fixes), -1))

    def _to_decide(self, fixed: Array, pair: Array) -> int | None:
        import numpy as np

        free = (fixed < 0) & (self.left.sum(axis=1) > 1)
        differ = free & (pair[0] != pair[1])
        steps = np.flatnonzero(differ if differ.any() else free)
        return int(steps[0]) if len(steps) else None

    def _allowed(self, fixed: Array) -> Array:
        """Return what subproblems allow, (B, k, A)."""
        import numpy as np

        found = np.repeat(self.left[None], len(fixed), axis=0)
        nodes, steps = np.nonzero(fixed >= 0)
        found[nodes, steps] = False
        found[nodes, steps, fixed[nodes, steps]] = True
        return found

    def _bound(self, fixed: Array, policy: Array, prices: Array) -> None:
        """Bound subproblems, and keep those that may hold something better."""
        at_once = at_once_of(fixed.shape[1])
        for at in range(0, len(fixed), at_once):
            some = slice(at, at + at_once)
            self._bound_some(fixed[some], policy[some], prices[some])

    def _bound_some(self, fixed: Array, policy: Array, prices: Array) -> None:
        import numpy as np

        allowed = self._allowed(fixed)
        inside = np.take_along_axis(allowed, policy[:, :, None], 2)[:, :, 0].all(axis=1)
        usable = inside & is_proper(self.choices, policy)
        keep = np.ones(len(fixed), bool)
        for at in np.flatnonzero(~usable).tolist():
            other = proper_policy(self.choices, allowed[at])
            if other is None:
                keep[at] = False
            else:
                policy[at] = other
        if not keep.any():
            return
        fixed = fixed[keep]
        result = relaxed(self.choices, self.problem, (allowed[keep], policy[keep], prices[keep]), self.cut)
        self.found.nodes += len(fixed)
        self._offer(result.policies, result.amounts)
        self._push(fixed, result)

    def _push(self, fixed: Array, result: Relaxed) -> None:
        import numpy as np

        for at in np.flatnonzero(result.bound < self.cut).tolist():
            self._count += 1
            pair = np.array([result.inside[at], result.outside[at]])
            heapq.heappush(self._open, (float(result.bound[at]), self._count, fixed[at], pair, result.prices[at]))

    def _offer(self, policies: Array, amounts: Array) -> bool:
        """Take the best of some policies, where it is better than the best so far."""
        import numpy as np

        kept = np.flatnonzero(self.problem.kept(amounts))
        if not len(kept):
            return False
        totals = self.problem.totals(amounts[kept])
        at = int(totals.argmin())
        if not totals[at] < self.found.total:
            return False
        best = kept[at]
        self.found.policy, self.found.amounts, self.found.total = policies[best], amounts[best], float(totals[at])
        return True

    def _improve(self) -> None:
        """Change single choices of the best policy, as long as that is better."""
        import numpy as np

        while self.found.policy is not None:
            before, policy = self.found.total, self.found.policy
            amounts = amounts_changed(self.choices, policy)
            width = amounts.shape[1]
            promising = self.left.ravel() & self.problem.kept(amounts.reshape(-1, 3))
            totals = np.where(promising, self.problem.totals(amounts.reshape(-1, 3)), np.inf)
            order = np.argsort(totals, kind="stable")[:_TRIED]
            order = order[totals[order] < before]
            tried = np.repeat(policy[None], len(order), axis=0)
            tried[np.arange(len(order)), order // width] = order % width
            tried = tried[is_proper(self.choices, tried)]
            self._offer(tried, amounts_of(self.choices, tried))
            if self.found.total >= before - self._tolerance:
                break

    def _fix(self) -> None:
        """Take away each choice with which nothing better can be had."""
        import numpy as np

        bound, _, fixed, pair, price = heapq.heappop(self._open)
        if bound >= self.cut:
            return
        steps, actions = np.nonzero(self.left)
        one = np.repeat(fixed[None], len(steps), axis=0)
        one[np.arange(len(steps)), steps] = actions
        policy = np.repeat(pair[:1], len(steps), axis=0)
        policy[np.arange(len(steps)), steps] = actions
        self._bound(one, policy, np.repeat(price[None], len(steps), axis=0))
        left = np.zeros_like(self.left)
        for entry in self._open:
            step = int(np.flatnonzero(entry[2] >= 0)[0])
            left[step, entry[2][step]] = True
        self._open.clear()
        if not left.any(axis=1).all():
            return  # every choice at some step is worse: what is known is best
        self.left = left
        self._bound(fixed[None], pair[:1], price[None])
