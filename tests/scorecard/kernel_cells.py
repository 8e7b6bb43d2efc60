"""What runs in the kernel that row 14 interrupts: one cell after the other that blocks, through every door."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from orchestration_kit import Orchestrator, ParallelStep, Run
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.support import hub_of, step, workflow_of

FOREVER_S = 120.0
DOORS = {
    "execute": "hub.execute_workflow('flow', 'g', verbose=False, run_id=NAME)",
    "run": "hub.start('flow', 'g', run_id=NAME).run()",
    "step": "run = hub.start('flow', 'g', run_id=NAME)\nwhile run.step(): pass",
    "wait": "run = hub.start('flow', 'g', run_id=NAME)\nrun.play()\nblocking.waits(NAME)\nrun.wait()",
    "await": "await hub.start('flow', 'g', run_id=NAME)",
    "arun": "await hub.start('flow', 'g', run_id=NAME).arun()",
    "aexecute": "await hub.aexecute_workflow('flow', 'g', verbose=False, run_id=NAME)",
}
"""The cell, by door."""
KINDS = ("sync", "async", "generator", "async generator", "branches", "async branches")
"""What the run is busy with."""


class Blocking:
    """A hub whose runs block until `go_on` is set, and say where they do."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.journal = SQLiteJournal(self.folder / "runs.db")
        self.go_on = threading.Event()

    def hub(self, kind: str) -> Orchestrator:
        """A hub for runs of one kind."""
        slow = {
            "sync": self.block,
            "async": self.ablock,
            "generator": self.generate,
            "async generator": self.agenerate,
            "branches": self.block,
            "async branches": self.ablock,
        }[kind]
        if kind.endswith("branches"):
            both = ParallelStep(step_id="slow", branches={"left": "one", "right": "two"}, on_success="done")
            workflow = workflow_of(step("quick", "slow"), both, step("one"), step("two"), step("done"))
        else:
            workflow = workflow_of(step("quick", "slow"), step("slow", "done"), step("done"))
        workers = {"quick": str, "done": str, "one": slow, "two": slow, "slow": slow}
        return hub_of(workflow, workers, journal=self.journal)

    def say(self, context: Any) -> bool:
        """Note a call; whether it has to block."""
        name = f"{context.workflow_id}.{context.path.replace('/', '.')}"
        with (self.folder / f"{name}.calls").open("a", encoding="utf-8") as file:
            file.write(f"{context.idempotency_key}\n")
        return not self.go_on.is_set()

    def waits(self, name: str) -> None:
        """Come back when a run blocks; say so once the thread that calls this waits for it, so that an interrupt hits that."""
        while not list(self.folder.glob(f"{name}.*.calls")):
            time.sleep(0.01)
        caller = threading.get_ident()

        def watch() -> None:
            while not any(
                frame.f_code is Run.wait.__code__ for frame, _ in traceback.walk_stack(sys._current_frames()[caller])
            ):
                time.sleep(0.01)
            (self.folder / f"{name}.waits").touch()

        threading.Thread(target=watch, daemon=True).start()

    def block(self, _: Any, context: Any) -> str:
        """Block the thread."""
        if self.say(context):
            self.go_on.wait(FOREVER_S)
        return "done"

    async def ablock(self, _: Any, context: Any) -> str:
        """Block the task."""
        if self.say(context):
            await asyncio.sleep(FOREVER_S)
        return "done"

    def generate(self, _: Any, context: Any) -> Any:
        """Block the thread in the middle of an output."""
        yield "do"
        self.block(None, context)
        yield "ne"

    async def agenerate(self, _: Any, context: Any) -> Any:
        """Block the task in the middle of an output."""
        yield "do"
        await self.ablock(None, context)
        yield "ne"

    def left(self) -> list[str]:
        """Threads of ours that still work, tasks of the kernel's loop that are ours; waits a while for none."""
        end = time.monotonic() + FOREVER_S / 4
        while (found := self._left()) and time.monotonic() < end:
            time.sleep(0.01)
        return found

    def _left(self) -> list[str]:
        own = ("orchestration_kit run", "orchestration_kit worker", "orchestration_kit branch")
        threads = [thread.name for thread in threading.enumerate() if thread.name.startswith(own)]
        tasks = [repr(task) for task in asyncio.all_tasks(_loop()) if "orchestration_kit" in repr(task)]
        return threads + tasks


def _loop() -> asyncio.AbstractEventLoop:
    from IPython import get_ipython

    return get_ipython().kernel.io_loop.asyncio_loop
