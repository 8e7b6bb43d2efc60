"""A chain becomes what each small change of it would bring: one more retry, or a worker that is a point better."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestration_kit.reliability.chain import Chain, ChainStep
from orchestration_kit.reliability.solving import Solved, fundamental, solve
from orchestration_kit.reliability.structure import Structure, structure_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_NEVER_RETRIED = frozenset({"parallel", "map", "approval", "wait"})
_POINT = 0.01
_LOOPS = 1e5
"""Where steps are visited more often than that, each change is solved by itself, which loses no digits."""


def sensitivity(chain: Chain) -> pd.DataFrame:
    """Return one row per change, the one that brings most first: each step retried once more, or a point better.

    Exact: a change of one row of Q is one of rank one, so that (I - Q)^-1 follows from that of the chain as it is
    (Sherman and Morrison, Annals of Mathematical Statistics 21, 1950).

    Columns (dtype):
        change (str): e.g. `one more retry of review_code`, `review_code succeeds 1 point more often`.
        step (str), kind (str): retry or success.
        points (float64): by how many points, of 100, a run succeeds more often.
        cost_usd, tokens, time_s, steps (float64): what a run takes more, on average; less is below 0. Steps are visits.
        usd_per_point (Float64): what a point costs in USD; below 0 where it saves; missing where nothing is gained.

    Steps that cannot fail, or that no run comes to, are left out; retries of steps that have none, as joins and waits.
    """
    import pandas as pd

    found = solve(chain)
    rows = _exact_rows(chain, found) if found.visits.max() > _LOOPS else _rows(chain, found)
    names = ("change", "step", "kind", "points", "cost_usd", "tokens", "time_s", "steps")
    frame = pd.DataFrame(rows, columns=list(names))
    numbers = ["points", "cost_usd", "tokens", "time_s", "steps"]
    frame = frame.astype({"change": "str", "step": "str", "kind": "str"} | dict.fromkeys(numbers, "float64"))
    gained = frame["points"].abs() > 1e-12
    frame["usd_per_point"] = (frame["cost_usd"] / frame["points"].where(gained)).astype("Float64")
    return frame.sort_values(["points", "cost_usd"], ascending=[False, True], kind="stable", ignore_index=True)


def _changes(chain: Chain, found: Solved) -> list[tuple[int, str, str, str, ChainStep]]:
    """Return each change: the number of its step, its id, the kind, the words, and the step as it would be."""
    changes: list[tuple[int, str, str, str, ChainStep]] = []
    for at, (step_id, step) in enumerate(chain.steps.items()):
        if step.success >= 1 or found.visits[at] <= 0:
            continue
        if step.worker_type not in _NEVER_RETRIED:
            words = f"one more retry of {step_id}"
            changes.append((at, step_id, "retry", words, replace(step, retries=step.retries + 1)))
        words = f"{step_id} succeeds 1 point more often"
        better = min(1.0, step.success + _POINT)
        changes.append((at, step_id, "success", words, replace(step, success=better)))
    return changes


def _exact_rows(chain: Chain, found: Solved) -> list[tuple[Any, ...]]:
    """Solve each changed chain."""
    rows: list[tuple[Any, ...]] = []
    for _, step_id, kind, words, step in _changes(chain, found):
        other = solve(chain.with_steps({step_id: step}))
        more = (other.took - found.took).sum(axis=0).tolist()
        points = 100 * (other.p_success - found.p_success)
        steps = other.steps_expected - found.steps_expected
        rows.append((words, step_id, kind, points, more[2], more[1], more[0], steps))
    return rows


def _rows(chain: Chain, found: Solved) -> list[tuple[Any, ...]]:
    """Work out all changes from one inverse."""
    import numpy as np

    structure, success, ways = structure_of(chain)
    shares = structure.shares(success, ways)
    n = len(structure.steps)
    inverse = fundamental(structure, shares)
    each = np.array([_each(step) for step in chain.steps.values()])
    """(n, 4): what a visit takes: seconds, tokens, USD, and 1 step."""
    onward = inverse @ each
    completes = np.append(found.completes_from, [1.0, 0.0])
    ways_of: dict[int, list[int]] = {}
    for way, source in enumerate(structure.source.tolist()):
        ways_of.setdefault(source, []).append(way)
    rows: list[tuple[Any, ...]] = []
    for at, step_id, kind, words, step in _changes(chain, found):
        own = np.array(ways_of[at])
        change = _shares_of(structure, own, step, ways) - shares[own]
        target = structure.target[own]
        inside = target < n
        moved, to = change[inside], target[inside]
        visits = found.visits[at] / (1 - moved @ inverse[to, at])
        points = 100 * visits * (change @ completes[target])
        more = visits * (moved @ onward[to] + np.array(_each(step)) - each[at])
        seconds, tokens, cost_usd, steps = more.tolist()
        rows.append((words, step_id, kind, float(points), cost_usd, tokens, seconds, steps))
    return rows


def _shares_of(structure: Structure, own: Array, step: ChainStep, ways: Array) -> Array:
    """Return how likely a visit of a changed step takes each of its ways."""
    import numpy as np

    return np.where(structure.succeeded[own], step.visit_success, step.visit_failure) * ways[own]


def _each(step: ChainStep) -> tuple[float, float, float, float]:
    """Return what a visit takes on average: seconds, tokens, USD; and that it is one step."""
    good, bad = step.visit_success, step.attempts - step.visit_success
    a, b = step.on_success, step.on_failure
    return (
        good * a.time_s + bad * b.time_s,
        good * a.tokens + bad * b.tokens,
        good * a.cost_usd + bad * b.cost_usd,
        1.0,
    )
