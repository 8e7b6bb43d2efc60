"""The cells of a notebook in which a bakery's website is made: plan, code, review (once more), sign off, publish."""

from __future__ import annotations

BAKERY = """
import threading, time
from orchestration_kit import *

hub = Orchestrator()
gate = threading.Event()
gate.set()

def plan(goal, context):
    context.add_usage(input_tokens=420, output_tokens=80, cost_usd=0.004, model="small-1")
    return {"pages": ["home", "menu", "contact"], "tone": "warm"}

def code(given, context):
    gate.wait(60)
    context.add_usage(input_tokens=2100, output_tokens=900, cost_usd=0.031, model="large-1")
    context.data["files"] = [*context.data.get("files", []), f"v{context.visit}.html"]
    return {"html": f"<h1>Bakery v{context.visit}</h1>", "visit": context.visit}

def review(given):
    if given["visit"] < 2:
        return {"approved": False, "comments": ["The menu has no prices", "No opening hours"]}
    return {"approved": True, "comments": []}

flow = WorkflowDefinition(name="bakery_site", budget=Budget(max_cost_usd=0.5))
flow.add_step(WorkflowStep(step_id="plan", worker_type="product_manager", on_success="code"), is_initial=True)
flow.add_step(WorkflowStep(step_id="code", worker_type="coder", on_success="review"))
flow.add_step(WorkflowStep(step_id="review", worker_type="reviewer", success_when="output.approved == true",
                           on_success="sign_off", on_failure="code"))
flow.add_step(ApprovalStep(step_id="sign_off", prompt="Publish the bakery's website?", on_success="publish",
                           on_failure="stopped"))
flow.add_step(WorkflowStep(step_id="publish", worker_type="deployer", is_terminal=True))
flow.add_step(WorkflowStep(step_id="stopped", worker_type="generic", is_terminal=True, outcome="failed"))
workers = {"product_manager": plan, "coder": code, "reviewer": review, "deployer": lambda given: {"url": "https://bakery.example"}}
for kind, executor in workers.items():
    hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=executor))
hub.register_workflow(flow)
run = hub.start("bakery_site", "A website for the bakery on the corner", run_id="bakery-1")
"""
"""Makes `hub`, `run`, and `gate`: the coder waits until it is set."""

CHAIN = """
import threading, time
from orchestration_kit import *

hub = Orchestrator()

def chain(length, work):
    flow = WorkflowDefinition(name=f"chain_of_{length}")
    for at in range(length):
        to = f"step_{at + 1}" if at < length - 1 else None
        flow.add_step(WorkflowStep(step_id=f"step_{at}", worker_type="generic", on_success=to, is_terminal=to is None), is_initial=at == 0)
    hub.register_worker(WorkerDefinition(worker_type="generic", name="worker", executor=work))
    hub.register_workflow(flow)
    return hub.start(flow.name, "go", run_id="chain-1")
"""
"""Makes `hub` and `chain(length, work)`, which starts a run of that many steps."""
