"""Lessons become a DataFrame, and a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from orchestration_kit.errors import counted
from orchestration_kit.governance.wisdom.lesson import LAYERS, Lesson

if TYPE_CHECKING:
    import pandas as pd

_STATUSES = ("proposed", "approved", "rejected", "retired")


def lessons_frame(lessons: Sequence[Lesson]) -> pd.DataFrame:
    """Return one row per lesson, in the order in which they came.

    Columns (dtype):
        id (Int64), text (string)
        layer, status (category)
        step, worker, workflow, model (category): missing where it is for all, or not known.
        tags (string): joined by ", ".
        proposed_by, approved_by, reason (string)
        runs (Int64): how many runs are evidence; seen (Int64): how often it was proposed.
        use, success (Int64): attempts that were given it, and those that went well.
        rate (Float64): success / use, missing where it was never used; confidence (float64): Wilson's lower bound.
        created_at, updated_at (datetime64[us, UTC])

    >>> frame = lessons_frame([Lesson(1, "Give prices in euros", use=4, success=3)])
    >>> frame[["id", "status", "rate"]].values.tolist()
    [[1, 'proposed', 0.75]]
    """
    import pandas as pd

    def of(name: str, dtype: str) -> pd.Series:
        return pd.Series([getattr(lesson, name) for lesson in lessons], dtype=dtype)

    times = {
        name: pd.Series(pd.to_datetime([getattr(lesson, name) for lesson in lessons], utc=True)).astype(
            "datetime64[us, UTC]"
        )
        for name in ("created_at", "updated_at")
    }
    return pd.DataFrame(
        {
            "id": of("id", "Int64"),
            "text": of("text", "string"),
            "layer": pd.Categorical([lesson.layer for lesson in lessons], categories=list(LAYERS)),
            "status": pd.Categorical([lesson.status for lesson in lessons], categories=list(_STATUSES)),
            **{name: of(name, "category") for name in ("step", "worker", "workflow", "model")},
            "tags": pd.Series([", ".join(lesson.tags) for lesson in lessons], dtype="string"),
            **{name: of(name, "string") for name in ("proposed_by", "approved_by", "reason")},
            "runs": pd.Series([len(lesson.runs) for lesson in lessons], dtype="Int64"),
            **{name: of(name, "Int64") for name in ("seen", "use", "success")},
            "rate": pd.Series([x.success / x.use if x.use else None for x in lessons], dtype="Float64"),
            "confidence": of("confidence", "float64"),
            **times,
        }
    )


def lessons_html(newest: Sequence[Lesson], counts: Mapping[str, int]) -> str:
    """Return the newest lessons as a table, and how many there are; whatever is in their texts is text."""
    rows = "".join(
        f"<tr><td>{lesson.id}</td><td>{escape(lesson.status)}</td><td>{escape(lesson.layer)}</td>"
        f"<td>{escape(lesson.step or '')}</td><td style='text-align:left'>{escape(lesson.text[:200])}</td>"
        f"<td>{lesson.success} of {lesson.use}</td></tr>"
        for lesson in newest
    )
    told = ", ".join(f"{counts[status]:,} {status}" for status in _STATUSES if counts.get(status))
    total = sum(counts.values())
    more = f"; the newest {len(newest)} are shown" if total > len(newest) else ""
    return (
        f"<p>{counted(total, 'lesson')}{': ' if told else ''}{told}{more}</p>"
        "<table><thead><tr><th>id</th><th>status</th><th>layer</th><th>step</th><th>text</th><th>went well</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )
