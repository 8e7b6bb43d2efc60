"""Steps that are come to from one other step alone become the front of all choices that are worth anything.

From the last steps to the first: what a run is expected to lose and to cost from a step on is linear, with weights that
are not negative, in what it is from each of the next ones on. So a choice for all that follows a step that loses and
costs no less than another one can be left out, whatever is chosen before, as long as nothing else leads there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.service.choices import Choices

    Array = np.ndarray[Any, Any]

MOST = 20_000
"""Policies on a front; where there are more, branch and bound is the better way."""
_SAME = 1e-13
"""Of policies that cost more, those that lose less by no more than this share are left out: rounding."""


def front_of(choices: Choices) -> Array | None:
    """Return the policies of which none both loses and costs less than another one, (M, k).

    None where a step can be come to from two others, or from itself, or where there are too many.
    """
    import numpy as np

    k = len(choices.steps)
    leads = np.asarray(((choices.to > 0) & choices.there[:, :, None]).any(axis=1))  # (k, k)
    if ((leads.sum(axis=0) + (choices.start > 0)) > 1).any():
        return None
    order = _last_first(leads)
    if order is None:
        return None
    fronts: dict[int, tuple[Array, Array]] = {}  # step: amounts (M, 2), policies (M, k) with what is chosen from it on
    for at in order:
        amounts: list[Array] = []
        policies: list[Array] = []
        for action in np.flatnonzero(choices.there[at]).tolist():
            own = np.full((1, k), -1, np.int16)
            own[0, at] = action
            made = (choices.amounts[at, action, :2][None], own)
            for to in np.flatnonzero(leads[at]).tolist():
                made = _joined(made, fronts[to], float(choices.to[at, action, to]))
                if made is None:
                    return None
            amounts.append(made[0])
            policies.append(made[1])
        fronts[at] = _worth(np.concatenate(amounts), np.concatenate(policies))
        if len(fronts[at][0]) > MOST:
            return None
    made = (choices.before[None, :2], np.full((1, k), -1, np.int16))
    for to in np.flatnonzero(choices.start > 0).tolist():
        made = _joined(made, fronts[to], float(choices.start[to]))
        if made is None:
            return None
    return np.maximum(made[1], 0).astype(np.int64)


def _last_first(leads: Array) -> list[int] | None:
    """Return the steps, each after all that it leads to; None if there is a loop."""
    import numpy as np

    order: list[int] = []
    done = np.zeros(len(leads), bool)
    while not done.all():
        ready = ~done & ~(leads & ~done).any(axis=1)
        if not ready.any():
            return None
        order += np.flatnonzero(ready).tolist()
        done |= ready
    return order


def _joined(made: tuple[Array, Array], front: tuple[Array, Array], share: float) -> tuple[Array, Array] | None:
    """Return each of some choices with each of those from a next step on; None if there are too many."""
    import numpy as np

    (amounts, policies), (more, ahead) = made, front
    if len(amounts) * len(more) > 50 * MOST:
        return None
    total = (amounts[:, None] + share * more[None]).reshape(-1, amounts.shape[1])
    both = np.maximum(policies[:, None], ahead[None]).reshape(len(total), -1)
    return _worth(total, both)


def _worth(amounts: Array, policies: Array) -> tuple[Array, Array]:
    """Return those that lose less than all that cost no more."""
    import numpy as np

    order = np.lexsort((amounts[:, 0], amounts[:, 1]))
    lost = amounts[order, 0]
    before = np.concatenate([[np.inf], np.minimum.accumulate(lost)[:-1]])
    kept = order[lost < before * (1 - _SAME)]
    return amounts[kept], policies[kept]
