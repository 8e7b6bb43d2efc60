"""What it takes to study runs: a frame of a million attempts, and the difference between two long runs.

Nobody else turns runs into frames or compares two, so there is no peer to run against. Times are medians; memory
is what the process grew by at most, over the records it was given, in a process of its own.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.harness import WrongResult
from benchmarks.table import Row
from orchestration_kit.definition.conditions import Evaluated
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, RunFinished, RunStarted
from orchestration_kit.history import Comparison, Recorded, compare, history_frame, recorded

ATTEMPTS, STEPS = 1_000_000, 10_000
FRAME_LIMIT_S, FRAME_LIMIT_MB, COMPARE_LIMIT_S = 2.5, 400, 0.5
_NAMES = tuple(f"step_{at}" for at in range(50))
"""Steps of the synthetic workflow, each with a worker of its name. Records share them, as those of a run do."""


def synthetic(attempts: int, *, run: str = "run", differs_at: int = 0) -> Recorded:
    """Return a run of many attempts: a tenth fails and is retried, a third evaluates a condition, all tell usage.

    Args:
        attempts: How many.
        run: The run's id.
        differs_at: The attempt (no multiple of ten) whose output differs from that of other runs; 0 for none.
    """
    records = [_attempt(seq, differs=seq == differs_at) for seq in range(1, attempts + 1)]
    started = RunStarted(run, "synthetic", "0", "goal", {}, run, 1.7e9)
    return recorded([started, *records, RunFinished(run, "completed", None, 1.7e9 + attempts, attempts)])


def frame_seconds(run: Recorded) -> float:
    """Return the seconds that `history_frame` takes.

    Raises:
        WrongResult: the frame is not that of the run.
    """
    gc.collect()
    began = perf_counter()
    frame = history_frame(run)
    took = perf_counter() - began
    count = len(run.records)
    found = len(frame), int(frame["seq"].sum()), int((~frame["success"]).sum()), frame["path"].iloc[-1]
    expected = count, count * (count + 1) // 2, count // 10, run.records[-1].path
    if found != expected:
        raise WrongResult(f"history_frame gave {found}, not {expected}")
    return took


def compare_seconds(a: Recorded, b: Recorded, *, at: int) -> float:
    """Return the seconds that a comparison takes, with its frames and its text, of runs that part at attempt `at`.

    Raises:
        WrongResult: it found another place, or lost attempts.
    """
    gc.collect()
    began = perf_counter()
    comparison = compare(a, b)
    shown = _all_of(comparison)
    took = perf_counter() - began
    parts = comparison.first_divergence
    place = a.records[at - 1].path
    if parts is None or parts.path != place or len(comparison.steps) != len(a.records) or place not in shown:
        raise WrongResult(f"compare found {parts} in {len(comparison.steps)} attempts, not {place}")
    return took


def frame_megabytes(attempts: int = ATTEMPTS) -> float:
    """Return by how many megabytes a process grows at most while it makes the frame."""
    command = [sys.executable, "-m", "benchmarks.history", "memory", str(attempts)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def rows(*, repeats: int = 3) -> list[Row]:
    """Measure, and return the rows of the table."""
    run = synthetic(ATTEMPTS)
    frame_s = median(frame_seconds(run) for _ in range(repeats))
    del run
    at = STEPS // 2 + 1
    a, b = synthetic(STEPS, run="a"), synthetic(STEPS, run="b", differs_at=at)
    compare_s = median(compare_seconds(a, b, at=at) for _ in range(repeats))
    frame_mb = frame_megabytes()
    return [
        _row(f"history_frame of {ATTEMPTS:,} attempts", frame_s, FRAME_LIMIT_S, "s"),
        _row("its peak above the input", frame_mb, FRAME_LIMIT_MB, "MB"),
        _row(f"compare of two runs of {STEPS:,}", compare_s, COMPARE_LIMIT_S, "s"),
    ]


def _row(title: str, value: float, limit: float, unit: str) -> Row:
    shown = f"{value:.2f}" if value < 10 else f"{value:.0f}"
    return Row(title, figure=f"{shown} {unit}", goal=f"<= {limit} {unit}", met=value <= limit)


def _attempt(seq: int, *, differs: bool) -> AttemptFinished:
    turn, failed = seq - 1, seq % 10 == 0
    step = _NAMES[turn % len(_NAMES)]
    output = (
        {"error": f"timed out at {seq}"} if failed else {"score": 0.0 if differs else seq / 7, "text": f"draft {seq}"}
    )
    return AttemptFinished(
        seq=seq,
        scope="",
        step=step,
        visit=turn // len(_NAMES) + 1,
        attempt=1,
        worker=step,
        worker_type="coder",
        input={"goal": "goal", "turn": seq},
        output=output,
        error=ErrorInfo("TimeoutError", f"timed out at {seq}") if failed else None,
        started_at=1.7e9 + turn,
        duration_s=0.5 + (seq % 7) / 10,
        next_step=None if failed else _NAMES[seq % len(_NAMES)],
        retry_in_s=0.1 if failed else None,
        changes=None if failed else Changes({step: seq}, ()),
        evaluated=(Evaluated("output.score > 1.0", {"output.score": seq / 7}, seq > 7),) if seq % 3 == 0 else (),
        usage={"input_tokens": seq, "output_tokens": 5, "cost_usd": 0.01, "model": "model-1"},
    )


def _all_of(comparison: Comparison) -> str:
    """Everything a person may look at."""
    for frame in (comparison.steps, comparison.data, comparison.totals):
        assert frame is not None
    return str(comparison)


def _grown_by(attempts: int) -> float:
    run = synthetic(attempts)
    history_frame(synthetic(10))  # pandas and its parts are there already, for whoever studies runs
    gc.collect()
    before = peak_megabytes()
    frame_seconds(run)
    return peak_megabytes() - before


def peak_megabytes() -> float:
    """The most that this process held at once; /proc first, as elsewhere a child may inherit its parent's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main(arguments: Sequence[str]) -> int:
    """Print the rows; or, asked for `memory N`, the megabytes alone. Ends with an error where a goal is missed."""
    if arguments[:1] == ["memory"]:
        print(_grown_by(int(arguments[1])))
        return 0
    found = rows()
    for row in found:
        print(f"{row.title}: {row.figure} ({row.goal})")
    return 0 if all(row.met for row in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
