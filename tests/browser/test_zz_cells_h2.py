HUB = """
import time, threading
from orchestration_kit import *
hub = Orchestrator()
def plan(goal, context):
    context.add_usage(input_tokens=420, output_tokens=80, cost_usd=0.004, model="small-1")
    return {"pages": ["home", "menu", "contact"], "tone": "warm"}
def code(given, context):
    context.add_usage(input_tokens=2100, output_tokens=900, cost_usd=0.031, model="large-1")
    context.data["files"] = [*context.data.get("files", []), f"v{context.visit}.html"]
    return {"html": f"<h1>Bakery v{context.visit}</h1>", "visit": context.visit}
def review(given, context):
    if given["visit"] < 2:
        return {"approved": False, "comments": ["The menu has no prices", "No opening hours"]}
    return {"approved": True, "comments": []}
slow = lambda f, s=0.4: (lambda given, context: (time.sleep(PACE), f(given, context))[1])
PACE = 0.05
flow = WorkflowDefinition(name="bakery_site", budget=Budget(max_cost_usd=0.5))
flow.add_step(WorkflowStep(step_id="plan", worker_type="product_manager", description="Turn the wish into pages", on_success="code"), is_initial=True)
flow.add_step(WorkflowStep(step_id="code", worker_type="coder", description="Write the pages", on_success="review", max_retries=1))
flow.add_step(WorkflowStep(step_id="review", worker_type="reviewer", description="Look for what is missing", success_when="output.approved == true", on_success="sign_off", on_failure="code"))
flow.add_step(ApprovalStep(step_id="sign_off", prompt="Publish the bakery's website?", on_success="publish", on_failure="stopped"))
flow.add_step(WorkflowStep(step_id="publish", worker_type="deployer", is_terminal=True))
flow.add_step(WorkflowStep(step_id="stopped", worker_type="generic", is_terminal=True, outcome="failed"))
for kind, f in dict(product_manager=plan, coder=code, reviewer=review, deployer=lambda given, context: {"url": "https://bakery.example"}).items():
    hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=slow(f)))
hub.register_workflow(flow)
run = hub.start("bakery_site", "A website for the bakery on the corner", run_id="bakery-1")
player = run.player()
"""
