"""What a file says is a recording, checked: its fields, their kinds, and names that were mistyped."""

from __future__ import annotations

import re
from typing import Any, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.journal.cassette.recording import BODY, OUTCOMES, Recording

_FIELDS = ("path", "attempt", "worker", "hash")
_INSIDE: dict[str, tuple[str, ...]] = {
    "error": ("type", "message", "bases", "final"),
    "failure": ("reason", "output"),
    "spawn": ("workflow", "input"),
    "data": ("set", "removed"),
    "usage": ("input_tokens", "output_tokens", "cost_usd", "model"),
    "refused": ("plan", "violations", "on_violation", "stage", "returned"),
}
_HASH = re.compile(r"[0-9a-f]{16}")
_MOST_BASES, _LONGEST_NAME, _MOST_USAGE = 64, 200, 1e18


class Malformed(ValueError):
    """A recording in a file is not one; `args` are what is wrong and what to do."""


def from_data(plain: Any) -> Recording:
    """Return a recording from what a file holds.

    Raises:
        Malformed: it is none.
    """
    fields = _mapping(plain, "a recording", (*_FIELDS, *BODY))
    for name, kind in (("path", str), ("attempt", int), ("worker", str)):
        if type(fields.get(name)) is not kind or not fields[name]:
            raise Malformed(f"its {name} is {fields.get(name)!r:.60}", _WANTED[name])
    _check_outcome(fields)
    if "input" not in fields or fields["attempt"] < 1:
        raise Malformed("it has no input" if "input" not in fields else "its attempt is below 1", "Mend it.")
    for name in ("pieces", "added", "actions", "lessons"):
        if not isinstance(fields.get(name, []), list):
            raise Malformed(f"its {name} is no list", f'Write "{name}:" and a list below.')
    for name, known in _INSIDE.items():
        if name in fields:
            _mapping(fields[name], f"its {name}", known)
    _check_error(fields.get("error"))
    _check_usage(fields.get("usage"))
    given_hash = fields.get("hash", "")
    if not isinstance(given_hash, str) or (given_hash and not _HASH.fullmatch(given_hash)):
        raise Malformed(f"its hash is {given_hash!r:.60}", "Leave the line out, and it is made from the input.")
    body = {name: fields[name] for name in BODY if name in fields}
    return Recording(fields["path"], fields["attempt"], fields["worker"], body, given_hash)


def _check_outcome(fields: dict[str, Any]) -> None:
    outcomes = [name for name in OUTCOMES if name in fields]
    if len(outcomes) > 1 or not (outcomes or "pieces" in fields):
        raise Malformed(f"it has {listed(outcomes)} as outcome", f"Give one of {', '.join(OUTCOMES)}.")
    if fields.get("cancelled", True) is not True:
        raise Malformed(f"its cancelled is {fields['cancelled']!r:.60}", 'Write "cancelled: true", or leave it out.')


_WANTED = {
    "path": "A path is a position such as draft#1.",
    "attempt": "An attempt is a number from 1.",
    "worker": "A worker is the name of one.",
}


def _mapping(plain: Any, what: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise Malformed(f"{what} is {type(plain).__name__}, not a mapping", f"It has {listed(known, 20)}.")
    found = cast("dict[str, Any]", plain)
    for name in found:
        if name not in known:
            raise Malformed(
                f"{what} has {name!r:.60}.{did_you_mean(name[:60], known)}", f"It may have {listed(known, 20)}."
            )
    return found


def _check_error(error: dict[str, Any] | None) -> None:
    if error is None:
        return
    bases = error.get("bases", [])
    names: list[Any] = [error.get("type"), *(bases if isinstance(bases, list) else [None])]
    is_fine = len(names) <= _MOST_BASES and all(
        isinstance(name, str) and name.isprintable() and 0 < len(name) <= _LONGEST_NAME for name in names
    )
    if not is_fine:
        raise Malformed("its error has no name", "Give type (the name of a class) and bases (a list of names).")


def _check_usage(usage: dict[str, Any] | None) -> None:
    for name, value in (usage or {}).items():
        if name == "model":
            is_fine = value is None or isinstance(value, str)
        else:
            numbers = (int, float) if name == "cost_usd" else int
            is_fine = isinstance(value, numbers) and not isinstance(value, bool) and 0 <= value < _MOST_USAGE
        if not is_fine:
            raise Malformed(
                f"its usage has {name} {value!r:.60}", "Tokens are whole numbers, costs numbers of dollars."
            )
