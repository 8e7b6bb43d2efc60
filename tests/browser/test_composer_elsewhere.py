"""A composer where there is no notebook of Jupyter's, and what it leaves in a notebook."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.composing import HUB, SHOWN
from tests.browser.test_composer_hands import WEBSITE


@pytest.mark.soak  # that it works there is also seen in test_marimo.py
def test_a_composer_works_in_marimo(marimo):
    app = marimo.open(["\n".join([HUB, "from orchestration_kit.widgets.composer import Composer", "composer = Composer(hub, create_build_website_workflow())", "composer"]).replace("import *", "import Orchestrator, WorkerDefinition, create_build_website_workflow")])  # fmt: skip
    page = app.page
    expect(page.locator('.react-flow__node[data-id="review_code"]')).to_be_visible()
    page.get_by_role("navigation", name="Palette").get_by_role("button", name="Coder").first.click()
    expect(page.locator('.react-flow__node[data-id="coder"]')).to_be_visible()
    page.get_by_role("toolbar", name="Composer").get_by_role("button", name="Code", exact=True).click()
    page.get_by_role("button", name="Insert as cell").click()
    expect(page.locator(".okc-said")).to_contain_text("composer.insert()")
    app.shot("composer-marimo")


def test_a_saved_notebook_holds_no_bundle(lab):
    notebook = lab.open([HUB, WEBSITE])
    notebook.run_all()
    expect(notebook.widget(1, "composer").locator(".react-flow__node").first).to_be_visible()
    saved = notebook.save()
    assert len(str(saved)) < 60_000
    assert SHOWN.strip().splitlines()[-1] in str(saved)
