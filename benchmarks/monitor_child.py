"""A process of its own that drives many runs at once through one journal.

    python -m benchmarks.monitor_child PATH RUNS S

Each run makes an attempt about every S seconds, for ever. "ready" is printed once all of them are under way.
"""

from __future__ import annotations

import asyncio
import random
import sys
from typing import Any

from orchestration_kit import (
    Orchestrator,
    RunLimits,
    SQLiteJournal,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)

ANSWER = {"ok": False, "text": "some words that a model said " * 20}


def workflow() -> WorkflowDefinition:
    """Three steps that a run goes through again and again."""
    found = WorkflowDefinition(name="loop")
    found.add_step(WorkflowStep(step_id="ask", worker_type="w", on_success="answer"), is_initial=True)
    found.add_step(WorkflowStep(step_id="answer", worker_type="w", on_success="judge"))
    judged = WorkflowStep(
        step_id="judge", worker_type="w", success_when="output.ok == true", on_success="done", on_failure="ask"
    )
    found.add_step(judged)
    found.add_step(WorkflowStep(step_id="done", worker_type="w", is_terminal=True))
    return found


async def drive(path: str, count: int, pause_s: float) -> None:
    """Drive the runs until the process is ended."""
    chance = random.Random(1)

    async def work(_: Any) -> Any:
        await asyncio.sleep(pause_s * (0.5 + chance.random()))
        return ANSWER

    hub = Orchestrator(journal=SQLiteJournal(path, group_commit=True), limits=RunLimits(max_steps=1_000_000))
    hub.register_worker(WorkerDefinition(worker_type="w", name="w", executor=work))
    hub.register_workflow(workflow())
    runs = [hub.start("loop", goal="go", run_id=f"live-{number:04}") for number in range(count)]
    driven = [asyncio.create_task(run.arun()) for run in runs]
    while min(run.machine.recorded for run in runs) == 0:  # noqa: ASYNC110 - nothing tells, and it is no hurry
        await asyncio.sleep(0.1)
    print("ready", flush=True)
    await asyncio.gather(*driven)


if __name__ == "__main__":
    asyncio.run(drive(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
