"""Which branches an account tells of one attempt at a time, and how far the others are. Decides nothing else.

A map over thousands of items would bury everything in lines; of what is left out, failures and progress are told.
"""

from __future__ import annotations

from orchestration_kit.engine.events import AttemptFinished, BranchesOpened
from orchestration_kit.engine.order import UNDO, opener_of, scope_of

MAX_BRANCHES = 20
"""Branches of one visit that are told in full."""
MAX_IN_ALL = 100
"""The same, with branches within branches, of all that one visit of the run itself opened."""


class Opened:
    """The branches of one visit, as far as they were heard of."""

    __slots__ = ("ended", "failed", "is_told", "path", "shown", "total")

    def __init__(self, path: str, total: int, *, is_told: bool) -> None:
        self.path = path
        self.total = total
        self.is_told = is_told
        """Whether the visit itself is told of."""
        self.shown: set[str] = set()
        """The scopes that are told in full."""
        self.ended = self.failed = 0

    @property
    def is_large(self) -> bool:
        """Whether it has more branches than are told in full."""
        return self.total > MAX_BRANCHES

    def note_end(self, *, failed: bool) -> bool:
        """Count a branch that has ended; return whether another tenth of them is done."""
        before = self.ended * 10 // max(self.total, 1)
        self.ended += 1
        self.failed += failed
        return self.ended * 10 // max(self.total, 1) > before


class Told:
    """What is told of the branches of a run."""

    def __init__(self) -> None:
        self._opened: dict[str, Opened] = {}
        """By position."""
        self._in_all: dict[str, int] = {}
        """By position of the outermost opener: how many branches are told in full."""

    def open(self, path: str, total: int) -> Opened:
        """Note that a visit opened branches."""
        found = self._opened[path] = Opened(path, total, is_told=self.is_shown(scope_of(path)))
        return found

    def open_event(self, event: BranchesOpened) -> Opened:
        """Note that branches were opened."""
        return self.open(event.path, len(event.keys if event.keys is not None else event.inputs or ()))

    def join(self, path: str) -> Opened | None:
        """Forget branches that were joined; return what was known of them."""
        return self._opened.pop(path, None)

    def is_shown(self, scope: str) -> bool:
        """Whether what happens in a scope is told in full. The first branches that are heard of are."""
        if not scope.endswith("]/"):
            return True
        opener, key = opener_of(scope)
        group = self._opened.get(opener)
        if key == UNDO or group is None:  # opened before anybody listened
            return True
        if scope in group.shown:
            return True
        if not group.is_told or len(group.shown) >= MAX_BRANCHES or not self._has_room(opener):
            return False
        group.shown.add(scope)
        return True

    def _has_room(self, opener: str) -> bool:
        outermost = opener.partition("[")[0]
        told = self._in_all.get(outermost, 0)
        self._in_all[outermost] = told + (told < MAX_IN_ALL)
        return told < MAX_IN_ALL

    def add_items(self, scope: str, count: int) -> None:
        """Count items that a worker added to the map it works in."""
        while scope.endswith("]/"):
            opener, key = opener_of(scope)
            if opener in self._opened and key.replace(".", "").replace("-", "").isdecimal():
                self._opened[opener].total += count
                return
            scope = scope_of(opener)

    def note_attempt(self, event: AttemptFinished) -> Opened | None:
        """Count the end of a branch; return its group where that has made progress worth a line."""
        if not event.scope.endswith("]/") or event.next_step is not None or event.retry_in_s is not None:
            return None
        if event.error is None and "spawn" in (event.detail or ()):
            return None
        group = self._opened.get(opener_of(event.scope)[0])
        if group is None or event.scope.endswith(f"[{UNDO}]/"):
            return None
        has_moved = group.note_end(failed=event.error is not None and event.error.type != "BranchCancelled")
        return group if has_moved and group.is_told and group.is_large else None
