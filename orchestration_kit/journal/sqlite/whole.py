"""Whole runs into a journal's file, many in one transaction: each with its rows, driven by nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from orchestration_kit.errors import DuplicateRun
from orchestration_kit.journal.port import WholeRun
from orchestration_kit.journal.sqlite.records import INSERT_RUN, find_record, free_run_values
from orchestration_kit.journal.sqlite.statements import INSERT_ROW, note_runs, put_uses


def put_whole(connection: sqlite3.Connection, runs: Sequence[WholeRun]) -> int:
    """Add runs, inside the caller's transaction; return the highest number that was given, 0 for none.

    Raises:
        DuplicateRun: the id of one of them is taken.
    """
    numbers: list[int] = []
    rows: list[tuple[int, bytes, bytes]] = []
    blobs: dict[str, bytes] = {}
    users: dict[str, list[int]] = {}
    for facts, standing, own_rows, own_blobs in runs:
        cursor = connection.execute(INSERT_RUN, free_run_values(facts, standing))
        if not cursor.rowcount:
            there = find_record(connection, facts.run_id)
            raise DuplicateRun(facts.run_id, "there" if there is None else there.run.standing.state)
        number = cursor.lastrowid or 0
        numbers.append(number)
        base = number << 32
        rows += [(base + seq, body, check) for seq, body, check in own_rows]
        for digest, content in own_blobs.items():
            blobs[digest] = content
            users.setdefault(digest, []).append(number)
    note_runs(connection, +1, [run.facts.check for run in runs])
    connection.executemany(INSERT_ROW, rows)
    put_uses(connection, blobs, users)
    return max(numbers, default=0)
