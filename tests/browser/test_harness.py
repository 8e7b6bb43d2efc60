"""The notebook programs of these tests do what a person's do, and see what a person would not."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

CELLS = ["import os\nseen = [1, 2]\nseen", "print('two', len(seen))"]
COUNTER = '''
import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = """export default {render({model, el}) {
      const button = document.createElement("button");
      const paint = () => { button.textContent = `counted ${model.get("count")}`; };
      button.addEventListener("click", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
      model.on("change:count", paint); paint(); el.append(button);
    }}"""
    count = traitlets.Int(0).tag(sync=True)
counter = Counter()
counter
'''


@pytest.fixture(params=["lab", pytest.param("classic", marks=pytest.mark.soak)])
def program(request):
    return request.getfixturevalue(request.param)


def test_cells_are_run_and_seen(program):
    notebook = program.open([*CELLS, COUNTER])
    notebook.run_all()
    assert "[1, 2]" in notebook.output(0).inner_text()
    assert notebook.output(1).inner_text().strip() == "two 2"
    assert notebook.cells()[:2] == CELLS
    notebook.output(2).get_by_role("button", name="counted 0").click()
    expect(notebook.output(2)).to_contain_text("counted 1")
    assert notebook.kernel("{'seen': seen, 'count': counter.count}") == {"seen": [1, 2], "count": 1}
    notebook.restart_kernel()
    with pytest.raises(AssertionError, match="NameError"):
        notebook.kernel("seen")
    notebook.shot("harness")
    assert notebook.errors == []


def test_a_cell_that_fails_fails_the_test(lab):
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        lab.open(["1 / 0"]).run_all()


def test_complaints_and_requests_to_others_are_noticed(lab):
    notebook = lab.open(
        [
            'from IPython.display import HTML\nHTML(\'<img src="http://evil.example/x.png" alt=""><script>nowhere()</script>\')'
        ]
    )
    notebook.run_all()
    expect(notebook.output(0).locator("img")).to_have_count(1)
    notebook.page.wait_for_function("() => document.querySelector('.jp-OutputArea img').complete")
    assert set(notebook.outside) == {"http://evil.example/x.png"}  # a page may ask twice
    assert any("nowhere is not defined" in error for error in notebook.errors), notebook.errors
    notebook.outside.clear()


@pytest.mark.soak
def test_voila_shows_a_notebook_as_a_page(voila):
    shown = voila.open([*CELLS, COUNTER])
    shown.page.get_by_role("button", name="counted 0").click()
    expect(shown.page.get_by_role("button", name="counted 1")).to_be_visible()
    assert shown.errors == []


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["run", "edit"])
def test_marimo_shows_an_app(marimo, mode):
    shown = marimo.open([COUNTER], mode=mode)
    shown.page.get_by_role("button", name="counted 0").click()
    expect(shown.page.get_by_role("button", name="counted 1")).to_be_visible()
    shown.shot(f"marimo-{mode}")
    assert shown.errors == []
