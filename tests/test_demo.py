"""The demo: a goal in, a checked website out, the same for the same seed, and a run to look at."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET

import nbformat
import pytest

from orchestration_kit import cli
from orchestration_kit.demo import DEFAULT_GOAL, build_website
from orchestration_kit.demo.notebook import notebook_for, write_executed_notebook


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_demo_leaves_a_site_a_picture_and_a_record(tmp_path):
    result = build_website(DEFAULT_GOAL, tmp_path, verbose=False)
    assert result.run.state == "completed"
    assert "Luna Bakery" in (result.site / "index.html").read_text(encoding="utf-8")
    assert ET.parse(result.diagram).getroot().tag.endswith("svg")
    rows = list(csv.DictReader(result.history.read_text(encoding="utf-8").splitlines()))
    assert [row["path"] for row in rows] == [entry["path"] for entry in result.run.history]
    assert len({row["step"] for row in rows}) == 4


def test_the_default_run_shows_the_way_back(tmp_path):
    """What a newcomer sees first should show what the kit is for: a review that fails, and a repair."""
    result = build_website(DEFAULT_GOAL, tmp_path, verbose=False)
    assert [entry["success"] for entry in result.run.history if entry["step"] == "review_code"] == [False, True]


def test_the_same_seed_gives_the_same_bytes_and_different_goals_different_sites(tmp_path):
    one = files_of(build_website("A shop for tea", tmp_path / "one", seed=5, verbose=False).site)
    again = files_of(build_website("A shop for tea", tmp_path / "again", seed=5, verbose=False).site)
    other = files_of(build_website("A conference on bees", tmp_path / "other", seed=5, verbose=False).site)
    assert one == again
    assert one["index.html"] != other["index.html"]
    assert one["style.css"] != other["style.css"]


def test_the_command_tells_what_is_there_and_where(tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["demo", "--out", str(out), "--seed", "3", "--goal", "A site for a choir", "--no-notebook"]) == 0
    printed = capsys.readouterr().out
    assert "completed after" in printed
    assert "pages, fetched and compared" in printed
    assert sorted(path.name for path in out.iterdir()) == ["history.csv", "site", "workflow.svg"]


def test_a_second_run_into_the_same_folder_replaces_the_site_but_not_one_that_was_changed(tmp_path, capsys):
    arguments = ["demo", "--out", str(tmp_path), "--no-notebook"]
    assert cli.main(arguments) == 0
    assert cli.main([*arguments, "--goal", "A site for a choir"]) == 0
    page = tmp_path / "site" / "index.html"
    page.write_text("mine now", encoding="utf-8")
    assert cli.main(arguments) == 1
    assert "No website was built" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "mine now"


def test_a_model_is_not_there_yet_and_the_message_says_what_to_do(tmp_path, capsys):
    assert cli.main(["demo", "--model", "gpt", "--out", str(tmp_path / "out")]) == 2
    assert "not part of this version yet" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("goal", ["", "   ", "x" * 1_000_001])
def test_a_bad_goal_is_a_clear_message_and_no_website(goal, tmp_path, capsys):
    assert cli.main(["demo", "--goal", goal, "--out", str(tmp_path)]) == 1
    assert "The goal" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_the_command_with_130(monkeypatch, capsys):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestration_kit.demo.build.build_website", interrupted)
    assert cli.main(["demo"]) == 130
    assert "Interrupted" in capsys.readouterr().err


HOSTILE_GOAL = 'A "site"\n"""); import os; os.system("echo pwned") #\\ </script> é 你好 \u202e'


def test_the_goal_stands_in_the_notebook_as_data():
    notebook = notebook_for(HOSTILE_GOAL, 1)
    [cell] = [cell for cell in notebook.cells if "GOAL =" in cell.source]
    [line] = [line for line in cell.source.splitlines() if line.startswith("GOAL =")]
    assert json.loads(line.removeprefix("GOAL = ")) == HOSTILE_GOAL
    scope: dict = {}
    exec(line, scope)
    assert scope["GOAL"] == HOSTILE_GOAL


def test_the_notebook_is_executed_with_its_pictures_and_frames_in_place(tmp_path):
    path = write_executed_notebook("A site for a choir", 2, tmp_path)
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/svg+xml", "text/html", "text/plain"} <= kinds
    assert not [output for output in outputs if output.output_type == "error"]
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert (tmp_path / "site" / "index.html").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
