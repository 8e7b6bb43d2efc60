"""Cells and workers are recorded, and replayed where the notebook is a test."""

from __future__ import annotations

import pytest

from orchestration_kit import ParallelStep
from orchestration_kit.journal.cassette import CassetteMiss
from orchestration_kit.widgets.cells import current
from tests.support import step, workflow_of
from tests.widgets.cells.flows import CHAIN, hub_with, outputs

CELLS = ["#| step a\ncalls.append('a')\ninput + 'a'", "%run_next", "#| step c\ncalls.append('c')\ninput + 'c'"]


@pytest.fixture
def play(new_notebook, tmp_path):
    def make(cells, mode=""):
        notebook = new_notebook(hub=hub_with(CHAIN, b=lambda text: text + "b"), calls=[])
        notebook.run("%workflow chain --goal g")
        notebook.run(f'%cassette "{tmp_path / "tape.yaml"}" {mode}')
        return notebook, notebook.all(*cells)

    return make


def the_run():
    return current.current().run


def test_cells_are_recorded_once_and_replayed_in_another_kernel(play, tmp_path):
    notebook, _ = play(CELLS)
    assert notebook["calls"] == ["a", "c"]
    assert "cell " in (tmp_path / "tape.yaml").read_text()
    notebook, _ = play(CELLS)
    assert notebook["calls"] == []
    assert outputs(the_run()) == {"a#1": "ga", "b#1": "gab", "c#1": "gabc"}
    assert all(entry["cached"] for entry in the_run().history)


def test_an_edited_cell_is_not_answered_by_the_recording_of_the_old_one(play):
    play(CELLS)
    notebook, _ = play(["#| step a\ncalls.append('A')\ninput + 'A'"])
    assert (notebook["calls"], outputs(the_run())) == (["A"], {"a#1": "gA"})


def test_in_replay_a_cell_that_was_not_recorded_is_an_error_that_says_so(play):
    play(CELLS)
    notebook, cells = play(["#| step a\ncalls.append('A')\ninput + 'A'"], "replay")
    assert isinstance(cells[-1].error, CassetteMiss)
    assert notebook["calls"] == []


def test_the_magic_says_what_is_in_use_and_ends_it(play):
    notebook, _ = play(CELLS)
    assert notebook.run("%cassette").printed == "tape.yaml: auto, 3 recorded.\n"
    assert notebook.run("%cassette off").printed == "No cassette is in use.\n"
    notebook.run("#| step a --again\ncalls.append('a')\ninput + 'a'")
    assert notebook["calls"] == ["a", "c", "a"]


def test_who_stands_at_a_step_without_a_cell_is_not_recorded(new_notebook, tmp_path):
    workflow = workflow_of(
        ParallelStep(step_id="both", branches={"left": "l", "right": "r"}, on_success="end"),
        step("l", None, is_terminal=False),
        step("r", None, is_terminal=False),
        step("end"),
        name="flow",
    )
    for _ in range(2):
        notebook = new_notebook(hub=hub_with(workflow))
        notebook.run("%workflow flow --goal g")
        notebook.run(f'%cassette "{tmp_path / "tape.yaml"}"')
        notebook.all("#| step r\n'r'", "#| step l\n'l'", "#| step end\ninput")
        assert outputs(the_run())["end#1"] == {"left": "l", "right": "r"}
