"""Runs with branches for the tests of this folder: real ones, and records in every order that a run can make."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from orchestration_kit import MapStep, ParallelStep
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import AttemptFinished, BranchesOpened, ErrorInfo, RunFinished, RunStarted
from tests.history.runs import record
from tests.support import hub_of, step, workflow_of

BROKEN = ErrorInfo("OSError", "full")


def opened(path: str, *keys: str, items: list[Any] | None = None) -> BranchesOpened:
    """Branches that were opened: those named, or one an item."""
    return BranchesOpened(path, None if items is not None else keys, items, (), 1_000.0)


def joined(path: str, **states: str) -> AttemptFinished:
    """The join of branches; a key that is a number has an underscore before it."""
    scope, _, visit = path.rpartition("/")
    name, _, number = visit.partition("#")
    detail = {"branches": {key.lstrip("_"): state for key, state in states.items()}}
    return record(
        0, name, scope=f"{scope}/" if scope else "", visit=int(number), worker=None, worker_type="map", detail=detail
    )


def grading(items: list[int], *, delays: Sequence[float] = (), run_id: str = "run-a", **fields: Any) -> Any:
    """A run that grades each item, in two steps; item 13 fails; then it reports.

    Args:
        items: Numbers.
        delays: Seconds that grading takes, by item.
        run_id: Its id.
        fields: More fields of the map.
    """

    def grade(item: int, context: Any) -> int:
        if item < len(delays):
            time.sleep(delays[item])
        if item == 13:
            raise OSError("unlucky")
        context.add_usage(input_tokens=item, cost_usd=0.5, model="m")
        context.data["seen"] = [*context.data.get("seen", []), item]
        return item * 10

    plain: dict[str, Any] = {"failure": "continue", "reducer": "concat"}
    workflow = workflow_of(
        step("load", "grade"),
        MapStep(step_id="grade", over="data.items", body="one", on_success="report", **{**plain, **fields}),
        step("one", "done"),
        step("done"),
        step("report"),
    )
    workers = {"load": lambda x: x, "one": grade, "done": lambda x: x, "report": len}
    return hub_of(workflow, workers).execute_workflow("flow", "goal", {"items": items}, verbose=False, run_id=run_id)


def reviewing(*, broken: str | None = None, run_id: str = "run-a", **fields: Any) -> Any:
    """A run whose text is reviewed by `law` (a workflow of its own, with a success_when) and by `style`.

    What `law` checked is undone by `unsay`, what was written by `tear`.
    """

    def check(_: Any, context: Any) -> dict[str, Any]:
        if context.branch == broken:
            time.sleep(0.02)
            raise OSError("no opinion")
        context.data[f"{context.branch}_said"] = "fine"
        return {"ok": True}

    def undo(output: Any, context: Any) -> str:
        context.data["undone"] = [*context.data.get("undone", []), output]
        return "undone"

    law = workflow_of(step("check", success_when="output.ok", compensate="unsay"), step("unsay", worker_type="undo"))
    workflow = workflow_of(
        step("write", "review", compensate="tear"),
        ParallelStep(step_id="review", branches={"law": law, "style": "check"}, **{"on_success": "publish", **fields}),
        step("check"),
        step("publish"),
        step("tear", worker_type="undo"),
    )
    hub = hub_of(workflow, {"write": lambda _: "text", "check": check, "publish": lambda x: x, "undo": undo})
    return hub.execute_workflow("flow", "goal", verbose=False, run_id=run_id)


# --- records in any order


@st.composite
def branched_events(draw: st.DrawFn) -> list[Any]:
    """The events of a run with branches within branches, in the order of the workflow."""
    found: list[Any] = []
    steps = draw(st.integers(1, 3))
    for visit in range(1, steps + 1):
        _step(draw, found, "", f"s{visit}", 2)
    started = RunStarted("run", "flow", "f", "goal", {"n": 0}, "run", 1_000.0)
    ended = [RunFinished("run", "completed", None, 2_000.0, len(found))] if draw(st.booleans()) else []
    return [started, *numbered(found), *ended]


def _step(draw: st.DrawFn, found: list[Any], scope: str, name: str, depth: int) -> None:
    kind = draw(st.sampled_from(["plain", "retried", "map", "parallel"] if depth else ["plain", "retried"]))
    path = f"{scope}{name}#1"
    if kind in ("map", "parallel"):
        keys = [str(at) for at in range(draw(st.integers(0, 12 if depth == 1 else 3)))]
        keys = keys if kind == "map" else [f"b{key}" for key in reversed(keys)]
        found.append(opened(path, *keys, items=None if kind == "parallel" else list(range(len(keys)))))
        for key in keys:
            for at in range(draw(st.integers(1, 2))):
                _step(draw, found, f"{path}[{key}]/", f"t{at}", depth - 1)
        detail = {"branches": dict.fromkeys(keys, "completed")}
        found.append(record(0, name, scope=scope, worker=None, worker_type=kind, output=keys, detail=detail))
        return
    if kind == "retried":
        found.append(record(0, name, scope=scope, error=BROKEN, output={"error": "full"}, retry_in_s=0.0))
    changes = draw(st.none() | st.builds(Changes, st.dictionaries(st.sampled_from("nm"), st.integers()), st.just(())))
    found.append(record(0, name, scope=scope, attempt=1 + (kind == "retried"), changes=changes, output=path))


def numbered(events: list[Any]) -> list[Any]:
    """The events with the numbers that attempts have in this order."""
    seq = 0
    found: list[Any] = []
    for event in events:
        if isinstance(event, AttemptFinished):
            seq += 1
            event = event._replace(seq=seq)
        found.append(event)
    return found


def as_they_came(events: list[Any], chance: random.Random) -> list[Any]:
    """The same events in another order in which a run can make them: branches at the same time."""
    own: dict[str, deque[Any]] = {}
    for event in events[1:]:
        if not isinstance(event, RunFinished):
            path = event.path
            own.setdefault(path[: path.rfind("/") + 1], deque()).append(event)
    found = [events[0]]
    while any(own.values()):
        ready = [
            scope for scope, queue in own.items() if queue and _is_open(scope, found) and not _has_open(queue[0], own)
        ]
        scope = chance.choice(ready)
        found.append(own[scope].popleft())
    return numbered([*found, *(event for event in events if isinstance(event, RunFinished))])


def _is_open(scope: str, found: list[Any]) -> bool:
    opener = scope[:-2].rpartition("[")[0]
    return not scope or any(isinstance(event, BranchesOpened) and event.path == opener for event in found)


def _has_open(event: Any, own: dict[str, deque[Any]]) -> bool:
    """Whether it is a join, and something is left to do in its branches."""
    if isinstance(event, BranchesOpened):
        return False
    return any(queue for scope, queue in own.items() if scope.startswith(f"{event.path}["))
