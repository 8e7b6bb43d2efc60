"""Visits that wait: for a person, an event, a time, or a run of their own."""

from __future__ import annotations

from collections import deque

from orchestration_kit.engine.branches import Branches
from orchestration_kit.engine.events import Answered, EventReceived, WaitStarted
from orchestration_kit.engine.groups import Group
from orchestration_kit.engine.order import scope_of
from orchestration_kit.engine.visits import Visit


class Waits(Branches):
    """The visits of a run that wait, and how they go on. A branch that waits gives its place to another."""

    __slots__ = ()

    @property
    def is_blocked(self) -> bool:
        """Whether a person has to decide about an action that was refused."""
        return any(visit.wait is not None and not visit.step.is_special for visit in self.waiting.values())

    def wait(self, visit: Visit, event: WaitStarted) -> None:
        """Let a visit wait for an answer."""
        self.put_mark(event)
        visit.wait, visit.answer = event, None
        if not visit.started_at:
            visit.started_at = event.asked_at
        self._release(visit)
        self.waiting[event.path] = visit
        self._stands_aside(visit)

    def park(self, visit: Visit) -> None:
        """Let a visit wait for a run of its own, which waits."""
        self._release(visit)
        self.waiting[visit.path] = visit
        self._stands_aside(visit)

    def park_ready(self, visit: Visit) -> None:
        """Let a visit that is ready wait for a run of its own, which waits."""
        self.ready.remove(visit)
        self.waiting[visit.path] = visit
        self._stands_aside(visit)

    def _stands_aside(self, visit: Visit) -> None:
        """Give the place of a branch that waits to another."""
        group = visit.scope.group
        if isinstance(group, Group):
            group.idle += 1
            self._go_on(group)

    def _steps_in(self, visit: Visit) -> None:
        """Let a visit go on that has waited, as soon as there is a place for its branch."""
        group = visit.scope.group
        if isinstance(group, Group):
            group.queue.append(visit)
            self._go_on(group)
        else:
            self.ready.append(visit)

    def unpark(self, path: str) -> None:
        """Look again at the run that a visit waits for."""
        self._steps_in(self.waiting.pop(path))

    def answer(self, event: Answered) -> None:
        """Let a visit go on that waited.

        Raises:
            ValueError: it does not wait.
        """
        visit = self.waiting.get(event.path) or self._among_parked(event.path, scope_of(event.path))
        if visit is None:
            raise ValueError(f"{event.path} is on record as answered, and it does not wait")
        self.put_mark(event)
        visit.answer = event
        if event.kind == "kept" and visit.step.event is not None and self.inbox.get(visit.step.event):
            self.inbox[visit.step.event].popleft()
        if self.waiting.pop(event.path, None) is not None:
            self._steps_in(visit)

    def receive(self, event: EventReceived) -> None:
        """Keep an event for the visit that will wait for it."""
        self.put_mark(event)
        self.inbox.setdefault(event.name, deque()).append(event.payload)
