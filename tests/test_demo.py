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
from tests.openai_server import OpenAIServer, call
from tests.workers.website.site_drafts import broken, good


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


# --- with a language model


def drafts(*answers):
    return [call("final_result", (900, 700), **one) for one in answers]


def test_with_a_model_its_words_are_on_the_site(tmp_path, capsys):
    with OpenAIServer(drafts(good())) as server:
        arguments = ["demo", "--model", f"{server.url}#tiny", "--out", str(tmp_path), "--no-notebook"]
        assert cli.main(arguments) == 0
    assert "Bread, the slow way" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "Pastel de nata" in (tmp_path / "site" / "menu.html").read_text(encoding="utf-8")
    assert "pages, fetched and compared" in capsys.readouterr().out
    [request] = server.requests
    assert f"<goal>\n{DEFAULT_GOAL}\n</goal>" in request.told
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0]["model"] == "tiny"
    assert rows[0]["input_tokens"] == "900"


def test_a_draft_that_makes_no_site_goes_back_to_the_model_with_what_is_wrong(tmp_path):
    with OpenAIServer(drafts(broken(), good())) as server:
        result = build_website(DEFAULT_GOAL, tmp_path, verbose=False, model=f"{server.url}#tiny")
    assert result.run.state == "completed"
    assert "'shop' is no page; there are index, menu" in json.dumps(server.requests[1].messages[-1])


def test_a_model_that_does_not_learn_within_an_attempt_is_told_in_the_next_one(tmp_path):
    with OpenAIServer(drafts(broken(), broken(), broken(), good())) as server:
        result = build_website(DEFAULT_GOAL, tmp_path, verbose=False, model=f"{server.url}#tiny")
    first, second = [entry for entry in result.run.history if entry["step"] == "create_specs"]
    assert (first["success"], second["success"]) == (False, True)
    assert (first["usage"]["input_tokens"], second["usage"]["input_tokens"]) == (2700, 900)
    assert "'shop' is no page" in server.requests[3].told.split("<what_was_wrong>")[1]


def test_a_model_that_never_learns_leaves_no_website_and_a_reason(tmp_path, capsys):
    with OpenAIServer(lambda _: drafts(broken())[0]) as server:
        assert cli.main(["demo", "--model", f"{server.url}#tiny", "--out", str(tmp_path), "--no-notebook"]) == 1
    assert len(server.requests) == 9  # three attempts of three tries
    assert "No website was built" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_the_notebook_of_a_run_with_a_model_asks_nobody(tmp_path):
    with OpenAIServer(drafts(good())) as server:
        arguments = ["demo", "--model", f"{server.url}#tiny", "--out", str(tmp_path)]
        assert cli.main(arguments) == 0
    assert len(server.requests) == 1
    notebook = nbformat.read(tmp_path / "run.ipynb", as_version=4)
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "Product manager" in shown
    assert "error" not in {output["output_type"] for cell in notebook.cells for output in cell.get("outputs", [])}


def test_a_bare_name_is_asked_at_the_address_of_the_environment(tmp_path, monkeypatch):
    with OpenAIServer(drafts(good()), key="made-up-key") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "made-up-key")
        assert cli.main(["demo", "--model", "tiny", "--out", str(tmp_path), "--no-notebook"]) == 0
    assert server.requests[0].body["model"] == "tiny"
    assert "made-up-key" not in "".join(path.read_text("utf-8") for path in tmp_path.iterdir() if path.is_file())


def test_an_address_gets_the_key_that_is_meant_for_it_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "for-another-house")
    monkeypatch.setenv("ORCHESTRATION_KIT_API_KEY", "made-up-key")
    with OpenAIServer(drafts(good()), key="made-up-key") as server:
        assert cli.main(["demo", "--model", f"{server.url}#tiny", "--out", str(tmp_path), "--no-notebook"]) == 0
    assert "for-another-house" not in str(server.requests)


@pytest.mark.parametrize("model", ["gpt", "", "http://127.0.0.1:11434/v1", "http://u:p@127.0.0.1/v1#x", "https://#x"])
def test_a_model_that_is_none_is_a_message_that_says_what_may_be_given(model, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert cli.main(["demo", "--model", model, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "There is no model to ask" in told
    assert "/v1" in told
    assert not (tmp_path / "out").exists()


def test_a_key_that_is_not_set_is_a_message_and_no_website(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    arguments = ["demo", "--model", "openai:gpt-5-mini", "--out", str(tmp_path), "--no-notebook"]
    assert cli.main(arguments) == 1
    assert "OPENAI_API_KEY" in capsys.readouterr().err


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
