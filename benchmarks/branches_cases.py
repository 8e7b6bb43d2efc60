"""Branches in orchestration_kit, timed, and looked at in full before their time counts.

A `Fan` says what fans out. Each function here makes one fan ready, runs it once and returns the seconds it took; to
register workflow and worker, and to open and close a journal, are not timed. `clock` is `perf_counter`, or
`process_time` where a machine has other work to do and the engine's own share is asked for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, quiet_collector
from orchestration_kit import (
    Orchestrator,
    RunLimits,
    SQLiteJournal,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.definition import MapStep

Clock = Callable[[], float]
LIMITS = RunLimits(max_steps=1_000_000)
RUN = "run"


@dataclass(frozen=True, slots=True)
class Fan:
    """Branches that each wait for a while, so many at a time. A branch gives twice its item."""

    count: int
    wait_s: float = 0.01
    """What a branch waits; 0 is one pass of the event loop, or nothing on a thread."""
    at_once: int = 100

    @property
    def limit_s(self) -> float:
        """The seconds it takes somebody who needs no time himself."""
        return math.ceil(self.count / self.at_once) * self.wait_s

    @property
    def items(self) -> list[int]:
        """What is fanned out."""
        return list(range(self.count))

    @property
    def outputs(self) -> list[int]:
        """What has to come out, in the order of the items."""
        return [2 * item for item in range(self.count)]


async def wait_async(fan: Fan, item: int) -> int:
    """Work as an async worker."""
    await asyncio.sleep(fan.wait_s)
    return 2 * item


def wait_sync(fan: Fan, item: int) -> int:
    """Work as a sync worker."""
    if fan.wait_s:
        time.sleep(fan.wait_s)
    return 2 * item


def check_fan(fan: Fan, outputs: Sequence[Any], took_s: float, *, clock: Clock = perf_counter) -> float:
    """Return the seconds, if the fan did what it says.

    Raises:
        WrongResult: an output is missing, wrong or out of place; or more ran at a time than allowed.
    """
    if list(outputs) != fan.outputs:
        raise WrongResult(f"{fan} gave {len(outputs)} outputs, not those of its items in their order")
    if clock is perf_counter and took_s < 0.99 * fan.limit_s:
        raise WrongResult(f"{fan} took {took_s:.4f} s, less than is possible with {fan.at_once} at a time")
    return took_s


def with_tasks(fan: Fan, *, clock: Clock = perf_counter, journal: SQLiteJournal | None = None) -> float:
    """Run a map of an async worker through the async door."""

    async def work(item: int) -> int:
        return await wait_async(fan, item)

    hub = hub_of(fan, work, journal)

    async def run() -> tuple[Any, float]:
        with quiet_collector():
            began = clock()
            context = await hub.aexecute_workflow("fan", "goal", _data(fan), verbose=False, run_id=RUN, limits=LIMITS)
            return context, clock() - began

    context, took_s = asyncio.run(run())
    check_record(fan, context)
    return check_fan(fan, context.data["each_output"], took_s, clock=clock)


def with_threads(fan: Fan, *, clock: Clock = perf_counter) -> float:
    """Run a map of a sync worker through the sync door: on threads."""

    def work(item: int) -> int:
        return wait_sync(fan, item)

    hub = hub_of(fan, work)
    with quiet_collector():
        began = clock()
        context = hub.execute_workflow("fan", "goal", _data(fan), verbose=False, run_id=RUN, limits=LIMITS)
        took_s = clock() - began
    check_record(fan, context)
    return check_fan(fan, context.data["each_output"], took_s, clock=clock)


def journaled(fan: Fan, folder: Path, *, clock: Clock = perf_counter, **options: Any) -> float:
    """Run a map of an async worker in a new file, with these options of the journal, and read it back.

    Raises:
        WrongResult: the file does not hold the whole run.
    """
    path = folder / "branches.db"
    with SQLiteJournal(path, **options) as journal:
        took_s = with_tasks(fan, clock=clock, journal=journal)
    check_kept(fan, path)
    return took_s


def check_kept(fan: Fan, path: Path) -> None:
    """Look at a closed file through another journal.

    Raises:
        WrongResult: it does not hold the whole run.
    """
    with SQLiteJournal(path) as journal:
        run = hub_of(fan, lambda item: item, journal).get_run(RUN)
        check_record(fan, run.context)
        if run.context.data["each_output"] != fan.outputs:
            raise WrongResult("the file does not hold what the branches gave")


def check_record(fan: Fan, context: Any) -> None:
    """Look at the history of a run: every branch once, in the order of the items, then the join.

    Raises:
        WrongResult: it is not that.
    """
    if context.state != "completed":
        raise WrongResult(f"the run ended {context.state}: {context.error}")
    *branches, join = context.history
    if [entry["output"] for entry in branches] != fan.outputs or join["output"] != fan.outputs:
        raise WrongResult(f"the history holds {len(branches)} branches, not the {fan.count} in the order of the items")
    if [entry["input"] for entry in branches] != fan.items or not all(entry["success"] for entry in branches):
        raise WrongResult("the history does not hold what each branch was given, and that it succeeded")
    if [entry["seq"] for entry in context.history] != list(range(1, fan.count + 2)):
        raise WrongResult("the history is not numbered in order")


def hub_of(fan: Fan, work: Callable[..., Any], journal: SQLiteJournal | None = None) -> Orchestrator:
    """Return a hub with a map of one step, ready to run."""
    workflow = WorkflowDefinition(name="fan")
    each = MapStep(
        step_id="each",
        over="data.items",
        body="work",
        max_concurrency=fan.at_once,
        max_items=max(fan.count, 1),
        is_terminal=True,
    )
    workflow.add_step(each, is_initial=True)
    workflow.add_step(WorkflowStep(step_id="work", worker_type="generic"))
    hub = Orchestrator(journal=journal)
    hub.register_worker(WorkerDefinition(worker_type="generic", name="worker", executor=work))
    hub.register_workflow(workflow)
    hub.plan_of("fan")  # else the first run would bind worker and workflow
    return hub


def _data(fan: Fan) -> dict[str, Any]:
    return {"items": fan.items}
