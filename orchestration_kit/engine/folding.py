"""Find what is on record next, whether events come as they arrived or in the order of the workflow. Decides nothing.

In the order of the workflow, what the other branches did comes after what decided the join. So while a record is
folded, groups are closed only when their join, or what undoes them, is on record.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from orchestration_kit.engine.events import AttemptFinished, Event, RunFinished, RunForked, RunResumed
from orchestration_kit.engine.order import UNDO, opener_of, scope_of

if TYPE_CHECKING:
    from orchestration_kit.engine.branches import Branches
    from orchestration_kit.engine.visits import Visit


def visit_on_record(machine: Branches, path: str, attempt: int | None = None) -> Visit | None:
    """Return the visit that is on record next, of a group that is closed for it if need be; None where it is none."""
    visit = machine.find(path, attempt)
    if visit is not None:
        return visit
    opener, key = opener_of(scope_of(path)) if "/" in path else ("", "")
    group = machine.groups.get(opener if key == UNDO else path)
    if group is None:
        return None
    if group in machine.closing:
        machine.join(group, is_on_record=True)
    if group.path != path:
        if not any(undo.group is group for undo in machine.undos):  # undone before its branch was cut off
            group.is_over = True
            machine.park_all(group)
            machine.undo(group, "")
        return machine.find(path, attempt)
    if not group.is_joining:  # it is within a branch that nobody waits for
        group.is_joining = True
        machine.park_all(group)
    return group.visit if attempt in (None, group.visit.attempt) else None


def one_by_one(machine: Branches, events: Iterable[Event]) -> Iterator[Event]:
    """Give events in the order in which they came, and have the machine know meanwhile what is still to come."""
    ahead = machine.ahead = Ahead(tuple(events))
    try:
        for at, event in enumerate(ahead.events):
            ahead.now = at
            yield event
    finally:
        machine.ahead = None


class Ahead:
    """What is still to be folded of a record that is read in the order in which it came.

    Once the join of a group is decided, nothing more begins in it, save what undoes it. An attempt in it that is on
    record only later was therefore under way, and the group went on no sooner than that had ended.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self.now = 0
        """Where the event stands that is being folded."""
        self.events = events
        self._until: dict[tuple[str, int], int] = {}

    def is_busy(self, path: str) -> bool:
        """Whether something was under way still in the branches of a group whose join is decided."""
        end = next((at for at in self._ends if at > self.now), len(self.events))
        if (path, end) not in self._until:
            self._until[path, end] = self._last(path, end)
        return self._until[path, end] > self.now

    def _last(self, path: str, end: int) -> int:
        names, found = self._names, [self.now]
        for name in names[bisect_left(names, f"{path}[") : bisect_left(names, f"{path}\\")]:  # what comes after "["
            if f"[{UNDO}]/" not in name[len(path) :]:
                places = self._scopes[name]
                found += places[: bisect_left(places, end)][-1:]
        return max(found)

    @cached_property
    def _ends(self) -> list[int]:
        """Where what was under way was forgotten: with the end of the run, or of who drove it."""
        return [at for at, event in enumerate(self.events) if isinstance(event, (RunFinished, RunResumed, RunForked))]

    @cached_property
    def _scopes(self) -> dict[str, list[int]]:
        """By scope, where its attempts stand."""
        places: dict[str, list[int]] = {}
        for at, event in enumerate(self.events):
            if isinstance(event, AttemptFinished):
                places.setdefault(event.scope, []).append(at)
        return places

    @cached_property
    def _names(self) -> list[str]:
        return sorted(self._scopes)
