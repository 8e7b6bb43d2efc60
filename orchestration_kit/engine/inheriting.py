"""What runs within a run know of actions that were carried out before, and what they hand back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.acting import actions_before
from orchestration_kit.engine.values import isolate

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext


def take_child_actions(context: WorkflowContext, child: Any) -> None:
    """Put what a run within this one did among what its step did, but for what is on record there: it was resumed."""
    earlier = [record for record in context._seen() if record.path == context.path]  # noqa: SLF001 - the engine's own
    known = [one for record in earlier for one in (record.detail or {}).get("actions", ())]
    if found := _without(_actions_in(child), known):
        notes = context._more  # noqa: SLF001
        notes.actions = [*(notes.actions or ()), *(isolate(one) for one in found)]


def inherited_by(child: Any, context: WorkflowContext) -> list[dict[str, Any]]:
    """Return what was carried out before a run within this one; what it did itself is on its own record."""
    return _without(actions_before(context), _actions_in(child))


def _actions_in(child: Any) -> list[dict[str, Any]]:
    details: list[dict[str, Any] | None] = [row[19] for row in child.machine.rows_since(0)]
    return [one for detail in details for one in (detail or {}).get("actions", ())]


def _without(found: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    left = list(known)
    kept: list[dict[str, Any]] = []
    for one in found:
        if one in left:
            left.remove(one)
        else:
            kept.append(one)
    return kept
