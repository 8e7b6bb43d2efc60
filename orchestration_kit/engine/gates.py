"""Named locks and rates, shared by all runs of a hub, and the room of its executor: who may begin an attempt, and when.

They change when something is done, never what comes of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.plan import PlannedStep
    from orchestration_kit.engine.room import Room, Seat

POLL_S = 0.05
"""How soon a blocking wait notices a cancel."""


class Ticket:
    """A place in the queue of a lock; `is_mine` once it is held."""

    __slots__ = ("is_mine", "name", "tell")

    def __init__(self, name: str, tell: Callable[[], None]) -> None:
        self.name = name
        self.tell = tell
        self.is_mine = False


class Gates:
    """The locks and rates of a hub.

    Args:
        locks: How many may hold a lock at once, by name; one, where it is not named here.
    """

    def __init__(self, locks: Mapping[str, int] | None = None) -> None:
        self._most = dict(locks or {})
        for name, most in self._most.items():
            if isinstance(most, bool) or not isinstance(most, int) or most < 1:
                raise ValueError(f"locks={{{name!r}: {most!r}}} is no limit; give a whole number above 0.")
        self._mutex = threading.Lock()
        self._held: dict[str, int] = {}
        self._queues: dict[str, deque[Ticket]] = {}
        self._begun: dict[tuple[str, str], deque[float]] = {}
        """By workflow and step: when its last attempts were allowed to begin."""

    def ask(self, name: str, tell: Callable[[], None]) -> Ticket:
        """Join the queue for a lock; `tell` is called, from any thread, when it is held."""
        ticket = Ticket(name, tell)
        with self._mutex:
            if self._held.get(name, 0) < self._most.get(name, 1):
                self._held[name] = self._held.get(name, 0) + 1
                ticket.is_mine = True
            else:
                self._queues.setdefault(name, deque()).append(ticket)
        return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Let go of a lock, or of the place in its queue."""
        with self._mutex:
            queue = self._queues.get(ticket.name)
            if not ticket.is_mine:
                if queue is not None and ticket in queue:
                    queue.remove(ticket)
                return
            ticket.is_mine = False
            if not queue:
                self._held[ticket.name] -= 1
                return
            following = queue.popleft()
            following.is_mine = True
        following.tell()

    def delay_s(self, run: Driven, step: PlannedStep) -> float:
        """Take the next place that the step's rate allows, and return the seconds until then."""
        if step.rate is None:
            return 0.0
        most, period_s = step.rate
        now = run.clock.monotonic()
        whole = max(1, int(most))
        spread_s = period_s * whole / most
        with self._mutex:
            begun = self._begun.setdefault((run.machine.plan.workflow, step.step_id), deque(maxlen=whole))
            at = now if len(begun) < whole else max(now, begun[0] + spread_s)
            begun.append(at)
        return at - now

    @contextmanager
    def held(self, run: Driven, step: PlannedStep, check: Callable[[], None]) -> Generator[None]:
        """Wait for the lock and the rate of a step, and hold the lock meanwhile.

        Args:
            run: The run.
            step: The step.
            check: Called after each wait; what it raises ends it: the run was cancelled, or the branch is not wanted.
        """
        held = threading.Event()
        ticket = None if step.lock is None else self.ask(step.lock, held.set)
        seat: Seat | None = None
        try:
            while ticket is not None and not ticket.is_mine:
                held.wait(POLL_S)
                check()
            delay_s = self.delay_s(run, step)
            if delay_s > 0:
                run.clock.sleep(delay_s, run.wake)
                check()
            room = _room_of(step)
            if room is not None:
                held.clear()
                seat = room.ask(held.set)
                while not seat.is_mine:
                    held.wait(POLL_S)
                    check()
            yield
        finally:
            if seat is not None:
                seat.give_back()
            if ticket is not None:
                self.give_back(ticket)

    async def atake(  # noqa: C901 - one wait after another
        self, run: Driven, step: PlannedStep
    ) -> Callable[[], None]:
        """Wait for the lock, rate and room of a step, in the running event loop; return what gives them back."""
        import asyncio

        loop, held = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(held.set)

        ticket = None if step.lock is None else self.ask(step.lock, tell)
        seat: Seat | None = None

        def give_back() -> None:
            if seat is not None:
                seat.give_back()
            if ticket is not None:
                self.give_back(ticket)

        try:
            if ticket is not None and not ticket.is_mine:
                await held.wait()
            delay_s = self.delay_s(run, step)
            if delay_s > 0:
                await run.clock.asleep(delay_s)
            room = _room_of(step)
            if room is not None:
                held.clear()
                seat = room.ask(tell)
                while not seat.is_mine:
                    await held.wait()
                    held.clear()
        except BaseException:
            give_back()
            raise
        return give_back


def _room_of(step: PlannedStep) -> Room | None:
    return None if step.worker is None or step.worker.place is None else step.worker.place.room
