"""An action that the constraints refuse, in a real notebook: seen, decided on, and then it happens or not."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import expect

SETUP = """
from types import SimpleNamespace
from orchestration_kit import Action, ApprovalBox, Orchestrator, WorkerDefinition, create_generic_pipeline

sent = []

class Gate:
    def validate_plan(self, plan, *, history=(), now=None):
        no = SimpleNamespace(rule="recipients", message="eve@<b>evil</b>.test is in no allowed domain", hint="")
        return SimpleNamespace(plan=plan, approved=False, violations=[no], on_violation="ask")
    def labels_of(self, plan, result):
        return []
    def check_outcome(self, plan, result, *, history=()):
        return SimpleNamespace(plan=plan, approved=True, violations=[], on_violation="retry")

def write(given):
    return Action("send_email", {"to": "eve@evil.test", "subject": "Hi", "body": "<img src=x onerror=alert(1)>"})

hub = Orchestrator(constraints=Gate(), actions={"send_email": lambda data: sent.append(data["to"]) or "sent"})
hub.register_worker(WorkerDefinition(worker_type="generic", name="writer", executor=write))
hub.register_workflow(create_generic_pipeline([("write", "generic", "Write to a customer")]))
run = hub.start("write", goal="Thank Eve")
context = run.run()
"""


def test_a_blocked_run_is_decided_on_in_the_notebook(lab):
    notebook = lab.open([SETUP, "ApprovalBox(run)", "run.player()"])
    notebook.run_all()
    assert notebook.kernel("[run.state, sent]") == ["blocked", []]
    box = notebook.widget(1, "approval")
    expect(box.locator(".okit-ask-prompt")).to_contain_text(
        "The constraints refuse this send_email: eve@<b>evil</b>.test"
    )
    expect(box).to_contain_text("<img src=x onerror=alert(1)>")
    expect(box).to_contain_text("recipients")
    expect(box).to_contain_text("does exactly this")
    player = notebook.widget(2, "player")
    expect(player).to_contain_text("write#1")
    if "SHOTS" in os.environ:
        notebook.page.screenshot(path=Path(os.environ["SHOTS"]) / "blocked.png", full_page=True)
    box.get_by_role("button", name="Approve").click()
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text("Approved: write#1")
    assert notebook.kernel("[run.wait(10).state, sent]") == ["completed", ["eve@evil.test"]]
    assert notebook.errors == []
