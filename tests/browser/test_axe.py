"""No widget has a serious accessibility violation, light or dark, wide or narrow; pictures of them all for a person.

axe-core looks for what can be found by rule: contrast, names, roles, labels. `SHOTS=folder` keeps the pictures.
"""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.sync_api import expect

from tests.browser.examples import SETUP, WIDGETS

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
VIEWS = {"wide": {"width": 1500, "height": 1600}, "narrow": {"width": 820, "height": 1600}}
FIND = """async (root) => {
  const found = await axe.run(root, { resultTypes: ["violations"] });
  return found.violations.map(({ id, impact, nodes }) => ({
    id, impact, where: nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 300)}`),
  }));
}"""


@pytest.fixture(scope="module")
def page(lab):
    notebook = lab.open([SETUP, *WIDGETS.values()], view=VIEWS["wide"])
    notebook.run_all()
    notebook.page.evaluate(AXE)
    return notebook


@pytest.fixture(scope="module", params=["light", "dark"])
def notebook(request, page):
    """The same page in another theme: what is shown turns with it."""
    theme = f"JupyterLab {request.param.title()}"
    page.program("({app, given}) => app.commands.execute('apputils:change-theme', {theme: given}).then(() => 0)", theme)
    page.theme = request.param
    return page


@pytest.mark.parametrize("view", ["wide", pytest.param("narrow", marks=pytest.mark.soak)])
@pytest.mark.parametrize("widget", WIDGETS)
def test_no_serious_violation(notebook, widget, view):
    notebook.page.set_viewport_size(VIEWS[view])
    index = 1 + list(WIDGETS).index(widget)
    root = notebook.widget(index, widget)
    expect(root).to_have_attribute("data-theme", notebook.theme)
    expect(root.get_by_role("button").first).to_be_visible()
    notebook.shot(f"{widget}-{notebook.theme}-{view}", root)
    found = root.evaluate(FIND)
    assert [one for one in found if one["impact"] in GRAVE] == []
    assert notebook.errors == []
