"""Runs that are kept in a journal's file, timed, and read back by another journal before their time counts.

Sizes are in bytes, 1 KB is 1,024 of them. Every case makes its file in a folder that its caller gives, and times
`execute_workflow` alone: to open the file, to register workflow and worker, and to close are not timed.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.harness import WrongResult, quiet_collector
from orchestration_kit import (
    Branch,
    Orchestrator,
    RunLimits,
    SQLiteJournal,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)

KB = 1024
MB = KB * KB
RUN = "run"
LIMITS = RunLimits(max_steps=1_000_000)
WINDOW = 50
"""Steps over which the cost of one is taken, at a tenth of the way and at the end."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of one journaled run."""

    seconds_a_step: float
    file_bytes: int
    """The file, after it was closed."""
    payload_bytes: int
    """What the workers gave and what the run began with, as UTF-8."""
    steps: int
    growth: float
    """The cost of a step at the end, as a multiple of that at a tenth of the way."""

    @property
    def beyond_payload(self) -> float:
        """Bytes of the file a step, apart from the payload."""
        return (self.file_bytes - self.payload_bytes) / self.steps


@dataclass(frozen=True, slots=True)
class Task:
    """A workflow, its worker, and what has to be on record in the end."""

    workflow: WorkflowDefinition
    worker: Callable[..., Any]
    stamps: list[float]
    """The worker writes down when it is called."""
    outputs: list[Any]
    """Of all attempts, in order."""
    data: dict[str, Any]
    """The initial data."""
    left: dict[str, Any]
    """Entries that have to be on the data bus in the end, besides the outputs."""


def texts(count: int, size: int = KB) -> list[str]:
    """Return texts of `size` bytes each, in which nothing repeats itself."""
    draw = random.Random(count)  # the same ones each time
    return [draw.randbytes(size // 2).hex() for _ in range(count)]


def corpus(size: int = MB) -> dict[str, list[str]]:
    """Return initial data of about `size` bytes: one entry, a list of texts of 1 KB."""
    return {"corpus": texts(max(1, size // KB))}


def chain(
    steps: int,
    *,
    output_bytes: int = KB,
    data: Mapping[str, Any] | None = None,
    reads: str | None = None,
    done: int = 0,
) -> Task:
    """Steps in a row; each gives a text, after a look at the entry `reads` if one is named.

    The worker goes on after the first `done` steps, which were made by another.
    """
    outputs, stamps = texts(steps, output_bytes), list[float]()
    given = iter(outputs[done:])

    def work(_input: object) -> str:
        stamps.append(perf_counter())
        return next(given)

    def work_with_a_look(_input: object, context: Any) -> str:
        stamps.append(perf_counter())
        if not context.data[reads]:
            raise WrongResult(f"{reads} is empty")
        return next(given)

    kept = dict(data or {})
    return Task(_chain(steps), work if reads is None else work_with_a_look, stamps, outputs, kept, kept)


def new_keys(steps: int, size: int = KB) -> Task:
    """Steps in a row; each puts a new entry on the data bus."""
    entries, stamps = texts(steps, size), list[float]()

    def work(_input: object, context: Any) -> int:
        at = len(stamps)
        stamps.append(perf_counter())
        context.data[f"entry_{at}"] = entries[at]
        return at

    left = {f"entry_{at}": entry for at, entry in enumerate(entries)}
    return Task(_chain(steps), work, stamps, list(range(steps)), {}, left)


def one_list(steps: int, size: int = KB) -> Task:
    """A loop of one step, which appends to a list on the data bus."""
    entries, stamps = texts(steps, size), list[float]()

    def work(_input: object, context: Any) -> int:
        at = len(stamps)
        stamps.append(perf_counter())
        context.data["log"].append(entries[at])
        return at + 1

    enough = Branch(when=lambda output, _context: output >= steps, to="done", label="enough")
    workflow = _workflow(
        WorkflowStep(step_id="add", worker_type="generic", branches=[enough], on_success="add"),
        WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True),
    )
    return Task(workflow, work, stamps, [*range(1, steps + 1), steps], {"log": []}, {"log": entries})


def keep(task: Task, folder: Path, **options: Any) -> Kept:
    """Run a task in a new file, with these options of the journal, and read it back.

    Raises:
        WrongResult: the run did not end well, or the file does not hold what it gave.
    """
    path = folder / "runs.db"
    with SQLiteJournal(path, **options) as journal:
        hub = hub_of(task, journal)
        with quiet_collector():
            began = perf_counter()
            context = hub.execute_workflow("journaled", "goal", task.data, verbose=False, run_id=RUN, limits=LIMITS)
            took = perf_counter() - began
    if context.state != "completed":
        raise WrongResult(f"the journaled run ended {context.state}: {context.error}")
    check_kept(task, path)
    steps = len(task.stamps)
    payload = sum(_bytes_of(part) for part in (*task.outputs, task.left))
    return Kept(took / steps, path.stat().st_size, payload, steps, _growth(task.stamps))


def check_kept(task: Task, path: Path, *, marks: int = 1) -> None:
    """Look at a closed file through another journal. Besides the attempts it holds `marks` rows: the end, a resume.

    Raises:
        WrongResult: it does not hold the whole run.
    """
    with SQLiteJournal(path) as journal:
        run = hub_of(task, journal).get_run(RUN)
        rows = len(journal.rows(RUN))
        if run.state != "completed" or rows != len(task.outputs) + marks:
            raise WrongResult(f"the file holds {rows} rows of a run that is {run.state}")
        if [entry["output"] for entry in run.history] != task.outputs:
            raise WrongResult("the file does not hold the outputs that the workers gave")
        data = run.context.data
        if any(data.get(key) != value for key, value in task.left.items()):
            raise WrongResult("the file does not hold the data bus as the workers left it")


def raw(steps: int, folder: Path) -> float:
    """Return the seconds a step of plain sqlite3: BEGIN, one INSERT of 1 KB, COMMIT.

    Raises:
        WrongResult: the file does not hold the rows.
    """
    path = folder / "raw.db"
    bodies = [text.encode() for text in texts(steps)]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE rows(id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        execute = connection.cursor().execute
        with quiet_collector():
            began = perf_counter()
            for at, body in enumerate(bodies):
                execute("BEGIN")
                execute("INSERT INTO rows VALUES (?, ?)", (at, body))
                execute("COMMIT")
            took = perf_counter() - began
    with closing(sqlite3.connect(path)) as connection:
        if [body for (body,) in connection.execute("SELECT body FROM rows ORDER BY id")] != bodies:
            raise WrongResult("raw sqlite3 lost rows")
    return took / steps


def hub_of(task: Task, journal: SQLiteJournal | None = None) -> Orchestrator:
    """Return a hub with the task's workflow and worker, ready to run: the one is bound to the other."""
    hub = Orchestrator(journal=journal)
    hub.register_worker(WorkerDefinition(worker_type="generic", name="worker", executor=task.worker))
    hub.register_workflow(task.workflow)
    hub.plan_of(task.workflow.name)  # else the first run would bind them
    return hub


def _growth(stamps: list[float]) -> float:
    """Return how many times the steps around a tenth of the way the last ones take. Worker call to worker call."""
    took = [after - before for before, after in pairwise(stamps)]
    if not took:
        return 1.0
    middle = len(took) // 10
    early = took[max(0, middle - WINDOW // 2) : middle + WINDOW // 2]
    return median(took[-WINDOW:]) / median(early)


def _bytes_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return sum(map(_bytes_of, value.values()))
    return sum(map(_bytes_of, value)) if isinstance(value, list) else 0


def _chain(size: int) -> WorkflowDefinition:
    last = size - 1
    return _workflow(
        *(WorkflowStep(step_id=f"s{at}", worker_type="generic", on_success=f"s{at + 1}") for at in range(last)),
        WorkflowStep(step_id=f"s{last}", worker_type="generic", is_terminal=True),
    )


def _workflow(*steps: WorkflowStep) -> WorkflowDefinition:
    workflow = WorkflowDefinition(name="journaled")
    for position, step in enumerate(steps):
        workflow.add_step(step, is_initial=position == 0)
    return workflow
