"""`runs export`: the record of a run as a file."""

from __future__ import annotations

import csv
import json

import yaml

from orchestration_kit.cli import main
from tests.support import hub_of, step, workflow_of


def test_the_history_is_exported(runs, capsys):
    for name in ("out.json", "out.jsonl", "out.yaml", "out.csv"):
        assert main(["runs", "export", "first", "-o", name]) == 0
        assert capsys.readouterr().out == f"{name} (5 attempts)\n"
    whole = json.loads((runs / "out.json").read_text())
    assert yaml.safe_load((runs / "out.yaml").read_text()) == whole
    entries = [json.loads(line) for line in (runs / "out.jsonl").read_text().splitlines()]
    assert entries == [{"run_id": "first"} | entry for entry in whole["history"]]
    rows = list(csv.DictReader((runs / "out.csv").read_text().splitlines()))
    assert [(row["path"], row["edge"], row["output"]) for row in rows[:2]] == [
        ("write#1", "success", "dry draft 1"),
        ("review#1", "failure", '{"error": "success_when was false: output.ok", "output": {"ok": false}}'),
    ]
    assert not list(runs.glob(".*"))


def test_values_that_json_has_no_word_for_are_tagged(here, capsys):
    from datetime import date

    hub = hub_of(
        workflow_of(step("a")),
        {"a": lambda goal: {"due": date(2026, 1, 31), "raw": b"\x00", "all": {1, 2}}},
        journal="runs.db",
    )
    with hub.journal:
        hub.execute_workflow("flow", "go", verbose=False, run_id="r")
    assert main(["runs", "show", "r", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)["history"][0]["output"]
    assert output["due"] == {"$date": "2026-01-31"}
    assert main(["runs", "export", "r", "-o", "out.yaml"]) == 0
    assert yaml.safe_load((here / "out.yaml").read_text())["history"][0]["output"] == output


def test_an_export_is_written_whole_or_not_at_all(runs, capsys):
    (runs / "out.json").write_text("before")
    (runs / "folder.json").mkdir()
    for arguments, code, said in (
        (["nobody", "-o", "out.json"], 1, "No run 'nobody'"),
        (["first", "-o", "out.xml"], 2, ".json, .jsonl, .yaml, .yml, .csv"),
        (["first", "-o", "no/out.json"], 1, "There is no folder no"),
        (["first", "-o", "folder.json"], 1, "folder.json"),
    ):
        assert main(["runs", "export", *arguments]) == code
        assert said in capsys.readouterr().err
    assert (runs / "out.json").read_text() == "before"
    assert not list(runs.glob(".*"))
