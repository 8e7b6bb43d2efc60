"""Keep drafts by their rating: the best so far, or the latest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, cast

from orchestration_kit.definition import WorkerDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.templates.ready_workers import KEEP_BEST, KEEP_LAST


def keep_best() -> WorkerDefinition:
    """Return the worker that keeps the best rated draft, for `create_evaluator_optimizer`.

    It gets an evaluation (a mapping with a number `"rating"`, or a number) of the draft `data["generate_output"]`, and
    gives `{"draft", "rating", "evaluation", "round", "rounds"}`. Of equal ratings the earlier draft is kept.

    >>> keep_best().name
    'kit.keep_best'
    """
    return WorkerDefinition(
        worker_type=KEEP_BEST, name=KEEP_BEST, description="Keeps the best rated draft.", executor=_best
    )


def keep_last() -> WorkerDefinition:
    """Return the worker that keeps the latest draft, with its rating: otherwise as `keep_best`.

    >>> keep_last().name
    'kit.keep_last'
    """
    return WorkerDefinition(
        worker_type=KEEP_LAST, name=KEEP_LAST, description="Keeps the latest draft.", executor=_latest
    )


def _latest(evaluation: Any, context: WorkflowContext) -> dict[str, Any]:
    return {
        "draft": context.data.get("generate_output"),
        "rating": _rating(evaluation),
        "evaluation": evaluation,
        "round": context.visit,
        "rounds": context.visit,
    }


def _best(evaluation: Any, context: WorkflowContext) -> dict[str, Any]:
    latest = _latest(evaluation, context)
    before = context.data.get(f"{context.current_step}_output") if context.visit > 1 else None
    if isinstance(before, dict) and "rating" in before and not latest["rating"] > before["rating"]:
        return {**cast("dict[str, Any]", before), "rounds": context.visit}
    return latest


def _rating(evaluation: Any) -> Any:
    rating: Any = evaluation
    if isinstance(evaluation, Mapping):
        rating = cast("Mapping[str, Any]", evaluation).get("rating")
    if not isinstance(rating, Real) or isinstance(rating, bool) or not math.isfinite(rating):
        raise Failure(
            f"an evaluation is a number, or a mapping with a number 'rating'; this one has {rating!r:.60}",
            output=evaluation,
        )
    return rating
