"""Rows become glances at what happened, for whoever watches many runs: no output, no data bus, no types of anybody.

What stands in a row is told in `rows.py`; `row_reader.py` reads all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from orchestration_kit.journal.port import Row


class Attempt(NamedTuple):
    """An attempt, as far as it is counted."""

    scope: str
    step: str
    visit: int
    attempt: int
    started_at: float
    duration_s: float
    next_step: str | None
    error: tuple[str, str] | None
    """Type and message."""
    retry_in_s: float | None
    usage: dict[str, Any] | None
    cached: bool
    why: tuple[tuple[str, bool], ...] = ()
    """Conditions that were evaluated, and whether they held."""
    undoes: str | None = None
    """The visit that it undoes."""

    @property
    def path(self) -> str:
        """Position in the graph and visit number."""
        return f"{self.scope}{self.step}#{self.visit}"


class Wait(NamedTuple):
    """A visit began to wait."""

    path: str
    kind: str
    asked_at: float
    until: float | None


class Over(NamedTuple):
    """A wait is over."""

    path: str
    at: float


class Mark(NamedTuple):
    """Something else happened."""

    at: float | None


Seen = Attempt | Wait | Over | Mark


class _More(msgspec.Struct):
    e: list[Any] | None = None
    r: float | None = None
    u: dict[str, Any] | None = None
    k: Any = None
    v: list[Any] | None = None
    d: msgspec.Raw = msgspec.Raw()


class _Attempt(msgspec.Struct, array_like=True, tag="a"):
    scope: str
    step: str
    visit: int
    attempt: int
    started_at: float
    duration_s: float
    next_step: str | None
    output: msgspec.Raw
    more: _More | None = None


class _Opened(msgspec.Struct, array_like=True, tag="b"):
    path: str
    keys: msgspec.Raw
    items: msgspec.Raw
    at: float


class _Waits(msgspec.Struct, array_like=True, tag="w"):
    path: str
    kind: str
    request: str
    shown: msgspec.Raw
    asked_at: float
    until: float | None


class _Answered(msgspec.Struct, array_like=True, tag="q"):
    path: str
    kind: str
    value: msgspec.Raw
    reason: msgspec.Raw
    request: str
    at: float


class _News(msgspec.Struct, array_like=True, tag="n"):
    name: msgspec.Raw
    payload: msgspec.Raw
    at: float


class _Limit(msgspec.Struct, array_like=True, tag="l"):
    limit: msgspec.Raw
    value: msgspec.Raw
    next_step: msgspec.Raw
    at: float


class _Forked(msgspec.Struct, array_like=True, tag="f"):
    visit: msgspec.Raw
    at: float


class _Resumed(msgspec.Struct, array_like=True, tag="r"):
    at: float


class _Ended(msgspec.Struct, array_like=True, tag="e"):
    state: msgspec.Raw
    reason: msgspec.Raw
    at: float


class _Undoing(msgspec.Struct):
    undoes: str | None = None


_Body = _Attempt | _Opened | _Waits | _Answered | _News | _Limit | _Forked | _Resumed | _Ended
_body = msgspec.json.Decoder(_Body)
_undoing = msgspec.json.Decoder(_Undoing)


def read(rows: Iterable[Row]) -> Iterator[Seen]:
    """Yield what rows tell, in order.

    Raises:
        ValueError: a row is none that a journal writes.
    """
    for row in rows:
        body = _body.decode(row.body)
        if isinstance(body, _Attempt):
            yield _attempt(body)
        elif isinstance(body, _Waits):
            yield Wait(body.path, body.kind, body.asked_at, body.until)
        elif isinstance(body, _Answered):
            yield Over(body.path, body.at)
        else:
            yield Mark(body.at)


def _attempt(body: _Attempt) -> Attempt:
    more = body.more
    plain = (body.scope, body.step, body.visit, body.attempt, body.started_at, body.duration_s, body.next_step)
    if more is None:
        return Attempt(*plain, None, None, None, cached=False)
    error = None if more.e is None else (str(more.e[0]), str(more.e[1]))
    why = () if more.v is None else tuple((str(one[0]), one[2] is True) for one in more.v)
    undoes = _undoing.decode(more.d).undoes if b'"undoes"' in bytes(more.d) else None
    return Attempt(*plain, error, more.r, more.u, more.k is True, why, undoes)
