"""What the tests of sets are made of: a hub with a small workflow, and workers that can be told what to do."""

from __future__ import annotations

from typing import Any

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep

GOALS = [f"goal {number}" for number in range(1, 7)]
UNTOLD = ["duration_s"]
"""Columns that may differ between equal sets."""


def three_steps(name: str = "flow") -> WorkflowDefinition:
    """Three steps, one after another; the first is tried twice, and where it fails for good the run fails."""
    workflow = WorkflowDefinition(name=name)
    workflow.add_step(
        WorkflowStep(step_id="draft", worker_type="writer", on_success="check", max_retries=1), is_initial=True
    )
    workflow.add_step(WorkflowStep(step_id="check", worker_type="reviewer", on_success="done"))
    workflow.add_step(WorkflowStep(step_id="done", worker_type="deployer", is_terminal=True))
    return workflow


def shout(goal: str) -> str:
    return goal.upper()


def measure(text: str, context: Any) -> dict[str, Any]:
    context.add_usage(input_tokens=len(text), output_tokens=2, cost_usd=0.5)
    return {"text": text, "luck": round(context.random.random(), 6), "budget": context.data.get("budget")}


def tell(found: dict[str, Any]) -> str:
    return f"{found['text']}! {found['luck']}"


def hub_of(
    journal: Any = None, *, draft: Any = shout, check: Any = measure, done: Any = tell, **options: Any
) -> Orchestrator:
    """A hub with the workflow `flow` and its three workers."""
    hub = Orchestrator(journal=journal, **options)
    for kind, worker in (("writer", draft), ("reviewer", check), ("deployer", done)):
        hub.register_worker(WorkerDefinition(worker_type=kind, name=f"the {kind}", executor=worker))
    hub.register_workflow(three_steps())
    return hub


def without_times(frame: Any) -> Any:
    return frame.drop(columns=[name for name in ("duration_s", "started_at") if name in frame.columns])


def moody(goal: str, context: Any) -> str:
    """A writer that fails now and then, as the run's seed has it."""
    if context.random.random() < 0.4:
        raise ValueError(f"no idea for {goal}")
    return goal.upper()
