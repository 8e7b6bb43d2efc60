"""Work on branches with tasks of the running event loop. Each takes one visit after another until none is ready.

No task per branch: as many as there are visits under way. What is settled within one pass of the loop is committed
together, and each task waits for that commit before it goes on, so that no more than one attempt of each is repeated
after a crash.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.context import context_of
from orchestration_kit.engine.drivers import put_cancelled, stop_all
from orchestration_kit.engine.interrupts import BranchCancelled, Guard
from orchestration_kit.engine.rest import commit, expire, next_due_s, take_letters
from orchestration_kit.engine.single import acall_worker, amake

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit


async def drive_tasks(run: Driven) -> None:
    """Work until no branch is open, or nothing is ready."""
    await _Tasks(run).drive()


class _Tasks:
    def __init__(self, run: Driven) -> None:
        self.run = run
        self.machine = run.machine
        self.loop = asyncio.get_running_loop()
        self.tasks: set[asyncio.Task[None]] = set()
        self.guards: dict[Visit, Guard] = {}
        self.coming = 0
        """Tasks that will take a visit: those that have not begun, and those that wait for a commit."""
        self.woken = asyncio.Event()
        self.batch: asyncio.Future[None] | None = None
        self.stopped = False
        self.error: BaseException | None = None

    async def drive(self) -> None:
        run, guard = self.run, self.run.guard
        try:
            run.poke = self.poke
            self.fill()
            while self.tasks and self.error is None:
                await self.waits(guard)
            if self.error is not None:
                raise self.error
        except BaseException as raised:
            error = guard.explain(raised)
            self.stopped = True
            await self.stop_tasks()
            if stop_all(run, error):
                if error is raised:
                    raise
                raise error from raised.__cause__
        finally:
            run.poke = None
            self.stopped = True
            self.machine.doomed.clear()

    def poke(self) -> None:
        """Look at the letters; called from any thread."""
        self.loop.call_soon_threadsafe(self.woken.set)

    async def waits(self, guard: Guard) -> None:
        """Wait until something is to be done here."""
        run = self.run
        self.woken.clear()
        if run.letters:
            self.woken.set()
        due_s = next_due_s(run) if self.machine.waiting else None
        guard.awaiting = True
        if due_s is None:
            await self.woken.wait()
        else:
            sleeping = asyncio.ensure_future(run.clock.asleep(max(0.0, due_s)))
            waking = asyncio.ensure_future(self.woken.wait())
            try:
                await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()
        guard.returned()
        if self.machine.waiting or run.letters:
            take_letters(run)
            expire(run)
            commit(self.run)
            self.fill()

    def fill(self) -> None:
        """Have a task for each visit that is ready."""
        if self.stopped or not self.machine.groups or self.run.pausing is not None:
            return
        for _ in range(len(self.machine.ready) - self.coming):
            self.begin()

    def begin(self) -> None:
        self.coming += 1
        task = self.loop.create_task(self.work())
        self.tasks.add(task)
        task.add_done_callback(self.ended)

    def ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not self.tasks or self.error is not None or self.machine.waiting:
            self.woken.set()

    async def work(self) -> None:  # noqa: C901, PLR0912 - on the way of every attempt, calls cost
        self.coming -= 1
        run, machine, guards = self.run, self.machine, self.guards
        guard: Guard | None = None
        try:
            while not self.stopped and self.error is run.cancel_reason is run.pausing is None and machine.groups:
                visit = machine.next()
                if machine.doomed:  # a limit or a budget was reached
                    self.stop_doomed()
                if visit is None:
                    break
                guard = guard or Guard()
                guards[visit] = guard
                context, step = context_of(machine, visit), visit.step
                try:
                    if step.is_plain and visit.wait_s is None and visit.more is None and run.past is None:
                        await acall_worker(run, visit, context, guard)
                    else:
                        await amake(run, visit, context, guard, is_shared=True)
                except BaseException as raised:
                    if not isinstance(guard.explain(raised), BranchCancelled):
                        raise
                    if visit in machine.taken:
                        put_cancelled(run, visit)
                finally:
                    del guards[visit]
                if machine.doomed:
                    self.stop_doomed()
                extra = len(machine.ready) - self.coming - 1
                while extra > 0 and machine.groups:
                    self.begin()
                    extra -= 1
                if run.log is not None:
                    self.coming += 1
                    try:
                        await self.committed()
                    finally:
                        self.coming -= 1
                elif run.audience.observers:
                    run.audience.tell()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever drives
            if not self.stopped and self.error is None:
                self.error = error
                self.woken.set()
        finally:
            if guard is not None:
                guard.close()

    def stop_doomed(self) -> None:
        """Stop the workers of branches that nobody waits for."""
        machine = self.machine
        while machine.doomed:
            visit = machine.doomed.pop()
            guard = self.guards.get(visit)
            if guard is not None and visit in machine.taken:
                guard.stop(BranchCancelled("the branch is not wanted any more"))

    def committed(self) -> asyncio.Future[None]:
        """Return what is done when all that is settled now is on record."""
        if self.batch is None:
            self.batch = self.loop.create_future()
            self.loop.call_soon(self.flush)
        return self.batch

    def flush(self) -> None:
        batch, self.batch = self.batch, None
        try:
            commit(self.run)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever drives; in here it would be lost
            self.error = self.error or error
            self.woken.set()
        if batch is not None and not batch.done():
            batch.set_result(None)

    async def stop_tasks(self) -> None:
        """Have every worker stopped, and wait until it has cleaned up."""
        tasks: list[Any] = list(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
