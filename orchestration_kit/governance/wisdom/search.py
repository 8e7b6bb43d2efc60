"""Which approved lessons fit best: layer by layer, each by BM25, by what they are for, and by how well they did.

A search stays quick among 100,000 lessons, as the words of a query that stand in most lessons are left out: they tell
nothing apart (their weight in BM25 is next to none), and to score each lesson that has them is what would take long.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from orchestration_kit.governance.wisdom.lesson import LAYERS, Layer, Lesson, wilson
from orchestration_kit.governance.wisdom.rows import SELECT, lesson_of
from orchestration_kit.governance.wisdom.words import match_of, words_of

MAX_SCORED = 1_000
"""So many lessons are scored for a query in a layer: more words are not looked for."""
MAX_TERMS = 8
_KEPT = 30
"""So many of each kind of candidate are looked at closely."""


class Wanted(NamedTuple):
    """What is searched for."""

    query: str
    step: str | None
    worker: str | None
    workflow: str | None
    tags: tuple[str, ...]
    k: int


def search(connection: sqlite3.Connection, wanted: Wanted) -> list[Lesson]:
    """Return the `k` lessons that fit best: safety first, then preferences, then general ones."""
    words = sorted(set(words_of(wanted.query)))
    found: list[Lesson] = []
    for layer in LAYERS:
        if len(found) < wanted.k:
            found += _in_layer(connection, layer, words, wanted)[: wanted.k - len(found)]
    return found


def _in_layer(connection: sqlite3.Connection, layer: Layer, words: Sequence[str], wanted: Wanted) -> list[Lesson]:
    relevance = _by_words(connection, layer, words, wanted)
    ids = set(relevance) | _by_scope(connection, layer, wanted)
    if not ids:
        return []
    best = max(relevance.values(), default=0.0) or 1.0
    marks = ", ".join("?" * len(ids))
    query = f"SELECT {', '.join(Candidate._fields)} FROM lessons WHERE id IN ({marks}) AND status = 'approved'"  # noqa: S608 - names of fields
    candidates = [Candidate._make(row) for row in connection.execute(query, sorted(ids))]
    ranked = sorted(
        (-round(_score(one, wanted, relevance.get(one.id, 0.0) / best), 9), -one.id)
        for one in candidates
        if layer == "general" or _may_be_meant(one, wanted)
    )
    return [lesson_of(connection.execute(f"{SELECT} WHERE id = ?", (-at,)).fetchone()) for _, at in ranked[: wanted.k]]


class Candidate(NamedTuple):
    """What is looked at of a lesson to see how well it fits."""

    id: int
    step: str | None
    worker: str | None
    workflow: str | None
    use: int
    success: int
    tags: str


def _by_words(connection: sqlite3.Connection, layer: Layer, words: Sequence[str], wanted: Wanted) -> dict[int, float]:
    """Return the lessons that have words of the query, and how well they fit: BM25, more is better."""
    terms, scored = _telling(connection, layer, words)
    if not terms:
        return {}
    table = f"found_{layer}"
    of_step = ""
    values = [match_of(terms)]
    if layer != "general" and wanted.step is not None:
        of_step = f"AND (SELECT step IS NULL OR step = ? FROM lessons WHERE id = {table}.rowid)"  # noqa: S608 - one of three
        values.append(wanted.step)
    if scored <= MAX_SCORED:
        ranked, order = f"-bm25({table})", "2 DESC, 1 DESC"
    else:  # even the rarest word stands in thousands of lessons: the newest of them
        ranked, order, of_step, values = "1e-6", "rowid DESC", "", values[:1]
    query = f"SELECT rowid, {ranked} FROM {table} WHERE {table} MATCH ? {of_step} ORDER BY {order} LIMIT {_KEPT}"  # noqa: S608 - written here
    return dict(connection.execute(query, values).fetchall())


def _telling(connection: sqlite3.Connection, layer: Layer, words: Sequence[str]) -> tuple[list[str], int]:
    """Return the rarest words of a query, and in how many lessons they stand: at least one, if one is known at all."""
    marks = ", ".join("?" * len(words))
    query = f"SELECT lessons, word FROM words WHERE layer = ? AND word IN ({marks}) ORDER BY lessons, word LIMIT ?"  # noqa: S608 - marks
    counted = connection.execute(query, (layer, *words, MAX_TERMS)).fetchall()
    terms: list[str] = []
    total = 0
    for count, word in counted:
        if terms and total + count > MAX_SCORED:
            break
        terms.append(word)
        total += count
    return terms, total


def _by_scope(connection: sqlite3.Connection, layer: Layer, wanted: Wanted) -> set[int]:
    """Return the newest lessons that are for the step, the worker or the tags that are asked for."""
    ids: set[int] = set()

    def add(condition: str, *values: str) -> None:
        query = (
            f"SELECT id FROM lessons WHERE layer = ? AND status = 'approved' AND {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608 - below
        )
        ids.update(lesson for (lesson,) in connection.execute(query, (layer, *values, _KEPT)))

    if wanted.step is not None:
        add("step = ?", wanted.step)
    if wanted.worker is not None:
        add("worker = ?", wanted.worker)
    if layer == "preference":  # one that is for no step is for all of them
        add("step IS NULL")
    for tag in wanted.tags:
        tagged = f"SELECT lesson FROM tagged WHERE layer = ? AND tag = ? ORDER BY lesson DESC LIMIT {_KEPT}"  # noqa: S608 - a constant
        ids.update(lesson for (lesson,) in connection.execute(tagged, (layer, tag)))
    if not (wanted.query.strip() or wanted.step or wanted.worker or wanted.tags):
        add("TRUE")
    return ids


def _may_be_meant(lesson: Candidate, wanted: Wanted) -> bool:
    """Whether a lesson is not for another step or worker: failures and preferences are told for their own alone."""
    pairs = ((lesson.step, wanted.step), (lesson.worker, wanted.worker), (lesson.workflow, wanted.workflow))
    return all(one is None or asked is None or one == asked for one, asked in pairs)


def _score(lesson: Candidate, wanted: Wanted, relevance: float) -> float:
    """How well a lesson fits: its place among those with the words (0 to 1), what it is for, how well it did."""
    score = relevance + 0.5 * wilson(lesson.success, lesson.use)
    if wanted.step is not None and lesson.step == wanted.step:
        score += 2.0
    if wanted.worker is not None and lesson.worker == wanted.worker:
        score += 0.5
    shared = len(set(json.loads(lesson.tags)) & set(wanted.tags)) if wanted.tags else 0
    return score + (0.5 * shared / len(wanted.tags) if shared else 0.0)
