"""What a notebook keeps of a player when it is executed without a browser, widget state included."""

from __future__ import annotations

import json

import nbformat
from nbclient import NotebookClient

from tests.browser.bakery import BAKERY

SHOWN = "player = run.player()\nplayer"
RUN = "run.run()\nNone"


def executed(*cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3", store_widget_state=True).execute()
    return notebook


def size(notebook):
    return len(nbformat.writes(notebook))


def test_a_notebook_with_a_player_stays_small_and_holds_the_last_picture():
    bare, full = executed(BAKERY, RUN), executed(BAKERY, SHOWN, RUN)
    grown = size(full) - size(bare)
    states = full.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    by_model = {one["model_name"]: len(json.dumps(one)) for one in states.values()}
    print(f"\nthe notebook grew by {grown / 1000:.1f} kB; widget state {by_model}")
    assert grown < 60_000
    live, still = full.cells[1].outputs
    assert "application/vnd.jupyter.widget-view+json" in live["data"]
    assert still["data"]["text/html"].count('<img src="data:image/svg+xml;base64,') == 1
    assert "waits for approval of sign_off#1" in still["data"]["text/html"]
