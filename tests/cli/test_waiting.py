"""`runs waiting`: what is asked, where, since when and until when; `list` and `show` of runs that wait."""

from __future__ import annotations

import json
import shlex
from datetime import datetime, timedelta
from pathlib import Path

from orchestration_kit import SQLiteJournal
from orchestration_kit.cli import main
from tests.cli.support import lines
from tests.support import hub_of, step, workflow_of


def test_what_all_runs_wait_for_is_listed_the_oldest_first(asking, capsys):
    assert main(["runs", "waiting"]) == 0
    printed = capsys.readouterr()
    header, *rows = printed.out.splitlines()
    assert header.split() == ["run", "visit", "waits", "for", "since", "until", "shown", "request"]
    assert [row.split()[:2] for row in rows] == [
        ["shop/order#1", "sign#1"],
        ["offer", "sign#1"],
        ["many", "both#1[law]/law#1"],
        ["many", "both#1[style]/style#1"],
        ["coded", "sign#1"],
    ]
    assert "Send the offer?" in rows[1]
    assert "{'output.amount': 120, 'goal': 'for offer'}" in rows[1]
    assert "(an approval; its wording is in code that is not on record)" in rows[4]
    assert "runs waiting RUN_ID" in printed.err


def test_one_run_is_told_in_full_with_how_to_answer(asking, capsys):
    assert main(["runs", "waiting", "shop"]) == 0
    text = capsys.readouterr().out
    assert "sign#1 of run shop/order#1" in text
    assert "output.amount  120" in text
    (yes,) = (line for line in text.splitlines() if line.startswith("yes"))
    assert yes.split()[1:5] == ["orchestration-kit", "runs", "approve", "'shop/order#1'"]
    assert main(["runs", "waiting", "many"]) == 0
    text = capsys.readouterr().out
    assert 'schema  {"type": "object", "required": ["ok"]}' in text
    assert "--value JSON" in text


def test_questions_for_programs(asking, capsys):
    assert main(["runs", "waiting", "offer", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["run_id"], found["path"], found["kind"], found["prompt"]) == (
        "offer",
        "sign#1",
        "approval",
        "Send the offer?",
    )
    assert found["shown"] == {"output.amount": 120, "goal": "for offer"}
    asked_at, deadline = (datetime.fromisoformat(found[name]) for name in ("asked_at", "deadline"))
    assert deadline - asked_at == timedelta(hours=1)
    assert len(found["hash"]) == 64


def test_nothing_that_is_waited_for_is_said(runs, capsys):
    assert main(["runs", "waiting"]) == 0
    assert "No run waits" in capsys.readouterr().err
    assert main(["runs", "waiting", "first"]) == 0
    assert "Nothing in run first waits" in capsys.readouterr().err
    assert main(["runs", "waiting", "frist"]) == 1
    assert "Did you mean 'first'?" in capsys.readouterr().err
    assert main(["runs", "waiting", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_runs_that_wait_are_listed_and_those_within_stand_below(asking, capsys):
    assert main(["runs", "list"]) == 0
    _, *rows = lines(capsys)
    assert [row.split()[0] for row in rows] == ["coded", "many", "offer", "shop", "shop/order#1"]
    assert rows[-1].startswith("  shop/order#1  order")
    assert {row.split()[2] for row in rows} == {"waiting"}
    assert main(["runs", "list", "--workflow", "order"]) == 0
    header, *rows = lines(capsys)
    assert header.split()[-1] == "within"
    assert rows[-1].split()[-1] == "shop"
    assert main(["runs", "list", "--state", "waiting", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5


def test_a_run_shows_its_branches_indented_and_large_groups_cut_short(asking, capsys):
    assert main(["runs", "show", "many"]) == 0
    text = capsys.readouterr().out
    assert "state     waiting" in text
    assert "each#1" in text
    assert "opened 40 items" in text
    assert "\n 2    [1]/price#1" in text
    assert "no price" in text  # what failed is shown, although it is not among the first
    assert "[30]/price#1" not in text
    assert "      ... and 20 more" in text
    assert "20 completed" in text
    assert "joined: 39 completed, 1 failed" in text
    assert "      [law]/law#1 " in text
    assert "Lawful?" in text
    assert "orchestration-kit runs approve many --request" in text


def test_a_run_and_those_within_name_each_other(asking, capsys):
    assert main(["runs", "show", "shop"]) == 0
    text = capsys.readouterr().out
    assert "runs in it  shop/order#1 (waiting)" in text
    assert "Send the offer?" in text
    assert main(["runs", "show", "shop/order#1"]) == 0
    assert "within    shop\n" in capsys.readouterr().out
    assert main(["runs", "show", "shop", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["runs_within"], found["waiting"][0]["path"]) == (["shop/order#1"], "sign#1")


def test_the_record_is_in_the_order_of_the_workflow(asking, capsys):
    assert main(["runs", "show", "many", "--json"]) == 0
    history = json.loads(capsys.readouterr().out)["history"]
    assert [entry["path"] for entry in history] == [*(f"each#1[{n}]/price#1" for n in range(40)), "each#1"]
    assert [entry["seq"] for entry in history] == list(range(1, 42))
    assert main(["runs", "export", "many", "-o", "out.csv"]) == 0
    assert main(["runs", "show", "many", "--diagram", "out.svg"]) == 0
    assert (asking / "out.svg").stat().st_size > 1_000


def test_nested_branches_stand_below_one_another(here, capsys):
    from orchestration_kit import MapStep, ParallelStep

    workflow = workflow_of(
        MapStep(step_id="m", over="data.rows", body="p", is_terminal=True),
        ParallelStep(step_id="p", branches={"left": "a", "right": "b"}),
        step("a"),
        step("b"),
    )
    hub = hub_of(workflow, {"a": lambda row: row, "b": lambda row: -row}, journal=SQLiteJournal("runs.db"))
    with hub.journal:
        hub.execute_workflow("flow", "go", {"rows": [1, 2]}, verbose=False, run_id="r")
    assert main(["runs", "show", "r"]) == 0
    visits = [line[2:20].split("  ok")[0] for line in lines(capsys) if "#1" in line]
    assert [visit.rstrip(" ab") for visit in visits] == [
        " m#1",
        "   [0]/p#1",
        "     [left]/a#1",
        "     [right]/b#1",
        "   [0]/p#1",
        "   [1]/p#1",
        "     [left]/a#1",
        "     [right]/b#1",
        "   [1]/p#1",
        " m#1",
    ]


def test_the_commands_that_are_told_name_the_journal_that_was_named(asking, capsys):
    elsewhere = Path("runs.db").rename("my runs.db")
    assert main(["runs", "show", "offer", "--journal", str(elsewhere)]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("yes", "no "))]
    assert len(told) == 2
    assert all(f"offer --journal '{elsewhere}'" in line for line in told)
    _, *command = shlex.split(told[0].removeprefix("yes"))
    assert main(command) == 0
    said = capsys.readouterr()
    assert f"runs resume offer --journal '{elsewhere}' --hub" in said.out
