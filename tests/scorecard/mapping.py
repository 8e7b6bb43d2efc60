"""A map whose branches do several things at once, and an account of every call: what the processes drive that row 1
kills in the middle of a map, and what they do."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any

from orchestration_kit import MapStep, Orchestrator, ParallelStep
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.run import Run
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.publishing import Calls
from tests.support import hub_of, step, workflow_of

ITEMS = 30
AT_ONCE = 8
ATTEMPTS = 139
"""How many calls of workers a run makes, if nothing happens to it."""
BUSY_S = 0.002
"""How long a worker takes at most."""

Around = Callable[[WorkflowContext, str], None]


def flow() -> Any:
    """Each item is fetched, looked at from two sides, and summed up; every tenth item adds another."""
    inside = workflow_of(
        step("fetch", "sides", max_retries=1),
        ParallelStep(step_id="sides", branches={"law": "law", "style": "style"}, reducer="concat", on_success="sum"),
        step("law"),
        step("style"),
        step("sum"),
        name="inside",
    )
    return workflow_of(
        step("list", "each"),
        MapStep(
            step_id="each", over="output", body=inside, max_concurrency=AT_ONCE, reducer="last", on_success="report"
        ),
        step("report"),
        name="mapping",
    )


def _fetch(given: Any, context: WorkflowContext) -> Any:
    if given % 7 == 0 and context.attempt == 1:
        raise OSError(f"no answer at {context.path}")
    if given % 10 == 0 and given < 100:
        context.add_item(given + 101)
    context.data["notes"] = [f"fetched {given}"]
    return {"n": given, "text": "lorem ipsum " * (given * 3)}


def _side(given: Any, context: WorkflowContext) -> Any:
    context.data["seen"] = [*context.data.get("seen", []), f"{context.branch} of {given['n']}"]
    return (context.branch, given["n"])


WORK: dict[str, Callable[[Any, WorkflowContext], Any]] = {
    "list": lambda given, context: list(range(ITEMS)),
    "fetch": _fetch,
    "law": _side,
    "style": _side,
    "sum": lambda given, context: {"sides": given, "seen": context.data["seen"], "notes": context.data["notes"]},
    "report": lambda given, context: {"count": len(given), "last": given[-1]},
}


def hub(journal: Any, around: Around = lambda context, mark: None, *, is_async: bool = False) -> Orchestrator:
    """A hub with the workflow; `around` is told of each call before its effect ("B") and after it ("A")."""
    workers: dict[str, Any] = {}
    for name, work in WORK.items():
        workers[name] = _asynchronous(work, around) if is_async else _plain(work, around)
    return hub_of(flow(), workers, journal=journal)


def _pause_s(context: WorkflowContext) -> float:
    return BUSY_S * hashlib.sha256(context.idempotency_key.encode()).digest()[0] / 255


def _plain(work: Any, around: Around) -> Any:
    def worker(given: Any, context: WorkflowContext) -> Any:
        around(context, "B")
        try:
            return work(given, context)
        finally:
            time.sleep(_pause_s(context))
            around(context, "A")

    return worker


def _asynchronous(work: Any, around: Around) -> Any:
    async def worker(given: Any, context: WorkflowContext) -> Any:
        around(context, "B")
        try:
            return work(given, context)
        finally:
            await asyncio.sleep(_pause_s(context))
            around(context, "A")

    return worker


def start_or_reopen(one: Orchestrator, run_id: str) -> Run:
    """The run, new or as far as it has come, ready to be driven."""
    if one.journal is not None and one.journal.find_run(run_id) is not None:
        return one.reopen(run_id, wait_s=10.0)
    return one.start("mapping", "goal", {"seen": []}, run_id=run_id)


def drive(folder: str, run_id: str, door: str) -> None:
    """Drive a run to its end, until somebody kills this process."""
    calls = Calls(folder, run_id)
    with SQLiteJournal(f"{folder}/runs.db") as journal:
        run = start_or_reopen(hub(journal, calls.note, is_async=door == "async"), run_id)
        asyncio.run(run.arun()) if door == "async" else run.run()
