"""What somebody gives as goals, a list of texts, of dicts, or a table, becomes goals with an id each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from orchestration_kit.engine.arguments import check_goal
from orchestration_kit.errors import InvalidGoal, did_you_mean, listed
from orchestration_kit.scale.errors import GoalsError

_KEYS = ("goal", "data", "id")
_HINT = (
    'Give a list of texts; of dicts such as {"goal": "Build a shop", "data": {"budget": 9}, "id": "shop"}; '
    "or a DataFrame with a column `goal`."
)
_SHOWN = 5


class Goal(NamedTuple):
    """What runs are for.

    >>> goals_of(["Build a shop"])[0]
    Goal(id='1', text='Build a shop', data={})
    """

    id: str
    """What it is called in the ids of its runs."""
    text: str
    data: dict[str, Any]
    """The data bus to begin with."""


def goals_of(given: Any) -> tuple[Goal, ...]:
    """Return goals. What has no id is called by its position: "1", "2", ...

    >>> goals_of(["Build a shop", {"goal": "Write a poem", "data": {"lines": 4}, "id": "poem"}])
    (Goal(id='1', text='Build a shop', data={}), Goal(id='poem', text='Write a poem', data={'lines': 4}))

    Raises:
        GoalsError: there are none, or one of them is no goal; all that is wrong is named.
    """
    rows = _rows(given)
    goals: list[Goal] = []
    wrong: dict[str, list[str]] = {}
    for number, row in enumerate(rows, 1):
        try:
            goals.append(_goal(row, number))
        except (InvalidGoal, TypeError) as error:
            reason = f"the goal {error.reason}" if isinstance(error, InvalidGoal) else str(error)
            wrong.setdefault(reason, []).append(str(number))
    if wrong:
        told = [f"number {listed(numbers, _SHOWN)}: {reason}" for reason, numbers in wrong.items()]
        raise GoalsError("; ".join(told[:_SHOWN]), _HINT)
    if not goals:
        raise GoalsError("there are none", _HINT)
    _check_ids(goals)
    return tuple(goals)


def _rows(given: Any) -> list[Any]:
    pandas = sys.modules.get("pandas")  # who has a frame has imported it
    if pandas is not None and isinstance(given, pandas.DataFrame):
        return _rows_of_frame(given)
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        shown = type(cast("object", given)).__name__
        raise GoalsError(f"a {shown} is no list of goals", _HINT if shown != "str" else f"Write [goal]. {_HINT}")
    return list(cast("Iterable[Any]", given))


def _rows_of_frame(frame: Any) -> list[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    if "goal" not in names:
        raise GoalsError(f"the table has no column `goal`.{did_you_mean('goal', names)} It has: {listed(names)}", _HINT)
    if len(set(names)) < len(names):
        raise GoalsError(f"columns of the table share a name: {listed(names)}", "Rename them.")
    called = "id" if "id" in names else "name" if "name" in names else None
    columns = [[_plain(value) for value in frame[column]] for column in frame.columns]
    rows: list[dict[str, Any]] = []
    for values in zip(*columns, strict=True):
        row = dict(zip(names, values, strict=True))
        named: dict[str, Any] = {"goal": row.pop("goal")}
        if called is not None:
            named["id"] = row.pop(called)
        rows.append({**named, "data": row})
    return rows


def _plain(value: Any) -> Any:
    """Return a cell as plain Python: no number of numpy's, and None for what is missing."""
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def _goal(row: Any, number: int) -> Goal:
    if isinstance(row, Goal):
        row = {"id": row.id, "goal": row.text, "data": row.data}
    if not isinstance(row, Mapping):
        check_goal(row)
        return Goal(str(number), row, {})
    given = dict(cast("Mapping[Any, Any]", row))
    for key in given:
        if key not in _KEYS:
            near = did_you_mean(key, _KEYS) if isinstance(key, str) else ""
            near = near or " For the data bus, put it into data."
            raise TypeError(f"there is no {key!r:.80} in a goal.{near} It has: {', '.join(_KEYS)}")
    if "goal" not in given:
        raise TypeError(f"it has no 'goal', only {listed(map(str, given))}")
    check_goal(given["goal"])
    data = cast("Mapping[str, Any] | None", given.get("data"))
    if data is not None and not (isinstance(data, Mapping) and all(isinstance(key, str) for key in data)):
        raise TypeError(f"its data is {data!r:.80}, not a dict with text keys")
    return Goal(_id(given["id"], number) if "id" in given else str(number), given["goal"], dict(data or {}))


def _id(given: Any, number: int) -> str:
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    if not isinstance(given, str):
        raise TypeError(f"its id is {given!r:.80}, not a text or a whole number")
    if not given.strip():
        raise TypeError(f"its id is empty; leave it out, and it is called {number}")
    return given


def _check_ids(goals: list[Goal]) -> None:
    seen: dict[str, int] = {}
    twice: list[str] = []
    for number, goal in enumerate(goals, 1):
        if goal.id in seen:
            twice.append(f"{json.dumps(goal.id, ensure_ascii=False)} is number {seen[goal.id]} and number {number}")
        seen.setdefault(goal.id, number)
    if twice:
        hint = "Give each its own id. To run one several times, say repeats=."
        raise GoalsError(f"ids are used twice: {listed(twice, _SHOWN)}", hint)
