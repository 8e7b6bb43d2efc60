"""Approved lessons go into the index and out of it, in the transaction that approves or retires them."""

from __future__ import annotations

import sqlite3

from orchestration_kit.governance.wisdom.lesson import Lesson
from orchestration_kit.governance.wisdom.words import words_of


def put(connection: sqlite3.Connection, lesson: Lesson) -> None:
    """Let searches find a lesson."""
    words = _words(lesson)
    connection.execute(f"INSERT INTO found_{lesson.layer}(rowid, words) VALUES (?, ?)", (lesson.id, " ".join(words)))  # noqa: S608 - one of three
    connection.executemany(
        "INSERT INTO words(layer, word, lessons) VALUES (?, ?, 1) "
        "ON CONFLICT(layer, word) DO UPDATE SET lessons = lessons + 1",
        [(lesson.layer, word) for word in sorted(set(words))],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO tagged(layer, tag, lesson) VALUES (?, ?, ?)",
        [(lesson.layer, tag, lesson.id) for tag in lesson.tags],
    )


def take_out(connection: sqlite3.Connection, lesson: Lesson) -> None:
    """Let searches find a lesson no more."""
    connection.execute(f"DELETE FROM found_{lesson.layer} WHERE rowid = ?", (lesson.id,))  # noqa: S608 - one of three
    words = [(lesson.layer, word) for word in sorted(set(_words(lesson)))]
    connection.executemany("UPDATE words SET lessons = lessons - 1 WHERE layer = ? AND word = ?", words)
    connection.executemany("DELETE FROM words WHERE layer = ? AND word = ? AND lessons <= 0", words)
    connection.executemany(
        "DELETE FROM tagged WHERE layer = ? AND tag = ? AND lesson = ?",
        [(lesson.layer, tag, lesson.id) for tag in lesson.tags],
    )


def _words(lesson: Lesson) -> list[str]:
    return words_of(" ".join([lesson.text, *lesson.tags]))
