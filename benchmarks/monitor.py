"""What it costs to watch: a monitor that follows the runs of another process through its journal."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import WrongResult
from benchmarks.table import Row
from orchestration_kit import Monitor

RUNS, PAUSE_S, WATCHED_S, LIMIT_PERCENT = 1_000, 5.0, 15.0, 5.0


def rows(*, count: int = RUNS, pause_s: float = PAUSE_S, watched_s: float = WATCHED_S) -> list[Row]:
    """Measure, and return the rows of the table."""
    percent, events = watch(count, pause_s, watched_s)
    title = f"a monitor of {count:,} live runs of another process ({events:.0f} events/s)"
    goal = f"<= {LIMIT_PERCENT:g} % of a core"
    return [Row(title, figure=f"{percent:.1f} % of a core", goal=goal, met=percent <= LIMIT_PERCENT)]


def watch(count: int, pause_s: float, watched_s: float) -> tuple[float, float]:
    """Return the share of a core that a monitor takes, in percent, and how many events a second it followed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        command = [sys.executable, "-m", "benchmarks.monitor_child", str(path), str(count), str(pause_s)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if child.stdout is None or child.stdout.readline() != "ready\n":
                raise WrongResult("the process that drives the runs did not get ready")
            monitor = Monitor(path)
            try:
                return _measured(monitor, count, watched_s)
            finally:
                monitor.close()
        finally:
            child.kill()
            child.communicate()


def _measured(monitor: Monitor, count: int, watched_s: float) -> tuple[float, float]:
    def send(content: Any, _buffers: Any = None) -> None:  # a page is there: what it is sent is written
        json.dumps(content).encode()

    monitor.send = send  # type: ignore[method-assign]
    time.sleep(2)  # what there was before was read
    before, began, used = _attempts(monitor), time.perf_counter(), time.process_time()
    time.sleep(watched_s)
    used, took = time.process_time() - used, time.perf_counter() - began
    if len(monitor.shown) != min(count, 200):
        raise WrongResult(f"{len(monitor.shown)} rows are shown of {count} runs")
    events = (_attempts(monitor) - before) / took
    if events <= 0:
        raise WrongResult("no event was followed")
    return 100 * used / took, events


def _attempts(monitor: Monitor) -> int:
    return sum(line.attempts for line in monitor._source.lines.values())  # noqa: SLF001 - what it has followed
