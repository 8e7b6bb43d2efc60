"""Undo and redo: every state that was, and where we stand among them. States are never changed, so they are kept."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

State = TypeVar("State")
MOST = 500
"""Steps back that are kept."""


class History(Generic[State]):
    """A state, those before it, and those that were undone.

    >>> history = History("a")
    >>> history.do("b"); history.do("c"); history.undo(), history.undo(), history.undo()
    (True, True, False)
    >>> history.redo(), history.now, history.can_redo
    (True, 'b', True)
    """

    def __init__(self, state: State) -> None:
        self.now = state
        self._before: deque[State] = deque(maxlen=MOST)
        self._undone: list[State] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a state before this one."""
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        """Whether a state was undone, and nothing done since."""
        return bool(self._undone)

    def do(self, state: State) -> None:
        """Go on to a new state; what was undone is forgotten."""
        self._before.append(self.now)
        self._undone.clear()
        self.now = state

    def amend(self, state: State) -> None:
        """Put another state in place of this one, with no step back to it."""
        self.now = state

    def undo(self) -> bool:
        """Go back by one; False where there is nothing before."""
        if not self._before:
            return False
        self._undone.append(self.now)
        self.now = self._before.pop()
        return True

    def redo(self) -> bool:
        """Go forward again by one; False where nothing was undone."""
        if not self._undone:
            return False
        self._before.append(self.now)
        self.now = self._undone.pop()
        return True
