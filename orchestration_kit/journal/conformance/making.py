"""What the conformance tests are made of: runs, standings and rows with nothing in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestration_kit.journal.port import Facts, Journal, Lease, Row, Standing

MakeJournal = Callable[[], Journal]

TEXTS = (
    "",
    " ",
    "a",
    "A",
    "run-1",
    "ÿ é ß",
    "日本語",
    "🦄🏳️‍🌈",
    "\ud800",
    "\udfff\ud800",
    "\U0010ffff",
    "a\x00b",
    "\x00",
    "a\nb\r\n\t",
    "'; DROP TABLE runs; --",
    "\" OR ''='",
    "100%_\\",
    "?1 :name @x $y",
    "NULL",
    "\u2028\ufeff\u202e",
    "é",
    "x" * 5000,
)
"""Texts that a careless backend takes for something else."""


def a_check(*parts: object) -> bytes:
    """Return 16 bytes that depend on what is given."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def some_facts(run_id: str = "run", **fields: Any) -> Facts:
    """Return facts of a run, with these fields."""
    known: dict[str, Any] = {
        "workflow": "flow",
        "started_at": 1_700_000_000.25,
        "parent": None,
        "forked_at": None,
        "shared": 0,
        "tags": {},
        "header": b'{"goal":"g"}',
        "check": a_check("facts", run_id),
    }
    return Facts(run_id=run_id, **(known | fields))


def some_standing(state: str = "in_progress", **fields: Any) -> Standing:
    """Return a standing, with these fields."""
    known: dict[str, Any] = {
        "reason": None,
        "finished_at": None,
        "seq": 0,
        "totals": b"[0]",
        "check": a_check("standing", state),
    }
    return Standing(state=state, **(known | fields))


def a_row(seq: int, body: bytes | None = None, check: bytes | None = None) -> Row:
    """Return a row at a position."""
    content = b'{"n":%d}' % seq if body is None else body
    return Row(seq, content, a_check("row", seq, content) if check is None else check)


def some_rows(first: int, last: int) -> list[Row]:
    """Return rows from a position to another."""
    return [a_row(seq) for seq in range(first, last + 1)]


def begin(journal: Journal, run_id: str = "run", **fields: Any) -> Lease:
    """Put a run on record."""
    return journal.create(some_facts(run_id, **fields), some_standing(), {})


class Made:
    """A journal to test: what every group of tests starts from."""

    @pytest.fixture
    def make_journal(self) -> MakeJournal:
        """Return what makes an empty journal: to be overridden."""
        raise NotImplementedError(
            "Override the fixture make_journal: it returns a function that makes an empty journal."
        )

    @pytest.fixture
    def journal(self, make_journal: MakeJournal) -> Iterator[Journal]:
        """Make an empty journal, and close it."""
        with make_journal() as journal:
            yield journal
