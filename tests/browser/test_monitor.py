"""A monitor in a real notebook: runs of this process and of another one are watched, opened, answered and cancelled."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parent.parent.parent
HUB = """
import threading
from orchestration_kit import *

gates = {name: threading.Semaphore(0) for name in ("one", "two")}

def work(given, context):
    gates[context.workflow_id].acquire()
    return given

workflow = WorkflowDefinition(name="report")
workflow.add_step(WorkflowStep(step_id="collect", worker_type="w", on_success="sign"), is_initial=True)
workflow.add_step(ApprovalStep(step_id="sign", prompt="Publish it?", on_success="publish"))
workflow.add_step(WorkflowStep(step_id="publish", worker_type="w", is_terminal=True))
hub = Orchestrator()
hub.register_worker(WorkerDefinition(worker_type="w", name="writer", executor=work))
hub.register_workflow(workflow)
runs = [hub.start("report", goal="a report", run_id=name) for name in gates]
for run in runs:
    run.play()
"""
OTHER = """
import sys
from orchestration_kit import *

workflow = WorkflowDefinition(name="elsewhere")
workflow.add_step(WorkflowStep(step_id="collect", worker_type="w", on_success="draft"), is_initial=True)
workflow.add_step(WorkflowStep(step_id="draft", worker_type="w", on_success="sign"))
workflow.add_step(ApprovalStep(step_id="sign", prompt="Publish it?", on_success="publish"))
workflow.add_step(WorkflowStep(step_id="publish", worker_type="w", is_terminal=True))
hub = Orchestrator(journal=sys.argv[1])
hub.register_worker(WorkerDefinition(worker_type="w", name="writer", executor=lambda given: (sys.stdin.readline(), given)[1]))
hub.register_workflow(workflow)
run = hub.start("elsewhere", goal="a report", run_id="far")
print("ready", flush=True)
run.run()
print(run.state.value, flush=True)
sys.stdin.readline()
hub.resume("far", verbose=False)
print(hub.get_run("far").state.value, flush=True)
"""


def row(monitor, name):
    return monitor.locator("tbody tr").filter(
        has=monitor.page.get_by_role("button", name=f"Open run {name}", exact=True)
    )


@pytest.fixture(params=["lab", pytest.param("classic", marks=pytest.mark.soak)])
def notebook(request):
    notebook = request.getfixturevalue(request.param).open([HUB, "Monitor(hub)"])
    notebook.run_all()
    return notebook


def test_two_runs_are_watched_answered_and_cancelled(notebook):
    monitor = notebook.widget(1, "monitor")
    one, two = row(monitor, "one"), row(monitor, "two")
    for line in (one, two):
        expect(line).to_contain_text("in progress")
        expect(line).to_contain_text("collect")
    notebook.do("gates['one'].release()")
    expect(one).to_contain_text("waiting")
    expect(one).to_contain_text("1/3")
    expect(two).to_contain_text("in progress")
    expect(monitor.locator(".okit-diagram")).to_be_visible()
    expect(
        monitor.get_by_role("region", name="Figures by step").get_by_role("row", name=re.compile("^sign"))
    ).to_contain_text("1 (… 1)")

    one.get_by_role("button", name="Answer what run one asks").click()
    box = monitor.locator(".okit-approval")
    expect(box.get_by_role("heading", name="Publish it?")).to_be_visible()
    box.get_by_role("button", name="Approve").click()
    notebook.do("gates['one'].release()")
    expect(one).to_contain_text("completed")
    assert notebook.kernel("runs[0].state.value") == "completed"

    two.get_by_role("button", name="Cancel run two").click()
    two.get_by_role("button", name="Really cancel run two").click()
    notebook.do("gates['two'].release()")
    expect(two).to_contain_text("cancelled")
    assert notebook.kernel("runs[1].state.value") == "cancelled"
    expect(two.get_by_role("button", name="Cancel run two")).to_be_hidden()
    assert notebook.errors == []


def test_a_run_is_opened_in_a_player_that_keeps_up(notebook):
    monitor = notebook.widget(1, "monitor")
    row(monitor, "one").get_by_role("button", name="Open run one").click()
    player = monitor.locator(".okit-player")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()
    notebook.do("gates['one'].release()")
    expect(player).to_contain_text("sign#1")
    row(monitor, "two").get_by_role("button", name="Open run two").click()
    expect(monitor.get_by_role("heading", name="Run two")).to_be_focused()
    expect(monitor.locator(".okit-player")).to_have_count(1)
    monitor.get_by_role("button", name="Close").click()
    expect(monitor.locator(".okit-player")).to_have_count(0)
    assert notebook.errors == []


def test_runs_are_filtered_and_sorted_by_keyboard(lab):
    notebook = lab.open([HUB, "Monitor(hub)"])
    notebook.run_all()
    monitor, page = notebook.widget(1, "monitor"), notebook.page
    names = monitor.get_by_role("region", name="Table of runs").locator("tbody .okit-mon-link")
    expect(names).to_have_text(["two", "one"])
    monitor.get_by_role("button", name="Run", exact=True).focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["one", "two"])
    expect(monitor.get_by_role("columnheader", name="Run", exact=True)).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["two", "one"])
    monitor.get_by_label("Filter runs by text").focus()
    page.keyboard.type("one")
    expect(names).to_have_text(["one"])
    expect(monitor.get_by_label("Filter runs by text")).to_have_value("one")
    page.keyboard.type(" dd")
    expect(monitor).to_contain_text("No run is like that")
    assert len(notebook.cells()) == 2


def test_a_run_of_another_process_is_followed_opened_and_answered(lab, tmp_path):
    journal, script = tmp_path / "runs.db", tmp_path / "other.py"
    script.write_text(OTHER, encoding="utf-8")
    other = subprocess.Popen(
        [sys.executable, str(script), str(journal)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )

    def on(expected=None):
        other.stdin.write("\n")
        other.stdin.flush()
        if expected is not None:
            assert other.stdout.readline() == f"{expected}\n"

    try:
        assert other.stdout.readline() == "ready\n"
        on()  # the first attempt puts the run on record
        notebook = lab.open([f"from orchestration_kit import *\nMonitor({str(journal)!r})"])
        notebook.run_all()
        monitor = notebook.widget(0, "monitor")
        far = row(monitor, "far")
        expect(far).to_contain_text("in progress")
        expect(far).to_contain_text("draft")
        far.get_by_role("button", name="Open run far").click()
        expect(monitor.locator(".okit-player")).to_contain_text("1 of 4 steps")
        far.get_by_role("button", name="Cancel run far").click()
        far.get_by_role("button", name="Really cancel run far").click()
        expect(notebook.output(0).locator(".okit-notice").last).to_contain_text(
            "process"
        )  # who drives it can cancel it
        on("waiting")
        expect(far).to_contain_text("waiting")
        expect(monitor.locator(".okit-player")).to_contain_text("2 of 4 steps")
        far.get_by_role("button", name="Answer what run far asks").click()
        monitor.locator(".okit-approval").get_by_role("button", name="Approve").click()
        expect(monitor).to_contain_text("orchestrator.resume('far')")
        expect(far.get_by_role("button", name="Answer what run far asks")).to_be_hidden()
        on()
        on("completed")
        expect(far).to_contain_text("completed")
        assert notebook.errors == []
    finally:
        other.kill()
        other.communicate()


@pytest.mark.soak
def test_in_a_program_without_widgets_in_widgets_it_says_how_a_run_is_opened(marimo):
    names = "ApprovalStep, Monitor, Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep"
    app = marimo.open([HUB.replace("import *", f"import {names}"), "Monitor(hub)"])
    monitor = app.page.locator(".okit-monitor")
    expect(row(monitor, "one")).to_contain_text("in progress")
    row(monitor, "one").get_by_role("button", name="Open run one").click()
    expect(monitor).to_contain_text("hub.get_run('one').player()")
