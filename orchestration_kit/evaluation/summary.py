"""A table of scores becomes a mean and an interval per dimension."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import listed

if TYPE_CHECKING:
    import pandas as pd


def wilson_interval(share: float, count: float, z: float = 1.959964) -> tuple[float, float]:
    """Return the score interval of a share of `count` trials: Wilson, J. Am. Stat. Assoc. 22 (1927), 209-212.

    Unlike the mean and two standard errors, it says something after 0 failures, and stays within 0 and 1.

    >>> [round(end, 3) for end in wilson_interval(1.0, 10)]
    [0.722, 1.0]

    Args:
        share: From 0 to 1.
        count: How many trials.
        z: Quantile of the normal distribution; 1.96 for 95 %.

    Raises:
        ValueError: the share or the count is none.
    """
    if not 0 <= share <= 1 or not count > 0:
        raise ValueError(f"a share is from 0 to 1, of at least one trial; got {share!r:.80} of {count!r:.80}")
    spread = z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per dimension of what `evaluate` returned, then `total`, then `passed`.

    Columns (dtype):
        dimension (str)
        weight, threshold (Float64): missing for `total` and `passed`, and where the table was joined from several.
        cases, scores, unjudged (int64): how many cases there are, how many scores, and how many that are NaN, as their
            criterion failed: they are in no mean.
        mean (Float64), low, high (Float64): the mean over cases of the mean over repeats, and its 95 % Wilson interval.
            Repeats of a case are not independent, so the interval is that of as many trials as there are cases (see
            Miller, "Adding error bars to evals", arXiv:2411.00640, on clustered questions). Scores between 0 and 1 vary
            less than a yes and no of the same mean, so for these it is rather too wide than too narrow.
        reached (Float64): the share of rows that reach the threshold.

    >>> from orchestration_kit.evaluation import evaluate
    >>> frame = evaluate(str.upper, [{"input": text} for text in "abcd"], {"is_a": lambda output: output == "A"})
    >>> summary(frame)[["dimension", "scores", "mean", "low", "high"]].round(2).values.tolist()[0]
    ['is_a', 4, 0.25, 0.05, 0.7]

    Raises:
        ValueError: it is no table of `evaluate`.
    """
    import pandas as pd

    columns = [str(column) for column in frame.columns]
    if not {"case", "output", "total", "passed"} <= set(columns) or not len(frame):
        raise ValueError(f"This is no table of evaluate(...), or has no rows. It has the columns: {listed(columns)}.")
    dimensions = columns[columns.index("output") + 1 : columns.index("total")]
    weights: dict[str, float] = frame.attrs.get("weights", {})
    thresholds: dict[str, float] = frame.attrs.get("thresholds", {})
    rows: list[dict[str, Any]] = []
    for dimension in [*dimensions, "total", "passed"]:
        scores = pd.to_numeric(frame[dimension]).astype("float64")
        by_case = scores.groupby(frame["case"], sort=False).mean().dropna()
        mean = float(by_case.mean()) if len(by_case) else None
        low, high = (None, None) if mean is None else wilson_interval(min(max(mean, 0.0), 1.0), len(by_case))
        threshold = thresholds.get(dimension)
        rows.append(
            {
                "dimension": dimension,
                "weight": weights.get(dimension),
                "threshold": threshold,
                "cases": int(frame["case"].nunique()),
                "scores": int(scores.notna().sum()),
                "unjudged": int(scores.isna().sum()),
                "mean": mean,
                "low": low,
                "high": high,
                "reached": None if threshold is None else float((scores >= threshold).mean()),
            }
        )
    numbers = dict.fromkeys(("weight", "threshold", "mean", "low", "high", "reached"), "Float64")
    return pd.DataFrame(rows).astype({"dimension": "str", **numbers})
