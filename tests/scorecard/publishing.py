"""The workflow that the rows at the level of runs share, and an account of every call that its workers got.

It has branches, a loop, retries, a failure path, nested changes of the data bus, values that are no plain JSON and one
that is large enough for a blob. What a worker does is decided by where it is, and by nothing else. Each call leaves a
line before its effect and one after it, in a file that survives a kill.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from orchestration_kit import Branch, Orchestrator, WorkerDefinition, WorkflowDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.run import Run
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.port import Journal
from orchestration_kit.testing import assert_same_flow
from tests.support import step, workflow_of

GOAL = "a book"
ATTEMPTS = 15
"""How many attempts a run makes."""


def publishing() -> WorkflowDefinition:
    return workflow_of(
        step("collect", "draft"),
        step("draft", "review"),
        step(
            "review",
            "draft",
            success_when="output.score >= 0",
            branches=(
                Branch(when="output.approved == true", to="polish", label="approved"),
                Branch(when="visits >= 5", to="polish", label="enough"),
            ),
        ),
        step("polish", "risky", max_retries=2),
        step("risky", "price", on_failure="repair"),
        step("repair", "risky"),
        step("price", "publish", branches=(Branch(when="data.total > 1000", to="collect"),)),
        step("publish"),
        name="publishing",
    )


Mark = Callable[[str], None]


def workers(around: Callable[[WorkflowContext, str], None]) -> dict[str, Callable[..., Any]]:
    """The workers by type; `around` is told of each call before its effect ("B") and after it ("A")."""

    def counted(work: Callable[[Any, WorkflowContext], Any]) -> Callable[[Any, WorkflowContext], Any]:
        def worker(given: Any, context: WorkflowContext) -> Any:
            around(context, "B")
            try:
                return work(given, context)
            finally:
                around(context, "A")

        return worker

    return {name: counted(work) for name, work in _WORK.items()}


def _collect(given: Any, context: WorkflowContext) -> Any:
    context.data["book"] = {"title": given, "chapters": [{"n": n, "notes": []} for n in range(6)]}
    context.data["scratch"] = "to be removed"
    context.data["due"] = date(2026, 1, 31)
    return {"sources": [f"source {n}" for n in range(5)], "took": timedelta(seconds=3)}


def _draft(given: Any, context: WorkflowContext) -> Any:
    chapter = context.data["book"]["chapters"][context.visit]
    chapter["notes"].append(f"drafted at {context.path}")  # nested: nobody sets an entry of the bus
    context.data.setdefault("log", []).append(context.path)
    return {"text": _text(context.path, 40_000 if context.visit == 2 else 300), "visit": context.visit}


def _review(given: Any, context: WorkflowContext) -> Any:
    context.data["reviews"] = [*context.data.get("reviews", []), len(given["text"])]
    return {"approved": context.visit >= 3, "score": context.visit, "seen": {1, 2, context.visit}}


def _polish(given: Any, context: WorkflowContext) -> Any:
    context.data["never"] = "a failed attempt leaves nothing"
    if context.attempt < 3:
        raise ValueError(f"not smooth yet at {context.path}, attempt {context.attempt}")
    del context.data["never"]
    context.data.pop("scratch", None)
    return ("polished", context.random.random(), str(context.last_error))


def _risky(given: Any, context: WorkflowContext) -> Any:
    if context.visit == 1:
        raise RuntimeError("the first time it never works")
    return given


def _repair(given: Any, context: WorkflowContext) -> Any:
    context.data["book"]["repaired"] = given
    return b"repaired"


def _price(given: Any, context: WorkflowContext) -> Any:
    context.data["total"] = 12
    return Decimal("19.90")


def _publish(given: Any, context: WorkflowContext) -> Any:
    return {"price": given, "chapters": len(context.data["book"]["chapters"]), "log": list(context.data["log"])}


_WORK = {
    "collect": _collect,
    "draft": _draft,
    "review": _review,
    "polish": _polish,
    "risky": _risky,
    "repair": _repair,
    "price": _price,
    "publish": _publish,
}


def _text(path: str, size: int) -> str:
    return (hashlib.sha256(path.encode()).hexdigest() * (size // 64 + 1))[:size]


def hub_of(
    journal: Any, around: Callable[[WorkflowContext, str], None] = lambda context, mark: None, **options: Any
) -> Orchestrator:
    """A hub with the workflow and its workers."""
    hub = Orchestrator(journal=journal, **options)
    for name, worker in workers(around).items():
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=worker))
    hub.register_workflow(publishing())
    return hub


def start_or_reopen(hub: Orchestrator, run_id: str) -> Run:
    """The run, new or as far as it has come, ready to be driven."""
    if hub.journal is not None and hub.journal.find_run(run_id) is not None:
        return hub.reopen(run_id, wait_s=10.0)
    return hub.start("publishing", GOAL, {"given": [1, 2]}, run_id=run_id)


class Call(NamedTuple):
    """A line of a side file."""

    mark: str
    """"B" before the effect, "A" after it."""
    path: str
    attempt: int
    key: str


class Calls:
    """The side file of one run: what its workers were asked to do, whatever became of the process."""

    def __init__(self, folder: str | Path, run_id: str) -> None:
        self.path = Path(folder) / f"{run_id}.calls"

    def note(self, context: WorkflowContext, mark: str) -> None:
        """Add a line, whole or not at all."""
        line = f"{mark} {context.path} {context.attempt} {context.idempotency_key}\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    @property
    def size(self) -> int:
        """How many bytes there are so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def read(self) -> list[Call]:
        """Every line so far, in order."""
        try:
            lines = self.path.read_text().splitlines()
        except FileNotFoundError:
            return []
        return [Call(mark, path, int(attempt), key) for mark, path, attempt, key in (line.split(" ") for line in lines)]


Identity = tuple[str, int]
"""Path and attempt."""


class Ledger:
    """Holds the promise against what is seen of a run: committed attempts stay, and are not made again."""

    def __init__(self, folder: str | Path, run_id: str, *, shared: int = 0) -> None:
        self.run_id = run_id
        self.calls = Calls(folder, run_id)
        self.shared = shared
        """How many attempts a fork has from its parent."""
        self.committed: list[Identity] = []
        self.looked_at = 0
        """How many lines there were when somebody looked last."""
        self.lost = 0
        self.doubled = 0

    def look(self, journal: Journal) -> None:
        """While nobody drives the run: compare the record with the calls since the last look."""
        calls = self.calls.read()
        known = set(self.committed)
        self.doubled += sum(call.mark == "B" and call[1:3] in known for call in calls[self.looked_at :])
        self.looked_at = len(calls)
        if journal.find_run(self.run_id) is None:
            self.lost += len(self.committed)
            return
        events = load_run(journal, self.run_id).events
        now = [(event.path, event.attempt) for event in events if getattr(event, "worker", None) is not None]
        self.lost += now[: len(self.committed)] != self.committed
        self.committed = now
        # What is on record was done: its effect was over before.
        over = {call[1:3] for call in calls if call.mark == "A"}
        self.lost += len(set(now[self.shared :]) - over)

    def repeats(self) -> Counter[Identity]:
        """How often each attempt was made again."""
        begun = Counter(call[1:3] for call in self.calls.read() if call.mark == "B")
        return Counter({identity: count - 1 for identity, count in begun.items() if count > 1})

    def keys_of_repeats_differ(self) -> list[Identity]:
        """Visits whose attempts did not all get one idempotency key."""
        keys: dict[str, set[str]] = {}
        for call in self.calls.read():
            keys.setdefault(call.path, set()).add(call.key)
        return [(path, len(found)) for path, found in keys.items() if len(found) > 1]


def uninterrupted(run_id: str) -> Run:
    """The run as it is when nothing happens to it, without a journal."""
    run = hub_of(None).start("publishing", GOAL, {"given": [1, 2]}, run_id=run_id)
    run.run()
    assert run.state == "completed"
    assert len(run.history) == ATTEMPTS, [entry["path"] for entry in run.history]
    return run


def assert_as_if_nothing_happened(journal: Journal, run_id: str) -> None:
    """The finished run equals an uninterrupted one: paths, inputs, outputs, data."""
    run = hub_of(journal).get_run(run_id)
    assert_same_flow(run, uninterrupted(run_id))
