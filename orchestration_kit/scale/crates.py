"""Whole runs, as a journal holds them, become bytes and runs again; what arrives is verified before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from orchestration_kit.journal.chain import verify_end, verify_rows, verify_run
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.port import Facts, Row, Standing, StoredRun, WholeRun


class _Crate(msgspec.Struct, array_like=True):
    facts: tuple[str, str, float, str | None, str | None, int, dict[str, str], bytes, bytes]
    standing: tuple[str, str | None, float | None, int, bytes, bytes]
    rows: list[tuple[int, bytes, bytes]]
    blobs: dict[str, bytes]


_decoder = msgspec.msgpack.Decoder(list[_Crate])


def packed(runs: Sequence[WholeRun]) -> bytes:
    """Return runs as bytes."""
    crates: list[Any] = [(tuple(run.facts), tuple(run.standing), list(run.rows), dict(run.blobs)) for run in runs]
    return msgspec.msgpack.encode(crates)


def unpacked(content: bytes, run_id: str) -> list[WholeRun]:
    """Return the runs in bytes: the one that was asked for first, then those within it.

    Raises:
        JournalCorrupt: they are not what was written, or of another run.
    """
    try:
        crates = _decoder.decode(content)
    except (ValueError, TypeError) as error:
        raise JournalCorrupt(run_id, f"what came of it elsewhere cannot be read ({error})") from error
    runs = [
        WholeRun(Facts(*crate.facts), Standing(*crate.standing), [Row(*row) for row in crate.rows], crate.blobs)
        for crate in crates
    ]
    if not runs or runs[0].facts.run_id != run_id:
        raise JournalCorrupt(run_id, "something else came back in its place")
    for facts, standing, rows, _ in runs:
        stored = StoredRun(facts, standing, None)
        verify_run(stored)
        verify_rows(facts.run_id, list(rows), facts.shared, facts.check)
        verify_end(stored, list(rows), facts.check)
    return runs
