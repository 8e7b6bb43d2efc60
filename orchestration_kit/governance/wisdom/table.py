"""Lessons in their table: kept, changed, and in the index as long as they are approved."""

from __future__ import annotations

import sqlite3
from typing import Any

from orchestration_kit.governance.wisdom import index
from orchestration_kit.governance.wisdom.errors import UnknownLesson
from orchestration_kit.governance.wisdom.lesson import Lesson
from orchestration_kit.governance.wisdom.rows import SELECT, lesson_of, stored


def get(file: sqlite3.Connection, lesson_id: int) -> Lesson:
    """Return a lesson.

    Raises:
        UnknownLesson: there is none of this id.
    """
    is_number = isinstance(lesson_id, int) and 0 < lesson_id < 2**63
    row = file.execute(f"{SELECT} WHERE id = ?", (lesson_id,)).fetchone() if is_number else None
    if row is None:
        raise UnknownLesson(lesson_id, count(file))
    return lesson_of(row)


def count(file: sqlite3.Connection) -> int:
    """Return how many lessons there are."""
    (found,) = file.execute("SELECT count(*) FROM lessons").fetchone()
    return found


def counts(file: sqlite3.Connection) -> dict[str, int]:
    """Return how many lessons there are of each status."""
    return dict(file.execute("SELECT status, count(*) FROM lessons GROUP BY status").fetchall())


def newest(file: sqlite3.Connection, most: int) -> list[Lesson]:
    """Return the lessons that came last, newest first."""
    return [lesson_of(row) for row in file.execute(f"{SELECT} ORDER BY id DESC LIMIT ?", (most,))]


def insert(file: sqlite3.Connection, about: dict[str, Any], sameness: str) -> Lesson:
    """Keep a lesson; one that is approved is found from now on."""
    values = {"status": "proposed", "seen": 1, "use": 0, "success": 0, **about, "sameness": sameness}
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    query = f"INSERT INTO lessons({names}) VALUES ({marks})"  # noqa: S608 - names of fields
    lesson = get(file, file.execute(query, [*stored(values).values()]).lastrowid or 0)
    if lesson.status == "approved":
        index.put(file, lesson)
    return lesson


def update(file: sqlite3.Connection, kept: Lesson, change: dict[str, Any]) -> Lesson:
    """Change a lesson; whether it is found goes with its status."""
    names = ", ".join(f"{name} = ?" for name in change)
    file.execute(f"UPDATE lessons SET {names} WHERE id = ?", [*stored(change).values(), kept.id])  # noqa: S608 - names of fields
    lesson = get(file, kept.id)
    if (lesson.status == "approved") != (kept.status == "approved"):
        (index.put if lesson.status == "approved" else index.take_out)(file, lesson)
    return lesson
