"""A lesson as a row of its table, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from orchestration_kit.governance.wisdom.lesson import Lesson

COLUMNS = tuple(field.name for field in fields(Lesson))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM lessons"  # noqa: S608 - names of fields
_LISTS = ("tags", "runs")
_TIMES = ("created_at", "updated_at")


def lesson_of(row: Sequence[Any]) -> Lesson:
    """Return the lesson of a row of `SELECT`."""
    values = dict(zip(COLUMNS, row, strict=True))
    for name in _LISTS:
        values[name] = tuple(json.loads(values[name]))
    for name in _TIMES:
        values[name] = datetime.fromtimestamp(values[name], UTC)
    return Lesson(**values)


def stored(values: dict[str, Any]) -> dict[str, Any]:
    """Return values of a lesson as they are stored."""
    found = dict(values)
    for name in _LISTS:
        if name in found:
            found[name] = json.dumps(list(found[name]), ensure_ascii=False)
    return found


def sameness_of(*parts: str | None) -> str:
    """Return what is the same for lessons that are kept but once.

    >>> sameness_of("general", "a", None) == sameness_of("general", "a", None) != sameness_of("general", "a", "b")
    True
    """
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
