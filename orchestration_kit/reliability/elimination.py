"""A matrix of transitions becomes expected visits and chances, one state eliminated after another.

The steps are those of Grassmann, Taksar and Heyman (Regenerative analysis and steady state distributions for Markov
chains, Operations Research 33, 1985): nothing is ever subtracted, so that every figure has nearly all its digits, also
where a loop is left once in 10^12 rounds. Gaussian elimination of I - Q loses as many digits as that has zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def eliminate(moves: Array, ends: Array) -> tuple[Array, Array]:
    """Return the expected visits of each state, begun in the first one, and the chances of each end from each state.

    Args:
        moves: (n, n) probabilities of going from one state to another; what stands on the diagonal is not looked at,
            as it is what the rest of a row leaves.
        ends: (n, e) probabilities of ending from each state, in each of several ways.

    Returns:
        Visits, (n,), each arrival counted; and chances, (n, e).

    >>> import numpy as np
    >>> visits, chances = eliminate(np.array([[0, 1.0], [1 - 1e-15, 0]]), np.array([[0.0], [1e-15]]))
    >>> f"{visits[0]:.6g}", chances.tolist()
    ('1e+15', [[1.0], [1.0]])
    """
    import numpy as np

    moves, ends = np.array(moves, dtype=float), np.array(ends, dtype=float)
    count = len(moves)
    leaves = np.ones(count)
    for at in range(count - 1, -1, -1):
        leaves[at] = moves[at, :at].sum() + ends[at].sum()
        if at:
            into = moves[:at, at]
            into /= leaves[at]
            moves[:at, :at] += into[:, None] * moves[at, :at]
            ends[:at] += into[:, None] * ends[at]
    visits = np.zeros(count)
    visits[0] = 1 / leaves[0]
    chances = np.empty_like(ends)
    for at in range(count):
        chances[at] = (ends[at] + moves[at, :at] @ chances[:at]) / leaves[at]
        if at:
            visits[at] = visits[:at] @ moves[:at, at]
    return visits, chances
