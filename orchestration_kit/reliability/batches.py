"""Many chains of one structure become what is to be expected of each, all at once: a draw from a posterior is a chain.

Steps that can reach one another are solved together, component after component in the order in which runs come to
them; where there are no loops that is plain substitution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.structure import Structure, structure_of_counts

if TYPE_CHECKING:
    import numpy as np

    from orchestration_kit.reliability.counting import Counts

    Array = np.ndarray[Any, Any]

_LEAST = 1e-12
"""A way that is there is taken with at least this probability, so that no draw has a loop without an end."""
_FEW = 8
"""Components of up to so many steps are eliminated state by state, which loses no digits."""


def batch(structure: Structure | Counts, success: Any, ways: Any) -> tuple[Array, Array]:
    """Return for each draw the probability that a run completes, (draws,), and the expected visits, (draws, n).

    Args:
        structure: What leads where: of counts, or a `Structure`.
        success: (draws, n) probability that an attempt succeeds.
        ways: (draws, m) share of each way, of the visits of its source with that outcome.

    >>> from orchestration_kit.reliability.counting import counts_of
    >>> counts = counts_of([{"step": "write", "next_step": "review"}, {"step": "review"}])
    >>> p_success, visits = batch(counts, [[1.0, 0.5], [0.5, 0.5]], [[1.0, 1.0], [1.0, 1.0]])
    >>> p_success.round(6).tolist(), visits.round(6).tolist()
    ([0.5, 0.25], [[1.0, 1.0], [1.0, 0.5]])
    """
    import numpy as np

    known = structure if isinstance(structure, Structure) else structure_of_counts(structure)
    return batch_of_shares(known, known.shares(np.asarray(success, float), np.asarray(ways, float)))


def batch_of_shares(structure: Structure, shares: Array) -> tuple[Array, Array]:
    """Return as `batch` does, given the probability that a visit takes each way: (draws, m)."""
    import networkx as nx
    import numpy as np

    n, draws = len(structure.steps), len(shares)
    shares = np.maximum(shares, _LEAST)
    source, target = structure.source, structure.target
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(zip(source.tolist(), target.tolist(), strict=True))
    found = np.zeros((n + 2, draws))
    found[structure.initial] = 1.0  # what flows in; as soon as a component is solved, its visits
    into = shares.T.copy()
    ways_of: dict[int, list[int]] = {}
    for way, at in enumerate(source.tolist()):
        ways_of.setdefault(at, []).append(way)
    for members in reversed(list(nx.strongly_connected_components(graph))):
        steps = sorted(at for at in members if at < n)
        if not steps:
            continue
        ways = [way for at in steps for way in ways_of.get(at, ())]
        inside = [way for way in ways if int(target[way]) in members]
        if inside:
            outside = [way for way in ways if int(target[way]) not in members]
            found[steps] = _component(steps, (source, target), into, ways=(inside, outside), given=found[steps])
            ways = outside
        for way in ways:
            found[target[way]] += found[source[way]] * into[way]
    return np.minimum(found[n], 1.0), found[:n].T


def _component(
    steps: list[int], ends: tuple[Array, Array], shares: Array, *, ways: tuple[list[int], list[int]], given: Array
) -> Array:
    """Return the visits (k, draws) of steps that can reach one another, given how often runs enter at each of them."""
    import numpy as np

    source, target = ends
    inside, outside = ways
    place = {at: number for number, at in enumerate(steps)}
    k, draws = given.shape
    moves, leaves = np.zeros((draws, k, k)), np.zeros((draws, k))
    for way in inside:
        if source[way] != target[way]:
            moves[:, place[int(source[way])], place[int(target[way])]] += shares[way]
    for way in outside:
        leaves[:, place[int(source[way])]] += shares[way]
    if k > _FEW:
        matrix = -moves
        matrix[:, range(k), range(k)] = moves.sum(axis=2) + leaves
        return np.linalg.solve(matrix.transpose(0, 2, 1), given.T[:, :, None])[:, :, 0].T
    entered = given.T.copy()
    stays = np.empty((draws, k))
    for at in range(k - 1, -1, -1):  # as in elimination.eliminate()
        stays[:, at] = moves[:, at, :at].sum(axis=1) + leaves[:, at]
        moves[:, :at, at] /= stays[:, at, None]
        into = moves[:, :at, at]
        moves[:, :at, :at] += into[:, :, None] * moves[:, at, None, :at]
        leaves[:, :at] += into * leaves[:, at, None]
        # runs that enter at the state eliminated come to the others from there
        entered[:, :at] += entered[:, at, None] / stays[:, at, None] * moves[:, at, :at]
    visits = np.empty((draws, k))
    for at in range(k):
        visits[:, at] = entered[:, at] / stays[:, at] + (visits[:, :at] * moves[:, :at, at]).sum(axis=1)
    return visits.T
