"""Thousands of runs at once in one event loop, each of three async steps: what a step costs, and what a run weighs.

    python -m benchmarks.branches_runs memory COUNT     prints the KB a run in a process of its own

That process holds all runs and their contexts; what it grew by at most is shared among them, the tasks that drive
them included.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from benchmarks.branches_cases import Clock
from benchmarks.harness import WrongResult, quiet_collector
from benchmarks.history import peak_megabytes
from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep

STEPS = 3
KB_A_MB = 1e6 / 1024


class Crowd:
    """A worker that counts the runs that have begun, and sees that all have before the first one ends."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.begun = 0
        self.early = 0

    async def work(self, value: object) -> int:
        """Give 1, 2, 3: the first step gets the goal, each other one what the one before gave."""
        if not isinstance(value, int):
            self.begun += 1
            value = 0
        elif value == STEPS - 1:
            self.early += self.begun < self.count
        await asyncio.sleep(0)
        return value + 1


def many_runs(count: int, *, clock: Clock = perf_counter) -> float:
    """Return the seconds a step of `count` runs at once.

    Raises:
        WrongResult: a run lost a step, or they were not all under way at once.
    """
    crowd = Crowd(count)
    hub = hub_of(crowd)

    async def run() -> tuple[list[Any], float]:
        with quiet_collector():
            began = clock()
            contexts = await _all(hub, count)
            return contexts, clock() - began

    contexts, took_s = asyncio.run(run())
    check_runs(crowd, contexts)
    return took_s / (count * STEPS)


def bare_runs(count: int, *, clock: Clock = perf_counter) -> float:
    """Return the seconds a step of as many coroutines that call the worker thrice and note what it gave."""
    crowd = Crowd(count)

    async def one() -> list[tuple[int, float]]:
        noted: list[tuple[int, float]] = []
        value: object = "goal"
        for _ in range(STEPS):
            value = await crowd.work(value)
            noted.append((value, perf_counter()))
        return noted

    async def run() -> tuple[list[Any], float]:
        with quiet_collector():
            began = clock()
            noted = await asyncio.gather(*(one() for _ in range(count)))
            return noted, clock() - began

    noted, took_s = asyncio.run(run())
    if crowd.early or any([value for value, _ in one] != list(range(1, STEPS + 1)) for one in noted):
        raise WrongResult("the bare coroutines lost a step, or were not all under way at once")
    return took_s / (count * STEPS)


def kilobytes_a_run(count: int) -> float:
    """Return what a run weighs where `count` of them are under way at once, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.branches_runs", "memory", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


async def _all(hub: Orchestrator, count: int) -> list[Any]:
    return await asyncio.gather(
        *(hub.aexecute_workflow("three", "goal", verbose=False, run_id=f"run-{at}") for at in range(count))
    )


def check_runs(crowd: Crowd, contexts: Sequence[Any]) -> None:
    """Look at every run.

    Raises:
        WrongResult: one lost a step, or they were not all under way at once.
    """
    expected = list(range(1, STEPS + 1))
    for context in contexts:
        if context.state != "completed" or [entry["output"] for entry in context.history] != expected:
            raise WrongResult(f"run {context.workflow_id} is {context.state} after {len(context.history)} steps")
    if len({context.workflow_id for context in contexts}) != crowd.count or crowd.begun != crowd.count:
        raise WrongResult(f"there were {crowd.begun} runs, not {crowd.count}")
    if crowd.early:
        raise WrongResult(f"{crowd.early} runs came to their last step before others had begun")


def hub_of(crowd: Crowd) -> Orchestrator:
    """Return a hub with a workflow of three steps, ready to run."""
    workflow = WorkflowDefinition(name="three")
    for at in range(STEPS):
        onward = {"is_terminal": True} if at == STEPS - 1 else {"on_success": f"s{at + 1}"}
        workflow.add_step(WorkflowStep(step_id=f"s{at}", worker_type="generic", **onward), is_initial=at == 0)
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="generic", name="worker", executor=crowd.work))
    hub.register_workflow(workflow)
    hub.plan_of("three")
    return hub


def _weigh(count: int) -> float:
    many_runs(10)  # what is imported on the way is there from now on
    crowd = Crowd(count)
    hub = hub_of(crowd)
    gc.collect()
    before = peak_megabytes()
    contexts = asyncio.run(_all(hub, count))
    grown = peak_megabytes() - before
    check_runs(crowd, contexts)  # after it was weighed: to look at a history makes its entries
    return grown * KB_A_MB / count


if __name__ == "__main__":
    print(_weigh(int(sys.argv[2])))
