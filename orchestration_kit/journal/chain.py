"""Checksums: over what a run began with, over where it stands, and a chain over its rows.

BLAKE2b with 16 bytes. They tell damage, not forgery: who can write the file can also write checksums.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from orchestration_kit.engine.summary import Totals
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.port import CHECK_BYTES, Facts, Row, Standing, StoredRun


def next_check(before: bytes, seq: int, body: bytes) -> bytes:
    """Return the check of a row, from the check of the row before it.

    >>> next_check(bytes(16), 1, b"[]").hex()
    '466556c99dae89b1ac4b7f2240cf04b4'
    """
    return blake2b(before + seq.to_bytes(8, "big") + body, digest_size=CHECK_BYTES).digest()


def seal_facts(facts: Facts) -> Facts:
    """Return the facts with their check."""
    return facts._replace(check=_facts_check(facts))


def seal_standing(run_id: str, standing: Standing) -> Standing:
    """Return the standing with its check."""
    return standing._replace(check=_standing_check(run_id, standing))


def _facts_check(facts: Facts) -> bytes:
    run_id, workflow, started_at, parent, forked_at, shared, tags, header, _ = facts
    plain = f"{run_id!a}{workflow!a}{started_at!r}{parent!a}{forked_at!a}{shared!r}{sorted(tags.items())!a}"
    return blake2b(plain.encode() + header, digest_size=CHECK_BYTES).digest()


def _standing_check(run_id: str, standing: Standing) -> bytes:
    state, reason, finished_at, seq, totals, _ = standing
    plain = f"{run_id!a}{state!a}{reason!a}{finished_at!r}{seq!r}"
    return blake2b(plain.encode() + totals, digest_size=CHECK_BYTES).digest()


def verify_run(run: StoredRun) -> None:
    """Compare the checks of what a run began with and of where it stands.

    Raises:
        JournalCorrupt: they are not what was written.
    """
    run_id = run.facts.run_id
    if _facts_check(run.facts) != run.facts.check:
        raise JournalCorrupt(run_id, "the checksum of what it began with does not fit")
    if _standing_check(run_id, run.standing) != run.standing.check:
        raise JournalCorrupt(run_id, "the checksum of where it stands does not fit")


def verify_rows(run_id: str, rows: list[Row], seq: int, check: bytes) -> None:
    """Compare the checks of rows that follow on row `seq` (0: none), whose check is `check`.

    Raises:
        JournalCorrupt: a row is missing, doubled, out of order or changed.
    """
    for row in rows:
        seq += 1
        if row.seq != seq:
            raise JournalCorrupt(run_id, f"row {seq} is missing; row {row.seq} is there in its place")
        check = next_check(check, seq, row.body)
        if row.check != check:
            raise JournalCorrupt(run_id, f"the checksum of row {seq} does not fit")


def verify_end(run: StoredRun, rows: list[Row], first_check: bytes) -> None:
    """Compare where a run stands with its own rows: none that it speaks of may be missing.

    Raises:
        JournalCorrupt: rows that were there are gone.
    """
    standing, facts = run.standing, run.facts
    last = rows[-1].seq if rows else facts.shared
    if standing.seq > last:
        raise JournalCorrupt(facts.run_id, f"{standing.seq - last} rows at its end are missing")
    at = standing.seq - facts.shared
    check = rows[at - 1].check if at > 0 else first_check
    if at < 0 or read_totals(run)[0] != check.hex():
        raise JournalCorrupt(facts.run_id, f"its row {standing.seq} is not the one it stood at")


def read_totals(run: StoredRun) -> tuple[str, Totals]:
    """Return the check of the last row there was, in hex, and the totals up to there.

    Raises:
        JournalCorrupt: they cannot be read.
    """
    try:
        head, *figures = msgspec.json.decode(run.standing.totals)
        return head, Totals(*figures)
    except (ValueError, TypeError) as error:
        raise JournalCorrupt(run.facts.run_id, f"its totals cannot be read ({error})") from None


def write_totals(last_check: bytes, totals: Totals) -> bytes:
    """Return what a standing says of the rows: the check of the last one, and what they add up to."""
    return msgspec.json.encode([last_check.hex(), *totals])
