"""A hub with one worker at one step, and a gate that says what a test has it say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep

KEY = "made-up-key-for-tests-4711"


def hub_with(worker, *, retries: int = 0, timeout_s: float | None = None, **options) -> Orchestrator:
    hub = Orchestrator(**options)
    flow = WorkflowDefinition("ask", initial_step="ask")
    flow.add_step(
        WorkflowStep(step_id="ask", worker_type="asked", on_success="done", max_retries=retries, timeout_s=timeout_s)
    )
    flow.add_step(WorkflowStep(step_id="done", worker_type="nobody", is_terminal=True))
    hub.register_worker(WorkerDefinition(worker_type="asked", name="Asked", executor=worker))
    hub.register_workflow(flow)
    return hub


def ask(worker, goal: str = "Name a colour.", *, retries: int = 0, timeout_s: float | None = None, **options):
    """Run it and return the entries of the step's attempts."""
    hub = hub_with(worker, retries=retries, timeout_s=timeout_s, **options)
    result = hub.execute_workflow("ask", goal, verbose=False)
    return [entry for entry in result.history if entry["step"] == "ask"]


def ask_once(worker, goal: str = "Name a colour.", **more):
    [entry] = ask(worker, goal, **more)
    return entry


@dataclass
class FakeViolation:
    rule: str
    message: str
    hint: str = ""


@dataclass
class FakeVerdict:
    plan: dict
    approved: bool = True
    violations: tuple = ()
    on_violation: str = "retry"


@dataclass
class FakeGate:
    """Refuses the plans that `against` has something against."""

    against: Callable[[dict], str | None] = lambda plan: None
    on_violation: str = "retry"
    outcome: Callable[[object], str | None] = lambda result: None
    labels: Callable[[dict], list] = lambda plan: []
    seen: list = field(default_factory=list)

    def validate_plan(self, plan, *, history=(), now=None):
        self.seen.append((plan, tuple(history)))
        return self._verdict(plan, self.against(plan))

    def labels_of(self, plan, result):
        return self.labels(plan)

    def check_outcome(self, plan, result, *, history=()):
        return self._verdict(plan, self.outcome(result))

    def _verdict(self, plan, reason):
        if reason is None:
            return FakeVerdict(plan)
        return FakeVerdict(plan, False, (FakeViolation("house_rule", reason, "Ask for less."),), self.on_violation)
