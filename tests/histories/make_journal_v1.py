"""Makes journal_v1.db, a journal of this schema version, and journal_v1.json, what is in it.

Run from the root: python -m tests.histories.make_journal_v1. Once a version is released its files stay as they are.
"""

from __future__ import annotations

import enum
import json
import tempfile
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pydantic import BaseModel

from orchestration_kit import Branch, Orchestrator, RetryPolicy, WorkerDefinition, WorkflowDefinition
from orchestration_kit.journal import SQLiteJournal, register_type
from orchestration_kit.testing import FakeClock
from tests.support import step, workflow_of

HERE = Path(__file__).parent
JOURNAL, CONTENT = HERE / "journal_v1.db", HERE / "journal_v1.json"


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Finding:
    text: str
    lines: list[int]


class Review(BaseModel):
    approved: bool
    findings: list[Finding]
    at: datetime


class Point(NamedTuple):
    x: float
    y: float


for _cls in (Colour, Finding, Review, Point):
    register_type(_cls, f"histories.v1.{_cls.__name__}")


def values() -> dict[str, Any]:
    """Values of many kinds, as they went in."""
    return {
        "plain": {
            "none": None,
            "true": True,
            "int": 2**100,
            "float": 0.1,
            "text": "Zürich \U0001f600 \x00",
            "list": [1, [2]],
        },
        "floats": [float("inf"), -0.0, 1e300],
        "times": [date(2026, 1, 31), time(12, 30, 1), timedelta(days=-1, microseconds=3), datetime(2026, 1, 31, 12, 0)],
        "zones": [
            datetime(2026, 1, 31, tzinfo=UTC),
            datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")),
            datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ],
        "numbers": [Decimal("19.90"), Fraction(1, 3), 1 + 2j, range(0, 10, 3)],
        "bytes": [b"\x00\xff", bytearray(b"abc")],
        "containers": [(1, (2,)), {1, 2}, frozenset({"a"}), deque([1, 2], maxlen=3)],
        "dicts": [OrderedDict(b=1, a=2), Counter("aab"), {1: "int key", ("a", 1): "tuple key"}],
        "names": [PurePosixPath("/a/b"), UUID(int=7)],
        "own types": [Colour.RED, Finding("typo", [3]), Point(1.0, 2.5)],
        "model": Review(approved=True, findings=[Finding("x", [])], at=datetime(2026, 1, 31, tzinfo=UTC)),
        "lookalikes": {"$blob": "no blob", "$dict": [["=", 1]], "$": {"$datetime": "mine"}},
        "arrays": [np.arange(6, dtype="int16").reshape(2, 3), np.float32(1.5), np.array(["a", "bc"])],
        "frame": pd.DataFrame({"n": [1, 2], "x": [0.5, None], "when": pd.to_datetime(["2026-01-01", "2026-01-02"])}),
        "large": "0123456789abcdef" * 4_096,
    }


def workflow() -> WorkflowDefinition:
    """A loop, a branch, retries, a failure path and a step that may fail for good."""
    return workflow_of(
        step("gather", "draft"),
        step("draft", "review", max_retries=2, retry=RetryPolicy(backoff_s=0.5, jitter=0.1)),
        step(
            "review",
            "draft",
            branches=(
                Branch(when="output.approved == true", to="judge", label="approved"),
                Branch(when="visits >= 9", to="bad"),
            ),
        ),
        step("judge", "publish", success_when="output.score >= 0", on_failure="repair"),
        step("repair", "publish"),
        step("publish"),
        step("bad", outcome="failed"),
        name="history",
    )


def _gather(given: Any, context: Any) -> Any:
    context.data.update(values())
    context.data["notes"] = [f"note {n}" for n in range(20)]
    return list(values())


def _draft(given: Any, context: Any) -> Any:
    if "failing" in context.goal and context.visit == 2:
        raise RuntimeError(f"no luck at {context.path}, attempt {context.attempt}")
    if context.visit == 2 and context.attempt == 1:
        raise ValueError("try again")
    context.data["notes"].append(context.path)  # nested, a patch of one entry
    context.data["plain"]["seen"] = context.visit
    return {"text": "lorem ipsum " * context.visit, "drawn": context.random.random()}


def _judge(given: Any, context: Any) -> Any:
    return {"score": -1 if "bad" in context.goal else 1, "why": None}


def _review(given: Any, context: Any) -> Any:
    context.add_usage(input_tokens=10, output_tokens=5, cost_usd=0.01, model="m")
    return {"approved": context.visit >= 2, "by": Colour.RED}


def _publish(given: Any, context: Any) -> Any:
    context.data.pop("large", None)
    return Review(
        approved=True, findings=[Finding(str(len(context.data["notes"])), [1])], at=datetime(2026, 2, 1, tzinfo=UTC)
    )


WORKERS = {
    "gather": _gather,
    "draft": _draft,
    "review": _review,
    "judge": _judge,
    "repair": lambda given: {"repaired": given},
    "publish": _publish,
    "bad": lambda given: given,
}


def hub_of(journal: Any, **replaced: Any) -> Orchestrator:
    hub = Orchestrator(journal=journal, clock=FakeClock())
    for name, executor in (WORKERS | replaced).items():
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=executor))
    hub.register_workflow(workflow())
    return hub


def content_of(hub: Orchestrator) -> dict[str, Any]:
    """What a person reads off the runs first."""
    found: dict[str, Any] = {}
    for summary in hub.runs():
        run = hub.get_run(summary.run_id)
        found[summary.run_id] = {
            "state": str(run.state),
            "reason": summary.reason,
            "goal": run.context.goal,
            "parent": summary.parent,
            "forked_at": summary.forked_at,
            "tags": summary.tags,
            "next": run.next_step,
            "way": [
                [e["path"], e["attempt"], e["success"], e["error"], e["next_step"], e["retry_in_s"]]
                for e in run.history
            ],
            "why": [[why["text"], why["result"]] for entry in run.history for why in entry["why"]],
            "drawn": [e["output"]["drawn"] for e in run.history if e["step"] == "draft" and e["success"]],
            "data": sorted(run.context.data),
            "notes": run.context.data.get("notes"),
        }
    return found


def make(folder: Path) -> None:
    with SQLiteJournal(folder / "runs.db") as journal:
        hub = hub_of(journal)
        start = {"given": {"$dict": 1}, "list": [1, 2, 3]}
        hub.start("history", "write it", start, run_id="completed", tags={"team": "a", "env": ""}, seed=7).run()
        hub.start("history", "bad judge", start, run_id="rejected").run()
        hub.start("history", "failing", run_id="failed", tags={"team": "b"}).run()
        run = hub.start("history", "cancelled, and gone on with", run_id="resumed")
        run.step()
        run.cancel("enough for today")
        hub.resume("resumed", verbose=False)
        fork = hub.get_run("completed").fork(
            "review#2", {"notes": ["another past"], "extra": values()["times"]}, run_id="fork"
        )
        fork.run()
        fork.fork("judge", input={"given": "instead"}, run_id="fork of the fork").run()
        run = hub.start("history", "let go of", {"n": 1}, run_id="unfinished")
        run.step()
        run.step()

        def copies(given: Any, context: Any) -> Any:
            if context.path == "review#1":
                journal.backup(JOURNAL, overwrite=True)  # as a crash would leave it: in the middle of this step
            return _review(given, context)

        hub_of(journal, review=copies).start("history", "its driver died here", run_id="left").run()
        journal.delete(["left"])
    JOURNAL.chmod(0o644)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "copy.db"
        copy.write_bytes(JOURNAL.read_bytes())
        with SQLiteJournal(copy) as journal:
            CONTENT.write_text(json.dumps(content_of(hub_of(journal)), indent=1) + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as _folder:
        make(Path(_folder))
    print(f"{JOURNAL}: {JOURNAL.stat().st_size:,} bytes")
