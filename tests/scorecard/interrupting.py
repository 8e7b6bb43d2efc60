"""What runs in the process that row 14 interrupts: one blocking run after the other, as the cells of a notebook are."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

from orchestration_kit import Orchestrator, WorkerDefinition
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.driving import tell
from tests.support import step, workflow_of

FOREVER_S, SLICE_S = 60.0, 0.1


def hub_of(folder: str, journal: SQLiteJournal, name: str, is_async: bool) -> Orchestrator:
    """A hub whose second worker blocks while no file says that it was interrupted."""
    hub = Orchestrator(journal=journal)

    def blocks(context) -> bool:
        with Path(folder, f"{name}.calls").open("a") as file:
            file.write(f"{context.path} {context.idempotency_key}\n")
        (Path(folder) / f"{name}.waits").touch()
        return not Path(folder, f"{name}.json").exists()

    def sleeps(given, context):
        end = time.monotonic() + FOREVER_S
        while blocks(context) and time.monotonic() < end:
            # In slices: a signal that comes between Python's last look and the system's sleep is heard after the sleep.
            for _ in range(int(FOREVER_S / SLICE_S)):
                time.sleep(SLICE_S)
        return "slept"

    async def asleeps(given, context):
        if blocks(context):
            await asyncio.sleep(FOREVER_S)
        return "slept"

    executors = {"quick": lambda given: given, "slow": asleeps if is_async else sleeps}
    for kind, executor in executors.items():
        hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=executor))
    hub.register_workflow(workflow_of(step("quick", "slow"), step("slow", "done"), step("done", worker_type="quick")))
    return hub


def run_cells(folder: str, count: int) -> None:
    """Start runs that block; after each interrupt, say so, and go on with the run."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell of the tests made of it
    with SQLiteJournal(f"{folder}/runs.db") as journal:
        for number in range(count):
            name = f"cell{number}"
            hub = hub_of(folder, journal, name, number % 2 == 1)
            try:
                hub.execute_workflow("flow", "g", verbose=False, run_id=name)
                tell(folder, name, {"error": "nothing interrupted it"})
            except KeyboardInterrupt:
                tell(folder, name, {"state": str(hub.last_run.state), "threads": threading.active_count()})
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
            context = hub.resume(name, verbose=False) if number % 4 < 2 else None  # the others: elsewhere
            tell(
                folder,
                f"{name}-after",
                {"children": children, "state": None if context is None else str(context.state)},
            )
