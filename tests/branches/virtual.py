"""Time that passes only when nobody has anything to do; and threads that take turns as a list of numbers says.

Both make the interleaving of workers a value: the same value, the same interleaving.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine
from typing import Any

START = 1_700_000_000.0


class _Selector(selectors.DefaultSelector):
    """Looks whether anything is there, and instead of waiting moves the time of its loop."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:  # nothing is planned: only another thread can go on
            return super().select(30)
        self.loop.now += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose waits take no time."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now


class LoopClock:
    """The clock of a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop

    def time(self) -> float:
        return START + self.loop.now

    def monotonic(self) -> float:
        return self.loop.now

    def sleep(self, seconds: float, wake: threading.Event) -> None:
        raise AssertionError("nobody blocks a loop")

    async def asleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def in_virtual_time(main: Callable[[LoopClock], Coroutine[Any, Any, Any]]) -> Any:
    """Await something in a loop of its own, in no time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(LoopClock(loop)))
    finally:
        loop.close()


class Turns:
    """Lets workers on threads go on one at a time, in an order of its own.

    A worker that is called holds until all that are under way hold, too; then the next number says which of them, by
    position, goes on. So no two workers run at once, and the order in which they end is that of the numbers alone.
    """

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.used = 0
        self.run: Any = None
        self.changed = threading.Condition()
        self.holding: dict[str, bool] = {}
        """By position: whether it may go on."""

    def __call__(self, event: Any) -> None:
        """As an observer: look again whenever something has happened."""
        with self.changed:
            self.look()

    def hold(self, path: str) -> None:
        """Wait for one's turn."""
        with self.run.turn, self.changed:
            self.holding[path] = False
            self.look()
        with self.changed:
            while not self.holding[path]:
                if not self.changed.wait(10) and not self.holding[path]:
                    raise AssertionError(f"{path} never had its turn; {self.holding} hold")
            del self.holding[path]

    def look(self) -> None:
        """Let one go on, if all that are under way hold; and those that nobody waits for any more."""
        machine = self.run.machine
        under_way = {visit.path for visit in machine.taken}
        for path in self.holding.keys() - under_way:
            self.holding[path] = True
        holding = sorted(path for path in under_way if self.holding.get(path) is False)
        if len(holding) == len(under_way) > 0 and not machine.ready:
            number = self.numbers[self.used % len(self.numbers)]
            self.used += 1
            self.holding[holding[number % len(holding)]] = True
        self.changed.notify_all()
