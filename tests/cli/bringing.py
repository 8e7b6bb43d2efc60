"""What brings each error about: the catalogue shows what people see, and a test compares the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep

Bringing = Callable[[], Any]
"""Raises the error, returns it, or returns the line that is on record of it."""
BRINGING: dict[str, Bringing] = {}
"""By class. Called in an empty folder."""


def brings(name: str) -> Callable[[Bringing], Bringing]:
    """Keep what brings an error about."""

    def keep(function: Bringing) -> Bringing:
        assert name not in BRINGING, name
        BRINGING[name] = function
        return function

    return keep


def line_of(name: str) -> str:
    """What is seen of an error: its class and its message, as a traceback ends and as the history has it."""
    try:
        found = BRINGING[name]()
    except BaseException as error:  # CassetteMiss is no Exception
        found = error
    return found if isinstance(found, str) else f"{type(found).__name__}: {found}"


def publish() -> WorkflowDefinition:
    """Two steps: write, review."""
    return WorkflowDefinition.from_edges(
        "publish", [("write", "review")], workers={"write": "writer", "review": "reviewer"}
    )


def write(given: Any, context: Any) -> Any:
    return {"text": "A slogan"}


def hub_of(workflow: WorkflowDefinition, **workers: Any) -> Orchestrator:
    """A hub with workers by type; the hub's own options as `hub=`."""
    hub = Orchestrator(**workers.pop("hub", {}))
    for worker_type, executor in (workers or {"writer": write, "reviewer": lambda given: {"score": 0.9}}).items():
        hub.register_worker(WorkerDefinition(worker_type=worker_type, name=worker_type.title(), executor=executor))
    hub.register_workflow(workflow)
    return hub


def of(*steps: Any, name: str = "publish") -> WorkflowDefinition:
    """A workflow of steps, the first of which is where it begins."""
    workflow = WorkflowDefinition(name=name)
    for at, step in enumerate(steps):
        workflow.add_step(step, is_initial=at == 0)
    return workflow


def on_record(hub: Orchestrator, workflow: str = "publish", **options: Any) -> str:
    """The last error on record of a run."""
    result = hub.execute_workflow(workflow, "A slogan", verbose=False, **options)
    last = next(entry for entry in reversed(result.history) if entry["error"])
    return f"{last['error_type']}: {last['error']}"


def at_one_step(executor: Any, worker: Any = None, **fields: Any) -> str:
    """What is on record of a run of one step."""
    hub = Orchestrator()
    if worker is None:
        worker = WorkerDefinition(worker_type="writer", name="Ada", executor=executor)
    hub.register_worker(worker)
    hub.register_workflow(of(WorkflowStep(step_id="write", worker_type="writer", is_terminal=True, **fields)))
    return on_record(hub)
