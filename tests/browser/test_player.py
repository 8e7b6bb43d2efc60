"""A player in a real notebook: what a person clicks, types and sees."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.bakery import BAKERY, CHAIN


@pytest.fixture(params=["lab", pytest.param("classic", marks=pytest.mark.soak)])
def program(request):
    return request.getfixturevalue(request.param)


STOPPED = """
heard = []
cancel = run.cancel
run.cancel = lambda reason: (heard.append(time.time()), cancel(reason))
run.run()
ended = time.time()
"""


def a_player(notebook):
    notebook.run_all()
    widget = notebook.widget(1, "player")
    widget.locator("svg g[data-step]").first.wait_for()
    return widget


def press(widget, name):
    """Click, also what does nothing now."""
    widget.get_by_role("button", name=name, exact=True).click(force=True)


def state(widget):
    return widget.locator(".okit-state")


def node(widget, step):
    return widget.locator(f'g[data-step="{step}"]')


def test_a_run_is_stepped_run_answered_and_looked_into(program):
    notebook = program.open([BAKERY, "player = run.player()\nplayer"])
    widget = a_player(notebook)
    expect(state(widget)).to_contain_text("ready before plan#1")
    expect(widget.get_by_role("button", name="Pause", exact=True)).to_have_attribute("aria-disabled", "true")
    notebook.shot("player-ready", notebook.output(1))
    press(widget, "Step")
    expect(state(widget)).to_contain_text("paused before code#1")
    expect(node(widget, "plan")).to_have_attribute("data-state", "succeeded")
    expect(widget.get_by_label("output", exact=True)).to_contain_text('"tone": "warm"')
    notebook.shot("player-stepped", notebook.output(1))
    press(widget, "Run")
    expect(state(widget)).to_contain_text("waits for approval of sign_off#1")
    expect(node(widget, "sign_off")).to_have_attribute("data-state", "waiting")
    expect(widget.get_by_role("group", name="Question of sign_off#1")).to_contain_text("Publish the bakery's website?")
    notebook.shot("player-waiting", notebook.output(1))
    press(widget, "✓ Approve")
    expect(state(widget)).to_contain_text("completed")
    node(widget, "review").click()
    expect(widget.get_by_role("tabpanel")).to_contain_text("review#2")
    widget.get_by_role("tab", name="Attempts").click()
    expect(widget.get_by_role("tabpanel").locator("tbody tr")).to_have_count(7)
    widget.get_by_role("button", name="review#1", exact=True).click()
    expect(widget.get_by_role("tabpanel")).to_contain_text("The menu has no prices")
    widget.get_by_role("tab", name="Data").click()
    expect(widget.locator("tr[data-new]")).to_contain_text("publish_output")
    notebook.shot("player-completed", notebook.output(1))
    assert notebook.kernel("(run.state.value, len(run.history))") == ["completed", 7]
    assert notebook.errors == []


def test_pause_stop_and_resume(lab):
    notebook = lab.open([BAKERY + "gate.clear()", "player = run.player()\nplayer"])
    widget = a_player(notebook)
    press(widget, "Run")
    expect(state(widget)).to_contain_text("at work on code#1")
    expect(node(widget, "code")).to_have_attribute("data-state", "running")
    notebook.shot("player-running", notebook.output(1))
    press(widget, "Pause")
    expect(state(widget)).to_contain_text("pausing")
    notebook.do("gate.set()")
    expect(state(widget)).to_contain_text("paused before review#1")
    press(widget, "Stop")
    expect(state(widget)).to_contain_text("stopped in the player")
    press(widget, "Stop")
    expect(widget.get_by_role("button", name="Stop", exact=True)).to_have_attribute("title", "It has ended.")
    press(widget, "Resume")
    expect(state(widget)).to_contain_text("waits for approval")
    press(widget, "Stop")
    expect(state(widget)).to_contain_text("stopped in the player")
    assert notebook.kernel("[entry['path'] for entry in run.history]") == [
        "plan#1",
        "code#1",
        "review#1",
        "code#2",
        "review#2",
    ]
    assert notebook.errors == []


def test_an_edited_input_goes_on_in_a_fork(lab):
    notebook = lab.open([BAKERY, "player = run.player()\nplayer"])
    widget = a_player(notebook)
    press(widget, "Step")
    field = widget.get_by_label("Input of code#1")
    expect(field).to_have_value(re.compile("warm"))
    field.fill('{"pages": ["home"], "tone": "cool"}')
    expect(widget).to_contain_text("Changed: Step or Run will go on in a fork from code#1")
    notebook.shot("player-edited", notebook.output(1))
    press(widget, "Step")
    expect(widget.get_by_role("button", name="fork of bakery-1 at code#1")).to_be_visible()
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text("You are in a fork now")
    assert notebook.kernel("player.run.history[-1]['input']['tone']") == "cool"
    assert notebook.kernel("len(run.history)") == 1
    widget.get_by_label("Run that is shown").select_option("bakery-1")
    expect(state(widget)).to_contain_text("paused before code#1")
    expect(widget.get_by_role("button", name="fork of bakery-1 at code#1")).to_be_hidden()
    widget.get_by_label("Input of code#1").fill("{oops")
    press(widget, "Step")
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text("that is no JSON")
    assert notebook.errors == []


def test_all_of_it_by_keyboard(lab):
    notebook = lab.open([BAKERY, "player = run.player()\nplayer"])
    widget = a_player(notebook)
    cells = notebook.cells()
    keyboard = notebook.page.keyboard
    widget.get_by_role("button", name="Run", exact=True).focus()
    keyboard.press("Enter")
    expect(state(widget)).to_contain_text("waits for approval")
    node(widget, "plan").focus()
    keyboard.press("ArrowDown")
    expect(node(widget, "code")).to_be_focused()
    keyboard.press("Enter")
    expect(widget.get_by_role("tabpanel")).to_contain_text("code#2")
    expect(node(widget, "code")).to_have_attribute("aria-pressed", "true")
    keyboard.press("End")
    keyboard.press("Home")
    expect(node(widget, "plan")).to_be_focused()
    keyboard.type("xxddab")  # what would delete cells and make new ones
    widget.get_by_role("tab", name="Visit").focus()
    keyboard.press("ArrowRight")
    expect(widget.get_by_role("tab", name="Attempts")).to_be_focused()
    expect(widget.get_by_role("tabpanel")).to_contain_text("plan#1")
    widget.get_by_role("button", name="✓ Approve").focus()
    keyboard.press("Enter")
    expect(state(widget)).to_contain_text("completed")
    assert notebook.cells() == cells
    assert notebook.errors == []


@pytest.mark.soak
def test_in_the_dark(lab):
    notebook = lab.open([BAKERY, "player = run.player()\nplayer"], theme="dark")
    widget = a_player(notebook)
    expect(widget).to_have_attribute("data-theme", "dark")
    press(widget, "Run")
    expect(state(widget)).to_contain_text("waits for approval")
    expect(node(widget, "plan").locator("rect").first).to_have_attribute("fill", "#16362c")
    notebook.shot("player-dark", notebook.output(1))
    assert notebook.errors == []


def test_a_stop_click_is_heard_while_a_cell_is_running(lab):
    notebook = lab.open(
        [
            CHAIN + "run = chain(500, lambda given: (time.sleep(0.05), given)[1])",
            "player = run.player()\nplayer",
            STOPPED,
        ]
    )
    notebook.run(0)
    notebook.run(1)
    widget = notebook.widget(1, "player")
    found = []
    for tries in range(5):  # the best of some: other programs use this machine too
        if tries:
            notebook.do("run.cancel = cancel\nrun.go_on()")
        notebook.run(2, wait=False)
        expect(state(widget)).to_contain_text("at work on")
        stop = widget.get_by_role("button", name="Stop", exact=True)
        clicked = stop.evaluate("(button) => { button.click(); return Date.now() / 1000; }")
        expect(state(widget)).to_contain_text("stopped in the player")
        found.append((notebook.kernel("heard[0]") - clicked, notebook.kernel("ended") - clicked))
        assert notebook.kernel("run.state.value") == "cancelled"
        if max(min(found)) < 0.5:
            break
    print(f"\nStop click heard after {min(found)[0]:.3f} s, the cell ended after {min(found)[1]:.3f} s")
    assert max(min(found)) < 0.5
    assert notebook.errors == []


@pytest.mark.soak
def test_an_event_is_seen_soon_after_it_happened(lab):
    notebook = lab.open(
        [
            CHAIN + "gates = [threading.Event() for _ in range(12)]\nbegan = []\n"
            "def work(given, context):\n    gates[len(began)].wait(60)\n    began.append(time.time())\n    return given\n"
            "run = chain(12, work)",
            "player = run.player()\nplayer",
        ]
    )
    widget = a_player(notebook)
    widget.evaluate(
        """(root) => {
          window.seen = {};
          const note = () => { for (const group of root.querySelectorAll("g[data-step][data-state=succeeded]"))
            window.seen[group.dataset.step] ??= Date.now() / 1000; };
          new MutationObserver(note).observe(root, {subtree: true, childList: true, attributes: true});
        }"""
    )
    press(widget, "Run")
    delays = []
    for at in range(12):
        notebook.do(f"gates[{at}].set()")
        notebook.page.wait_for_function(f"() => window.seen.step_{at} !== undefined")
        seen = notebook.page.evaluate(f"() => window.seen.step_{at}")
        delays.append(seen - notebook.kernel(f"began[{at}]"))
    delays.sort()
    least, middle, most = (delays[at] * 1000 for at in (0, len(delays) // 2, -1))
    print(f"\nan event is visible after {least:.0f} ms at best, {middle:.0f} ms (median), {most:.0f} ms at most")
    assert delays[0] < 0.1  # the best: other programs use this machine too


@pytest.mark.soak
def test_a_run_of_two_hundred_steps_shows_at_once_and_is_followed(lab):
    shows = "began = time.time()\nplayer = run.player()\nplayer"
    notebook = lab.open([CHAIN + "run = chain(200, lambda given: (time.sleep(0.005), given)[1])", *[shows] * 3])
    notebook.run(0)
    notebook.page.evaluate(
        """() => { window.shownAt = []; new MutationObserver(() => {
          const count = document.querySelectorAll("g[data-step=step_199]").length;
          while (shownAt.length < count) shownAt.push(Date.now() / 1000);
        }).observe(document.body, {subtree: true, childList: true}); }"""
    )
    found = []
    for at in (1, 2, 3):  # the best of some: other programs use this machine too
        notebook.run(at)
        shown = notebook.page.wait_for_function("(at) => window.shownAt[at - 1]", arg=at).json_value()
        found.append(shown - notebook.kernel("began"))
        if found[-1] < 1.0:
            break
    widget = notebook.widget(at, "player")
    print(f"\nplayer() of 200 steps is shown after {min(found):.2f} s at best, {max(found):.2f} s at most")
    assert min(found) < 1.0
    expect(node(widget, "step_199")).not_to_be_in_viewport()
    press(widget, "Run")
    expect(state(widget)).to_contain_text("completed")
    expect(node(widget, "step_199")).to_be_in_viewport()
    read = "(text) => text.getBoundingClientRect().height > 8"
    notebook.page.wait_for_function(
        f"() => [...document.querySelectorAll('g[data-step=step_199] text')].some({read})"
    )  # it can be read
    notebook.shot("player-200", notebook.output(at))
    assert notebook.errors == []


def test_frames_that_come_late_move_the_picture_nowhere_but_to_where_the_run_stands(lab):
    notebook = lab.open([CHAIN + "run = chain(40, lambda given: given)", "player = run.player()\nplayer"])
    widget = a_player(notebook)
    notebook.page.evaluate(
        """() => {
          window.inTime = window.requestAnimationFrame;
          window.requestAnimationFrame = (draw) => window.inTime((due) => draw(due - 600));
        }"""
    )
    views = """(root) => {
      window.views = [];
      const look = (changes) => window.views.push(changes.at(-1).target.viewBox.baseVal.y);
      const where = root.querySelector(".okit-diagram");
      new MutationObserver(look).observe(where, { subtree: true, attributeFilter: ["viewBox"] });
    }"""
    try:
        widget.evaluate(views)
        press(widget, "Run")
        expect(state(widget)).to_contain_text("completed")
        notebook.page.wait_for_function("() => window.views.at(-1) > 100")
        seen = notebook.page.evaluate("() => window.views")
    finally:
        notebook.page.evaluate("() => { window.requestAnimationFrame = window.inTime; }")
    assert seen == sorted(seen)
    assert notebook.errors == []


def test_a_burst_of_events_ends_in_the_last_state_and_the_page_does_not_grow(lab):
    notebook = lab.open(
        [
            CHAIN + "flow = WorkflowDefinition(name='loop')\n"
            "flow.add_step(WorkflowStep(step_id='again', worker_type='generic', on_success='again', branches=[Branch(when='visits >= 2000', to='end')]), is_initial=True)\n"
            "flow.add_step(WorkflowStep(step_id='end', worker_type='generic', is_terminal=True))\n"
            "hub.register_worker(WorkerDefinition(worker_type='generic', name='worker', executor=lambda given: given))\n"
            "hub.register_workflow(flow)\nrun = hub.start('loop', 'go', limits=RunLimits(max_steps=20_000))\nevents = []\n"
            "run.audience.observers.append(events.append)",
            "player = run.player()\nplayer",
        ]
    )
    widget = a_player(notebook)
    before = notebook.page.evaluate("() => document.querySelectorAll('.okit-player *').length")
    press(widget, "Run")
    expect(state(widget)).to_contain_text("completed")
    expect(widget.locator(".okit-figures")).to_contain_text("attempts 2,001")
    assert notebook.kernel("len(events)") > 4_000
    after = notebook.page.evaluate("() => document.querySelectorAll('.okit-player *').length")
    assert after < before + 120  # what is shown of the last visit
    assert notebook.errors == []


def test_a_double_click_makes_one_visit_and_two_players_agree(lab):
    notebook = lab.open([BAKERY, "run.player()", "from orchestration_kit import Player\n\nPlayer(run)"])
    one = a_player(notebook)
    other = notebook.widget(2, "player")
    one.get_by_role("button", name="Step", exact=True).dblclick()
    expect(state(one)).to_contain_text("paused before code#1")
    expect(state(other)).to_contain_text("paused before code#1")
    press(other, "Run")
    expect(state(one)).to_contain_text("waits for approval")
    press(one, "✓ Approve")
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text(
        "Step or Run goes on"
    )  # it was only stepped here
    press(one, "Run")
    expect(state(other)).to_contain_text("completed")
    assert notebook.kernel("len(run.history)") == 7
    assert notebook.errors == []


def test_a_page_that_is_closed_in_the_middle_harms_nothing_and_finds_the_run_again(lab):
    notebook = lab.open([BAKERY + "gate.clear()", "player = run.player()\nplayer"])
    widget = a_player(notebook)
    press(widget, "Run")
    expect(state(widget)).to_contain_text("at work on code#1")
    notebook.reload()
    notebook.do("gate.set()")
    notebook.run(1)
    expect(state(notebook.widget(1, "player"))).to_contain_text("waits for approval")
    assert notebook.kernel("run.state.value") == "waiting"


@pytest.mark.soak
def test_a_kernel_that_is_gone_is_told_with_what_to_do(lab):
    notebook = lab.open([BAKERY, "player = run.player()\nplayer"])
    a_player(notebook)
    notebook.restart_kernel()
    expect(notebook.output(1).locator(".okit-lost").first).to_contain_text("The kernel of this player is gone")
    expect(notebook.output(1)).to_contain_text("in memory only")
    notebook.shot("player-lost", notebook.output(1))


@pytest.mark.soak
def test_a_picture_stays_in_the_saved_notebook(lab):
    notebook = lab.open([BAKERY, "player = run.player()\nplayer"])
    notebook.run(0)
    bare = len(str(notebook.save()))
    notebook.run(1)
    widget = notebook.widget(1, "player")
    press(widget, "Run")
    expect(state(widget)).to_contain_text("waits for approval")
    picture = notebook.output(1).locator("img[src^='data:image/svg']")
    expect(picture).to_have_count(1)
    expect(picture).to_be_hidden()  # the live one is there
    expect(picture).to_have_attribute("alt", re.compile("bakery_site"))
    saved = notebook.save()
    print(f"\nthe notebook grew by {(len(str(saved)) - bare) / 1000:.1f} kB")
    assert len(str(saved)) - bare < 60_000
    saved["cells"][1]["source"] += " "  # so that nobody trusts it
    again = lab.open([])
    (again.server.folder / again.path).write_text(json.dumps(saved), encoding="utf-8")
    again.page.reload()
    again.is_ready()
    picture = again.page.locator("img[src^='data:image/svg']")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.complete && image.naturalWidth > 100")
    again.shot("player-reopened")


@pytest.mark.soak
def test_what_is_typed_at_a_visit_stays_while_the_run_goes_on(lab):
    begin = "run = chain(5, lambda given: given)\n_ = run.step()\n"
    notebook = lab.open([CHAIN + begin, "run.player()"])
    widget = a_player(notebook)
    other = widget.get_by_label("Other input for ")
    widget.get_by_text("with another input").click()
    other.fill("coffee, by hand")
    notebook.do("run.step(); run.step()")
    expect(widget.get_by_role("tab", name="Attempts 3")).to_be_visible()
    expect(other).to_have_value("coffee, by hand")
    expect(other).to_be_focused()
    widget.get_by_role("button", name="Back to here with this input").click()
    expect(notebook.output(1).locator(".okit-notice")).to_contain_text("with another input")
