"""`runs resume` and `runs fork`: a run goes on through the hub that is named."""

from __future__ import annotations

import json
import sys

import pytest

from orchestration_kit import Orchestrator, SQLiteJournal, WorkerDefinition
from orchestration_kit.cli import main
from orchestration_kit.testing import ScriptedWorker
from tests.cli.support import hub_at
from tests.support import hub_of, step, workflow_of


def test_a_run_goes_on_and_its_account_is_printed(runs, capsys):
    assert main(["runs", "resume", "failing", "--hub", "flow_under_test:hub"]) == 0
    text = capsys.readouterr().out
    assert "article: run failing goes on" in text
    assert "publish#1" in text
    assert "write#1" not in text
    assert "completed after 6 attempts in" in text
    assert " min " not in text
    assert main(["runs", "list", "--state", "completed", "--json"]) == 0
    assert [run["run_id"] for run in json.loads(capsys.readouterr().out)] == ["failing", "first"]


def test_a_run_that_fails_again_exits_1(runs, capsys):
    (runs / "offline").touch()
    assert main(["runs", "resume", "failing", "--hub", "flow_under_test:hub"]) == 1
    assert "OSError: offline" in capsys.readouterr().out


def test_a_run_that_is_over_is_not_run_again(runs, capsys):
    assert main(["runs", "resume", "first", "--hub", "flow_under_test:ready"]) == 0
    assert capsys.readouterr().out == "Run first is over, and there is nothing left to do: completed.\n"


def test_a_run_that_reached_its_limit_goes_on_under_another(here, capsys):
    from orchestration_kit import RunLimits

    hub = hub_at(here)
    with hub.journal:
        hub.execute_workflow("article", "go", verbose=False, run_id="r", limits=RunLimits(max_steps=3))
    assert main(["runs", "resume", "r", "--hub", "flow_under_test:hub"]) == 1
    assert main(["runs", "resume", "r", "--hub", "flow_under_test:hub", "--max-steps", "9"]) == 0


@pytest.mark.parametrize("name", ["hub", "ready"])
def test_the_hub_is_an_orchestrator_or_makes_one(runs, capsys, name):
    assert main(["runs", "resume", "lively", "--hub", f"flow_under_test:{name}"]) == 0


def test_an_interrupt_says_how_to_go_on(runs, capsys):
    def interrupted(value):
        raise KeyboardInterrupt

    import flow_under_test

    flow_under_test.ready.register_worker(WorkerDefinition(worker_type="publish", name="publish", executor=interrupted))
    assert main(["runs", "resume", "failing", "--hub", "flow_under_test:ready"]) == 130
    assert "runs resume` goes on from there" in capsys.readouterr().err
    assert main(["runs", "resume", "failing", "--hub", "flow_under_test:hub"]) == 0


@pytest.mark.parametrize(
    ("hub", "said"),
    [
        (
            "flow_under_test",
            "names a module alone. Write --hub flow_under_test:NAME. It could be one of these: hub, ready, broken, later, number",
        ),
        ("flow_under_test:", "Write --hub MODULE:NAME"),
        (":hub", "Write --hub MODULE:NAME"),
        (
            "flow_under_tst:hub",
            "there is no such module. In this folder there are: flow_under_test. Did you mean 'flow_under_test'?",
        ),
        ("flow_under_test.more:hub", "there is no such module"),
        ("flow_under_test.py:hub", "this is not how a module is named. Name it as in an import: flow_under_test"),
        ("./flow_under_test.py:hub", "Name it as in an import: flow_under_test"),
        ("flow_under_test:hubb", "has no 'hubb'. It could be one of these: hub"),
        ("flow_under_test:FLOW.x", "has no 'FLOW.x'"),
        ("flow_under_test:os", "this is module, no Orchestrator"),
        ("flow_under_test:needy", "it cannot be called without path"),
        ("flow_under_test:broken", "it raised KeyError: 'settings'"),
        ("flow_under_test:number", "it returned int, no Orchestrator"),
        ("flow_under_test:later", "it returned coroutine, no Orchestrator"),
        ("badly_written:hub", "importing it raised NameError: name 'undefined' is not defined"),
        ("misspelt:hub", "importing it raised SyntaxError: "),
        ("needs_another:hub", "importing it raised ModuleNotFoundError: No module named 'not_installed'"),
    ],
)
def test_a_hub_that_is_not_there_is_told_with_what_is(runs, capsys, hub, said):
    (runs / "badly_written.py").write_text("x = 1\nundefined\n")
    (runs / "needs_another.py").write_text("import not_installed\n")
    (runs / "misspelt.py").write_text("def (\n")
    if "tst" in hub:
        (runs / "badly_written.py").unlink()
        (runs / "needs_another.py").unlink()
        (runs / "misspelt.py").unlink()
    assert main(["runs", "resume", "failing", "--hub", hub]) == 1
    error = capsys.readouterr().err
    assert said in error
    if "badly" in hub:
        assert "badly_written.py, line 2" in error


def test_a_hub_with_a_journal_of_its_own_keeps_it(runs, capsys):
    (runs / "own.py").write_text(
        "import flow_under_test\nhub = flow_under_test.hub('runs.db')\nelsewhere = flow_under_test.hub('else.db')\n"
    )
    import own

    try:
        with own.hub.journal, own.elsewhere.journal:
            assert main(["runs", "resume", "lively", "--hub", "own:elsewhere", "--journal", "runs.db"]) == 1
            assert "else.db, not in runs.db. Leave --journal out" in capsys.readouterr().err
            assert main(["runs", "resume", "lively", "--hub", "own:elsewhere"]) == 1
            assert "No run 'lively' is on record. There are: none." in capsys.readouterr().err
            assert main(["runs", "resume", "lively", "--hub", "own:hub", "--journal", "./runs.db"]) == 0
            assert main(["runs", "resume", "failing", "--hub", "own:hub"]) == 0
    finally:
        sys.modules.pop("own", None)


def test_a_workflow_that_no_longer_fits_is_refused(runs, capsys):
    import flow_under_test

    flow_under_test.ready.register_workflow(workflow_of(step("write", "publish"), step("publish"), name="article"))
    assert main(["runs", "resume", "failing", "--hub", "flow_under_test:ready"]) == 1
    assert "does not fit run 'failing' any more; they part at write#1" in capsys.readouterr().err
    flow_under_test.ready = Orchestrator()
    assert main(["runs", "resume", "failing", "--hub", "flow_under_test:ready"]) == 1
    assert "Workflow not found: 'article'" in capsys.readouterr().err


def test_a_fork_goes_another_way(runs, capsys):
    assert (
        main(
            [
                "runs",
                "fork",
                "first",
                "--at",
                "write#1",
                "--set",
                'tone="lively"',
                "--as",
                "f",
                "--hub",
                "flow_under_test:hub",
            ]
        )
        == 0
    )
    text = capsys.readouterr().out
    assert "Run f is a fork of first at write#1." in text
    assert "published lively draft 1" in text
    assert main(["runs", "show", "f", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["parent"], found["data"]["tone"], len(found["history"])) == ("first", "lively", 3)
    assert main(["runs", "show", "first", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["history"]) == 5


def test_a_fork_may_be_run_later(runs, capsys):
    arguments = [
        "runs",
        "fork",
        "first",
        "--at",
        "review#1",
        "--input",
        '"a lively one"',
        "--as",
        "later",
        "--hub",
        "flow_under_test:hub",
    ]
    assert main([*arguments, "--no-run"]) == 0
    assert "It is on record, and was not run" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "A run with the id 'later' exists already" in capsys.readouterr().err
    assert main(["runs", "resume", "later", "--hub", "flow_under_test:hub"]) == 0
    assert main(["runs", "show", "later"]) == 0
    assert "with another input" in capsys.readouterr().out


def test_a_fork_from_nowhere_is_refused(runs, capsys):
    assert main(["runs", "fork", "first", "--at", "review#3", "--hub", "flow_under_test:hub"]) == 1
    assert "Did you mean 'review#2'" in capsys.readouterr().err


def test_a_run_that_ended_at_a_failed_step_is_told_how_to_try_again(here, capsys):
    hub = hub_of(
        workflow_of(step("a", "end", on_failure="lost"), step("end"), step("lost", outcome="failed"), name="article"),
        {"a": ScriptedWorker(OSError("offline"), repeat_last=True), "end": str, "lost": str},
        journal=SQLiteJournal(here / "runs.db"),
    )
    with hub.journal:
        hub.execute_workflow("article", "go", verbose=False, run_id="r")
    assert main(["runs", "resume", "r", "--hub", "flow_under_test:ready"]) == 1
    assert "try again from where it failed: runs fork r --at a#1" in capsys.readouterr().out
