"""The three doors to a run, and what holds of every record whatever the door: it can be folded again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orchestration_kit import Orchestrator, Run, WorkerDefinition, WorkflowDefinition, replay
from orchestration_kit.engine.machine import Machine

DOORS = ("sync", "async", "hand")
Act = Callable[[Run], Any]
TIMES = ("started_at", "duration_s", "opened_at", "asked_at", "until", "answered_at", "received_at", "reached_at")


def flow_of(*steps: Any, name: str = "flow", **fields: Any) -> WorkflowDefinition:
    """A workflow of steps of any kind; the first is the initial one."""
    return WorkflowDefinition(
        name=name, initial_step=steps[0].step_id, steps={one.step_id: one for one in steps}, **fields
    )


def hub_of(
    workflows: WorkflowDefinition | Iterable[WorkflowDefinition], workers: Mapping[str, Any], **options: Any
) -> Orchestrator:
    """A hub with workflows, and workers by type."""
    hub = Orchestrator(**options)
    add_workers(hub, workers)
    for workflow in [workflows] if isinstance(workflows, WorkflowDefinition) else workflows:
        hub.register_workflow(workflow)
    return hub


def add_workers(hub: Orchestrator, workers: Mapping[str, Any]) -> None:
    for kind, executor in workers.items():
        hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=executor))


def go(run: Run, door: str = "sync") -> Run:
    """Drive a run until it has ended, or waits."""
    if door == "sync":
        run.run()
    elif door == "async":
        asyncio.run(run.arun())
    else:
        while not run.is_finished:
            before = run.machine.count
            if run.step() is None and run.machine.count == before:
                break
    return run


def through(door: str, run: Run, act: Act | None = None) -> Run:
    """Drive a run to its end; `act` answers where it waits. Then see that its record holds."""
    while True:
        go(run, door)
        if run.is_finished:
            break
        assert run.state == "waiting", run
        assert act is not None, f"nobody answers {run.waiting}"
        before = run.waiting
        act(run)
        assert run.waiting != before or run.letters, f"nothing was answered of {before}"
    check_record(run)
    return run


def run_flow(
    workflow: WorkflowDefinition, workers: Mapping[str, Any], door: str = "sync", act: Act | None = None, **options: Any
) -> Run:
    """Run a workflow through a door and return its run."""
    data = options.pop("data", None)
    started = {name: options.pop(name) for name in ("run_id", "limits", "seed", "observers") if name in options}
    hub = hub_of(workflow, workers, **options)
    return through(door, hub.start(workflow.name, "go", data, **started), act)


def paths(run: Any) -> list[str]:
    """Positions in the order of the history; a second attempt is marked `.2`."""
    return [entry["path"] + (f".{entry['attempt']}" if entry["attempt"] > 1 else "") for entry in run.history]


def entry_of(run: Any, path: str) -> dict[str, Any]:
    """The last entry at a position."""
    return [entry for entry in run.history if entry["path"] == path][-1]


def ends_of(run: Any, path: str) -> dict[str, str]:
    """How the branches ended that were joined at a position."""
    return entry_of(run, path)["detail"]["branches"]


def timeless(event: Any) -> Any:
    """An event without what may differ between equal runs: times, the run's id, and how its workers wait."""
    others = ("run_id", "finished_at", "resumed_at", "fingerprint", "worker_fingerprint")
    gone = {name: None for name in (*TIMES, *others) if name in event._fields}
    if type(event).__name__ == "RunStarted":
        gone["seed"] = None
    if "answered_at" in (getattr(event, "detail", None) or ()):
        gone["detail"] = {**event.detail, "answered_at": None}
    return event._replace(**gone)


def told(run: Run) -> list[Any]:
    """The events of a run, times aside."""
    return [timeless(event) for event in run.events]


def folded(run: Run, arrivals: Iterable[Any] | None = None) -> Machine:
    """A machine that was given nothing but events: as they came, or else in the order of the workflow."""
    machine = Machine(run.machine.plan, run.machine.limits, run.machine.started)
    if arrivals is None:
        machine.replay(run.events[1:], as_they_came=False)
    else:
        machine.replay(arrivals)
    return machine


def check_record(run: Run) -> None:
    """See that the record of a run says all there is: folded again, in either order, it gives the same state."""
    assert [entry["seq"] for entry in run.history] == list(range(1, len(run.history) + 1))
    named = [(entry["path"], entry["attempt"]) for entry in run.history]
    assert len(set(named)) == len(named), "an attempt is on record twice"
    same_state(run, folded(run, run.machine.arrivals()))
    same_state(run, folded(run))
    again = replay(run)
    assert again.is_same, again


def same_state(run: Run, again: Machine) -> None:
    """See that a machine that was folded anew stands where the run does."""
    assert again.data == run.machine.data
    assert again.state == run.state
    assert again.finished == run.machine.finished
    assert again.records == run.machine.records
    assert again.events() == run.machine.events()
    assert sorted(again.waiting) == sorted(run.machine.waiting)
