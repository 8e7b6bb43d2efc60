"""`runs show`: what a run did."""

from __future__ import annotations

import json

import pytest

from orchestration_kit import Action, SQLiteJournal, create_default_engine
from orchestration_kit.cli import main
from tests.support import hub_of, step, workflow_of


def test_a_run_is_shown_an_attempt_a_line(runs, capsys):
    assert main(["runs", "show", "failing"]) == 0
    text = capsys.readouterr().out
    assert "reason    publish#1 failed: OSError: offline" in text
    assert "used      5 attempts, 2 failed" in text
    shown = [line.split() for line in text.splitlines() if "#" in line[:12] and line[0].isdigit()]
    assert [line[1:4] for line in shown] == [
        ["write#1", "write", "ok"],
        ["review#1", "review", "FAILED"],
        ["write#2", "write", "ok"],
        ["review#2", "review", "ok"],
        ["publish#1", "publish", "FAILED"],
    ]
    assert shown[-1][-2:] == ["OSError:", "offline"]


def test_a_fork_shows_where_it_comes_from(runs, capsys):
    assert main(["runs", "show", "lively", "--data"]) == 0
    text = capsys.readouterr().out
    assert "fork of   first at write#1" in text
    assert "forked from first at write#1, with another tone" in text
    assert "tone  str   'lively'" in text


def test_the_data_bus_is_shown_in_short(runs, capsys):
    assert main(["runs", "show", "first", "--data"]) == 0
    text = capsys.readouterr().out
    assert "review_output   dict  {'ok': True}" in text
    assert "publish_output  str   'published dry draft 2'" in text


def test_the_whole_record_for_programs(runs, capsys):
    assert main(["runs", "show", "first", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["goal"], found["initial_data"]) == ("completed", "On skeletons", {"n": 1})
    assert [entry["path"] for entry in found["history"]] == ["write#1", "review#1", "write#2", "review#2", "publish#1"]
    assert found["history"][1]["why"] == [{"text": "output.ok", "inputs": {"output.ok": False}, "result": False}]
    assert found["data"]["publish_output"] == "published dry draft 2"


@pytest.mark.parametrize("name", ["out.svg", "out.dot", "out.txt"])
def test_the_way_of_a_run_is_drawn(runs, capsys, name):
    assert main(["runs", "show", "first", "--diagram", name]) == 0
    assert (runs / name).stat().st_size > 50
    assert main(["runs", "show", "first", "--json", "--diagram", name]) == 0
    json.loads("{" + capsys.readouterr().out.partition("\n{")[2])
    assert main(["runs", "show", "first", "--diagram", "out.gif"]) == 1


def test_a_run_that_is_not_there_is_told_with_those_that_are(runs, capsys):
    for arguments in (
        ["runs", "show", "frist"],
        ["runs", "resume", "frist", "--hub", "flow_under_test:ready"],
        ["replay", "frist"],
    ):
        assert main(arguments) == 1
        said = capsys.readouterr().err
        assert "No run 'frist' is on record. Did you mean 'first'?" in said
        assert "'lively', 'failing', 'first'" in said


def test_a_run_with_callables_in_its_workflow_is_shown_and_drawn(here, capsys):
    hub = hub_of(
        workflow_of(step("a", "b", success_when=lambda output, context: True), step("b")),
        {"a": str.upper, "b": str.lower},
        journal="runs.db",
    )
    with hub.journal:
        hub.execute_workflow("flow", "go", verbose=False, run_id="r")
    assert main(["runs", "show", "r", "--diagram", "out.svg"]) == 0
    assert main(["runs", "export", "r", "-o", "out.csv"]) == 0
    capsys.readouterr()
    assert main(["replay", "r"]) == 1
    assert (
        "The workflow flow holds Python callables, which are not on record. Say where it is: --hub"
        in capsys.readouterr().err
    )


def test_an_attempt_that_a_person_is_asked_about_was_not_retried(here, capsys):
    gate = create_default_engine(allowed_domains=["shop.example"], on_violation="ask")
    mail = Action("send_email", {"to": "eve@mail.test", "subject": "Hello", "body": "."})
    with SQLiteJournal("runs.db") as journal:
        hub = hub_of(workflow_of(step("a")), {"a": lambda _: mail}, journal=journal, constraints=gate)
        hub.start("flow", "go", run_id="r").run()
    assert main(["runs", "show", "r"]) == 0
    text = capsys.readouterr().out
    (line,) = (line for line in text.splitlines() if line.startswith("1  a#1"))
    assert line.split()[3] == "asked"
    assert "is in no allowed domain" in line
    assert "orchestration-kit runs approve r" in text
