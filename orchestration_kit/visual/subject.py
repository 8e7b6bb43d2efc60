"""What was given to `visualize` (a workflow, a run, a context, a history) becomes a model and an overlay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from orchestration_kit.history.texts import a_type_of
from orchestration_kit.visual.from_history import model_of_history
from orchestration_kit.visual.from_workflow import model_of
from orchestration_kit.visual.model import Detail, DiagramModel, Direction
from orchestration_kit.visual.overlay import Overlay
from orchestration_kit.visual.overlay_fold import overlay_of
from orchestration_kit.visual.spawned import with_spawned


def model_for(subject: Any, *, detail: Detail, direction: Direction) -> DiagramModel:
    """Return the model of a workflow, of the workflow of a run or context, or of what their history shows.

    Raises:
        TypeError: there is neither a definition nor a history in `subject`.
    """
    if isinstance(subject, DiagramModel):
        return subject
    definition = definition_in(subject)
    history = history_in(subject)
    if definition is not None:
        model = model_of(definition, detail=detail, direction=direction)
        return with_spawned(model, history or ())
    if history is None:
        raise TypeError(
            f"There is nothing to draw in {a_type_of(subject)}: it is no workflow (with .steps and .initial_step) "
            "and has no .history. Give a WorkflowDefinition, a Run, a WorkflowContext, or a list of history entries."
        )
    name = getattr(subject, "workflow_name", None) or getattr(subject, "workflow_id", None) or "history"
    return model_of_history(history, name=str(name), detail=detail, direction=direction)


def overlay_for(subject: Any, model: DiagramModel | None = None) -> Overlay | None:
    """Return the overlay of a run, a context or a history for a diagram; None for what never ran."""
    if subject is None or isinstance(subject, Overlay):
        return subject
    history = history_in(subject)
    if history is None:
        return None
    state, current = _look(subject, "state"), _look(subject, "current_step")
    asked = _look(subject, "waiting")
    waiting = cast("list[object]", asked) if isinstance(asked, (list, tuple)) else []
    at = current if isinstance(current, str) else None
    return overlay_of(history, state=state or "", current_step=at, model=model, waiting=waiting)


def definition_in(subject: Any) -> Any:
    """Return the workflow definition that `subject` is or holds, or None."""
    for one in (subject, *(_look(subject, name) for name in ("workflow", "definition"))):
        if isinstance(getattr(one, "steps", None), Mapping) and hasattr(one, "initial_step"):
            return one
    return None


def history_in(subject: Any) -> list[Mapping[str, Any]] | None:
    """Return the history entries that `subject` is or holds, or None."""
    is_history = isinstance(subject, (list, tuple))
    found: Any = cast("Any", subject) if is_history else _look(subject, "history")
    if not isinstance(found, Iterable) or isinstance(found, (str, bytes, Mapping)):
        return None
    return [cast("Mapping[str, Any]", one) for one in cast("Iterable[Any]", found) if isinstance(one, Mapping)]


def _look(subject: Any, name: str) -> Any:
    """Return an attribute of `subject`, or of its context."""
    found = getattr(subject, name, None)
    return found if found is not None else getattr(getattr(subject, "context", None), name, None)
