"""Turns runs into the columns of a journal's file and back, and a query into SQL; trusts nothing that it reads."""

from __future__ import annotations

import math
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.port import Facts, Holder, Owner, Row, RunQuery, Standing, StoredRun
from orchestration_kit.journal.sqlite.schema import bytes_to_text, text_to_bytes

V = TypeVar("V")

MAX_RUNS = 2**31 - 1
"""Runs a file may ever have had: their numbers take the upper half of a 64-bit number."""

COLUMNS = (
    "number, epoch, token, beat, run_id, workflow, started_at, parent, state, tags, reason, finished_at, seq, "
    "standing_check, forked_at, shared, facts_check, host, boot, namespace, pid, process_start, totals, header"
)
SELECT_RUN = f"SELECT {COLUMNS} FROM runs WHERE run_id = ?"  # noqa: S608 - constants only
SELECT_ALL = (
    f"SELECT {COLUMNS}, total, mark FROM catalog LEFT JOIN runs ON 1 "  # noqa: S608 - constants only
    "ORDER BY started_at DESC, run_id DESC"
)
INSERT_RUN = (
    "INSERT INTO runs(epoch, token, beat, run_id, workflow, started_at, parent, state, tags, reason, finished_at, seq, "  # noqa: S608
    "standing_check, forked_at, shared, facts_check, host, boot, namespace, pid, process_start, totals, header) "
    f"VALUES ({', '.join('?' * 23)}) ON CONFLICT(run_id) DO NOTHING"
)
UPDATE_STANDING = (
    "UPDATE runs SET state = ?, reason = ?, finished_at = ?, seq = ?, totals = ?, standing_check = ? WHERE number = ?"
)
UPDATE_HOLDER = (
    "UPDATE runs SET token = ?, host = ?, boot = ?, namespace = ?, pid = ?, process_start = ?, epoch = ?, beat = ? "
    "WHERE number = ?"
)

_NOBODY = (None,) * 5
"""In place of the process that drives a run."""


def run_values(facts: Facts, standing: Standing, holder: Holder) -> tuple[Any, ...]:
    """Return the values of `INSERT_RUN`."""
    owner = holder.owner
    held = (holder.epoch, text_to_bytes(owner.token), holder.beat)
    return _run_values(facts, standing, held, tuple(_process_values(owner)))


def free_run_values(facts: Facts, standing: Standing) -> tuple[Any, ...]:
    """Return the values of `INSERT_RUN` for a run that nobody drives, and that was driven once."""
    return _run_values(facts, standing, (1, None, 0), _NOBODY)


def _run_values(facts: Facts, standing: Standing, held: tuple[Any, ...], process: tuple[Any, ...]) -> tuple[Any, ...]:
    return (
        *held,
        *(text_to_bytes(facts.run_id), text_to_bytes(facts.workflow), facts.started_at, _bytes_or_none(facts.parent)),
        *(text_to_bytes(standing.state), packed(facts.tags), _bytes_or_none(standing.reason), standing.finished_at),
        *(standing.seq, standing.check, _bytes_or_none(facts.forked_at), facts.shared, facts.check),
        *process,
        *(standing.totals, facts.header),
    )


def standing_values(standing: Standing, number: int) -> tuple[Any, ...]:
    """Return the values of `UPDATE_STANDING`."""
    return (
        *(text_to_bytes(standing.state), _bytes_or_none(standing.reason), standing.finished_at, standing.seq),
        *(standing.totals, standing.check, number),
    )


def holder_values(holder: Holder, number: int) -> tuple[Any, ...]:
    """Return the values of `UPDATE_HOLDER`."""
    owner = holder.owner
    return (text_to_bytes(owner.token), *_process_values(owner), holder.epoch, holder.beat, number)


class RunRecord:
    """What `SELECT COLUMNS` gave for one run, checked for type.

    Raises:
        JournalCorrupt: a cell holds what was never written to it.
    """

    __slots__ = ("epoch", "number", "run")

    def __init__(self, cells: tuple[Any, ...]) -> None:
        quickly = _read_quickly(cells)
        if quickly is not None:
            self.number, self.epoch, self.run = quickly
            return
        named: dict[str, Any] = dict(zip(COLUMNS.split(", "), cells, strict=True))
        cell = _Cells(named)
        self.number = cell.whole("number", least=1, most=MAX_RUNS)
        self.epoch = cell.whole("epoch", least=1)
        facts = Facts(
            run_id=cell.text("run_id"),
            workflow=cell.text("workflow"),
            started_at=cell.typed("started_at", float),
            parent=cell.text_or_none("parent"),
            forked_at=cell.text_or_none("forked_at"),
            shared=cell.whole("shared"),
            tags=cell.tags(),
            header=cell.typed("header", bytes),
            check=cell.typed("facts_check", bytes),
        )
        standing = Standing(
            state=cell.text("state"),
            reason=cell.text_or_none("reason"),
            finished_at=None if named["finished_at"] is None else cell.typed("finished_at", float),
            seq=cell.whole("seq"),
            totals=cell.typed("totals", bytes),
            check=cell.typed("standing_check", bytes),
        )
        holder = None
        if named["token"] is not None:
            process = (cell.text("host"), cell.text("boot"), cell.text("namespace"), cell.whole("pid"))
            owner = Owner(cell.text("token"), *process, cell.text("process_start"))
            holder = Holder(owner, self.epoch, cell.whole("beat"))
        self.run = StoredRun(facts, standing, holder)


def _read_quickly(cells: tuple[Any, ...]) -> tuple[int, int, StoredRun] | None:
    """Return a run that nobody drives and whose cells are all in order; None for those that take a closer look.

    Lists of a hundred thousand runs come this way.
    """
    (
        number, epoch, token, beat, run_id, workflow, started_at, parent, state, tags, reason, finished_at, seq,
        standing_check, forked_at, shared, facts_check, _, _, _, _, _, totals, header,
    ) = cells  # fmt: skip
    if not (
        token is parent is forked_at is reason is None
        and type(number) is type(epoch) is type(beat) is type(seq) is type(shared) is int
        and type(run_id) is type(workflow) is type(state) is type(tags) is type(totals) is type(header) is bytes
        and type(standing_check) is type(facts_check) is bytes
        and type(started_at) is float
        and (finished_at is None or type(finished_at) is float)
        and 1 <= number <= MAX_RUNS
        and epoch >= 1
        and seq >= 0
        and shared >= 0
        and tags[:1] == tags[-1:] == b"\xff"
    ):
        return None
    found: dict[str, str] = {}
    try:
        for pair in tags[1:-1].split(b"\xff") if len(tags) > 1 else ():
            key, value = pair.split(b"\xfe")
            found[str(key, "utf-8")] = str(value, "utf-8")
        named, flow = str(run_id, "utf-8"), str(workflow, "utf-8")
        facts = Facts(named, flow, started_at, None, None, shared, found, header, facts_check)
        standing = Standing(str(state, "utf-8"), None, finished_at, seq, totals, standing_check)
    except ValueError:  # no UTF-8, or no tags
        return None
    return number, epoch, StoredRun(facts, standing, None)


def find_record(connection: sqlite3.Connection, run_id: str) -> RunRecord | None:
    """Return a run, or None."""
    found = connection.execute(SELECT_RUN, (text_to_bytes(run_id),)).fetchone()
    return None if found is None else RunRecord(found)


def row_of(run_id: str, cells: tuple[Any, ...]) -> Row:
    """Return a row from its id, body and check.

    Raises:
        JournalCorrupt: a cell holds what was never written to it.
    """
    number, body, check = cells
    if not (isinstance(number, int) and isinstance(body, bytes) and isinstance(check, bytes)):
        raise JournalCorrupt(run_id, "a row holds a value of another type than was written")
    return Row(number & 0xFFFFFFFF, body, check)


def packed(tags: Mapping[str, str]) -> bytes:
    r"""Return tags as bytes in which one of them can be searched: 0xFE and 0xFF never occur in UTF-8.

    >>> packed({"team": "a", "env": ""})
    b'\xffteam\xfea\xffenv\xfe\xff'
    """
    return b"".join([*(_tag(key, value) for key, value in tags.items()), b"\xff"])


def where(query: RunQuery) -> tuple[str, list[Any]]:
    """Return the condition, order and cut of a query, as SQL of constants with values to bind.

    >>> where(RunQuery(state="failed", limit=3))
    ('state = ? ORDER BY started_at DESC, run_id DESC LIMIT ? OFFSET ?', [b'failed', 3, 0])
    """
    clauses: list[str] = []
    values: list[Any] = []

    def must(clause: str, value: Any) -> None:
        clauses.append(clause)
        values.append(value)

    for column, wanted in (("workflow", query.workflow), ("state", query.state), ("parent", query.parent)):
        if wanted is not None:
            must(f"{column} = ?", text_to_bytes(wanted))
    if query.started_after is not None:
        must("started_at >= ?", _next_float(query.started_after))
    if query.started_before is not None:
        must("started_at < ?", _next_float(query.started_before))
    for key, value in query.tags.items():
        must("instr(tags, ?) > 0", _tag(key, value) + b"\xff")
    if query.run_id_contains:
        must("instr(run_id, ?) > 0", text_to_bytes(query.run_id_contains))
    limit = -1 if query.limit is None else min(query.limit, sys.maxsize)
    condition = " AND ".join(clauses) or "1"
    return (
        f"{condition} ORDER BY started_at DESC, run_id DESC LIMIT ? OFFSET ?",
        [*values, limit, min(query.offset, sys.maxsize)],
    )


class _Cells:
    def __init__(self, named: dict[str, Any]) -> None:
        self._named = named

    def typed(self, name: str, kind: type[V]) -> V:
        value = self._named[name]
        if not isinstance(value, kind):
            raise self._damaged(name, f"{type(value).__name__} in place of {kind.__name__}")
        return value

    def whole(self, name: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
        value = self.typed(name, int)
        if not least <= value <= most:
            raise self._damaged(name, f"the number {value}")
        return value

    def text(self, name: str) -> str:
        try:
            return bytes_to_text(self.typed(name, bytes))
        except UnicodeDecodeError as error:
            raise self._damaged(name, "bytes that are no text") from error

    def text_or_none(self, name: str) -> str | None:
        return None if self._named[name] is None else self.text(name)

    def tags(self) -> dict[str, str]:
        parts = self.typed("tags", bytes).split(b"\xff")
        pairs = [part.split(b"\xfe") for part in parts[1:-1]]
        if parts[0] or parts[-1] or len(parts) < 2 or any(len(pair) != 2 for pair in pairs):
            raise self._damaged("tags", "bytes that are no tags")
        try:
            return {bytes_to_text(key): bytes_to_text(value) for key, value in pairs}
        except UnicodeDecodeError as error:
            raise self._damaged("tags", "bytes that are no text") from error

    def _damaged(self, name: str, what: str) -> JournalCorrupt:
        run_id: object = self._named["run_id"]
        shown = bytes(run_id).decode("utf-8", "replace") if isinstance(run_id, bytes) else None
        return JournalCorrupt(shown, f"{name} holds {what}")


def _next_float(number: float) -> float | None:
    """Return the least float that is not less than a number of any size, as SQLite compares floats; None for NaN."""
    if number != number:  # noqa: PLR0124 - NaN alone differs from itself; math.isnan takes no large int
        return None
    try:
        near = float(number)
    except OverflowError:
        return math.inf if number > 0 else -sys.float_info.max
    return math.nextafter(near, math.inf) if near < number else near


def _tag(key: str, value: str) -> bytes:
    return b"\xff" + text_to_bytes(key) + b"\xfe" + text_to_bytes(value)


def _bytes_or_none(text: str | None) -> bytes | None:
    return None if text is None else text_to_bytes(text)


def _process_values(owner: Owner) -> Iterable[Any]:
    texts = [text_to_bytes(text) for text in (owner.host, owner.boot, owner.namespace)]
    return (*texts, owner.pid, text_to_bytes(owner.process_start))
