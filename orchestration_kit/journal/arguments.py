"""What a journal is given, checked before anything is changed: every backend refuses the same things alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestration_kit.journal.port import Facts, Row, RunQuery, Standing

MAX_SEQ = 2**32 - 1
"""Rows a run may have: positions take the lower half of a 64-bit number."""


def check_query(query: RunQuery) -> None:
    """Refuse what no list of runs can be cut by.

    >>> check_query(RunQuery(limit=-1))
    Traceback (most recent call last):
    ...
    ValueError: RunQuery.limit is -1; give a whole number from 0, or None for all.

    Raises:
        ValueError: a limit or offset that is negative or no whole number.
        TypeError: a filter of another type.
    """
    if query.limit is not None and not _is_count(query.limit):
        raise ValueError(f"RunQuery.limit is {query.limit!r}; give a whole number from 0, or None for all.")
    if not _is_count(query.offset):
        raise ValueError(f"RunQuery.offset is {query.offset!r}; give a whole number from 0.")
    for name in ("workflow", "state", "parent", "run_id_contains"):
        value: object = getattr(query, name)
        if value is not None and not isinstance(value, str):
            raise TypeError(f"RunQuery.{name} is {value!r}; give text, or None for any.")
    for name in ("started_after", "started_before"):
        moment: object = getattr(query, name)
        if moment is not None and not isinstance(moment, (int, float)):
            raise TypeError(f"RunQuery.{name} is {moment!r}; give seconds since the epoch, or None for any.")
    _check_tags(query.tags, "RunQuery")


def check_run(facts: Facts, standing: Standing, blobs: Mapping[str, bytes]) -> None:
    """Refuse a run that could not be read back as it was.

    Raises:
        TypeError: a text that is none.
        ValueError: a number out of range, or a time that is none.
    """
    for name in ("run_id", "workflow"):
        if not isinstance(getattr(facts, name), str):
            raise TypeError(f"Facts.{name} is {getattr(facts, name)!r}; give text.")
    for name in ("parent", "forked_at"):
        value: object = getattr(facts, name)
        if value is not None and not isinstance(value, str):
            raise TypeError(f"Facts.{name} is {value!r}; give text or None.")
    _check_moment("Facts.started_at", facts.started_at)
    _check_seq("Facts.shared", facts.shared, least=0)
    _check_tags(facts.tags, "Facts")
    _check_bytes("Facts.header", facts.header)
    _check_bytes("Facts.check", facts.check)
    check_standing(standing)
    check_blobs(blobs)


def check_standing(standing: Standing) -> None:
    """Refuse a standing that could not be read back as it was.

    Raises:
        TypeError: a text that is none.
        ValueError: a number out of range, or a time that is none.
    """
    if not isinstance(standing.state, str):
        raise TypeError(f"Standing.state is {standing.state!r}; give text.")
    if standing.reason is not None and not isinstance(standing.reason, str):
        raise TypeError(f"Standing.reason is {standing.reason!r}; give text or None.")
    if standing.finished_at is not None:
        _check_moment("Standing.finished_at", standing.finished_at)
    _check_seq("Standing.seq", standing.seq, least=0)
    _check_bytes("Standing.totals", standing.totals)
    _check_bytes("Standing.check", standing.check)


def check_rows(rows: Sequence[Row], blobs: Mapping[str, bytes]) -> None:
    """Refuse rows and blobs that could not be read back as they were.

    Raises:
        ValueError: a position that is not a whole number from 1 to 2**32 - 1.
        TypeError: contents that are not bytes.
    """
    for row in rows:
        _check_seq("Row.seq", row.seq, least=1)
        _check_bytes("Row.body", row.body)
        _check_bytes("Row.check", row.check)
    check_blobs(blobs)


def check_blobs(blobs: Mapping[str, bytes]) -> None:
    """Refuse blobs that could not be read back as they were.

    Raises:
        TypeError: a digest that is not text, or contents that are not bytes.
    """
    for digest, content in blobs.items():
        if not isinstance(digest, str):
            raise TypeError(f"The digest of a blob is {digest!r}; give text.")
        _check_bytes(f"The blob {digest}", content)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check_seq(name: str, value: object, *, least: int) -> None:
    if not (isinstance(value, int) and least <= value <= MAX_SEQ):
        raise ValueError(f"{name} is {value!r}; give a whole number from {least} to {MAX_SEQ}.")


def _check_bytes(name: str, value: object) -> None:
    if not isinstance(value, bytes):
        raise TypeError(f"{name} is of type {type(value).__name__}; give bytes.")


def _check_moment(name: str, value: object) -> None:
    if not isinstance(value, float) or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        raise ValueError(f"{name} is {value!r}; give seconds since the epoch as a float, such as time.time().")


def _check_tags(tags: Mapping[str, str], owner: str) -> None:
    for key, value in tags.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise TypeError(f"{owner}.tags has {key!r}: {value!r}; keys and values are text.")
