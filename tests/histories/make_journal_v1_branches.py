"""Makes journal_v1_branches.db, a journal with runs of every kind of step, and journal_v1_branches.json, what is in it.

Run from the root: python -m tests.histories.make_journal_v1_branches. Once a version is released its files stay as they
are.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from orchestration_kit import (
    ApprovalStep,
    Branch,
    Budget,
    MapStep,
    Orchestrator,
    ParallelStep,
    Spawn,
    SubworkflowStep,
    WaitStep,
    WorkflowDefinition,
)
from orchestration_kit.journal import SQLiteJournal
from orchestration_kit.testing import FakeClock
from tests.support import hub_of as plain_hub_of
from tests.support import step, workflow_of

HERE = Path(__file__).parent
JOURNAL, CONTENT = HERE / "journal_v1_branches.db", HERE / "journal_v1_branches.json"


def workflows() -> list[WorkflowDefinition]:
    """One for each kind of step, and some in each other."""
    inside = workflow_of(
        step("draft", "sides", max_retries=1),
        ParallelStep(step_id="sides", branches={"law": "law", "style": "style"}, on_success="sum"),
        step("law", worker_type="side"),
        step("style", worker_type="side"),
        step("sum"),
        name="inside",
    )
    fails = workflow_of(step("draft", "break", max_retries=1), step("break"), name="fails")
    return [
        workflow_of(
            step("list", "each"),
            MapStep(step_id="each", over="output", body=inside, reducer="concat", max_concurrency=3, on_success="last"),
            step("last", worker_type="sum"),
            name="map",
        ),
        workflow_of(
            MapStep(step_id="each", over="data.items", body=fails, failure="continue", on_success="chosen"),
            ParallelStep(
                step_id="chosen",
                branches={"always": "sum", "never": Branch(when="1 > 2", to="sum"), "sometimes": Branch(when="has(data.items)", to="side")},
                join="any",
                max_concurrency=1,
                is_terminal=True,
            ),
            step("sum"),
            step("side"),
            name="failures",
        ),
        workflow_of(
            ParallelStep(step_id="ask", branches={"person": "sign", "event": "paid", "time": "pause"}, on_success="sum"),
            ApprovalStep(step_id="sign", prompt="Pay?", show=("data.items",), is_terminal=True),
            WaitStep(step_id="paid", event="money", is_terminal=True),
            WaitStep(step_id="pause", for_s=60, is_terminal=True),
            step("sum"),
            name="waits",
        ),
        workflow_of(step("plan", "sub"), SubworkflowStep(step_id="sub", workflow="map", input="data.items", on_success="sum"), step("sum"), name="made"),
        workflow_of(
            step("book", "group", worker_type="side", compensate="cancel"),
            ParallelStep(step_id="group", branches={"pay": "pay", "break": "break"}, failure="all_or_nothing", max_concurrency=1, on_success="sum"),
            step("pay", worker_type="side", compensate="refund"),
            step("break"),
            step("sum"),
            step("cancel", worker_type="sum"),
            step("refund", worker_type="sum"),
            name="undone",
        ),
        workflow_of(
            MapStep(step_id="each", over="data.items", body="costly", max_concurrency=1, is_terminal=True),
            step("costly"),
            step("cheap", worker_type="sum"),
            name="budget",
        ).replace(budget=Budget(max_cost_usd=2.5, on_budget="cheap")),
    ]  # fmt: skip


def _draft(given: Any, context: Any) -> Any:
    if context.branch == "1" and context.attempt == 1 and context.visit == 1:
        raise ValueError(f"try again at {context.path}")
    if context.branch == "0" and "add" in context.goal:
        context.add_item({"added": given})
    context.data["log"] = [*context.data.get("log", []), context.path]
    return {"text": "lorem ipsum " * 2_000, "of": given}


def _plan(given: Any, context: Any) -> Any:
    return Spawn(workflow_of(step("draft", "sum"), step("sum"), name="spawned"), input=("from", given))


def _break(given: Any, context: Any) -> Any:
    if given["of"] != 2 if isinstance(given, dict) else "mended" not in context.goal:
        raise RuntimeError(f"no luck at {context.path}")
    return given


def _costly(given: Any, context: Any) -> Any:
    context.add_usage(cost_usd=1.0)
    return given


WORKERS = {
    "list": lambda given: ["a", "b", ("c", 1)],
    "draft": _draft,
    "side": lambda given, context: [context.branch, context.path],
    "sum": lambda given: {"summed": given},
    "plan": _plan,
    "break": _break,
    "costly": _costly,
}


def hub_of(journal: Any, **replaced: Any) -> Orchestrator:
    first, *others = workflows()
    hub = plain_hub_of(first, WORKERS | replaced, journal=journal, clock=FakeClock())
    for other in others:
        hub.register_workflow(other)
    return hub


def content_of(hub: Orchestrator) -> dict[str, Any]:
    """What a person reads off the runs first."""
    found: dict[str, Any] = {}
    for summary in sorted(hub.runs(), key=lambda one: one.run_id):
        run = hub.get_run(summary.run_id)
        found[summary.run_id] = {
            "state": str(run.state),
            "listed": str(summary.state),
            "reason": summary.reason,
            "goal": run.context.goal,
            "parent": summary.parent,
            "forked_at": summary.forked_at,
            "waits for": [[one.path, one.kind, one.hash, one.shown] for one in run.waiting],
            "way": [
                [e["path"], e["attempt"], e["success"], e["error"], e["next_step"], e["worker"], e["branch"]]
                for e in run.history
            ],
            "detail": [_short(e["detail"]) for e in run.history if e["detail"] is not None],
            "events": [type(event).__name__ for event in run.events],
            "data": {key: repr(value)[:200] for key, value in sorted(run.context.data.items())},
        }
    return found


def _short(detail: dict[str, Any]) -> dict[str, Any]:
    return {key: value["workflow"]["name"] if key == "spawn" else repr(value) for key, value in detail.items()}


def make(folder: Path) -> None:
    with SQLiteJournal(folder / "runs.db") as journal:
        hub = hub_of(journal)
        hub.start("map", "add some", run_id="map").run()
        hub.get_run("map").fork("last#1", input=["given instead"], run_id="fork").run()
        hub.start("failures", "some fail", {"items": [1, 2, 3]}, run_id="failures").run()
        for run_id in ("waits", "answered"):
            run = hub.start("waits", "money", {"items": [1]}, run_id=run_id)
            run.send("money", {"sum": 3})
            run.run()
        run.approve({"by": "ann", "at": 3})
        hub.clock.advance(60)
        run.run()
        run = hub.start("waits", "no money", {"items": [2]}, run_id="rejected")
        run.run()
        run.reject("too much")
        run.run()
        hub.start("made", "by a worker, add some", {"items": [3]}, run_id="made").run()
        hub.start("undone", "undone", run_id="undone").run()
        hub.start("budget", "too much", {"items": [1, 2, 3, 4, 5]}, run_id="budget").run()

        def copies(given: Any, context: Any) -> Any:
            if context.path == "each#1[2]/sum#1":
                journal.backup(JOURNAL, overwrite=True)  # as a crash would leave it: in the middle of a map
            return {"summed": given}

        one_at_a_time = hub_of(journal, sum=copies)
        run = one_at_a_time.start("map", "its driver died here", run_id="left")
        while not run.is_finished:
            run.step()  # so that what had ended by then hangs on no timing
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
