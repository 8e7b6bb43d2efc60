"""What it costs to tell of runs: as spans and metrics, as lines of JSON, and where nothing is told at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, counting_worker, quiet_collector
from benchmarks.table import Row, microseconds
from orchestration_kit import Orchestrator, RunLimits, WorkerDefinition, create_generic_pipeline
from orchestration_kit.governance import telemetry

STEPS, REPEATS = 1_000, 9
OFF_US, SPANS_US = 0.2, 60.0


def rows(*, steps: int = STEPS, repeats: int = REPEATS) -> list[Row]:
    """Measure, and return the rows of the table."""
    times = measure(steps, repeats)
    off_s = times["was on"] - times["never on"]
    spans_s, lines_s = times["spans"] - times["never on"], times["lines"] - times["never on"]
    title = f"telemetry, what it adds to a step of a chain of {steps:,}"
    return [
        Row(f"{title}: off", figure=f"{off_s * 1e6:+.2f} us", goal=f"<= {OFF_US:g} us", met=off_s * 1e6 <= OFF_US),
        Row(
            f"{title}: spans and metrics, in memory",
            figure=f"{microseconds(spans_s)} us",
            goal=f"<= {SPANS_US:g} us",
            met=spans_s * 1e6 <= SPANS_US,
        ),
        Row(f"{title}: lines of JSON", figure=f"{microseconds(lines_s)} us"),
    ]


def measure(steps: int, repeats: int) -> dict[str, float]:
    """Return the median seconds a step, by what was told. The ways take turns."""
    ways = {"never on": nullcontext, "spans": _spans, "lines": _lines, "was on": _was_on}
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats + 1):
        for name, way in ways.items():
            samples[name].append(_timed(steps, way))
    return {name: median(values[1:]) for name, values in samples.items()}


def _timed(steps: int, way: Any) -> float:
    work, reset = counting_worker()
    hub = Orchestrator(limits=RunLimits(max_steps=steps + 1))
    hub.register_worker(WorkerDefinition(worker_type="generic", name="count", executor=work))
    hub.register_workflow(create_generic_pipeline([(f"s{number}", "generic", "") for number in range(steps)]))
    name = next(iter(hub.workflows))
    with way() as told:
        hub.execute_workflow(name, "to warm up", verbose=False)  # its plan is made, and each series of metrics
        reset()
        with quiet_collector():
            began = perf_counter()
            context = hub.execute_workflow(name, "count", verbose=False)
            took = perf_counter() - began
        if context.get_last_output() != steps:
            raise WrongResult(f"the last output is {context.get_last_output()!r}, not {steps}")
        if isinstance(told, telemetry.Telemetry) and len(told.spans) != 2 * (steps + 1):
            raise WrongResult(f"{len(told.spans)} spans of two runs of {steps} steps")
        if isinstance(told, telemetry.Stream) and len(told.frame()) != 2 * (steps + 2):
            raise WrongResult(f"{len(told.frame())} lines of two runs of {steps} steps")
    return took / steps


def _spans() -> Any:
    return telemetry.enable("memory")


@contextmanager
def _lines() -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder, telemetry.stream(Path(folder) / "runs.events.jsonl") as told:
        yield told


@contextmanager
def _was_on() -> Iterator[None]:
    telemetry.enable("memory").disable()
    yield
