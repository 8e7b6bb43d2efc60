"""Machines to be driven by hand, without any driver."""

from __future__ import annotations

from orchestration_kit import RunLimits, WorkerDefinition
from orchestration_kit.engine.calls import bind_worker
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, RunStarted
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.plan import bind, compile_plan
from tests.support import step, workflow_of

OOPS = ErrorInfo("OSError", "disk full")


class Facts:
    goal, data, visit, attempt = "g", {"limit": 3}, 1, 1


def never(input_data):
    raise AssertionError("the machine called a worker")


def machine_of(*steps, limits=None, data=None, seed="seed", initial=None) -> Machine:
    workflow = workflow_of(*steps)
    plan = bind(
        compile_plan(workflow),
        lambda s: (
            None
            if s.may_lack_worker and s.max_retries == 0
            else bind_worker(WorkerDefinition(worker_type=s.worker_type, name=f"W{s.step_id}", executor=never))
        ),
        [],
    )
    started = RunStarted("r", "flow", plan.fingerprint, "the goal", data or {}, seed, 1_000.0)
    return Machine(plan, limits or RunLimits(), started)


def settle(
    machine: Machine, output=None, error: ErrorInfo | None = None, *, took=1.0, types=("OSError",), **notes
) -> AttemptFinished:
    """Take the next visit, write notes on it as a driver does, and settle it."""
    visit = machine.next()
    assert visit is not None
    visit.started_at, visit.duration_s, visit.facts = 1_000.0 + len(machine.records), took, Facts()
    for name, value in notes.items():
        setattr(visit, name, value)
    machine.settle(visit, {"error": error.message} if error else output, error, types if error else ())
    return machine.records[-1]


CHAIN = (step("a", "b"), step("b", "c"), step("c"))
