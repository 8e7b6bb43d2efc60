"""Branches that were opened together, and when they are joined. Part of the machine: no I/O, no clock, no user code.

Every answer here hangs on which branches have ended and how. A record is folded in the order of arrival: whether a
branch had ended when the join was decided is part of what happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.plan import Target
from orchestration_kit.engine.visits import Scope, Visit


class Group:
    """The branches that one visit opened."""

    __slots__ = (
        "added", "added_keys", "cap", "completed", "declared", "ended", "failed", "idle", "inner", "inputs",
        "is_joining", "is_over", "is_undone", "keys", "parked", "path", "problems", "queue", "scopes", "started",
        "targets", "total", "visit",
    )  # fmt: skip

    def __init__(
        self, visit: Visit, keys: tuple[str, ...] | None, inputs: list[Any] | None, targets: Mapping[str, Target]
    ) -> None:
        opens = visit.step.opens
        self.visit = visit
        self.path = visit.path
        self.keys = keys
        self.inputs = inputs
        self.declared = self.total = len(keys if keys is not None else inputs or ())
        """How many branches there were when it opened, and are by now."""
        self.targets = targets
        """Where each branch begins, by key; under "" where all begin at the same."""
        self.cap = None if opens is None else opens.max_concurrency
        self.scopes: dict[str, Scope] = {}
        """The branches that were started."""
        self.added: dict[str, Any] = {}
        """Items that were added while it ran, by key."""
        self.added_keys: list[str] = []
        self.parked: dict[str, Visit] = {}
        """Visits of its branches that nobody waits for any more."""
        self.inner: list[Group] = []
        """Of a group that was joined: those within its branches that were open then."""
        self.idle = 0
        """How many of its branches wait for somebody, or for a place after that: others go on meanwhile."""
        self.queue: deque[Visit] = deque()
        """Visits that have waited, and want a place."""
        self.problems: list[str] = []
        """What could not be undone."""
        self.started = 0
        """How many of the branches in order were started, or passed over because they were before."""
        self.completed = self.failed = self.ended = 0
        self.is_over = False
        """The join has what it needs, or cannot get it any more."""
        self.is_joining = False
        """The join is being worked out, or was."""
        self.is_undone = False
        """What its branches did was undone, as far as that could be."""

    def key_at(self, index: int) -> str:
        """Return the key of a branch, in order."""
        if index >= self.declared:
            return self.added_keys[index - self.declared]
        return str(index) if self.keys is None else self.keys[index]

    def input_of(self, key: str) -> Any:
        """Return what a branch gets."""
        if self.keys is not None:
            return self.visit.given if self.inputs is None else self.inputs[self.keys.index(key)]
        return self.added[key] if "." in key else (self.inputs or [])[int(key)]

    def has(self, key: str) -> bool:
        """Whether there is a branch of that key."""
        if self.keys is not None:
            return key in self.keys
        return key in self.added or (key.isdecimal() and int(key) < self.declared)

    def target_of(self, key: str) -> Target:
        """Return where a branch begins."""
        return self.targets[key] if key in self.targets else self.targets[""]

    def in_order(self) -> list[str]:
        """Return the keys of all branches that were activated: as defined, then those added, by who added them."""
        from orchestration_kit.engine.order import depth_of

        declared = map(str, range(self.declared)) if self.keys is None else self.keys
        return [*declared, *sorted(self.added, key=depth_of)]

    def add(self, key: str, item: Any) -> None:
        """Add an item to a map that is under way."""
        self.added[key] = item
        self.added_keys.append(key)
        self.total += 1

    @property
    def under_way(self) -> int:
        """How many branches were started and have not ended."""
        return len(self.scopes) - self.ended

    def places(self) -> int:
        """Return how many more branches may be under way."""
        if self.cap is None:
            return self.total
        places = self.cap + self.idle + self.ended - len(self.scopes)
        return max(places, 0)

    @property
    def verdict(self) -> bool | None:
        """Whether the join has succeeded; None while that is open."""
        opens = self.visit.step.opens
        total = self.total
        if self.ended < total and self.ended == self.completed and opens is not None and opens.join == "all":
            return None  # as it mostly is
        if opens is None:  # a spawned workflow
            return None if self.ended < total else self.completed == total
        if opens.join == "all":
            if opens.failure == "continue":
                return None if self.ended < total else (self.completed > 0 or total == 0)
            if self.ended > self.completed:
                return False
            return True if self.completed == total else None
        need = 1 if opens.join == "any" else opens.join
        if self.completed >= need:
            return True
        possible = total - (self.ended - self.completed)
        if possible < need and (opens.failure != "continue" or self.ended == total):
            return False
        return None

    def holds(self, scope: Scope) -> bool:
        """Whether a scope is one of its branches, or within one."""
        at: Scope | None = scope
        while at is not None and at.group is not None:
            if at.group is self:
                return True
            at = at.group.within
        return False

    @property
    def within(self) -> Scope | None:
        """The scope that its visit is in."""
        return self.visit.scope

    def statuses(self) -> dict[str, str]:
        """Return how each branch stands, in order."""
        found: dict[str, str] = {}
        untouched = {visit.scope for visit in self.parked.values() if visit.more is None and not visit.started_at}
        for key in self.in_order():
            scope = self.scopes.get(key)
            if scope is None or (scope.end is None and scope.count == 0 and scope in untouched):
                found[key] = "not started"
            else:
                found[key] = scope.end or "cancelled"
        return found

    def sort_out(self, scope: Scope, changes: Changes) -> None:
        """Tell what its branches wrote from outputs of their steps, for the branch that its visit is in."""
        wrote = {key for one in self.scopes.values() for key in one.written or ()}
        outputs = [key for key in changes.updated if key not in wrote]
        scope.passed = (*scope.passed, *outputs)
        (scope.written or set()).difference_update(outputs)

    def note_end(self, scope: Scope) -> None:
        """Count a branch that has ended."""
        self.ended += 1
        self.completed += scope.end == "completed"
        self.failed += scope.end == "failed"

    def reopen(self) -> list[Scope]:
        """Make ready to go on after a join that failed; return the branches that did not complete."""
        self.is_over = self.is_joining = False
        again = [scope for scope in self.scopes.values() if scope.end in ("failed", "cancelled") and scope.stuck]
        for scope in again:
            self.ended -= 1
            self.failed -= scope.end == "failed"
            scope.end = scope.error = None
        return again


class Undo:
    """What is undone, the last first, and what follows when it is."""

    __slots__ = ("group", "left", "problems", "reason", "scope", "within")

    def __init__(self, left: deque[tuple[str, Any, str, Any]], group: Group | None, reason: str) -> None:
        self.left = left
        """Position, the steps of its workflow, the step that undoes it, and the output which that step gets."""
        self.group = group
        """Whose branches are undone; None: the run's."""
        self.reason = reason
        self.problems: list[str] = []
        """What could not be undone."""
        self.scope: Scope | None = None
        self.within: Scope | None = None if group is None else group.visit.scope


def is_undoing(scope: Scope) -> bool:
    """Whether a thread of control undoes something, or is within one that does."""
    at: Scope | None = scope
    while at is not None and at.group is not None:
        if isinstance(at.group, Undo):
            return True
        at = at.group.within
    return False


def item_of(scope: Scope) -> Any:
    """Return what a branch began with; None for the run itself, and for what undoes something."""
    group = scope.group
    return group.input_of(scope.key) if isinstance(group, Group) and scope.key is not None else None


def is_in_map(scope: Scope) -> bool:
    """Whether a thread of control is in a branch of a map."""
    at: Scope | None = scope
    while at is not None and at.group is not None:
        if isinstance(at.group, Group) and at.group.keys is None:
            return True
        at = at.group.within
    return False
