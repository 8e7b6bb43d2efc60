"""Work on branches with threads: for the sync doors. Each thread takes one visit after another until none is ready.

The machine and the log are used by one thread at a time (`run.turn`); workers are called outside of it. The caller's
thread only waits, so that an interrupt is heard at once. A thread whose worker never returns holds up nobody: what it
gives later is dropped. Where no thread can be started, the caller's takes the visits, in order.
"""

from __future__ import annotations

import contextvars
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestration_kit.engine.context import context_of
from orchestration_kit.engine.driven import FREE_TURN
from orchestration_kit.engine.drivers import put_cancelled, stop_all
from orchestration_kit.engine.elsewhere import only_room
from orchestration_kit.engine.interrupts import BranchCancelled, RunCancelled
from orchestration_kit.engine.rest import commit, expire, next_due_s, take_letters
from orchestration_kit.engine.single import make
from orchestration_kit.engine.thread import POLL_S
from orchestration_kit.engine.threadless import can_start_threads

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit

MAX_THREADS = 512
"""Threads of one run, whatever its steps ask for."""


def drive_threads(run: Driven) -> None:
    """Work until no branch is open, or nothing is ready."""
    _Threads(run).drive()


class _Threads:
    def __init__(self, run: Driven) -> None:
        self.run = run
        self.machine = run.machine
        self.turn = threading.RLock()
        self.changed = threading.Condition(self.turn)
        self.alive = 0
        """Threads that take visits, those left alone with a worker that nobody waits for not counted."""
        self.lost: set[Visit] = set()
        """What those are left alone with."""
        self.held_at = -1
        """How many events there were when nothing more could begin, for want of a budget."""
        self.room = only_room(run.machine.plan)
        """Where all workers wait for an executor: more threads than that has places for would only stand in line."""
        self.stopped = False
        self.error: BaseException | None = None

    def drive(self) -> None:
        run, machine = self.run, self.machine
        run.turn = self.turn
        try:
            with self.turn:
                self.fill()
            while self.waits():
                pass
            if self.error is not None:
                raise self.error
        except BaseException as error:
            with self.turn:
                self.stopped = True
                is_raised = stop_all(run, error)
            if is_raised:
                raise
        finally:
            self.stopped = True
            run.turn = FREE_TURN
            machine.doomed.clear()

    def waits(self) -> bool:
        """Wait for a while; whether there is something under way."""
        run, machine = self.run, self.machine
        with self.turn:
            if self.is_busy and self.error is None and not run.letters:
                due_s = next_due_s(run) if machine.waiting else None
                self.changed.wait(POLL_S if due_s is None else max(0.0, min(POLL_S, due_s)))
            run.raise_if_cancelled()
            if self.error is not None:
                return False
            if machine.waiting or run.letters:
                take_letters(run)
                expire(run)
                commit(self.run)
            self.fill()
            return self.is_busy

    @property
    def is_busy(self) -> bool:
        """Whether a visit is under way, or is about to be."""
        machine = self.machine
        return bool(machine.taken or (machine.groups and machine.ready and self.run.pausing is None))

    def fill(self) -> None:
        """Have a thread for each visit that is ready, beside those that have nothing to do."""
        machine = self.machine
        if not machine.groups or machine.count == self.held_at or self.run.pausing is not None:
            return
        if not can_start_threads():
            if self.alive == 0:
                self.alive = 1
                self.work()
            return
        idle = self.alive - len(machine.taken)
        most = MAX_THREADS if self.room is None else min(MAX_THREADS, self.room.limit)
        for _ in range(min(len(machine.ready) - idle, most - self.alive)):
            self.alive += 1
            target = contextvars.copy_context().run
            threading.Thread(target=target, args=(self.work,), name="orchestration_kit branch", daemon=True).start()

    def work(self) -> None:
        visit: Visit | None = None
        try:
            with self.turn:
                visit = self.take()
            while visit is not None:
                with suppress(BranchCancelled):
                    make(self.run, visit, context_of(self.machine, visit))
                with self.turn:  # once for what was and what comes: a hundred threads stand in line for it
                    self.made(visit)
                    visit = self.take()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever drives
            with self.turn:
                if not self.stopped and self.error is None and not isinstance(error, RunCancelled):
                    self.error = error
        finally:
            with self.turn:
                if visit in self.lost:
                    self.lost.discard(visit)
                else:
                    self.alive -= 1
                self.changed.notify_all()

    def take(self) -> Visit | None:
        run, machine = self.run, self.machine
        while machine.groups and not self.stopped and self.error is run.cancel_reason is run.pausing is None:
            visit = machine.next()
            if machine.doomed:  # a limit or a budget was reached
                self.drop_doomed()
                commit(self.run)
            elif visit is None:
                self.held_at = machine.count if machine.ready else -1
                return None
            if visit is not None:
                return visit
        return None

    def made(self, visit: Visit) -> None:
        """Put on record what is new after a visit."""
        machine = self.machine
        if self.stopped:
            return
        if visit in self.lost:  # another thread has its place
            self.lost.discard(visit)
            self.alive += 1
        self.held_at = -1
        self.drop_doomed()
        commit(self.run)
        if len(machine.ready) > 1:  # this thread takes one of them
            self.fill()
        if not self.is_busy or machine.waiting:
            self.changed.notify_all()

    def drop_doomed(self) -> None:
        """Put on record that attempts were stopped whose branches nobody waits for; their threads are left alone."""
        machine = self.machine
        while machine.doomed:
            visit = machine.doomed.pop()
            if visit in machine.taken:
                self.lost.add(visit)
                self.alive -= 1
                child = self.run.children.get(visit.path)
                if child is not None:
                    child.cancel("its parent's branch was cancelled")
                put_cancelled(self.run, visit)
