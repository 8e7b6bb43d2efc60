"""The choices at the steps of a chain become arrays: what each leads to, and takes, until there is a choice again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import listed
from orchestration_kit.reliability.chain import COMPLETED, FAILED
from orchestration_kit.reliability.errors import ChainError
from orchestration_kit.service.options import Action

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.chain import Chain

    Array = np.ndarray[Any, Any]

LOST, COST, TIME = 0, 1, 2
"""What is counted of a run: the chance that it is lost, USD, seconds."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Choices:
    """The k steps where there is a choice that matters, and up to A choices at each; the others are worked in.

    Steps with one choice are eliminated: what a run takes and where it comes to, until the next step with a choice, is
    linear in where it set out (a censored chain: Kemeny and Snell, Finite Markov Chains, 1960, section 6.1).
    """

    steps: tuple[str, ...]
    actions: tuple[tuple[Action, ...], ...]
    fixed: Mapping[str, Action]
    """The steps with options where nothing is left to choose, or which no run comes to."""
    there: Array
    """(k, A) whether there is such a choice."""
    to: Array
    """(k, A, k) expected to come to each step with a choice next."""
    ends: Array
    """(k, A) probability to come to an end before the next step with a choice."""
    amounts: Array
    """(k, A, 3) expected on the way there: lost, USD, seconds."""
    start: Array
    """(k,) probability that a step is the first one with a choice."""
    before: Array
    """(3,) lost, USD and seconds before that."""
    may_loop: bool
    """Whether some choice makes a loop without an end."""


def choices_of(chain: Chain, actions: Mapping[str, Sequence[Action]]) -> Choices:
    """Return the choices of a chain as arrays, steps in the order of their names.

    Raises:
        ChainError: whatever is chosen, a run may come to where it never ends.
    """
    every = {
        step: list(actions[step]) if step in actions else [Action((0, 0), chain.steps[step])] for step in chain.steps
    }
    alive, leads = _that_end(chain, every)
    names = sorted(_reached([chain.initial], leads) - {COMPLETED, FAILED})
    open_ = [name for name in names if len(alive[name]) > 1]
    fixed = {step: (alive.get(step) or list(given))[0] for step, given in actions.items() if step not in open_}
    return _arrays(chain.initial, (names, open_), alive, fixed)


def _that_end(
    chain: Chain, every: Mapping[str, Sequence[Action]]
) -> tuple[dict[str, list[Action]], dict[str, set[str]]]:
    """Return by step the choices after which a run can still be brought to an end, and where they may lead."""
    alive = {step: [(action, _targets(action)) for action in given] for step, given in every.items()}
    while True:
        before: dict[str, list[str]] = {}
        for step, given in alive.items():
            for to in set[str]().union(*(targets for _, targets in given)):
                before.setdefault(to, []).append(step)
        ending = _reached((COMPLETED, FAILED), before)
        if chain.initial not in ending:
            stuck = sorted(set(chain.steps) - ending)
            reason = (
                f"whatever is chosen, a run may come to where it never ends: {listed([repr(s) for s in stuck], 5)}. "
                "Let a worker there succeed, or fail, with some probability, and lead on from there."
            )
            raise ChainError(chain.workflow, reason)
        left = {step: [one for one in given if one[1] <= ending] for step, given in alive.items() if step in ending}
        if sum(map(len, left.values())) == sum(map(len, alive.values())):
            leads = {step: set[str]().union(*(targets for _, targets in given)) for step, given in left.items()}
            return {step: [action for action, _ in given] for step, given in left.items()}, leads
        alive = left


def _targets(action: Action) -> set[str]:
    """Return where a visit may lead."""
    step = action.made
    good = {to for to, share in step.after_success.items() if share > 0 and step.visit_success > 0}
    return good | {to for to, share in step.after_failure.items() if share > 0 and step.visit_failure > 0}


def _reached(begun: Iterable[str], leads: Mapping[str, Iterable[str]]) -> set[str]:
    found, coming = set(begun), list(begun)
    while coming:
        for to in leads.get(coming.pop(), ()):
            if to not in found:
                found.add(to)
                coming.append(to)
    return found


def _arrays(
    initial: str, named: tuple[list[str], list[str]], alive: Mapping[str, list[Action]], fixed: Mapping[str, Action]
) -> Choices:
    import numpy as np

    names, open_ = named
    k = len(open_)
    closed = [name for name in names if name not in set(open_)]
    # the open steps, an end, lost, USD, seconds; then the closed steps
    places = {name: at for at, name in enumerate(open_)} | {name: k + 4 + at for at, name in enumerate(closed)}
    onward = np.zeros((0, k + 4))
    if closed:
        found = np.array([_row(alive[name][0], places, k) for name in closed])
        out, inner = found[:, : k + 4], found[:, k + 4 :]
        np.fill_diagonal(inner, 0.0)
        # what leaves is summed, not subtracted from 1: exact where a loop is left seldom
        leaves = inner.sum(axis=1) + out[:, : k + 1].sum(axis=1)
        onward = np.linalg.solve(np.diag(leaves) - inner, out)
    most = max((len(alive[name]) for name in open_), default=1)
    rows = np.zeros((k, most, k + 4))
    there = np.zeros((k, most), bool)
    for at, name in enumerate(open_):
        for number, action in enumerate(alive[name]):
            row = _row(action, places, k)
            rows[at, number] = row[: k + 4] + row[k + 4 :] @ onward
            there[at, number] = True
    begun = np.eye(k, k + 4)[places[initial]] if places[initial] < k else onward[places[initial] - k - 4]
    return Choices(
        steps=tuple(open_),
        actions=tuple(tuple(alive[name]) for name in open_),
        fixed=fixed,
        there=there,
        to=rows[:, :, :k],
        ends=rows[:, :, k],
        amounts=rows[:, :, k + 1 :],
        start=begun[:k],
        before=begun[k + 1 :],
        may_loop=_may_loop(rows[:, :, :k], rows[:, :, k], there),
    )


def _row(action: Action, places: Mapping[str, int], k: int) -> Array:
    """Return where a visit leads, and what it takes."""
    import numpy as np

    step = action.made
    row = np.zeros(len(places) + 4)
    for chance, ways in ((step.visit_success, step.after_success), (step.visit_failure, step.after_failure)):
        total = sum(ways[to] for to in sorted(ways))
        for to in sorted(ways):
            share = chance * ways[to] / total
            if to in places:
                row[places[to]] += share
            elif to in {COMPLETED, FAILED}:  # else a step that only this one, with a chance of 0, leads to
                row[k] += share
                row[k + 1] += share * (to == FAILED)
    row[k + 2 : k + 4] += action.took
    return row


def _may_loop(to: Array, ends: Array, there: Array) -> bool:
    """Return whether some choice keeps a run within some steps for ever: the greatest set that can be stayed in."""
    import numpy as np

    inside = np.ones(len(to), bool)
    while inside.any():
        stays = there & (ends <= 0) & ~((to > 0) & ~inside).any(axis=2)
        new = inside & stays.any(axis=1)
        if (new == inside).all():
            return True
        inside = new
    return False
