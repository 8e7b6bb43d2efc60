"""At most twice as many calls under way as there are slots: the far end is never idle, and little is lost with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from orchestration_kit.executors.errors import ExecutorClosed, ResourcesMissing

POLL_S = 0.1
"""How soon a wait for a place notices that there are more slots, and a keyboard interrupt on every platform."""


class Window:
    """The places of an executor.

    >>> window = Window("example", lambda: 1)
    >>> window.take({}), window.take({}), window.under_way
    (None, None, 2)

    Args:
        name: The executor's, for errors.
        slots: Tells how many calls can be under way at once, now.
        offers: What this machine has, e.g. `{"GPU": 1}`: so much of it is in use at once. None: not looked at.
    """

    def __init__(self, name: str, slots: Callable[[], int], offers: Mapping[str, float] | None = None) -> None:
        self._name, self._slots = name, slots
        self._offers = None if offers is None else dict(offers)
        self._used: dict[str, float] = {}
        self._changed = threading.Condition()
        self._is_closed = False
        self.under_way = 0
        """Places taken."""

    def take(self, resources: Mapping[str, float]) -> None:
        """Wait for a place and take it.

        Raises:
            ResourcesMissing: what is needed will never be there.
            ExecutorClosed: it was closed, before or meanwhile.
        """
        self._check(resources)
        with self._changed:
            while not (self._is_closed or self._has_room(resources)):
                self._changed.wait(POLL_S)
            if self._is_closed:
                raise ExecutorClosed(self._name)
            self.under_way += 1
            for name, amount in resources.items() if self._offers is not None else ():
                self._used[name] = self._used.get(name, 0) + amount

    def give_back(self, resources: Mapping[str, float]) -> None:
        """Let go of a place."""
        with self._changed:
            self.under_way -= 1
            for name, amount in resources.items() if self._offers is not None else ():
                self._used[name] -= amount
            if self._offers:
                self._changed.notify_all()  # who waits first may wait for something else
            else:
                self._changed.notify()

    def close(self) -> bool:
        """Give out no more places; whether it was open."""
        with self._changed:
            was_open, self._is_closed = not self._is_closed, True
            self._changed.notify_all()
        return was_open

    def _check(self, resources: Mapping[str, float]) -> None:
        offers = self._offers
        if offers is not None and any(amount > offers.get(name, 0) for name, amount in resources.items()):
            how = f"Say what there is: {self._name}(resources={dict(resources)!r})."
            raise ResourcesMissing(resources, {"this machine": offers}, how)

    def _has_room(self, resources: Mapping[str, float]) -> bool:
        if self.under_way >= 2 * max(1, self._slots()):
            return False
        offers = self._offers
        if offers is None:
            return True
        return all(self._used.get(name, 0) + amount <= offers[name] for name, amount in resources.items())


def checked_slots(count: int | None, what: str) -> int:
    """Return how many slots are meant; as many as this process may use processors where nothing is said.

    Raises:
        ValueError: it is no whole number above 0.
    """
    if count is None:
        import os

        allowed = getattr(os, "sched_getaffinity", None)
        return max(1, len(allowed(0)) if allowed is not None else os.cpu_count() or 1)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"{what}={count!r} is no count; give a whole number above 0.")
    return count


def checked_resources(resources: Mapping[str, float] | None) -> dict[str, float]:
    """Return what a machine has.

    Raises:
        ValueError: an amount is no number above 0.
    """
    found = dict(resources or {})
    for name, amount in found.items():
        if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not amount > 0:
            raise ValueError(f"resources={{{name!r}: {amount!r}}} is no amount; give a number above 0.")
    return found
