"""Damage to a journal's file, at random: to its bytes and pages, and to single cells and rows through SQLite."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

PAGE = 8192
TABLES = ("runs", "rows", "blobs", "uses", "migrations")

Damage = Callable[[Path, random.Random], str]
"""Damages a file, and says what it did; an empty text where nothing was changed."""


def flip_bits(path: Path, draw: random.Random) -> str:
    content = bytearray(path.read_bytes())
    places = [draw.randrange(len(content)) for _ in range(draw.choice([1, 1, 1, 4, 40]))]
    for place in places:
        content[place] ^= 1 << draw.randrange(8)
    return _rewritten(path, content, f"bits flipped in bytes {places[:4]}")


def overwrite_span(path: Path, draw: random.Random) -> str:
    content = bytearray(path.read_bytes())
    begin = draw.randrange(len(content))
    size = min(draw.choice([1, 4, 64, 512, PAGE]), len(content) - begin)
    content[begin : begin + size] = draw.choice([bytes(size), b"\xff" * size, draw.randbytes(size)])
    return _rewritten(path, content, f"{size} bytes overwritten from {begin}")


def zero_page(path: Path, draw: random.Random) -> str:
    content = bytearray(path.read_bytes())
    page = draw.randrange(len(content) // PAGE)
    content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    return _rewritten(path, content, f"page {page + 1} zeroed")


def swap_pages(path: Path, draw: random.Random) -> str:
    content = bytearray(path.read_bytes())
    one, other = (draw.randrange(len(content) // PAGE) * PAGE for _ in range(2))
    first = content[one : one + PAGE]
    content[one : one + PAGE] = content[other : other + PAGE]
    if draw.random() < 0.5:
        content[other : other + PAGE] = first
    return _rewritten(
        path, content, f"page {one // PAGE + 1} and {other // PAGE + 1} swapped, or one put over the other"
    )


def truncate(path: Path, draw: random.Random) -> str:
    content = path.read_bytes()  # an empty file is a new one
    size = draw.choice([draw.randrange(1, len(content)), draw.randrange(1, len(content) // PAGE) * PAGE])
    return _rewritten(path, content[:size], f"truncated to {size} bytes of {len(content)}")


def change_cell(path: Path, draw: random.Random) -> str:
    with closing(sqlite3.connect(path)) as connection:
        table, column, row = _a_cell(connection, draw)
        key, before = row
        after = draw.choice(_OTHER_VALUES)(before, draw)
        if draw.random() < 0.2:  # what stands in another row
            others = connection.execute(f'SELECT "{column}" FROM "{table}"').fetchall()
            after = draw.choice(others)[0]
        if type(after) is type(before) and after == before:
            return ""
        try:
            connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE {_key(table)} = ?', (after, key))
        except sqlite3.Error:  # refused by a constraint
            return ""
        connection.commit()
    return f"{table}.{column} of {key!r}: {before!r:.60} -> {after!r:.60}"


def swap_cells(path: Path, draw: random.Random) -> str:
    with closing(sqlite3.connect(path)) as connection:
        table, column, (one, first) = _a_cell(connection, draw)
        if table == "uses":
            return ""
        other, second = draw.choice(connection.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall())
        if first == second or column in ("number", "id", "version", "run_id", "digest"):
            return ""
        connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (second, one))
        connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (first, other))
        connection.commit()
    return f"{table}.{column} of {one} and {other} swapped"


def swap_rows(path: Path, draw: random.Random) -> str:
    with closing(sqlite3.connect(path)) as connection:
        one, other = (draw.choice(connection.execute("SELECT id FROM rows").fetchall())[0] for _ in range(2))
        if one == other:
            return ""
        for before, after in ((one, -1), (other, one), (-1, other)):
            connection.execute("UPDATE rows SET id = ? WHERE id = ?", (after, before))
        connection.commit()
    return f"rows {one} and {other} swapped"


def delete_row(path: Path, draw: random.Random) -> str:
    with closing(sqlite3.connect(path)) as connection:
        table, _, (key, _) = _a_cell(connection, draw)
        connection.execute(f'DELETE FROM "{table}" WHERE {_key(table)} = ?', (key,))
        connection.commit()
    return f"{table}: {key!r} deleted"


def delete_last_rows(path: Path, draw: random.Random) -> str:
    with closing(sqlite3.connect(path)) as connection:
        numbers = [number for (number,) in connection.execute("SELECT DISTINCT id >> 32 FROM rows")]
        number, count = draw.choice(numbers), draw.randrange(1, 4)
        connection.execute(
            "DELETE FROM rows WHERE id IN (SELECT id FROM rows WHERE id >> 32 = ? ORDER BY id DESC LIMIT ?)",
            (number, count),
        )
        connection.commit()
    return f"the last {count} rows of run number {number} deleted"


DAMAGES: tuple[Damage, ...] = (
    flip_bits,
    overwrite_span,
    zero_page,
    swap_pages,
    truncate,
    change_cell,
    change_cell,
    change_cell,
    swap_cells,
    swap_rows,
    delete_row,
    delete_last_rows,
)


def _rewritten(path: Path, content: bytes, what: str) -> str:
    if path.read_bytes() == content:
        return ""
    path.write_bytes(content)
    return what


def _key(table: str) -> str:
    return '"blob" * 1000 + "run"' if table == "uses" else "rowid"


def _a_cell(connection: sqlite3.Connection, draw: random.Random) -> tuple[str, str, tuple[int, Any]]:
    """A table, a column, and a row's key with its value: every column has the same chance."""
    columns = [(table, column[1]) for table in TABLES for column in connection.execute(f'PRAGMA table_info("{table}")')]
    table, column = draw.choice(columns)
    rows = connection.execute(f'SELECT {_key(table)}, "{column}" FROM "{table}"').fetchall()
    return table, column, draw.choice(rows)


def _flipped(value: Any, draw: random.Random) -> Any:
    if isinstance(value, bytes) and value:
        content = bytearray(value)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        return bytes(content)
    return value


def _shorter(value: Any, draw: random.Random) -> Any:
    return value[: draw.randrange(len(value))] if isinstance(value, bytes) and value else value


def _moved(value: Any, draw: random.Random) -> Any:
    return value + draw.choice([-1, 1, 1000]) if isinstance(value, (int, float)) else value


_OTHER_VALUES: tuple[Callable[[Any, random.Random], Any], ...] = (
    _flipped,
    _flipped,
    _shorter,
    _moved,
    lambda value, draw: None,
    lambda value, draw: b"",
    lambda value, draw: draw.choice([0, 1, 2**40, -1, 1.5, b"null", b"[]", b"{}", b"completed", "text"]),
)
