"""What a run costs in a set of ten thousand, all included: from the goals to the last commit, and the look at it.

Nobody else makes sets of runs that can be gone on with, so there is no peer to run against. The file is on disk; group
commit is what the figure is for (what a crash may take is what came in the last 5 ms), one commit a step is told too.
"""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.harness import WrongResult
from benchmarks.table import Row
from orchestration_kit import Orchestrator, SQLiteJournal, WorkerDefinition, create_generic_pipeline
from orchestration_kit.scale import RunSet, run_many

RUNS, STEPS = 10_000, 3
STEP_LIMIT_US = 60.0
_KINDS = ("draft", "check", "publish")


def set_seconds(path: Path, *, runs: int, group_commit: bool) -> tuple[float, float, float]:
    """Return the seconds that a set takes: to be made, to be looked at again, and to become a frame with outputs.

    Raises:
        WrongResult: a run is missing, or did something else.
    """
    with SQLiteJournal(path, group_commit=group_commit) as journal:
        hub = Orchestrator(journal=journal)
        for kind in _KINDS:
            hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=lambda text: text))
        workflow = create_generic_pipeline([(kind, kind, "") for kind in _KINDS])
        goals = [f"goal {number}" for number in range(runs)]
        gc.collect()
        began = perf_counter()
        found = run_many(workflow, goals, hub=hub, name="set", progress=False)
        made_s = perf_counter() - began
        began = perf_counter()
        found.resume(progress=False)
        again_s = perf_counter() - began
        began = perf_counter()
        frame = found.frame()
        frame_s = perf_counter() - began
        _check(found, outputs_are_right=frame["output"].tolist() == goals, runs=runs)
    return made_s, again_s, frame_s


def _check(found: RunSet, *, outputs_are_right: bool, runs: int) -> None:
    attempts = int(found.frame(outputs=False)["attempts"].sum())
    if found.state != {"completed": runs} or attempts != runs * STEPS or not outputs_are_right:
        raise WrongResult(f"run_many gave {found.state} with {attempts} attempts")


def rows(*, runs: int = RUNS, repeats: int = 3) -> list[Row]:
    """Measure, and return the rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        grouped = [set_seconds(Path(folder, f"{n}.db"), runs=runs, group_commit=True) for n in range(repeats)]
        single_s, *_ = set_seconds(Path(folder, "single.db"), runs=runs, group_commit=False)
    step_us = 1e6 * median(made_s for made_s, *_ in grouped) / (runs * STEPS)
    single_us = 1e6 * single_s / (runs * STEPS)
    title = f"run_many, {runs:,} runs x {STEPS} steps"
    return [
        Row(
            f"{title}, journaled in groups, a step",
            figure=f"{step_us:.0f} us",
            goal=f"<= {STEP_LIMIT_US:.0f} us",
            met=step_us <= STEP_LIMIT_US,
        ),
        Row(f"{title}, one commit a step, a step", figure=f"{single_us:.0f} us"),
        Row("the same again: nothing is left to do", figure=f"{median(again_s for _, again_s, _ in grouped):.2f} s"),
        Row("its frame, with outputs", figure=f"{median(frame_s for *_, frame_s in grouped):.2f} s"),
    ]
