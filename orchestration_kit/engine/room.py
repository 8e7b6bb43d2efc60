"""How many calls a hub has under way with an executor: who comes next waits here, and its attempt begins when it may.

The executor would have it wait as well. Here it is done before an attempt's time begins to count, on no thread where
an event loop drives the run, and a cancel is heard.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from orchestration_kit.engine.executor_port import Executor


class Seat:
    """A place among the calls under way, or in the queue for one; `is_mine` once it is held."""

    __slots__ = ("_room", "is_mine", "tell")

    def __init__(self, room: Room, tell: Callable[[], None]) -> None:
        self._room = room
        self.tell = tell
        self.is_mine = False

    def give_back(self) -> None:
        """Let go of the place, or of the one in the queue."""
        self._room.take_back(self)


class Room:
    """Twice as many places as an executor has slots, which may change; first come, first served."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._mutex = threading.Lock()
        self._queue: deque[Seat] = deque()
        self._held = 0

    @property
    def limit(self) -> int:
        """How many places there are now."""
        return 2 * max(1, self._executor.slots)

    def ask(self, tell: Callable[[], None]) -> Seat:
        """Join the queue; `tell` is called, from any thread, when the place is held."""
        seat, limit = Seat(self, tell), self.limit
        with self._mutex:
            if not self._queue and self._held < limit:
                self._held += 1
                seat.is_mine = True
            else:
                self._queue.append(seat)
        return seat

    def take_back(self, seat: Seat) -> None:
        """Let go of a place, and hand it on."""
        limit = self.limit
        told: list[Seat] = []
        with self._mutex:
            if seat.is_mine:
                seat.is_mine = False
                self._held -= 1
            elif seat in self._queue:
                self._queue.remove(seat)
            while self._queue and self._held < limit:
                following = self._queue.popleft()
                following.is_mine = True
                self._held += 1
                told.append(following)
        for following in told:
            following.tell()


_ROOMS: WeakKeyDictionary[Any, Room] = WeakKeyDictionary()
"""By executor: hubs that share one share its room."""
_making = threading.Lock()


def room_of(executor: Executor) -> Room:
    """Return the room of an executor."""
    with _making:
        try:
            room = _ROOMS.get(executor)
            if room is None:
                room = _ROOMS[executor] = Room(executor)
        except TypeError:  # nothing can refer to it weakly
            room = Room(executor)
        return room
