"""Daemon threads that take calls one after another. A thread whose call never returns holds up nobody."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from orchestration_kit.executors.errors import ExecutorClosed
from orchestration_kit.executors.window import Window

if TYPE_CHECKING:
    from orchestration_kit.engine.executor_port import Call

GRACE_S = 5.0
"""How long `close` waits at most for each thread."""


class Task:
    """A call, and what comes of it."""

    __slots__ = ("call", "context", "future", "held", "is_dropped", "is_over", "let_go")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.future: Future[Any] = Future()
        self.context = contextvars.copy_context()
        self.is_over = self.is_dropped = False
        """Nobody waits for it any more."""
        self.let_go: Callable[[], None] | None = None
        """Ends it where it is made, if that can be done."""
        self.held = threading.Lock()
        """Held for moments: while it ends, or is let go of."""


class Hand(Protocol):
    """Makes calls, on one thread."""

    def make(self, task: Task) -> Any:
        """Make a call and return its result."""
        ...

    def end(self) -> None:
        """Let go of what it is made with."""
        ...


class Crew:
    """Threads, as many as there are slots, begun when there is something to do.

    Args:
        name: Of the threads.
        count: How many.
        window: Whose places calls take.
        hand: Makes what makes calls, one for each thread.
        can_end: Whether calls can be ended that are being made: their tasks have `let_go` then. Else their threads are
            left alone with them, and replaced.
    """

    def __init__(
        self, name: str, count: int, window: Window, *, hand: Callable[[], Hand], can_end: bool = False
    ) -> None:
        self._name, self._count, self._window, self._hand, self._can_end = name, count, window, hand, can_end
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._under_way: dict[Future[Any], Task] = {}
        self._threads = 0
        self._known: list[threading.Thread] = []
        """Those to wait for."""
        self._is_closed = False

    def submit(self, call: Call) -> Future[Any]:
        """Wait for a place, and have a call made. Raises as `Executor.submit` does."""
        self._window.take(call.resources)
        task = Task(call)
        with self._lock:
            is_closed = self._is_closed
            if not is_closed:
                self._under_way[task.future] = task
                if self._threads < min(self._count, len(self._under_way)):
                    self._begin()
        if is_closed:
            self._window.give_back(call.resources)
            raise ExecutorClosed(self._name)
        self._tasks.put(task)
        return task.future

    def cancel(self, future: Future[Any]) -> None:
        """Let go of a call: withdrawn where it was not begun, else left alone, or ended."""
        with self._lock:
            task = self._under_way.get(future)
        if task is None:
            return
        if future.cancel():
            self._ended(task)  # its place is free at once; its thread passes it over
            return
        with task.held:
            if task.is_over or task.is_dropped:
                return
            task.is_dropped = True
            if task.let_go is not None:
                task.let_go()  # held meanwhile, as its thread must not begin another call that this would end
        if not self._can_end:
            self._ended(task)
            with self._lock:
                if not self._is_closed:
                    self._begin(is_more=False)  # in the place of the one that is left alone

    def close(self) -> None:
        """Make no more calls: what was not begun is withdrawn, what is under way is let go of.

        Where calls can be ended, it is waited until they have.
        """
        with self._lock:
            was_closed, self._is_closed = self._is_closed, True
            left, threads = list(self._under_way), self._threads
        if was_closed:
            return
        self._window.close()
        for future in left:
            self.cancel(future)
        for _ in range(threads):
            self._tasks.put(None)
        for thread in self._known if self._can_end else ():
            if thread is not threading.current_thread():
                thread.join(GRACE_S)

    def _begin(self, *, is_more: bool = True) -> None:
        self._threads += is_more
        thread = threading.Thread(target=self._work, name=f"orchestration_kit {self._name}", daemon=True)
        if self._can_end:
            self._known.append(thread)
        thread.start()

    def _work(self) -> None:
        hand = self._hand()
        try:
            while (task := self._tasks.get()) is not None:
                if task.future.set_running_or_notify_cancel() and self._is_left_alone(hand, task):
                    return  # another thread has its place
                del task
        finally:
            hand.end()

    def _is_left_alone(self, hand: Hand, task: Task) -> bool:
        """Make a call; whether nobody waits for it any more, and its thread was replaced."""
        result: Any = None
        error: BaseException | None = None
        try:
            result = task.context.run(hand.make, task)
        except BaseException as raised:  # noqa: BLE001 - raised again by whoever waits
            error = raised
        with task.held:
            task.is_over = True
            is_left_alone = task.is_dropped and not self._can_end
        self._ended(task)
        if error is None:
            task.future.set_result(result)
        else:
            task.future.set_exception(error)
        return is_left_alone

    def _ended(self, task: Task) -> None:
        with self._lock:
            is_mine = self._under_way.pop(task.future, None) is not None
        if is_mine:
            self._window.give_back(task.call.resources)
