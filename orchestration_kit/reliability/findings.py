"""A `Reliability` becomes tables: figures of a run, steps, ways on, visits, losses, and the decay curve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import UnknownStep, listed
from orchestration_kit.reliability.chain import COMPLETED
from orchestration_kit.reliability.first_passage import curves
from orchestration_kit.reliability.posterior import Estimate, interval_of_share
from orchestration_kit.reliability.solving import expected
from orchestration_kit.reliability.structure import structure_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from orchestration_kit.reliability.report import Reliability

    Array = np.ndarray[Any, Any]

_LEFT = 1e-9
_MOST_VISITS = 10_000
_DRAWS_OF_CURVES = 200
"""Curves are drawn for so many chains: their ends are then as exact as a plot can show."""


def summary(found: Reliability) -> pd.DataFrame:
    """Return one row per measure."""
    import pandas as pd

    figures: dict[str, Estimate | None] = {
        "p_success": found.p_success,
        "steps": found.steps_expected,
        "attempts": found.attempts_expected,
        "time_s": found.time_s,
        "tokens": found.tokens,
        "cost_usd": found.cost_usd,
    }
    rows = [(name, one.value, one.low, one.high) for name, one in figures.items() if one is not None]
    frame = pd.DataFrame(rows, columns=["measure", "value", "low", "high"])
    return frame.astype({"measure": "str"} | dict.fromkeys(("value", "low", "high"), "float64"))


def steps(found: Reliability) -> pd.DataFrame:
    """Return one row per step."""
    import numpy as np
    import pandas as pd

    chain, solved, counts = found.chain, found.solved, found.counts
    low, high = _ends(found, solved.visits, None if found.draws is None else found.draws.solved[1])
    success = np.array([step.success for step in chain.steps.values()])
    success_low, success_high = success.copy(), success.copy()
    if counts is not None:
        ends = interval_of_share(counts.success, counts.failure, found.level)
        known = np.array(counts.certain) | np.array([_is_given(found, step) for step in chain.steps])
        success_low, success_high = (np.where(known, success, one) for one in ends)
    took = [solved.took[:, at] if found.told[at] else np.full(len(success), np.nan) for at in range(3)]
    columns: dict[str, Any] = {
        "step": pd.Series(list(chain.steps), dtype="str"),
        "worker": pd.Series([step.worker or step.worker_type for step in chain.steps.values()], dtype="str"),
        "visits": solved.visits,
        "visits_low": low,
        "visits_high": high,
        "attempts": pd.array([pd.NA] * len(success) if counts is None else counts.success + counts.failure, "Int64"),
        "retries": [step.retries for step in chain.steps.values()],
        "success": success,
        "success_low": np.minimum(success_low, success),
        "success_high": np.maximum(success_high, success),
        **{name: _nullable(one) for name, one in zip(("time_s", "tokens", "cost_usd"), took, strict=True)},
        "time_share": _nullable(_shares(took[0])),
        "cost_share": _nullable(_shares(took[2])),
        "lost": solved.lost,
    }
    return pd.DataFrame(columns)


def transitions(found: Reliability) -> pd.DataFrame:
    """Return one row per way on."""
    import numpy as np
    import pandas as pd

    counted: dict[tuple[str, bool, str], int] = {}
    total: dict[str, int] = {}
    for way in () if found.counts is None else found.counts.ways:
        counted[way.source, way.succeeded, way.target] = way.count
        total[way.source] = total.get(way.source, 0) + way.count
    rows: list[tuple[Any, ...]] = []
    for step_id, step in found.chain.steps.items():
        for succeeded, chance, ways in (
            (True, step.visit_success, step.after_success),
            (False, step.visit_failure, step.after_failure),
        ):
            for target, share in ways.items():
                count = counted.get((step_id, succeeded, target), 0)
                rest = total.get(step_id, 0) - count
                rows.append((step_id, "success" if succeeded else "failure", target, chance * share, count, rest))
    columns = ["source", "outcome", "target", "probability", "count", "rest"]
    frame = pd.DataFrame(rows, columns=columns).astype(
        {"source": "str", "outcome": "str", "target": "str", "probability": "float64", "count": "Int64"}
    )
    value = frame["probability"].to_numpy()
    low, high = value, value
    if found.counts is not None:
        ends = interval_of_share(frame["count"].to_numpy(int), frame["rest"].to_numpy(int), found.level)
        sure = {at for at, is_sure in zip(found.counts.steps, found.counts.certain, strict=True) if is_sure}
        known = frame["source"].isin(sure | set(found.changed)).to_numpy()
        low = np.where(known, value, np.minimum(ends[0], value))
        high = np.where(known, value, np.maximum(ends[1], value))
    else:
        frame["count"] = pd.array([pd.NA] * len(frame), "Int64")
    frame.insert(4, "low", low)
    frame.insert(5, "high", high)
    return frame.drop(columns="rest")


def visits(found: Reliability, step: str) -> pd.DataFrame:
    """Return the distribution of the visits of a step."""
    import numpy as np
    import pandas as pd

    at = list(found.chain.steps).index(step_of(found, step))
    structure, success, ways = structure_of(found.chain)
    mean = float(found.solved.visits[at])
    if mean <= 0:
        return pd.DataFrame({"visits": np.zeros(1, np.int64), "probability": np.ones(1)})
    own, _ = expected(replace(structure, initial=at), structure.shares(success, ways))
    rounds = max(float(own[at]), 1.0)
    """Visits of a run that begins there."""
    ever, again = min(mean / rounds, 1.0), 1 - 1 / rounds
    needed = 1 if again <= 0 else int(np.ceil(np.log(_LEFT) / np.log(again))) if again < 1 else _MOST_VISITS
    count = min(max(needed, 1), _MOST_VISITS)
    probability = ever * again ** np.arange(count)
    probability[:-1] *= 1 / rounds  # in the last row, all that is left
    return pd.DataFrame(
        {"visits": np.arange(count + 1, dtype=np.int64), "probability": np.concatenate([[1 - ever], probability])}
    )


def step_of(found: Reliability, name: str) -> str:
    """Return the id of a step that is named itself, or by its worker.

    Raises:
        UnknownStep: there is none.
        ValueError: there are several.
    """
    chain = found.chain
    if name in chain.steps:
        return name
    having = [step_id for step_id, step in chain.steps.items() if name in (step.worker, step.worker_type)]
    if len(having) == 1:
        return having[0]
    if having:
        raise ValueError(f"{name!r} works at several steps: {listed(having)}. Give one of them.")
    raise UnknownStep(chain.workflow, name, list(chain.steps))


def lost(found: Reliability) -> pd.DataFrame:
    """Return one row per step at which runs are lost."""
    import numpy as np
    import pandas as pd

    solved = found.solved
    drawn = None if found.draws is None else found.draws.lost
    if drawn is not None and not solved.p_success:
        drawn = np.broadcast_to(solved.lost, drawn.shape)
    low, high = _ends(found, solved.lost, drawn)
    frame = pd.DataFrame(
        {
            "step": pd.Series(solved.steps, dtype="str"),
            "lost": solved.lost,
            "low": low,
            "high": high,
            "share": solved.lost / (solved.p_failure or 1.0),
            "count": _lost_counts(found),
        }
    )
    kept = frame[frame["lost"] > 0]
    return kept.sort_values("lost", ascending=False, kind="stable", ignore_index=True)


def _lost_counts(found: Reliability) -> Any:
    import pandas as pd

    steps, counts = found.solved.steps, found.counts
    if counts is None:
        return pd.array([pd.NA] * len(steps), "Int64")
    hopeful = {step for step, p in zip(steps, found.solved.completes_from.tolist(), strict=True) if p > 0}
    hopeful.add(COMPLETED)
    seen = dict.fromkeys(steps, 0)
    for way in counts.ways:
        if way.source in hopeful and way.target not in hopeful:
            seen[way.source] += way.count
    return pd.array(list(seen.values()), "Int64")


def decay(found: Reliability, most: int) -> pd.DataFrame:
    """Return the reliability decay curve."""
    import numpy as np
    import pandas as pd

    if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= 1_000_000:
        raise ValueError(f"most={most!r:.80} is no number of attempts: give 0 or more, at most a million.")
    structure, success, ways = structure_of(found.chain)
    # More retries than attempts are told make no difference, and the arrays need not hold them.
    curve = curves(_cut(structure, most), success[None], ways[None], most=most)[0, 0]
    low = high = curve
    if found.draws is not None:
        drawn = found.draws
        some = slice(0, _DRAWS_OF_CURVES)
        many = curves(_cut(drawn.structure, most), drawn.success[some], drawn.ways[some], most=most)[:, 0]
        ends = np.quantile(many, [(1 - found.level) / 2, (1 + found.level) / 2], axis=0)
        low, high = np.minimum(ends[0], curve), np.maximum(ends[1], curve)
    return pd.DataFrame({"attempts": np.arange(most + 1), "probability": curve, "low": low, "high": high})


def _cut(structure: Any, most: int) -> Any:
    import numpy as np

    return replace(structure, retries=np.minimum(structure.retries, most))


def _ends(found: Reliability, value: Array, drawn: Array | None) -> tuple[Array, Array]:
    """Return the ends of intervals of figures that have one a step."""
    import numpy as np

    if drawn is None:
        return value, value
    low, high = np.quantile(drawn, [(1 - found.level) / 2, (1 + found.level) / 2], axis=0)
    return np.minimum(low, value), np.maximum(high, value)


def _is_given(found: Reliability, step: str) -> bool:
    change = found.changed.get(step)
    return change is not None and change.success is not None


def _shares(values: Array) -> Array:
    total = values.sum()
    return values / total if total > 0 else values * float("nan")


def _nullable(values: Array) -> Any:
    import numpy as np
    import pandas as pd

    return pd.arrays.FloatingArray(np.asarray(values, float), np.isnan(values))
