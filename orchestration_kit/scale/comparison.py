"""Two sets of runs side by side: how often they succeed, what they cost and take, goal by goal and in all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration_kit.history import columns
from orchestration_kit.scale.goals import Goal
from orchestration_kit.scale.intervals import (
    NOTHING,
    Interval,
    correlation,
    difference_of_means,
    difference_of_shares,
    mean_of_differences,
)
from orchestration_kit.scale.plan import Planned

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.summary import RunSummary

ALL = "(all)"
"""The goal of the last row."""


class _Side(NamedTuple):
    """What one set's finished runs of a goal came to."""

    success: list[float]
    cost_usd: list[float]
    duration_s: list[float]


class _Row(NamedTuple):
    goal_id: str | None
    goal: str
    runs: tuple[int, int]
    success: tuple[float | None, float | None, Interval]
    cost_usd: tuple[float | None, float | None, Interval]
    duration_s: tuple[float | None, float | None, Interval]


Found = Sequence[tuple[Planned, "RunSummary | None"]]


def comparison(a: Found, b: Found) -> pd.DataFrame:
    """Return one row per goal, those of A first, and a last one for all goals that both have; see `RunSet.compare`."""
    sides_a, sides_b = _sides(a), _sides(b)
    goals: dict[str, Goal] = {}
    for planned, _ in (*a, *b):
        goals.setdefault(planned.goal.id, planned.goal)
    rows = [_row(goal, sides_a.get(goal.id), sides_b.get(goal.id)) for goal in goals.values()]
    both = [(row, sides_a[row.goal_id], sides_b[row.goal_id]) for row in rows if row.goal_id and all(row.runs)]
    return _frame([*rows, _overall(both)])


def _sides(found: Found) -> dict[str, _Side]:
    sides: dict[str, _Side] = defaultdict(lambda: _Side([], [], []))
    for planned, summary in found:
        if summary is None or summary.state not in ("completed", "failed"):
            continue
        side = sides[planned.goal.id]
        side.success.append(float(summary.state == "completed"))
        side.duration_s.append(summary.totals.duration_s)
        if summary.totals.cost_usd is not None:
            side.cost_usd.append(summary.totals.cost_usd)
    return dict(sides)


def _row(goal: Goal, a: _Side | None, b: _Side | None) -> _Row:
    a, b = a or _Side([], [], []), b or _Side([], [], [])
    share_a, share_b = _mean(a.success), _mean(b.success)
    apart = NOTHING
    if share_a is not None and share_b is not None:
        apart = difference_of_shares(share_a, share_b, of_a=len(a.success), of_b=len(b.success))
    return _Row(
        goal.id,
        goal.text,
        (len(a.success), len(b.success)),
        (share_a, share_b, apart),
        _means(a.cost_usd, b.cost_usd),
        _means(a.duration_s, b.duration_s),
    )


def _means(a: list[float], b: list[float]) -> tuple[float | None, float | None, Interval]:
    return _mean(a), _mean(b), difference_of_means(a, b)


def _overall(both: list[tuple[_Row, _Side, _Side]]) -> _Row:
    runs = (sum(row.runs[0] for row, _, _ in both), sum(row.runs[1] for row, _, _ in both))
    if len(both) == 1:
        return both[0][0]._replace(goal_id=None, goal=ALL)
    pairs = [(row.success[0] or 0.0, row.success[1] or 0.0) for row, _, _ in both]
    shares_a, shares_b = [a for a, _ in pairs], [b for _, b in pairs]
    share_a, share_b, apart = _mean(shares_a), _mean(shares_b), NOTHING
    if share_a is not None and share_b is not None:
        alike = correlation(shares_a, shares_b)
        apart = difference_of_shares(share_a, share_b, of_a=len(pairs), of_b=len(pairs), correlation=alike)
    costs = [(row.cost_usd[0], row.cost_usd[1]) for row, _, _ in both]
    times = [(row.duration_s[0], row.duration_s[1]) for row, _, _ in both]
    return _Row(None, ALL, runs, (share_a, share_b, apart), _paired(costs), _paired(times))


def _paired(pairs: list[tuple[float | None, float | None]]) -> tuple[float | None, float | None, Interval]:
    told = [(a, b) for a, b in pairs if a is not None and b is not None]
    return _mean([a for a, _ in told]), _mean([b for _, b in told]), mean_of_differences([b - a for a, b in told])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _frame(rows: list[_Row]) -> pd.DataFrame:
    import pandas as pd

    frame: dict[str, Any] = {
        "goal_id": columns.text([row.goal_id for row in rows]),
        "goal": columns.text([row.goal for row in rows]),
        "runs_a": columns.integers([row.runs[0] for row in rows]),
        "runs_b": columns.integers([row.runs[1] for row in rows]),
    }
    for name, unit in (("success", ""), ("cost", "_usd"), ("duration", "_s")):
        found = [getattr(row, f"{name}{unit}") for row in rows]
        parts: list[tuple[str, list[float | None]]] = [
            ("a", [one[0] for one in found]),
            ("b", [one[1] for one in found]),
            ("difference", [one[2].value for one in found]),
            ("low", [one[2].low for one in found]),
            ("high", [one[2].high for one in found]),
        ]
        for part, values in parts:
            frame[f"{name}_{part}{unit}"] = columns.floats(values).nullable()
    return pd.DataFrame(frame, copy=False)
