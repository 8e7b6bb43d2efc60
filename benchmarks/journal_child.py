"""A process of its own that runs a chain in a journal: one kills itself in the middle, one goes on to the end.

    python -m benchmarks.journal_child begin PATH STEPS DONE     is killed once DONE steps are there
    python -m benchmarks.journal_child finish PATH STEPS DONE    resumes, and prints how long what took, as JSON

Nothing of ours is imported before the clock runs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from time import perf_counter

_began = perf_counter()
from benchmarks.journal_cases import LIMITS, RUN, chain, hub_of  # noqa: E402 - what an import takes is measured
from orchestration_kit import SQLiteJournal  # noqa: E402

_imported = perf_counter()


def begin(path: str, steps: int, killed_at: int) -> None:
    """Run until the worker of step `killed_at + 1` is called, and die there as nobody can prevent."""
    task = chain(steps)
    work, stamps = task.worker, task.stamps

    def work_or_die(value: object) -> str:
        if len(stamps) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(value)

    hub = hub_of(replace(task, worker=work_or_die), SQLiteJournal(path))
    hub.execute_workflow("journaled", "goal", verbose=False, run_id=RUN, limits=LIMITS)


def finish(path: str, steps: int, done: int) -> dict[str, float | str]:
    """Resume the run, of which `done` steps are there, and see it to its end."""
    registering = perf_counter()
    task = chain(steps, done=done)
    hub = hub_of(task)
    opening = perf_counter()
    with SQLiteJournal(path) as journal:
        hub.journal = journal
        context = hub.resume(RUN, verbose=False)
    ended = perf_counter()
    return {
        "state": str(context.state.value),
        "history": len(context.history),
        "called": len(task.stamps),
        "import_s": _imported - _began,
        "register_s": opening - registering,
        "first_step_s": task.stamps[0] - opening,
        "rest_s": ended - task.stamps[0],
    }


if __name__ == "__main__":
    what, where, size, there = sys.argv[1:]
    if what == "begin":
        begin(where, int(size), int(there))
    else:
        print(json.dumps(finish(where, int(size), int(there))))
