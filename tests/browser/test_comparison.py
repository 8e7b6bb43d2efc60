"""Two runs side by side in a real notebook."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.bakery import BAKERY

COMPARED = """
run.run(); run.approve(); run.run()
fork = run.fork(at="code#2", input={"comments": ["Add the phone number"]}, run_id="bakery-2")
fork.run(); fork.reject("The menu is out of date"); fork.run()
view = Comparison(run, fork)
view
"""


def a_view(notebook):
    notebook.run_all()
    widget = notebook.widget(1, "comparison")
    widget.locator("svg g[data-step]").first.wait_for()
    return widget


def nodes(widget, step):
    return widget.locator(f'g[data-step="{step}"]')


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_what_is_selected_on_one_side_is_selected_on_the_other(lab, theme):
    notebook = lab.open([BAKERY, COMPARED], theme=theme)
    widget = a_view(notebook)
    expect(widget).to_contain_text("They part at code#2, attempt 1: input")
    expect(widget.locator(".okit-mark", has_text="they part here")).to_have_count(2)
    notebook.shot(f"comparison-{theme}", notebook.output(1))
    nodes(widget, "sign_off").first.click()
    for side in (0, 1):
        expect(nodes(widget, "sign_off").nth(side)).to_have_attribute("aria-pressed", "true")
    expect(widget.get_by_label("output in A")).to_have_text("true")
    expect(widget).to_contain_text("The menu is out of date")
    expect(widget.locator("tr[aria-current]")).to_contain_text("sign_off#1")
    notebook.shot(f"comparison-selected-{theme}", notebook.output(1))
    widget.get_by_label("only what differs").check()
    expect(widget.get_by_role("button", name="plan#1", exact=True)).to_have_count(0)
    assert notebook.kernel("view.detail['path']") == "sign_off#1"
    assert notebook.errors == []


@pytest.mark.soak
def test_zoom_and_pan_are_in_step(lab):
    notebook = lab.open([BAKERY, COMPARED])
    widget = a_view(notebook)
    pictures = widget.locator(".okit-canvas > svg")
    before = pictures.nth(1).get_attribute("viewBox")
    widget.get_by_role("button", name="Zoom in").first.click()
    expect(pictures.nth(1)).not_to_have_attribute("viewBox", before)
    assert pictures.nth(0).get_attribute("viewBox") == pictures.nth(1).get_attribute("viewBox")
    at = pictures.nth(1).bounding_box()
    mouse = notebook.page.mouse
    mouse.move(at["x"] + 30, at["y"] + 150)
    mouse.down()
    mouse.move(at["x"] + 60, at["y"] + 110, steps=4)
    mouse.up()
    assert pictures.nth(0).get_attribute("viewBox") == pictures.nth(1).get_attribute("viewBox")
    assert notebook.errors == []


def test_by_keyboard(lab):
    notebook = lab.open([BAKERY, COMPARED])
    widget = a_view(notebook)
    nodes(widget, "plan").nth(1).focus()
    notebook.page.keyboard.press("ArrowDown")
    expect(nodes(widget, "code").nth(1)).to_be_focused()
    notebook.page.keyboard.press("Enter")
    expect(nodes(widget, "code").nth(0)).to_have_attribute("aria-pressed", "true")
    expect(widget.locator("tr[aria-current]")).to_contain_text("code#2")
    widget.get_by_role("button", name="sign_off#1", exact=True).focus()
    notebook.page.keyboard.press("Enter")
    expect(widget.get_by_role("button", name="sign_off#1", exact=True)).to_be_focused()
    expect(nodes(widget, "sign_off").nth(1)).to_have_attribute("aria-pressed", "true")
    assert notebook.errors == []


def test_a_run_that_goes_on_is_compared_anew(lab):
    cell = 'run.run()\nfork = run.fork(at="sign_off#1", run_id="bakery-2")\nComparison(run, fork)'
    notebook = lab.open([BAKERY, cell, "run.approve()\nrun.run()\nNone"])
    notebook.run(0)
    notebook.run(1)
    widget = notebook.widget(1, "comparison")
    expect(widget).to_contain_text("has not ended")
    notebook.run(2)
    expect(widget).to_contain_text("They part at sign_off#1")
    assert notebook.errors == []
