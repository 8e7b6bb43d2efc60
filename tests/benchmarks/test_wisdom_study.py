"""The study of lessons searches among a few of them, and finds some each time."""

from __future__ import annotations

from benchmarks.wisdom import rows


def test_searches_are_timed_for_each_kind_of_question():
    found = rows(lessons=600, searches=5)
    assert [row.title for row in found] == [
        f"a search among 600 lessons, by {kind}" for kind in ("words", "a goal of 300 words", "common words")
    ]
    assert all(row.figure.startswith("p50 ") for row in found)
