"""What it costs to have workers called elsewhere: on threads, in processes, and on a Dask cluster beside Dask alone."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, quiet_collector
from benchmarks.table import Row, microseconds
from orchestration_kit import MapStep, Orchestrator, RunLimits, WorkerDefinition, WorkflowDefinition, WorkflowStep
from orchestration_kit.executors import DaskExecutor, ProcessesExecutor, ThreadsExecutor, local_cluster

ITEMS, REPEATS, MACHINES = 1_000, 5, 2
DASK_TIMES = 1.3


def square(item: int) -> int:
    """Do next to nothing, so that all else shows."""
    return item * item


def rows(*, items: int = ITEMS, repeats: int = REPEATS) -> list[Row]:
    """Measure, and return the rows of the table."""
    times = measure(items, repeats)
    title = f"a map of {items:,} items, an item"
    times_dask = times["hub on Dask"] / times["Dask alone"]
    return [
        Row(f"{title}: on {MACHINES} threads", figure=f"{microseconds(times['hub on threads'])} us"),
        Row(
            f"{title}: in {MACHINES} processes, beside ProcessPoolExecutor alone",
            ours=microseconds(times["hub in processes"]),
            bare=microseconds(times["a pool alone"]),
            figure=f"{times['hub in processes'] / times['a pool alone']:.2f}x",
        ),
        Row(
            f"{title}: on {MACHINES} Dask workers, beside client.submit alone with the same window",
            ours=microseconds(times["hub on Dask"]),
            bare=microseconds(times["Dask alone"]),
            figure=f"{times_dask:.2f}x",
            goal=f"<= {DASK_TIMES:g}x",
            met=times_dask <= DASK_TIMES,
        ),
    ]


def measure(items: int, repeats: int) -> dict[str, float]:
    """Return the median seconds an item, by way. The ways take turns."""
    spawned = multiprocessing.get_context("forkserver")
    with (
        local_cluster(workers=MACHINES) as client,
        DaskExecutor(client) as dask,
        ThreadsExecutor(MACHINES) as threads,
        ProcessesExecutor(MACHINES) as processes,
        ProcessPoolExecutor(MACHINES, mp_context=spawned) as pool,
    ):
        ways = {
            "hub on threads": lambda: _mapped(threads, items),
            "hub in processes": lambda: _mapped(processes, items),
            "a pool alone": lambda: _pooled(pool, items),
            "hub on Dask": lambda: _mapped(dask, items),
            "Dask alone": lambda: _submitted(client, items),
        }
        samples: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats + 1):
            for name, way in ways.items():
                samples[name].append(way())
    return {name: median(values[1:]) / items for name, values in samples.items()}


def _mapped(executor: Any, items: int) -> float:
    hub = Orchestrator(executor=executor, limits=RunLimits(max_steps=items + 10))
    hub.register_worker(WorkerDefinition(worker_type="square", name="square", executor=square))
    workflow = WorkflowDefinition(name="squares")
    workflow.add_step(MapStep(step_id="map", over="data.items", body="one", on_success="end"), is_initial=True)
    workflow.add_step(WorkflowStep(step_id="one", worker_type="square", is_terminal=True))
    workflow.add_step(WorkflowStep(step_id="end", worker_type="none", is_terminal=True))
    hub.register_workflow(workflow)
    with quiet_collector():
        began = perf_counter()
        context = hub.execute_workflow("squares", "count", {"items": list(range(items))}, verbose=False)
        took = perf_counter() - began
    _check(context.data["map_output"], items)
    return took


def _submitted(client: Any, items: int) -> float:
    """What one writes without the kit: a window of futures, each replaced as its result comes."""
    from distributed import as_completed

    found: dict[str, int] = {}
    with quiet_collector():
        began = perf_counter()
        left = iter(range(items))
        first = [_sent(client, next(left), found) for _ in range(2 * MACHINES)]
        results = [0] * items
        coming = as_completed(first, with_results=True, loop=client.loop)
        for future, result in coming:
            results[found.pop(future.key)] = result
            item = next(left, None)
            if item is not None:
                coming.add(_sent(client, item, found))
        took = perf_counter() - began
    _check(results, items)
    return took


def _sent(client: Any, item: int, found: dict[str, int]) -> Any:
    future = client.submit(square, item, pure=False)
    found[future.key] = item
    return future


def _pooled(pool: ProcessPoolExecutor, items: int) -> float:
    with quiet_collector():
        began = perf_counter()
        left = iter(range(items))
        under_way = {pool.submit(square, item): item for item in (next(left) for _ in range(2 * MACHINES))}
        results = [0] * items
        while under_way:
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                results[under_way.pop(future)] = future.result()
                item = next(left, None)
                if item is not None:
                    under_way[pool.submit(square, item)] = item
        took = perf_counter() - began
    _check(results, items)
    return took


def _check(results: list[int], items: int) -> None:
    if results != [item * item for item in range(items)]:
        raise WrongResult(f"the results are {results[:5]!r}..., not the squares of {items} numbers")
