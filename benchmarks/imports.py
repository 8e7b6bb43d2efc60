"""What an import costs over bare Python: whole processes, interleaved, medians."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from statistics import median
from time import perf_counter

BARE = "pass"
OURS = {
    "import orchestration_kit": "import orchestration_kit",
    "import with the four usual names": (
        "from orchestration_kit import Orchestrator, WorkflowDefinition, WorkflowStep, WorkerDefinition"
    ),
}
PEERS = {
    "langgraph": "from langgraph.graph import StateGraph",
    "burr": "from burr.core import ApplicationBuilder, State, action",
    "pydantic_graph": "from pydantic_graph import GraphBuilder",
    "transitions": "from transitions import Machine",
    "python_statemachine": "from statemachine import StateMachine",
}
LIMIT_MS = 120


def over_bare_python(statements: Iterable[str], *, repeats: int) -> dict[str, float]:
    """Return the milliseconds that each statement takes longer than `pass` in a fresh process.

    Every statement runs once untimed, so that files are cached and bytecode is written.

    Raises:
        subprocess.CalledProcessError: a statement failed; its traceback is on stderr.
    """
    every = [BARE, *statements]
    samples: dict[str, list[float]] = {statement: [] for statement in every}
    for statement in every:
        _seconds(statement)
    for _ in range(repeats):
        for statement in every:
            samples[statement].append(_seconds(statement))
    bare_s = median(samples.pop(BARE))
    return {statement: 1e3 * (median(values) - bare_s) for statement, values in samples.items()}


def _seconds(statement: str) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return perf_counter() - started
