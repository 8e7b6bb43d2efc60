"""Actions on record, kept by where they were done: asked for before each further action, in runs of any length."""

from __future__ import annotations

import threading
from typing import Any

from orchestration_kit.engine.order import opener_of, scope_of

Actions = list[dict[str, Any]]

_lock = threading.Lock()
"""Held for moments: workers of several branches may act at the same time."""


class Acted:
    """What the attempts of one run have had carried out. Reads each of them once."""

    __slots__ = ("_actions", "_openers", "_paths", "_read")

    def __init__(self) -> None:
        self._read = 0
        self._paths: set[str] = set()
        """The visits with an attempt on record; those within branches alone."""
        self._actions: dict[str, list[tuple[int, Actions]]] = {}
        """By scope, with when they came."""
        self._openers: set[str] = set()
        """The visits that opened those scopes, directly or not."""

    def seen_from(self, rows: list[Any], prefix: str, *, is_branched: bool) -> Actions | None:
        """Return the actions that a branch can know of, in the order of the workflow.

        None where that takes a look at the whole record, as branches that have ended had actions carried out.

        Args:
            rows: Every attempt on record, without names, as they came.
            prefix: The scope of the branch.
            is_branched: Whether branches were opened at all.
        """
        with _lock:
            self._read_on(rows, is_branched=is_branched)
            if not is_branched:
                return [one for _, actions in self._actions.get("", ()) for one in actions]
            line = line_of(prefix)
            # A branch that has ended is known by its opener's record; see `Record.seen_from`.
            if any(opener in self._paths and scope_of(opener) in line for opener in self._openers):
                return None
            found = [entry for scope in line for entry in self._actions.get(scope, ())]
        found.sort(key=_when)  # within a line, one thing follows another
        return [one for _, actions in found for one in actions]

    def _read_on(self, rows: list[Any], *, is_branched: bool) -> None:
        count = len(rows)
        if is_branched and self._read and not self._paths:  # those before the first branches
            self._paths |= {path_of(row) for row in rows[: self._read]}
        for at in range(self._read, count):
            row = rows[at]
            if is_branched:
                self._paths.add(path_of(row))
            actions = None if row[19] is None else row[19].get("actions")
            if actions:
                scope = row[1]
                self._actions.setdefault(scope, []).append((at, actions))
                while scope and (opener := opener_of(scope)[0]) not in self._openers:
                    self._openers.add(opener)
                    scope = scope_of(opener)
        self._read = count


def line_of(prefix: str) -> set[str]:
    """Return a scope and those that it lies in.

    >>> sorted(line_of("research#1[3]/"))
    ['', 'research#1[3]/']
    """
    line = {""}
    while prefix:
        line.add(prefix)
        prefix = scope_of(opener_of(prefix)[0])
    return line


def path_of(row: tuple[Any, ...]) -> str:
    """Return the position of an attempt without names.

    >>> path_of((1, "", "draft", 2))
    'draft#2'
    """
    return f"{row[1]}{row[2]}#{row[3]}"


def _when(entry: tuple[int, Actions]) -> int:
    return entry[0]
