"""What the tests of hubs with executors share: executors by name, and workflows whose workers do all that workers do."""

from __future__ import annotations

import dataclasses
import enum
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import Any

from pydantic import BaseModel

from orchestration_kit import MapStep, Orchestrator, RunLimits, WorkerDefinition
from orchestration_kit.executors import FuturesExecutor, InlineExecutor, ProcessesExecutor, ThreadsExecutor
from tests.support import step, workflow_of

LOCAL: dict[str, Callable[[], Any]] = {
    "inline": InlineExecutor,
    "threads": lambda: ThreadsExecutor(3),
}
REMOTE: dict[str, Callable[[], Any]] = {"processes": lambda: ProcessesExecutor(2)}


@contextmanager
def thread_pool() -> Iterator[FuturesExecutor]:
    with ThreadPoolExecutor(3) as pool:
        yield FuturesExecutor(pool)


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Finding:
    text: str
    colour: Colour


class Report(BaseModel):
    title: str
    due: date


def hub_with(executor: Any, *steps: Any, workers: dict[str, Any], **options: Any) -> Orchestrator:
    """A hub with an executor, a workflow of steps, and workers by type: functions, or definitions."""
    hub = Orchestrator(executor=executor, **options)
    for kind, worker in workers.items():
        if not isinstance(worker, WorkerDefinition):
            worker = WorkerDefinition(worker_type=kind, name=kind, executor=worker)
        hub.register_worker(worker)
    hub.register_workflow(workflow_of(*steps))
    return hub


def one_step(executor: Any, worker: Any, *, data: dict[str, Any] | None = None, goal: str = "g", **fields: Any) -> Any:
    """Run a workflow of one step, and return the run; options of the hub under `hub`."""
    hub = hub_with(
        executor, step("work", None, **fields.pop("step", {})), workers={"work": worker}, **fields.pop("hub", {})
    )
    run = hub.start("flow", goal, data, **fields)
    run.run()
    return run


def mapped(executor: Any, worker: Any, items: list[Any], *, end: Any = None, **options: Any) -> Any:
    """Run a map of a worker over items, and return the run."""
    map_options = options.pop("map", {})
    hub = hub_with(
        executor,
        MapStep(
            step_id="map", over="data.items", body="work", on_success="end", max_items=len(items) + 10, **map_options
        ),
        step("work", None, **options.pop("step", {})),
        step("end", None, worker_type="none"),
        workers={"work": worker},
        limits=RunLimits(max_steps=10 * len(items) + 100),
        **options.pop("hub", {}),
    )
    run = hub.start("flow", "g", {"items": items}, **options)
    run.run()
    return run


def everything(given: Any, context: Any) -> Any:
    """Do what a worker can do, as its position tells."""
    rng: random.Random = context.random
    draw = rng.random()
    context.data["trail"] = [*context.data.get("trail", []), context.path]
    context.data.setdefault("nested", {"seen": []})["seen"].append(context.attempt)
    if draw < 0.2:
        context.data.pop("trail", None)
    context.add_usage(input_tokens=int(draw * 100), cost_usd=0.5, model="m")
    if draw > 0.8:
        raise KeyError(f"no luck at {context.path} {context.attempt}: {context.last_error}")
    return {
        "value": int(draw * 10),
        "finding": Finding(str(given), Colour.RED),
        "report": Report(title=context.goal, due=date(2026, 1, int(draw * 28) + 1)),
        "told": (
            context.workflow_id,
            context.path,
            context.visit,
            context.attempt,
            context.current_step,
            context.branch,
        ),
        "last": context.get_last_output() is not None,
        "key": context.idempotency_key,
        "item": context.item,
        "history": [entry["path"] for entry in context.history],
    }
