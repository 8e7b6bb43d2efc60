"""What a journal gives back: a killed run that goes on, in this process and in a fresh one, and a list of runs."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, quiet_collector
from benchmarks.journal_cases import RUN, chain, check_kept, hub_of
from orchestration_kit import Orchestrator, SQLiteJournal
from orchestration_kit.engine.events import RunStarted
from orchestration_kit.engine.summary import Totals
from orchestration_kit.history import runs_frame
from orchestration_kit.journal.chain import seal_standing, write_totals
from orchestration_kit.journal.codec import content_digest
from orchestration_kit.journal.header import facts_of
from orchestration_kit.journal.port import Standing

PROJECT = Path(__file__).parent.parent
MOMENT = 1.7e9
"""When the first of the listed runs began; the others follow a second apart."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """How long it took to go on with a killed run."""

    first_step_s: float
    """From opening the file to the call of the first new step's worker."""
    history_s: float
    """After that step: to look at every entry of the history."""


@dataclass(frozen=True, slots=True)
class FreshProcess:
    """How long a whole process took that finished a killed run."""

    whole_s: float
    import_s: float
    """Of which: importing this package."""
    register_s: float
    """Of which: defining the workflow and registering it."""
    first_step_s: float
    """Of which: from opening the file to the first new step."""
    rest_s: float
    """Of which: the steps that were left."""


def killed(folder: Path, *, steps: int, done: int) -> Path:
    """Make the file of a run whose process was killed in the middle, and return it.

    Raises:
        WrongResult: the process ended in another way.
    """
    path = folder / "killed.db"
    ended = _child("begin", path, steps, done)
    if ended.returncode != -signal.SIGKILL:
        raise WrongResult(f"the process was not killed, it ended with {ended.returncode}: {ended.stderr[-500:]}")
    return path


def resume(path: Path, *, steps: int, done: int) -> Resumed:
    """Go on with a copy of a killed run in this process, and see it to its end.

    Raises:
        WrongResult: a step was lost or made twice, or the history is not whole.
    """
    task = chain(steps, done=done)
    hub = hub_of(task)
    with _copied(path) as copy:
        with quiet_collector():
            began = perf_counter()
            with SQLiteJournal(copy) as journal:
                hub.journal = journal
                run = hub.reopen(RUN)
                run.step()
                stepped = perf_counter()
                entries = len(run.history)
                looked = perf_counter()
                context = run.run()
        if (context.state, len(task.stamps), entries) != ("completed", steps - done, done + 1):
            raise WrongResult(f"the resumed run is {context.state} after {len(task.stamps)} steps, {entries} entries")
        check_kept(task, copy, marks=2)
    return Resumed(task.stamps[0] - began, looked - stepped)


def resume_in_a_fresh_process(path: Path, *, steps: int, done: int) -> FreshProcess:
    """Go on with a copy of a killed run in a new process, and see it to its end.

    Raises:
        WrongResult: a step was lost or made twice.
    """
    with _copied(path) as copy:
        began = perf_counter()
        ended = _child("finish", copy, steps, done)
        whole_s = perf_counter() - began
        if ended.returncode:
            raise WrongResult(f"the process that resumes ended with {ended.returncode}: {ended.stderr[-500:]}")
        told: dict[str, Any] = json.loads(ended.stdout)
        if (told["state"], told["called"], told["history"]) != ("completed", steps - done, steps):
            raise WrongResult(f"the process that resumes came to {told}")
        check_kept(chain(steps), copy, marks=2)
    return FreshProcess(whole_s, told["import_s"], told["register_s"], told["first_step_s"], told["rest_s"])


def many_runs(path: Path, count: int) -> None:
    """Put finished runs on record, through the journal's port."""
    task = chain(3)
    hub = hub_of(task)
    plan = hub.plan_of("journaled")
    totals = Totals(attempts=3, steps=3, duration_s=1.5)
    with SQLiteJournal(path) as journal:
        for at in range(count):
            run_id, blobs = f"run_{at:06d}", dict[str, bytes]()

            def put_blob(content: bytes, blobs: dict[str, bytes] = blobs) -> str:
                digest = content_digest(content)
                blobs[digest] = content
                return digest

            began_at = MOMENT + at
            started = RunStarted(
                run_id, "journaled", plan.fingerprint, "goal", {}, run_id, began_at, tags={"n": str(at)}
            )
            facts = facts_of(started, plan, hub.limits, shared=0, put_blob=put_blob)
            begun = Standing("in_progress", None, None, 0, write_totals(facts.check, Totals()), b"")
            ended = Standing("completed", None, began_at + 2, 0, write_totals(facts.check, totals), b"")
            lease = journal.create(facts, seal_standing(run_id, begun), blobs)
            journal.append(lease, (), {}, standing=seal_standing(run_id, ended), release=True)


def list_seconds(path: Path, count: int) -> float:
    """Return the seconds it takes to list all runs of a journal and make a frame of them.

    Raises:
        WrongResult: the frame does not show them all.
    """
    with SQLiteJournal(path) as journal:
        hub = Orchestrator(journal=journal)
        with quiet_collector():
            began = perf_counter()
            frame = runs_frame(hub.runs())
            took = perf_counter() - began
    found = len(frame), frame["run"].nunique(), int(frame["attempts"].sum()), set(frame["state"])
    if found != (count, count, 3 * count, {"completed"}) or frame["run"].iloc[0] != f"run_{count - 1:06d}":
        raise WrongResult(f"the frame shows {found} of {count} runs")
    return took


def _child(what: str, path: Path, steps: int, done: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.journal_child", what, str(path), str(steps), str(done)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """A copy of a file that was left behind with its log, in a folder of its own beside it."""
    with TemporaryDirectory(dir=path.parent) as folder:
        for part in path.parent.glob(f"{path.name}*"):
            if not part.name.endswith("-shm"):  # made anew from the log, as after any crash
                shutil.copy(part, folder)
        yield Path(folder) / path.name
