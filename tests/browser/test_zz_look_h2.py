"""Pictures for looking at; not kept."""

import os, time
from playwright.sync_api import expect
from tests.browser.test_zz_cells_h2 import HUB

BIG = """
import time
from orchestration_kit import *
hub = Orchestrator()
wf = WorkflowDefinition(name="two_hundred")
for i in range(200):
    wf.add_step(WorkflowStep(step_id=f"step_{i}", worker_type="generic", description="one of many", on_success=f"step_{i+1}" if i < 199 else None, is_terminal=i == 199, on_failure=f"step_{i-7}" if i % 9 == 8 else None), is_initial=i == 0)
def work(given, context):
    time.sleep(0.002)
    if context.path == "step_120#1": raise ValueError("The disk is full: 0 bytes left on /data")
    return given
hub.register_worker(WorkerDefinition(worker_type="generic", name="generic", executor=work))
hub.register_workflow(wf)
run = hub.start("two_hundred", "go", run_id="big-1")
t = time.perf_counter(); player = run.player(); took = time.perf_counter() - t
"""


def test_big(lab):
    theme = os.environ.get("THEME", "light")
    nb = lab.open([BIG, "player"], theme=theme, view={"width": 1300, "height": 1000})
    nb.run_all()
    w = nb.widget(1, "player")
    w.wait_for()
    print("player() took", nb.kernel("took"))
    w.get_by_role("button", name="Run", exact=True).click()
    expect(w.locator(".okit-state")).to_contain_text("failed")
    nb.page.wait_for_timeout(400)
    nb.shot(f"big-{theme}", nb.output(1))
    print(nb.errors)


def test_compare(lab):
    theme = os.environ.get("THEME", "light")
    nb = lab.open(
        [
            HUB,
            "run.run()\nrun.approve(); run.run()\nfork = run.fork(at='code#2', input={'approved': False, 'comments': ['Add the phone number']})\nfork.run(); fork.reject('The menu is out of date'); fork.run()\nComparison(run, fork)",
        ],
        theme=theme,
        view={"width": 1300, "height": 1200},
    )
    nb.run_all()
    w = nb.widget(1, "comparison")
    w.wait_for()
    nb.page.wait_for_timeout(600)
    nb.shot(f"cmp-{theme}", nb.output(1))
    w.get_by_role("button", name="sign_off#1", exact=True).click()
    nb.page.wait_for_timeout(400)
    nb.shot(f"cmp2-{theme}", nb.output(1))
    print(nb.errors)


def test_narrow(lab):
    theme = os.environ.get("THEME", "light")
    nb = lab.open([HUB, "player"], theme=theme, view={"width": 760, "height": 1300})
    nb.run_all()
    w = nb.widget(1, "player")
    w.wait_for()
    w.get_by_label("Input of plan#1").fill("A website for the florist")
    nb.page.wait_for_timeout(300)
    nb.shot(f"edit-{theme}", nb.output(1))
    w.get_by_role("button", name="Step", exact=True).click()
    expect(w).to_contain_text("paused before code#1")
    nb.page.wait_for_timeout(300)
    nb.shot(f"narrow-{theme}", nb.output(1))
    print(nb.errors)
