"""How many runs and steps a second one hub keeps on record, by where its runs are made: the figures of docs/scaling.md.

Two workloads: steps that do nothing, so that all the rest shows, and steps that wait 20 ms, as a quick call of a model
does. Each set is journaled in SQLite on disk; the result is asserted before the time counts.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult
from benchmarks.table import Row
from orchestration_kit import Orchestrator, SQLiteJournal, WorkerDefinition, create_generic_pipeline
from orchestration_kit.executors import DaskExecutor, ProcessesExecutor, local_cluster
from orchestration_kit.scale import run_many

STEPS = 3
WAIT_S = 0.02
_KINDS = ("draft", "check", "publish")


def at_once(text: str) -> str:
    """Do nothing, so that all else shows."""
    return text


def after_a_while(text: str) -> str:
    """Wait as long as a quick model does."""
    time.sleep(WAIT_S)
    return text


def runs_a_second(path: Path, worker: Any, runs: int, **options: Any) -> float:
    """Return how many runs a second are made and put on record.

    Raises:
        WrongResult: a run is missing.
    """
    with SQLiteJournal(path, group_commit=True) as journal:
        hub = Orchestrator(journal=journal)
        for kind in _KINDS:
            hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=worker))
        workflow = create_generic_pipeline([(kind, kind, "") for kind in _KINDS])
        run_many(workflow, ["warm"] * 8, hub=hub, name="warm", progress=False, **options)
        began = perf_counter()
        found = run_many(workflow, [f"goal {n}" for n in range(runs)], hub=hub, progress=False, **options)
        took_s = perf_counter() - began
        if found.state != {"completed": runs}:
            raise WrongResult(f"run_many gave {found.state}")
    return runs / took_s


def rows(*, runs: int = 3_000, few: int = 200) -> list[Row]:
    """Measure, and return the rows of the table."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        places = iter(Path(folder, f"{n}.db") for n in range(100))
        found["nothing to do, inline"] = runs_a_second(next(places), at_once, runs)
        for threads in (1, 8, 64):
            name = f"20 ms a step, {threads} runs at once on threads"
            found[name] = runs_a_second(
                next(places), after_a_while, few // (1 if threads > 1 else 4), max_concurrency=threads
            )
        for processes in (1, 2, 4):
            with ProcessesExecutor(processes) as executor:
                name = f"{processes} processes"
                found[f"nothing to do, {name}"] = runs_a_second(next(places), at_once, runs, executor=executor)
                found[f"20 ms a step, {name}"] = runs_a_second(next(places), after_a_while, few // 2, executor=executor)
        for machines in (1, 2, 4):
            with local_cluster(workers=machines) as client, DaskExecutor(client) as executor:
                name = f"{machines} Dask workers"
                found[f"nothing to do, {name}"] = runs_a_second(next(places), at_once, runs // 3, executor=executor)
                found[f"20 ms a step, {name}"] = runs_a_second(next(places), after_a_while, few // 2, executor=executor)
    return [
        Row(f"runs of {STEPS} steps, journaled: {name}", figure=f"{value:,.0f} runs/s, {STEPS * value:,.0f} steps/s")
        for name, value in found.items()
    ]
