"""What a person would have in a notebook: a hub, a run in the middle, its fork, a question; and every widget of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from orchestration_kit import (
    ApprovalStep,
    Orchestrator,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
    create_build_website_workflow,
)

ROOT = Path(__file__).parent.parent.parent
IMPORTS = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from orchestration_kit import *
from orchestration_kit.widgets.approval import ApprovalBox, approvals
from orchestration_kit.widgets.comparison import Comparison
from orchestration_kit.widgets.composer import Composer
from orchestration_kit.widgets.monitor import Monitor
from orchestration_kit.widgets.player import Player
from tests.browser.examples import shop
"""
SETUP = IMPORTS + "one = shop()\n"
WIDGETS = {
    "composer": "Composer(one.hub, one.website)",
    "player": "Player(one.run)",
    "comparison": "Comparison(one.run, one.fork)",
    "approval": "ApprovalBox(one.waiting)",
    "monitor": "Monitor(one.hub)",
}
"""The last line of the cell that shows it, by widget."""

REFUND = {
    "type": "object",
    "title": "How to refund",
    "properties": {
        "amount": {"type": "number", "title": "Amount", "description": "In Euro.", "minimum": 0, "maximum": 500},
        "how": {"title": "How", "enum": ["bank", "voucher"], "default": "bank"},
        "note": {"type": "string", "title": "Note"},
        "urgent": {"type": "boolean", "title": "Urgent", "default": False},
    },
    "required": ["amount"],
}


def shop(journal: Any = None, prefix: str = "") -> SimpleNamespace:
    """A hub that builds websites and refunds cups; runs of both, in the middle of their way."""
    hub = hub_of(journal)
    run = hub.start(
        "build_website", "A page for the bakery", {"pages": 3}, run_id=f"{prefix}bakery", tags={"shop": "bakery"}
    )
    for _ in range(4):
        run.step()
    fork = run.fork(at=run.history[-1]["path"], input={"html": "<p>bread</p>"}, run_id=f"{prefix}bakery-2")
    fork.step()
    waiting = hub.start(
        "refund", "The cup came broken", {"claim": {"customer": "Ada", "order": 4711}}, run_id=f"{prefix}claim-17"
    )
    waiting.run()
    done = hub.start("build_website", "A page for the florist", run_id=f"{prefix}florist")
    done.run()
    return SimpleNamespace(
        hub=hub, website=create_build_website_workflow(), run=run, fork=fork, waiting=waiting, done=done
    )


def hub_of(journal: Any) -> Orchestrator:
    """A hub with its workers and workflows."""
    hub = Orchestrator(journal=journal)
    for kind in ("product_manager", "coder", "reviewer", "tester", "deployer"):
        hub.register_worker(WorkerDefinition(worker_type=kind, name=f"{kind}_1", executor=_worker(kind)))
    hub.register_worker(WorkerDefinition(worker_type="generic", name="clerk", executor=lambda given: given))
    hub.register_workflow(create_build_website_workflow())
    hub.register_workflow(refund_workflow())
    return hub


def refund_workflow() -> WorkflowDefinition:
    """A claim is checked; a person decides; money is sent, or a letter."""
    workflow = WorkflowDefinition(name="refund", description="A claim, and what becomes of it")
    ask = ApprovalStep(
        step_id="sign",
        prompt="Send 20 Euro back to Ada?",
        show=("data.claim",),
        schema=REFUND,
        on_success="pay",
        on_failure="explain",
    )
    workflow.add_step(WorkflowStep(step_id="check", worker_type="generic", on_success="sign"), is_initial=True)
    workflow.add_step(ask)
    workflow.add_step(
        WorkflowStep(step_id="pay", worker_type="generic", description="Sends the money", on_success="done")
    )
    workflow.add_step(
        WorkflowStep(step_id="explain", worker_type="generic", description="Writes why not", on_success="refused")
    )
    workflow.add_step(WorkflowStep(step_id="done", worker_type="generic", is_terminal=True))
    workflow.add_step(WorkflowStep(step_id="refused", worker_type="generic", is_terminal=True, outcome="failed"))
    return workflow


def _worker(kind: str) -> Any:
    def work(given: Any, context: Any) -> Any:
        context.data[f"{kind}_notes"] = f"{kind} was here, visit {context.path}"
        context.add_usage(input_tokens=900, output_tokens=300, cost_usd=0.012)
        if kind == "coder" and context.attempt == 1 and context.path.endswith("#1"):
            raise ValueError("SyntaxError: unexpected end of file in index.html")
        if kind == "reviewer":
            return {"approved": context.path.endswith("#2"), "comments": ["the title is missing"]}
        return {"by": kind, "html": "<h1>Bakery</h1>", "goal": context.goal}

    return work


def reopened(journal: str, run_id: str) -> tuple[Orchestrator, Any]:
    """The same hub in another kernel, with one of its runs as it is on record."""
    hub = hub_of(journal)
    return hub, hub.get_run(run_id)
