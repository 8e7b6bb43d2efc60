"""The kernel is restarted while widgets are open: they say so, and the cells, run again, go on with the journal."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.examples import IMPORTS

CELLS = [
    IMPORTS + 'one = shop("runs.db") if not __import__("pathlib").Path("runs.db").exists() else None',
    'from tests.browser.examples import reopened\nhub, run = reopened("runs.db", "bakery")\nrun',
    'Composer(hub, "build_website")',
    "player = run.player()\nplayer",
    "Monitor(hub)",
    'approvals("runs.db")',
]
WIDGETS = {"composer": 2, "player": 3, "monitor": 4, "approval": 5}


@pytest.mark.parametrize("program", ["lab", pytest.param("classic", marks=pytest.mark.soak)])
def test_widgets_say_that_the_kernel_is_gone_and_the_cells_go_on_with_the_journal(request, program):
    notebook = request.getfixturevalue(program).open(
        [cell.replace("runs.db", f"restart-{program}.db") for cell in CELLS]
    )
    notebook.run_all()
    player = notebook.widget(3, "player")
    before = notebook.kernel("len(run.history)")
    player.get_by_role("button", name="Step", exact=True).click()
    expect(player).to_contain_text("before completed")
    assert notebook.kernel("(len(run.history), run.is_driven)") == [before + 1, False]

    notebook.restart_kernel()
    for name, index in WIDGETS.items():
        lost = notebook.output(index).locator(".okit-lost[role=alert]")
        expect(lost).to_be_visible()
        expect(lost).to_contain_text(f"The kernel of this {name} is gone")
        expect(notebook.widget(index, name)).to_have_attribute("inert", "")
    notebook.shot(f"restarted-{program}")

    notebook.run_all()
    for name, index in WIDGETS.items():
        expect(notebook.output(index).locator(".okit-lost[role=alert]")).to_be_hidden()
        expect(notebook.widget(index, name)).not_to_have_attribute("inert", "")
    expect(player).to_contain_text("before completed")  # where it stood
    assert notebook.kernel("len(run.history)") == before + 1
    player.get_by_role("button", name="Run", exact=True).click()
    expect(player).not_to_contain_text("before completed")  # the click was heard
    assert notebook.kernel("run.wait(60).state.value") == "completed"
    expect(notebook.widget(4, "monitor").get_by_role("row", name="bakery").first).to_be_visible()
    assert notebook.kernel("len(hub.runs())") == 4
    assert notebook.errors == []
