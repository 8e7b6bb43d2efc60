"""What a run is given, checked before anything is done."""

from __future__ import annotations

import inspect
from typing import Any

from orchestration_kit.engine.limits import RunLimits
from orchestration_kit.engine.ports import Observer
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import InvalidGoal

MAX_GOAL_CHARACTERS = 100_000


def check_id(run_id: object) -> None:
    """Refuse a run id that is no text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(run_id, str) or not run_id.strip():
        raise TypeError(f"run_id is a text of your choice, not {run_id!r:.80}.")


def check_options(run_id: object, limits: object) -> None:
    """Refuse a run id or limits of another kind.

    Raises:
        TypeError: one of them is.
    """
    if run_id is not None:
        check_id(run_id)
    if limits is not None and not isinstance(limits, RunLimits):
        raise TypeError(f"limits is RunLimits(max_steps=..., ...), not {limits!r:.80}.")


def checked_observers(observers: list[Observer]) -> list[Observer]:
    """Return observers that can be called with events.

    Raises:
        TypeError: one of them cannot.
    """
    for observer in observers:
        if not callable(observer):
            raise TypeError(f"An observer is called with each event; {observer!r:.80} cannot be called.")
        if inspect.iscoroutinefunction(observer):
            raise TypeError(f"The observer {observer!r:.80} is async, and nobody awaits it. Give a plain function.")
    return observers


def check_goal(goal: str) -> None:
    """Refuse a goal that says nothing, or far too much.

    Raises:
        InvalidGoal: it is empty, no text or too long.
    """
    if not isinstance(goal, str):
        raise InvalidGoal(f"is {type(goal).__name__}, not text")
    if len(goal) > MAX_GOAL_CHARACTERS:
        raise InvalidGoal(f"has {len(goal):,} characters, over {MAX_GOAL_CHARACTERS:,}")
    if not goal or goal.isspace():
        raise InvalidGoal("is empty")


def checked_tags(tags: dict[str, str] | None) -> dict[str, str] | None:
    """Return a copy of tags.

    Raises:
        TypeError: they are no dict of texts.
    """
    if tags is None:
        return None
    if not isinstance(tags, dict) or not all(isinstance(part, str) for pair in tags.items() for part in pair):
        raise TypeError(f'tags is a dict of texts such as {{"customer": "acme"}}, not {tags!r:.80}.')
    return dict(tags) or None


def checked_data(initial_data: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of data for the bus.

    Raises:
        TypeError: it is no dict with text keys.
    """
    if not isinstance(initial_data, dict) or not all(isinstance(key, str) for key in initial_data):
        raise TypeError(f"initial_data is a dict with text keys, not {initial_data!r:.80}.")
    return isolate(initial_data)


def check_workflow_name(name: Any) -> None:
    """See that a run is started by a name.

    Raises:
        TypeError: it is something else, such as the workflow itself.
    """
    if not isinstance(name, str):
        own = getattr(name, "name", None)
        hint = f"; register it, then give its name, {own!r}" if isinstance(own, str) else ""
        raise TypeError(f"A run is started by the name of a registered workflow{hint}, not by {name!r:.80}.")
