"""After a change of the model, lessons are tested again; those that it needs no more go out of use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestration_kit.errors import counted
from orchestration_kit.governance.wisdom.lesson import Lesson

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.governance.wisdom.store import Wisdom


def purged(wisdom: Wisdom, model: str, retest: Callable[[Lesson], bool | None] | None) -> pd.DataFrame:
    """Test each lesson in use that was not learnt with `model` or tested on it, and retire those it needs no more.

    Args:
        wisdom: The lessons.
        model: The model, or version of a worker, that is used from now on.
        retest: Tells of a lesson whether the model still does better with it, for example by running the worker with
            and without it: False retires it, None leaves it as it is, and so does an error, which the frame tells.
            Without `retest` nothing changes; the frame tells what there is to test.

    Returns:
        A frame with a row per lesson that was tested: id (Int64), text (string), layer, step, model (category; of
        before), use, success (Int64), verdict (category: kept, retired, unsure, failed, untested), note (string).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for lesson in wisdom.lessons("approved"):
        if lesson.model == model:
            continue
        verdict, note = _tested(wisdom, lesson, model, retest)
        rows.append({"lesson": lesson, "verdict": verdict, "note": note})
    lessons: list[Lesson] = [row["lesson"] for row in rows]

    def of(name: str, dtype: str) -> pd.Series:
        return pd.Series([getattr(lesson, name) for lesson in lessons], dtype=dtype)

    return pd.DataFrame(
        {
            "id": of("id", "Int64"),
            "text": of("text", "string"),
            **{name: of(name, "category") for name in ("layer", "step", "model")},
            **{name: of(name, "Int64") for name in ("use", "success")},
            "verdict": pd.Categorical([row["verdict"] for row in rows], categories=list(_VERDICTS)),
            "note": pd.Series([row["note"] for row in rows], dtype="string"),
        }
    )


_VERDICTS = ("kept", "retired", "unsure", "failed", "untested")


def _tested(
    wisdom: Wisdom, lesson: Lesson, model: str, retest: Callable[[Lesson], bool | None] | None
) -> tuple[str, str]:
    if retest is None:
        return "untested", "give retest=..., which tells whether the model still does better with it"
    try:
        helps = retest(lesson)
    except Exception as error:  # noqa: BLE001 - one that cannot be tested says nothing of the others
        return "failed", f"{type(error).__name__}: {error}"[:200]
    if helps is None:
        return "unsure", ""
    if helps:
        wisdom.tested(lesson.id, model)
        return "kept", ""
    used = f" (it went well in {lesson.success} of {counted(lesson.use, 'attempt')})" if lesson.use else ""
    reason = f"{model} needs it no more{used}"
    wisdom.retire(lesson.id, by="purge", reason=reason)
    return "retired", reason
