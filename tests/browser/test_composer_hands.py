"""What else hands do with a composer: keys, undo, copies, problems, text, nested workflows; hostile text; what is large or lost."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.composing import HUB, IS_BUILD_WEBSITE, SHOWN, Composing
from tests.hostile import PAYLOADS

WEBSITE = SHOWN.replace("Composer(hub)", "Composer(hub, create_build_website_workflow())")
LARGE = """
large = WorkflowDefinition(name="large")
for number in range(200):
    large.add_step(WorkflowStep(
        step_id=f"step_{number}", worker_type="coder", description=f"Part {number}", is_terminal=number == 199,
        on_success=f"step_{number + 1}" if number < 199 else None, on_failure=f"step_{max(0, number - 3)}",
    ), is_initial=number == 0)
"""
FRAME_S = 0.05
"""How long a frame may take while something is moved: the figure of the composer."""
SLOW = 3
"""Machines that test have few cores, and more to do: times as long."""

TICKING = """() => {
  window.frames_ = []; let last = 0;
  const tick = (now) => { if (last) window.frames_.push(now - last); last = now; window.ticking_ = requestAnimationFrame(tick); };
  window.ticking_ = requestAnimationFrame(tick);
}"""
TICKED = "() => { cancelAnimationFrame(window.ticking_); return window.frames_.sort((a, b) => a - b); }"


def opened(program, *cells, theme="light") -> Composing:
    notebook = program.open([HUB, *cells], theme=theme)
    notebook.run_all()
    return Composing(notebook, notebook.widget(len(cells), "composer"))


@pytest.fixture(scope="module")
def program(lab):
    return lab


@pytest.mark.soak
def test_a_line_takes_the_focus(program):
    hand = opened(program, WEBSITE)
    line = hand.at.locator(".react-flow__edge").first
    line.focus()
    expect(line).to_be_focused()
    expect(line).to_have_attribute("tabindex", "0")


def test_keys_undo_redo_copy_delete_move_and_reach_no_cell(program):
    hand = opened(program, WEBSITE)
    keys = hand.page.keyboard
    steps = "list(composer.workflow.steps)"
    before = hand.notebook.kernel(steps)
    hand.box("review_code").focus()
    keys.press("Enter")
    expect(hand.at.locator(".okc-form h3")).to_have_text("review_code")
    keys.press("Control+c")
    expect(hand.tool("Paste")).to_be_enabled()
    keys.press("Control+v")
    expect(hand.box("review_code_2")).to_be_visible()
    assert hand.notebook.kernel("composer.workflow.steps['review_code_2'].on_failure") == "implement_code"
    expect(hand.box("review_code_2")).to_have_class(re.compile("selected"))
    hand.box("review_code_2").focus()
    keys.press("Delete")
    expect(hand.box("review_code_2")).to_have_count(0)
    assert hand.notebook.kernel(steps) == before
    keys.press("Control+z")  # the box that had the focus is gone, and keys are still those of the composer
    expect(hand.box("review_code_2")).to_be_visible()
    hand.box("failed").focus()
    keys.press("Control+z")
    expect(hand.box("review_code_2")).to_have_count(0)
    keys.press("Control+Shift+Z")
    expect(hand.box("review_code_2")).to_be_visible()
    keys.press("Control+z")
    expect(hand.box("review_code_2")).to_have_count(0)
    place = hand.notebook.kernel("[box['x'] for box in composer.boxes if box['id'] == 'failed']")
    hand.box("failed").focus()
    keys.press("Enter")
    expect(hand.box("failed")).to_have_class(re.compile("selected"))
    for _ in range(3):
        keys.press("ArrowRight")
    expect(hand.tool("Redo")).to_be_disabled()
    assert hand.notebook.kernel("[box['x'] for box in composer.boxes if box['id'] == 'failed']") > place
    keys.press("Control+a")
    expect(hand.at.get_by_role("region", name="Selection")).to_contain_text("5 steps selected")
    keys.press("Control+x")
    expect(hand.at.locator(".react-flow__node")).to_have_count(1)
    hand.tool("Undo").click()
    expect(hand.at.locator(".react-flow__node")).to_have_count(6)
    hand.box("failed").focus()
    keys.type("xddabmy1")
    assert len(hand.notebook.cells()) == 2
    assert hand.notebook.kernel(steps) == before
    assert hand.notebook.errors == []


@pytest.mark.soak
@pytest.mark.parametrize("slower", [1, 8])
def test_what_was_selected_last_stays_selected_however_late_an_answer_is(program, slower):
    """An answer from before a selection says what was selected before it."""
    hand = opened(program, WEBSITE)
    hand.page.context.new_cdp_session(hand.page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    for _ in range(25):
        hand.draw("completed", "success", "completed")
        hand.box("review_code").focus()
        hand.page.keyboard.press("Enter")
        expect(hand.field("step_id")).to_have_value("review_code")
        expect(hand.at.locator(".react-flow__node.selected")).to_have_count(1)
        hand.at.locator(".react-flow__pane").click(position={"x": 5, "y": 5})
        expect(hand.at.get_by_role("region", name="Workflow")).to_be_visible()
        hand.tool("Undo").click()


def test_problems_are_shown_where_they_are_with_what_to_do(program):
    hand = opened(program, WEBSITE)
    hand.draw("completed", "success", "completed")
    hand.box("review_code").focus()
    hand.page.keyboard.press("Enter")  # a click right after a drag may still belong to it
    expect(hand.field("step_id")).to_have_value("review_code")
    hand.field("on_success").select_option("")
    expect(hand.box("review_code")).to_contain_text("⚠")
    expect(hand.at.locator(".okc-form .okc-finding.okc-error").first).to_contain_text("Set on_success=...")
    expect(hand.at.locator(".okc-problems summary")).to_contain_text("error")
    expect(hand.tool("Register")).to_be_disabled()
    hand.at.locator(".okc-problems summary").click()
    hand.at.locator(".okc-problems").get_by_role("button", name="review_code").first.click()
    expect(hand.box("review_code")).to_be_focused()
    hand.notebook.shot("composer-problems")
    hand.field("on_success").select_option("completed")
    expect(hand.tool("Register")).to_be_enabled()
    hand.tool("Register").click()
    expect(hand.notebook.output(1)).to_contain_text("Registered 'build_website'")
    assert hand.notebook.kernel("list(hub.workflows)") == ["build_website"]
    expect(hand.item("build_website")).to_be_visible()


def test_what_pydantic_refuses_is_said_at_the_field_and_changes_nothing(program):
    hand = opened(program, WEBSITE)
    hand.box("create_specs").click()
    expect(hand.field("step_id")).to_have_value("create_specs")
    hand.fill({"max_retries": "many"})
    wrong = hand.at.locator(".okc-field", has=hand.page.locator('[data-path="max_retries"]'))
    expect(wrong.get_by_role("alert")).to_contain_text("valid integer")
    expect(hand.field("max_retries")).to_have_attribute("aria-invalid", "true")
    expect(hand.field("max_retries")).to_have_value("many")
    assert hand.notebook.comes_true(IS_BUILD_WEBSITE)
    hand.field("max_retries").focus()
    hand.page.keyboard.press("Escape")
    expect(wrong.get_by_role("alert")).to_have_count(0)
    expect(hand.field("max_retries")).to_have_value("0")
    hand.fill({"step_id": "review_code"})
    expect(hand.at.get_by_role("alert").filter(has_text="cannot be called 'review_code'")).to_be_visible()
    assert hand.notebook.comes_true(IS_BUILD_WEBSITE)


def test_branches_bodies_and_nested_workflows_are_composed(program):
    hand = opened(program, SHOWN)
    hand.drag_in("Parallel", "parallel", 200, 90)
    expect(hand.box("parallel_left")).to_be_visible()
    hand.drag_in("Coder", "coder", 420, 300)
    hand.draw("parallel", "body", "coder")
    expect(hand.box("parallel_left")).to_have_count(0)
    hand.box("parallel").click()
    expect(hand.field("step_id")).to_have_value("parallel")
    hand.box("parallel_right").get_by_role("button", name="Add this step").click()
    expect(hand.field("step_id")).to_have_value("parallel_right")
    hand.tool("Undo").click()
    expect(hand.box("parallel_right")).to_contain_text("missing step")
    hand.box("parallel").click()
    expect(hand.field("step_id")).to_have_value("parallel")
    branch = hand.at.get_by_role("group", name="right", exact=True)
    branch.get_by_label("What it is").select_option("workflow")
    branch.get_by_role("button", name="Open right").click()
    expect(hand.at.get_by_role("navigation", name="Where you are")).to_contain_text("parallel [right]")
    hand.item("Reviewer").click()
    expect(hand.box("reviewer")).to_be_visible()
    hand.at.get_by_role("navigation", name="Where you are").get_by_role("button", name="workflow", exact=True).click()
    expect(hand.box("coder")).to_be_visible()
    hand.box("coder").click()
    hand.draw("coder", "branch", "parallel")
    expect(hand.field("branches.0.when")).to_be_visible()
    hand.fill({"branches.0.when": "visits < 3", "branches.0.label": "again"})
    expect(hand.at.locator(".okc-label", has_text="again")).to_be_visible()
    assert hand.notebook.kernel("composer.workflow.to_dict()['steps']") == {
        "parallel": {"kind": "parallel", "branches": {"left": "coder", "right": {"name": "right", "initial_step": "reviewer", "steps": {"reviewer": {"worker_type": "reviewer"}}}}},
        "coder": {"worker_type": "coder", "branches": [{"when": "visits < 3", "to": "parallel", "label": "again"}]},
    }  # fmt: skip
    assert hand.notebook.errors == []


def test_a_line_drawn_to_an_empty_place_asks_what_to_add(program):
    hand = opened(program, SHOWN)
    hand.drag_in("Coder", "coder", 200, 90)
    hand.box("coder").hover()
    handle = hand.box("coder").locator('[data-handleid="failure"]').bounding_box()
    hand.page.mouse.move(handle["x"] + 9, handle["y"] + 9)
    hand.page.mouse.down()
    hand.page.mouse.move(handle["x"] + 60, handle["y"] + 120, steps=6)
    hand.page.mouse.up()
    menu = hand.at.get_by_role("menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    menu.get_by_role("menuitem", name="Approval").click()
    expect(hand.box("approval")).to_be_visible()
    assert hand.notebook.kernel("composer.workflow.steps['coder'].on_failure") == "approval"


def test_text_goes_out_and_in_and_what_is_no_workflow_loses_nothing(program):
    hand = opened(program, WEBSITE)
    hand.tool("YAML").click()
    area = hand.at.get_by_role("textbox", name="YAML")
    expect(area).to_have_value(re.compile("name: build_website"))
    area.fill("name: [")
    hand.at.get_by_role("button", name="Load this text").click()
    expect(hand.notebook.output(1).get_by_role("alert")).to_contain_text("WorkflowFileError")
    assert hand.notebook.comes_true(IS_BUILD_WEBSITE)
    area.fill("name: odd\ninitial_step: a\nsteps:\n  a: {worker_type: coder, on_success: nowhere}\n")
    hand.at.get_by_role("button", name="Load this text").click()
    expect(hand.box("nowhere")).to_contain_text("missing step")
    hand.tool("Undo").click()
    expect(hand.box("create_specs")).to_be_visible()
    assert hand.notebook.comes_true(IS_BUILD_WEBSITE)
    with hand.page.expect_download() as download:
        hand.at.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".yaml")


@pytest.mark.soak
def test_insert_in_a_cell_gives_the_next_cell(program):
    notebook = program.open([HUB, WEBSITE, "composer.insert()"])
    notebook.run_all()
    assert notebook.cells()[3] == notebook.kernel("composer.to_code()")


@pytest.mark.soak
def test_hostile_texts_stay_texts(program):
    hostile = [text for text in PAYLOADS if len(text) < 200]
    code = f"""
import json
from orchestration_kit.widgets.composer import Composer
hostile = WorkflowDefinition(name="hostile")
texts = json.loads({json.dumps(json.dumps(hostile))})
for number, text in enumerate(texts):
    name = "".join(c for c in text if c.isprintable() and c not in "#/[]" and not "\\ud800" <= c <= "\\udfff")[:150]
    name += f" {{number}}"
    worker = text.encode("utf-8", "replace").decode()
    step = WorkflowStep(step_id=name, worker_type=worker, description=text, on_success=list(hostile.steps)[-1] if hostile.steps else None, branches=[Branch(when=worker, to=name, label=text)])
    hostile.add_step(step, is_initial=True)
    if number < 20:
        hub.register_worker(WorkerDefinition(worker_type=worker, name=worker, executor=lambda given: given))
composer = Composer(hub, hostile)
composer
"""
    notebook = program.open([HUB, code])
    notebook.page.evaluate("() => { window.pwned = () => { window.was_pwned = true; }; }")
    notebook.run_all()
    hand = Composing(notebook, notebook.widget(1, "composer"))
    hand.at.locator(".react-flow__node").nth(1).click()
    hand.at.locator(".okc-problems summary").click()
    hand.tool("YAML").click()
    expect(hand.at.locator(".okc-text")).to_be_visible()
    assert not notebook.page.evaluate("() => Boolean(window.was_pwned)")
    strange = hand.at.evaluate("""node => [...node.querySelectorAll("*")].filter((one) => /^(script|iframe|object|embed|img|link|base|meta|form|a|video|audio)$/i.test(one.tagName)
      || [...one.attributes].some(({name}) => /^on|commandlinker|^href$|^src$|^action$/i.test(name))).map((one) => one.outerHTML.slice(0, 200))""")
    assert strange == []
    assert notebook.errors == []


@pytest.mark.soak
def test_two_composers_on_a_page_do_not_touch_one_another(program):
    hand = opened(program, WEBSITE, SHOWN.replace("composer", "second").replace("widgets.second", "widgets.composer"))
    first = Composing(hand.notebook, hand.notebook.widget(1, "composer"))
    hand.item("Coder").click()
    expect(hand.box("coder")).to_be_visible()
    hand.box("coder").focus()
    hand.page.keyboard.press("Delete")
    expect(hand.box("coder")).to_have_count(0)
    first.box("failed").click()
    hand.page.keyboard.press("Delete")
    expect(first.box("failed")).to_have_count(0)
    assert hand.notebook.kernel("[len(composer.workflow.steps), len(second.workflow.steps)]") == [4, 0]


@pytest.mark.soak
def test_what_was_composed_outlives_the_kernel(program):
    hand = opened(program, SHOWN)
    hand.item("Coder").click()
    expect(hand.box("coder")).to_be_visible()
    hand.fill({"description": "kept"})
    expect(hand.tool("Undo")).to_be_enabled()
    assert "kept" in hand.notebook.kernel("composer.kept")
    hand.notebook.restart_kernel()
    expect(hand.notebook.output(1)).to_contain_text("What you composed is kept in this page")
    expect(hand.box("coder")).to_be_visible()
    hand.notebook.run_all()
    again = Composing(hand.notebook, hand.notebook.widget(1, "composer"))
    again.at.get_by_role("button", name="Take over what was here").click()
    expect(again.box("coder")).to_be_visible()
    assert hand.notebook.kernel("composer.workflow.steps['coder'].description") == "kept"
    expect(again.at.get_by_role("button", name="Take over what was here")).to_have_count(0)


@pytest.mark.soak
def test_two_hundred_steps_are_moved_quickly(program):
    hand = opened(program, LARGE, SHOWN.replace("Composer(hub)", "Composer(hub, large)"))
    mouse = hand.page.mouse

    def frames_of(x: float, y: float) -> dict[str, float]:
        mouse.move(x, y)
        mouse.down()
        hand.page.evaluate(TICKING)
        for number in range(60):
            mouse.move(x + number * 2, y - number)
        found = hand.page.evaluate(TICKED)
        mouse.up()
        return {"median_ms": found[len(found) // 2], "p95_ms": found[int(len(found) * 0.95)], "frames": len(found)}

    expect(hand.at.locator(".react-flow__edge").first).to_be_attached()
    hand.box("step_1").hover()  # which waits until the canvas has come to rest
    box = hand.box("step_1").bounding_box()
    canvas = hand.at.locator(".okc-canvas").bounding_box()
    dragged = frames_of(box["x"] + 30, box["y"] + 20)
    panned = frames_of(canvas["x"] + 40, canvas["y"] + 200)
    print("dragging", dragged, "panning", panned)
    for one in (dragged, panned):
        assert one["median_ms"] <= FRAME_S * 1000
        assert one["p95_ms"] <= FRAME_S * 1000 * SLOW
    hand.at.get_by_label("Go to a step").select_option("step_150")
    expect(hand.box("step_150")).to_be_focused()
    expect(hand.at.locator(".okc-form h3")).to_have_text("step_150")
    hand.notebook.shot("composer-200-steps")


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_assistive_technology(program, theme):
    hand = opened(program, WEBSITE, theme=theme)
    hand.box("review_code").click()
    hand.at.locator(".okc-problems summary").click()
    hand.notebook.shot(f"composer-{theme}", hand.at)
    found = Axe().run(hand.page, context=".okit-composer").response["violations"]
    serious = [(one["id"], one["impact"], [node["html"][:200] for node in one["nodes"]][:4]) for one in found if one["impact"] in ("serious", "critical")]  # fmt: skip
    assert serious == []
