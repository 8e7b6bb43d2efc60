"""Keep lessons: the best few of those that were drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, cast

from orchestration_kit.definition import WorkerDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.templates.ready_workers import top_lessons_type


def top_lessons(top_k: int) -> WorkerDefinition:
    """Return the worker that keeps so many lessons in `data["lessons"]`, for `create_reflexion`.

    It gets a lesson (a text, or a mapping with `"lesson"` and a number `"weight"`) and gives `{"lessons", "attempt",
    "evaluation"}` for the next attempt. Those of the greatest weight are kept, of equals the latest; they stand in the
    order in which they were drawn. A lesson that is there already takes the place of its former self.

    >>> top_lessons(3).worker_type
    'kit.top_lessons_3'

    Raises:
        ValueError: it would keep none.
    """
    if top_k < 1:
        raise ValueError(f"top_k={top_k}: at least 1 is needed.")

    def keep(lesson: Any, context: WorkflowContext) -> dict[str, Any]:
        new = _weighed(lesson)
        known = [one for one in map(_weighed, context.data.get("lessons", [])) if one["lesson"] != new["lesson"]]
        kept = _top([*known, new], top_k)
        context.data["lessons"] = kept
        return {
            "lessons": [one["lesson"] for one in kept],
            "attempt": context.data.get("attempt_output"),
            "evaluation": context.data.get("evaluate_output"),
        }

    name = top_lessons_type(top_k)
    return WorkerDefinition(worker_type=name, name=name, description=f"Keeps the best {top_k} lessons.", executor=keep)


def _top(lessons: list[dict[str, Any]], top_k: int) -> list[dict[str, Any]]:
    places = sorted(range(len(lessons)), key=lambda place: (lessons[place]["weight"], place))
    return [lessons[place] for place in sorted(places[-top_k:])]


def _weighed(lesson: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"weight": 1.0}
    if isinstance(lesson, Mapping) and "lesson" in lesson:
        entry |= cast("Mapping[str, Any]", lesson)
    else:
        entry["lesson"] = lesson
    weight = entry["weight"]
    if not isinstance(weight, Real) or isinstance(weight, bool) or not math.isfinite(weight):
        raise Failure(f"a lesson's weight is a finite number, not {weight!r:.60}", output=lesson)
    return entry
