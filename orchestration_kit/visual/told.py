"""What a history entry tells of the way on: which of several to the same step it was, and whether a budget ended it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from orchestration_kit.visual.ways import held

_ASIDE = {"WaitTimeout": "timeout", "BudgetSpent": "budget"}


def way_told(entry: Mapping[str, Any]) -> str:
    """Return what tells the edge that an entry took from others with the same ends, as `DiagramEdge.told` has it.

    >>> why = [{"text": "output > 1", "result": False}, {"text": "output > 0", "result": True}]
    >>> way_told({"success": True, "why": why}) == held(["output > 0"]), way_told({"success": True, "why": why[:1]})
    (True, '')
    """
    if entry.get("success") is False:
        return _ASIDE.get(str(entry.get("error_type")), "")
    why = entry.get("why")
    if not isinstance(why, Sequence) or (entry.get("worker_type") == "parallel" and entry.get("worker") is None):
        return ""  # the conditions of a parallel step say which branches it opens
    found = [cast("Mapping[str, Any]", one) for one in cast("Sequence[Any]", why) if isinstance(one, Mapping)]
    if not found or found[-1].get("result") is not True:
        return ""
    return held([str(one.get("text", "")) for one in found])


def left_for_budget(previous: Mapping[str, Any] | None, entry: Mapping[str, Any], targets: Collection[str]) -> bool:
    """Whether a run came to a step because its budget was spent, and not from the step before.

    `targets` are the steps that its budget leads to, as far as its definition is known.
    """
    step = entry.get("step")
    planned = None if previous is None else previous.get("next_step")
    if planned == step or (previous is not None and previous.get("step") == step):
        return False
    given = entry.get("input")
    reason = cast("Mapping[str, Any]", given).get("error") if isinstance(given, Mapping) else None
    is_told = isinstance(reason, str) and reason.startswith("limit budget ")
    return is_told or (planned is not None and step in targets)
