"""`orchestration-kit runs ...` and `replay`: what a person does with the runs of a journal from a terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
from contextlib import closing
from fcntl import ioctl

import pytest
import yaml
from rich.cells import cell_len

from orchestration_kit import Orchestrator, SQLiteJournal, WorkerDefinition
from orchestration_kit.cli import main
from orchestration_kit.cli.terminal import Cell, Column, fitted
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of

FLOW = """
import os
from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep

def write(value, context):
    context.data["tone"] = context.data.get("tone", "dry")
    context.add_usage(input_tokens=10, cost_usd=0.5)
    return f"{context.data['tone']} draft {context.visit}"

def review(value):
    return {"ok": "2" in value or "lively" in value}

def publish(value, context):
    if os.path.exists("offline"):
        raise OSError("offline")
    if os.path.exists("kill"):
        os.kill(os.getpid(), 9)
    return "published " + context.data["write_output"]

def hub(journal=None):
    workflow = WorkflowDefinition(name="article")
    workflow.add_step(WorkflowStep(step_id="write", worker_type="write", on_success="review"), is_initial=True)
    workflow.add_step(WorkflowStep(step_id="review", worker_type="review", success_when="output.ok", on_success="publish", on_failure="write"))
    workflow.add_step(WorkflowStep(step_id="publish", worker_type="publish", is_terminal=True))
    made = Orchestrator(journal=journal)
    for worker in (write, review, publish):
        made.register_worker(WorkerDefinition(worker_type=worker.__name__, name=worker.__name__, executor=worker))
    made.register_workflow(workflow)
    return made

ready = hub()

def broken():
    raise KeyError("settings")

def needy(path):
    return hub()

async def later():
    return hub()

def number():
    return 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder, with the module `flow_under_test` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "flow_under_test", raising=False)
    (tmp_path / "flow_under_test.py").write_text(FLOW)
    yield tmp_path
    sys.modules.pop("flow_under_test", None)


@pytest.fixture
def runs(here):
    """A journal with a run that completed, one that failed, and a fork that was never run."""
    hub = hub_at(here)
    with hub.journal:
        hub.execute_workflow(
            "article", "On skeletons", {"n": 1}, verbose=False, run_id="first", tags={"who": "ann", "n": "1"}
        )
        hub.clock.advance(60)
        (here / "offline").touch()
        hub.execute_workflow("article", "On brains", verbose=False, run_id="failing", tags={"who": "bob"})
        (here / "offline").unlink()
        hub.clock.advance(60)
        hub.get_run("first").fork("write#1", {"tone": "lively"}, run_id="lively").put_on_record()
    return here


def hub_at(folder, journal="runs.db"):
    sys.path.insert(0, str(folder))
    import flow_under_test

    hub = flow_under_test.hub(SQLiteJournal(folder / journal))
    hub.clock = FakeClock()
    return hub


def command(*arguments, env=None, **options):
    """Run the real program."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration_kit.cli", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), **(env or {})},
        timeout=60,
        **options,
    )


def in_terminal(width, *arguments):
    """Run the real program in a terminal of a width, and return what it wrote to it."""
    try:
        ours, theirs = pty.openpty()
    except OSError:  # a container without terminal devices: the same program, told that it writes to one
        code = "import sys; from orchestration_kit.cli import main; sys.stdout.isatty = lambda: True; sys.exit(main())"
        env = os.environ | {"COLUMNS": str(width), "TERM": "xterm-256color"}
        env.pop("NO_COLOR", None)
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, timeout=60, check=False
        )
        return done.returncode, done.stdout.replace("\n", "\r\n")
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    env = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")} | {
        "TERM": "xterm-256color"
    }
    with subprocess.Popen(
        [sys.executable, "-m", "orchestration_kit.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=env,
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not part:
                break
            parts.append(part)
        process.wait(timeout=60)
    os.close(ours)
    return process.returncode, b"".join(parts).decode()


def lines(capsys):
    return capsys.readouterr().out.splitlines()


# --- list


def test_runs_are_listed_newest_first_with_what_they_came_to(runs, capsys):
    assert main(["runs", "list"]) == 0
    header, *rows = lines(capsys)
    assert header.split() == ["run", "workflow", "state", "started", "attempts", "took", "cost", "fork", "of", "tags"]
    assert [row.split()[0] for row in rows] == ["lively", "failing", "first"]
    assert [row.split()[2] for row in rows] == ["in_progress", "failed", "completed"]
    assert "first@write#1" in rows[0]
    assert "$1.0000" in rows[1]
    assert "n=1, who=ann" in rows[2]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--state", "failed"], ["failing"]),
        (["--workflow", "article", "--limit", "0"], ["lively", "failing", "first"]),
        (["--workflow", "%' OR 1=1 --"], []),
        (["--tag", "who=ann"], ["lively", "first"]),
        (["--tag", "who=ann", "--tag", "n=2"], []),
        (["--since", "1970-01-01"], ["lively", "failing", "first"]),
        (["--since", "2d"], []),
        (["--limit", "1"], ["lively"]),
    ],
)
def test_runs_are_filtered(runs, capsys, options, found):
    assert main(["runs", "list", *options]) == 0
    printed = capsys.readouterr()
    assert [row.split()[0] for row in printed.out.splitlines()[1:]] == found
    assert ("No run is like that" in printed.err) == (not found)
    assert ("The newest 1 are listed; --limit 0 lists all" in printed.err) == ("1" in options)


def test_a_list_for_programs(runs, capsys):
    assert main(["runs", "list", "--json", "--limit", "2"]) == 0
    printed = capsys.readouterr()
    fork, failing = json.loads(printed.out)
    assert (fork["run_id"], fork["parent"], fork["forked_at"]) == ("lively", "first", "write#1")
    assert (failing["reason"], failing["attempts"], failing["tags"]) == (
        "publish#1 failed: OSError: offline",
        5,
        {"who": "bob"},
    )
    assert failing["started_at"] == "2023-11-14T22:14:20+00:00"
    assert "--limit 0" in printed.err
    assert main(["runs", "list", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["run"], row["state"], row["cost_usd"]) for row in rows][1:] == [
        ("failing", "failed", "1.0"),
        ("first", "completed", "1.0"),
    ]
    assert main(["runs", "list", "--csv", "--state", "blocked"]) == 0
    assert capsys.readouterr().out.startswith("run,workflow,state")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["list", "--since", "2x"], "'2x' is no length of time; write 90s, 30m (minutes), 12h, 7d or 2w"),
        (["list", "--since", "yesterday"], "'yesterday' is no moment; write 12h or 2d (ago), 2026-01-31"),
        (["list", "--state", "done"], "'completed'"),
        (["list", "--tag", "who"], "write name=value"),
        (["list", "--limit", "-1"], "no whole number from 0"),
        (["list", "--json", "--csv"], "not allowed with"),
        (["fork", "r", "--at", "a", "--hub", "m:h", "--set", "tone=lively"], """needs its own quotes: '"lively"'"""),
        (["fork", "r", "--at", "a", "--hub", "m:h", "--set", "tone"], "write key=JSON"),
        (["fork", "r", "--at", "a", "--hub", "m:h", "--input", "NaN"], "NaN is no number that JSON knows"),
        (["fork", "r", "--at", "a", "--hub", "m:h", "--input", "[" * 100_000], "nested too deeply"),
        (["fork", "r", "--hub", "m:h"], "--at"),
        (["resume", "r"], "--hub"),
        (["prune", "--older-than", "soon"], "no length of time"),
        ([], "COMMAND"),
    ],
)
def test_wrong_use_is_told_with_what_was_possible(here, capsys, options, said):
    with pytest.raises(SystemExit) as raised:
        main(["runs", *options])
    assert raised.value.code == 2
    assert said in capsys.readouterr().err


# --- no journal is ever made by looking

LOOKS = [
    ["runs", "list"],
    ["runs", "show", "r"],
    ["runs", "export", "r", "-o", "out.json"],
    ["runs", "prune", "--keep-last", "1"],
    ["runs", "backup", "out.db"],
    ["runs", "check"],
    ["replay", "r"],
    ["runs", "resume", "r", "--hub", "flow_under_test:ready"],
    ["runs", "fork", "r", "--at", "a#1", "--hub", "flow_under_test:hub"],
]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look[1] if look[0] == "runs" else look[0])
@pytest.mark.parametrize(
    "there", ["nothing", "an empty file", "an empty database", "a folder", "text", "another database"]
)
def test_a_journal_that_is_not_there_is_said_and_not_made(here, capsys, look, there):
    path = here / "runs.db"
    (here / "other.db").touch()
    if there == "an empty file":
        path.touch()
    elif there == "a folder":
        path.mkdir()
    elif there == "text":
        path.write_text("no journal " * 100)
    elif "database" in there:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE t(x)")
            if there == "an empty database":
                connection.execute("DROP TABLE t")
    before = path.read_bytes() if path.is_file() else None
    assert main(look) == 1
    printed = capsys.readouterr()
    assert "runs.db" in printed.err
    if there in ("nothing", "an empty file", "an empty database"):
        assert "--journal FILE" in printed.err
        assert "other.db" in printed.err
    assert printed.out == ""
    assert (path.read_bytes() if path.is_file() else None) == before
    assert sorted(p.name for p in here.iterdir() if p.name not in ("runs.db", "__pycache__")) == [
        "flow_under_test.py",
        "other.db",
    ]


def test_a_journal_elsewhere_is_named(runs, monkeypatch, tmp_path_factory, capsys):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert main(["runs", "list", "--journal", str(runs / "runs.db")]) == 0
    assert len(lines(capsys)) == 4
    assert main(["runs", "list", "--journal", "no/where.db"]) == 1


def test_a_new_journal_says_that_it_is_empty(here, capsys):
    SQLiteJournal("runs.db").close()
    assert main(["runs", "list"]) == 0
    assert "There is no run in" in capsys.readouterr().err
    assert main(["runs", "list", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"


# --- show


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


# --- hostile text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A journal of runs that are hostile wherever text comes in; returns it and the ids."""
    path = tmp_path_factory.mktemp("hostile") / "runs.db"
    ids = [payload for payload in PAYLOADS if payload.strip()]
    said = iter(ids)
    with SQLiteJournal(path) as journal:
        workers = {
            "a": lambda value, context: {"said": value, value: 1},
            "b": ScriptedWorker(*(OSError(text) for text in ids)),
        }
        hub = hub_of(workflow_of(step("a", "b"), step("b")), workers, journal=journal)
        for text in ids:
            hub.execute_workflow("flow", text, {text: text}, verbose=False, run_id=text, tags={text: next(said)})
    return path, ids


@pytest.fixture(autouse=True)
def _as_wide_as_it_likes(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def is_safe(text):
    return all(character.isprintable() or character == "\n" for character in text)


def test_hostile_text_is_listed_without_control_characters(hostile, capsys):
    path, ids = hostile
    for options in ([], ["--json"], ["--csv"], ["--limit", "3"]):
        assert main(["runs", "list", "--journal", str(path), "--limit", "0", *options]) == 0
        printed = capsys.readouterr()
        assert is_safe(printed.out)
        assert is_safe(printed.err)
        if options == ["--json"]:
            assert {run["run_id"] for run in json.loads(printed.out)} == set(ids)
        if not options:
            assert len(printed.out.splitlines()) == len(ids) + 1
            assert "\\x1b[2J" in printed.out
            assert "[x](javascript:pwned())" in printed.out


def test_hostile_text_is_shown_and_exported_without_control_characters(hostile, tmp_path, capsys):
    path, ids = hostile
    for text in ids[:: 1 if os.environ.get("CI") else 7] + [text for text in ids if not text.isprintable()]:
        assert main(["runs", "show", "--journal", str(path), "--data", "--", text]) == 0
        assert main(["runs", "show", "--journal", str(path), "--json", "--", text]) == 0
        assert main(["replay", "--journal", str(path), "--", text]) == 0
        assert main(["runs", "show", "--journal", str(path), "--", text + "?"]) == 1
        printed = capsys.readouterr()
        assert is_safe(printed.out)
        assert is_safe(printed.err)
        for name in ("out.json", "out.jsonl", "out.yaml", "out.csv"):
            assert main(["runs", "export", "--journal", str(path), "-o", str(tmp_path / name), "--", text]) == 0
        whole = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
        assert yaml.safe_load((tmp_path / "out.yaml").read_text(encoding="utf-8")) == whole
        assert is_safe((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
        for row in csv.reader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8"), newline="")):
            assert not any(cell.lstrip().startswith(("=", "+", "@")) for cell in row)
    capsys.readouterr()


def test_hostile_text_in_a_terminal(hostile):
    path, _ = hostile
    code, printed = in_terminal(70, "runs", "list", "--journal", str(path), "--limit", "0")
    assert code == 0
    colours = [part.partition("m")[0] for part in printed.split("\x1b[")[1:]]
    assert colours
    assert all(colour.replace(";", "").isdigit() for colour in colours)
    bare = "".join(part.partition("m")[2] if at else part for at, part in enumerate(printed.split("\x1b[")))
    assert is_safe(bare.replace("\r\n", "\n"))
    assert max(cell_len(line) for line in bare.split("\r\n")) <= 70


# --- widths


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 400])
def test_tables_fit_the_terminal(hostile, runs, monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for arguments in (
        ["list"],
        ["show", "first", "--data"],
        ["show", "lively"],
        ["list", "--journal", str(hostile[0])],
    ):
        assert main(["runs", *arguments]) == 0
        printed = capsys.readouterr()
        assert max(cell_len(line) for line in printed.out.splitlines()) <= width
        assert all(line == line.rstrip() for line in printed.out.splitlines())
    assert ("Too narrow for" in printed.err) == (width < 400)


def test_into_a_pipe_nothing_is_cut(runs, capsys):
    hub = hub_at(runs)
    with hub.journal:
        hub.execute_workflow("article", "go", verbose=False, run_id="r" * 110, tags={"note": "x" * 50})
    assert main(["runs", "list"]) == 0
    printed = capsys.readouterr()
    assert "r" * 110 in printed.out
    assert "x" * 50 in printed.out
    assert printed.err == ""


def test_columns_go_by_rank_and_one_shrinks():
    columns = (Column("id"), Column("a", rank=1), Column("b", rank=2), Column("note", least=5))
    rows = [[Cell("x" * 10), Cell("y" * 10), Cell("z" * 10), Cell("n" * 20)]]
    assert fitted(columns, rows, 1_000) == ([0, 1, 2, 3], [10, 10, 10, 20])
    assert fitted(columns, rows, 50) == ([0, 1, 2, 3], [10, 10, 10, 14])
    assert fitted(columns, rows, 40) == ([0, 1, 3], [10, 10, 16])
    assert fitted(columns, rows, 18) == ([0, 3], [10, 8])


# --- resume


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


# --- fork


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


# --- export


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


# --- prune, backup, check


def test_prune_needs_to_know_what_stays(runs, capsys):
    for options in ([], ["--workflow", "article"], ["--vacuum"], ["--dry-run"]):
        assert main(["runs", "prune", *options]) == 2
        assert "--keep-last 100, --older-than 30d" in capsys.readouterr().err
    assert main(["runs", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_prune_prints_what_goes(runs, capsys):
    assert main(["runs", "prune", "--older-than", "30d", "--state", "failed", "--dry-run", "--vacuum"]) == 0
    text = capsys.readouterr().out
    assert "failing  article   failed" in text
    assert "1 run would be deleted, 2 left." in text
    assert main(["runs", "prune", "--keep-last", "0", "--workflow", "article", "--vacuum"]) == 0
    text = capsys.readouterr().out
    assert "failing" in text
    assert "1 run deleted, 2 left." in text  # a fork needs the other one
    assert "MB given back to the disk." in text
    assert main(["runs", "prune", "--keep-last", "0", "--unfinished"]) == 0
    assert "2 runs deleted, 0 left." in capsys.readouterr().out


def test_a_backup_is_a_journal(runs, capsys):
    assert main(["runs", "backup", "copy.db"]) == 0
    assert "copy.db (3 runs, " in capsys.readouterr().out
    assert main(["runs", "list", "--journal", "copy.db"]) == 0
    assert len(lines(capsys)) == 4
    assert main(["runs", "backup", "copy.db"]) == 1
    assert "To replace it: --overwrite." in capsys.readouterr().err
    assert main(["runs", "backup", "copy.db", "--overwrite"]) == 0
    assert main(["runs", "backup", "runs.db", "--overwrite"]) == 1


def test_a_sound_journal_passes_the_check(runs, capsys):
    assert main(["runs", "check"]) == 0
    assert capsys.readouterr().out.endswith("runs.db is sound: 3 runs.\n")


def test_a_damaged_run_is_named_and_does_not_hide_the_others(runs, capsys):
    with closing(sqlite3.connect("runs.db")) as connection, connection:
        (number,) = connection.execute("SELECT number FROM runs WHERE CAST(run_id AS TEXT) = 'failing'").fetchone()
        connection.execute(
            "UPDATE rows SET body = replace(CAST(body AS TEXT), 'dry', 'wet') WHERE id >> 32 = ?", (number,)
        )
        connection.execute("UPDATE runs SET reason = 'none' WHERE number = ?", (number,))
    assert main(["runs", "check"]) == 1
    text = capsys.readouterr().out
    assert "Run 'failing': the checksum of where it stands does not fit" in text
    assert "'first'" not in text
    assert "'lively'" not in text
    assert "runs.db is damaged" in text
    assert main(["runs", "list"]) == 0
    states = {row.split()[0]: row.split()[2] for row in lines(capsys)[1:]}
    assert states == {"lively": "in_progress", "failing": "damaged", "first": "completed"}
    assert main(["runs", "show", "failing"]) == 1
    assert "The record of run 'failing' is damaged" in capsys.readouterr().err


# --- types of one's own


TYPED = """
import dataclasses, enum
from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline

class Mood(enum.Enum):
    DRY = 1

@dataclasses.dataclass
class Finding:
    text: str
    mood: Mood = Mood.DRY

def work(goal):
    return Finding(goal)

def hub(journal=None):
    made = Orchestrator(journal=journal)
    made.register_worker(WorkerDefinition(worker_type="generic", name="work", executor=work))
    made.register_workflow(create_generic_pipeline([("a", "generic", "")]))
    return made
"""


def test_values_of_types_of_ones_own_are_read_once_their_module_is_named(here):
    (here / "typed.py").write_text(TYPED)
    code = "import typed; typed.hub('runs.db').execute_workflow('a', 'go', verbose=False, run_id='r')"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, "PYTHONPATH": f"{here}:{os.environ.get('PYTHONPATH', '')}"},
    )
    listed, checked = command("runs", "list"), command("runs", "check")
    assert "completed" in listed.stdout
    assert (checked.returncode, "is sound: 1 run." in checked.stdout) == (0, True)
    assert "Run r: its checksums fit, but its values were not all read." in checked.stderr
    shown = command("runs", "show", "r", "--data")
    assert shown.returncode == 1
    assert "'typed.Mood', which is not registered here" in shown.stderr
    assert shown.stderr.endswith("Here, name its module: --import typed\n")
    assert (
        "Finding(text='go', mood=<Mood.DRY: 1>)" in command("runs", "show", "r", "--data", "--import", "typed").stdout
    )
    assert command("runs", "check", "--import", "typed").stderr == ""
    assert command("replay", "r", "--import", "typed").returncode == 0
    assert command("replay", "r", "--hub", "typed:hub").returncode == 0


# --- replay


def test_a_replay_says_whether_the_path_is_the_same(runs, capsys):
    import flow_under_test

    assert main(["replay", "first"]) == 0
    assert capsys.readouterr().out == "Run 'first': the same path, 5 attempts, no worker called.\n"
    assert main(["replay", "first", "--hub", "flow_under_test:hub"]) == 0
    changed = flow_under_test.ready.workflows["article"].model_copy(deep=True)
    changed.steps["review"].on_failure = "publish"
    (runs / "changed.yaml").write_text(changed.to_yaml())
    capsys.readouterr()
    for other in (["--workflow", "changed.yaml"], ["--workflow", "changed.yaml", "--hub", "flow_under_test:hub"]):
        assert main(["replay", "first", *other]) == 1
        assert (
            "at review#1, attempt 1:\n  on record, it goes on to 'write'\n  by this workflow, it goes on to 'publish'\n"
            in capsys.readouterr().out
        )
    flow_under_test.ready.register_workflow(changed)
    assert main(["replay", "first", "--hub", "flow_under_test:ready"]) == 1
    assert main(["replay", "first", "--workflow", "changed.txt"]) == 1
    assert main(["replay", "first", "--workflow", "none.yaml"]) == 1


# --- the real program


def test_a_run_whose_process_was_killed_is_found_and_goes_on(here):
    (here / "kill").touch()
    code = "import flow_under_test as f; f.hub('runs.db').execute_workflow('article', 'go', verbose=False, run_id='r')"
    killed = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": f"{here}:{os.environ.get('PYTHONPATH', '')}"}
    )
    assert killed.returncode == -signal.SIGKILL
    (here / "kill").unlink()
    listed = command("runs", "list")
    assert "dead: process" in listed.stdout
    assert "in_progress" in listed.stdout
    shown = command("runs", "show", "r")
    assert "dead: process" in shown.stdout
    assert "`orchestration-kit runs resume` goes on with the run" in shown.stdout
    resumed = command("runs", "resume", "r", "--hub", "flow_under_test:hub")
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert "completed after 5 attempts" in resumed.stdout


def test_plain_text_where_the_terminal_knows_no_other_characters(runs):
    done = command("runs", "show", "first", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()
    done = command("runs", "list", "--json", env={"PYTHONIOENCODING": "ascii"})
    assert len(json.loads(done.stdout)) == 3


def test_a_reader_that_has_seen_enough_is_no_error(hostile):
    path, _ = hostile
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "orchestration_kit.cli",
            "runs",
            "list",
            "--json",
            "--limit",
            "0",
            "--journal",
            str(path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(timeout=60)
    assert process.returncode in (0, 1)


def test_the_help_is_quick_and_loads_no_heavy_module(runs):
    code = "import sys; from orchestration_kit.cli import main\ntry: main(['runs', '--help'])\nexcept SystemExit: pass\nprint([m for m in ('pandas', 'numpy', 'pydantic', 'rich', 'networkx', 'sqlite3', 'IPython') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("list", "show", "resume", "fork", "export", "prune", "backup", "check"):
        assert f"\n    {name} " in done.stdout
    code = "import sys; from orchestration_kit.cli import main; main(['runs', 'list']); print([m for m in ('pandas', 'networkx', 'IPython') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


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
