"""An approval box in a real notebook: the question comes, is answered by mouse or by keyboard, and goes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

SETUP = """
from typing import Literal
from pydantic import BaseModel, Field
from orchestration_kit import *

class Refund(BaseModel):
    amount: float = Field(ge=0, le=500, description="In Euro.")
    how: Literal["bank", "voucher"] = "bank"
    copies: list[str] = []

def worker(kind):
    return WorkerDefinition(worker_type=kind, name=kind, executor=lambda given: given)

workflow = WorkflowDefinition(name="refund")
workflow.add_step(ApprovalStep(
    step_id="sign", prompt="Send 20 Euro back to Ada?", show=("data.claim",), schema=Refund, on_success="pay", on_failure="explain",
), is_initial=True)
workflow.add_step(WorkflowStep(step_id="pay", worker_type="pay", description="Sends the money", is_terminal=True))
workflow.add_step(WorkflowStep(step_id="explain", worker_type="explain", is_terminal=True, outcome="failed"))
hub = Orchestrator()
for kind in ("pay", "explain"):
    hub.register_worker(worker(kind))
hub.register_workflow(workflow)

def waiting(name):
    run = hub.start("refund", goal="The cup came broken", initial_data={"claim": {"customer": "Ada", "order": 4711}}, run_id=name)
    run.run()
    return run
"""


@pytest.fixture(params=["lab", pytest.param("classic", marks=pytest.mark.soak)])
def notebook(request):
    notebook = request.getfixturevalue(request.param).open([SETUP, "run = waiting('claim')\nApprovalBox(run)"])
    notebook.run_all()
    return notebook


def test_what_is_asked_is_seen_filled_in_and_approved_once(notebook):
    box = notebook.widget(1, "approval")
    expect(box.get_by_role("heading", name="Send 20 Euro back to Ada?")).to_be_visible()
    expect(box.get_by_role("row", name="customer Ada")).to_be_visible()
    expect(box.get_by_text("Sends the money")).to_be_visible()
    box.get_by_role("button", name="Approve").click()
    amount = box.get_by_label("Amount")
    expect(amount).to_be_focused()
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(box.get_by_text("Please fill this in.")).to_be_visible()
    amount.fill("20")
    box.get_by_label("How").select_option("voucher")
    box.get_by_role("button", name="Add item").click()
    item = box.get_by_role("textbox", name="item 1")
    expect(item).to_be_focused()
    item.fill("boss@example.org")
    box.get_by_role("button", name="Approve").dblclick()
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text("Approved: sign#1 of run 'claim'")
    expect(box.locator(".okit-ask")).to_have_count(0)
    answer = {"amount": 20, "how": "voucher", "copies": ["boss@example.org"]}
    assert notebook.kernel("[run.wait(10).state, run.context.data['sign_output']]") == ["completed", answer]
    expect(box).to_contain_text("asks nothing now: it is completed")
    assert notebook.errors == []


def test_a_person_with_a_keyboard_alone_rejects_and_says_why(notebook):
    box = notebook.widget(1, "approval")
    page = notebook.page
    box.get_by_role("button", name="Approve").focus()
    page.keyboard.press("Tab")
    expect(box.get_by_label("Reason, if you reject")).to_be_focused()
    page.keyboard.press("Tab")
    expect(box.get_by_role("button", name="Reject")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box.get_by_text("Say why: the reason goes on record.")).to_be_visible()
    expect(box.get_by_label("Reason, if you reject")).to_be_focused()
    page.keyboard.type("dd too dear")  # "dd" deletes a cell where keys reach the notebook
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text("Rejected: sign#1")
    assert notebook.kernel("[run.wait(10).state, run.history[0]['error']]")[0] == "failed"
    assert notebook.kernel("run.history[0]['error']").endswith("dd too dear")
    assert len(notebook.cells()) == 2


def test_questions_come_and_go_and_what_became_of_them_is_told(lab):
    notebook = lab.open([SETUP, "approvals(hub)"])
    notebook.run_all()
    box = notebook.widget(1, "approval")
    expect(box).to_contain_text("No run waits for an approval")
    notebook.do("runs = [waiting('one'), waiting('two')]")
    expect(box.locator(".okit-ask")).to_have_count(2)
    reason = box.locator(".okit-ask").nth(1).get_by_label("Reason, if you reject")
    reason.fill("half typed")
    notebook.do("runs[0].reject('elsewhere')")
    expect(box.locator(".okit-ask")).to_have_count(1)
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text("sign#1 of run 'one' was rejected already")
    expect(reason.or_(box.get_by_label("Reason, if you reject")).first).to_have_value("half typed")
    notebook.do("runs[1].cancel()")
    expect(box.locator(".okit-ask")).to_have_count(0)
    assert notebook.errors == []


def test_after_a_restart_of_the_kernel_the_box_says_so(lab):
    notebook = lab.open([SETUP, "run = waiting('claim')\nApprovalBox(run)"])
    notebook.run_all()
    expect(notebook.widget(1, "approval").locator(".okit-ask")).to_be_visible()
    notebook.restart_kernel()
    expect(notebook.output(1).locator(".okit-lost")).to_contain_text("The kernel of this approval is gone")
    expect(notebook.widget(1, "approval")).to_have_attribute("inert", "")
