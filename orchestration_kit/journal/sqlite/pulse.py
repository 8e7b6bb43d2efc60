"""A daemon thread that calls a method now and then, without keeping the method's object alive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from weakref import WeakMethod


class Pulse:
    """Calls `method` when asked to, and again after as many seconds as it returns; after None, only when asked again.

    The thread starts when it is first asked for, and ends when there was nothing to do for `linger_s`, or when the
    method's object is gone. What the method raises is its own affair: it must not raise.
    """

    def __init__(self, method: Callable[[], float | None], *, name: str, linger_s: float) -> None:
        self._method = WeakMethod(method)
        self._name, self._linger_s = name, linger_s
        self.reset()

    def reset(self) -> None:
        """Begin anew, in a child process that has no threads yet."""
        self._condition = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._asked = self._stopped = False

    def ask(self) -> bool:
        """Have the method called soon; False where no thread can be had (the interpreter is ending)."""
        with self._condition:
            if self._stopped:
                return False
            self._asked = True
            if self._thread is not None:
                self._condition.notify()
                return True
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
            return True

    def stop(self) -> None:
        """Call it no more; does not wait for a call that is under way."""
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def _run(self) -> None:
        delay_s: float | None = None
        while True:
            with self._condition:
                if not (self._asked or self._stopped):
                    self._condition.wait(self._linger_s if delay_s is None else delay_s)
                if self._stopped or (delay_s is None and not self._asked):
                    self._thread = None
                    return
                self._asked = False
            method = self._method()
            if method is None:
                return
            delay_s = method()
            del method  # the last one to hold the object must not be a thread that sleeps
