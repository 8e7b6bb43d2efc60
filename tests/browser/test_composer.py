"""The build-website workflow is composed from nothing, by mouse and by keyboard, in real notebooks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.composing import FIELDS, HUB, IS_BUILD_WEBSITE, OWN, SHOWN, WAYS, Composing


@pytest.fixture
def program(request):
    return request.getfixturevalue(request.param)


def composer_in(program, *, shown=SHOWN, theme="light") -> Composing:
    notebook = program.open([HUB, shown, "1 + 1"], theme=theme)
    notebook.run_all()
    return Composing(notebook, notebook.widget(1, "composer"))


@pytest.mark.parametrize("program", ["lab", pytest.param("classic", marks=pytest.mark.soak)], indirect=True)
def test_a_workflow_is_composed_by_mouse_and_its_code_put_into_a_cell(program):
    hand = composer_in(program)
    names = ["Product manager", "Coder", "Reviewer", "Step", "Step"]
    spots = [(180, 110), (180, 220), (180, 330), (180, 440), (400, 330)]
    for name, (step, fields), (x, y) in zip(names, FIELDS, spots, strict=True):
        hand.drag_in(name, step, x, y)
        expect(hand.field("step_id")).to_have_value(step)
        hand.fill(fields)
        expect(hand.box(fields["step_id"])).to_be_visible()
    for source, way, target in WAYS:
        hand.draw(source, way, target)
        expect(hand.at.get_by_label(f"{source} to {target}:").first).to_be_attached()
    hand.at.locator(".react-flow__pane").click(position={"x": 20, "y": 20})
    expect(hand.at.get_by_role("region", name="Workflow")).to_be_visible()
    hand.fill(OWN)
    hand.tool("Tidy").click()
    expect(hand.at.locator(".okc-where")).to_have_text("build_website")
    assert hand.notebook.comes_true(IS_BUILD_WEBSITE), hand.notebook.kernel("composer.to_yaml()")

    hand.tool("Code").click()
    hand.at.get_by_role("button", name="Insert as cell").click()
    expect(hand.at.locator(".okc-said")).to_have_text("The code stands in a new cell below.")
    cells = hand.notebook.cells()
    assert len(cells) == 4
    assert cells[2] == hand.notebook.kernel("composer.to_code()")
    hand.notebook.run(2)
    assert hand.notebook.kernel("workflow == create_build_website_workflow()")
    hand.notebook.shot("composer-mouse")
    assert hand.notebook.errors == []


@pytest.mark.soak  # `test_composer_hands.py` has keys too
@pytest.mark.parametrize("program", ["lab", "classic"], indirect=True)
def test_a_workflow_is_composed_by_keyboard_alone(program):
    hand = composer_in(program)
    keys = hand.page.keyboard
    hand.item("Product manager").focus()
    for number, (name, (step, fields)) in enumerate(zip(["Product manager", "Coder", "Reviewer", "Step", "Step"], FIELDS, strict=True)):  # fmt: skip
        if number:
            hand.item(name).focus()
        keys.press("Enter")
        expect(hand.box(step)).to_have_class(re.compile(r"\bselected\b"))
        expect(hand.field("step_id")).to_have_value(step)
        keys.press("F6")
        expect(hand.box(step)).to_be_focused()
        keys.press("Enter")
        expect(hand.field("step_id")).to_be_focused()
        hand.type_in(fields)
        expect(hand.at.locator(".okc-form h3")).to_have_text(fields["step_id"])
    for source in dict.fromkeys(source for source, _, _ in WAYS):
        hand.box(source).focus()
        keys.press("Enter")
        expect(hand.at.locator(".okc-form h3")).to_have_text(source)
        keys.press("Enter")
        hand.type_in({f"on_{way}": target for begin, way, target in WAYS if begin == source})
        keys.press("Escape")
        expect(hand.box(source)).to_be_focused()
    keys.press("Escape")
    expect(hand.at.get_by_role("region", name="Workflow")).to_be_visible()
    keys.press("F6")
    hand.type_in(OWN)
    expect(hand.at.locator(".okc-where")).to_have_text("build_website")
    assert hand.notebook.comes_true(IS_BUILD_WEBSITE), hand.notebook.kernel("composer.to_yaml()")
    assert len(hand.notebook.cells()) == 3, "no key has reached the notebook"
    hand.notebook.shot("composer-keyboard")
    assert hand.notebook.errors == []
