"""`doctor`: what is installed, missing or broken is told, with what to do; keys are named and never shown."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from orchestration_kit import SQLiteJournal
from orchestration_kit.cli import main
from orchestration_kit.cli.doctor_around import (
    KEYS,
    folder_findings,
    key_findings,
    notebook_findings,
    renderer_findings,
)
from orchestration_kit.cli.doctor_packages import lack_of, needed_of
from tests.cli.support import in_terminal, is_safe
from tests.hostile import PAYLOADS

SECRET = "sk-proj-" + "4f9dQ2mZx81LpT7vKc3R" * 2


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


def examined(capsys, *options):
    """Run it, and return the exit code and the findings by area and what."""
    code = main(["doctor", "--json", *map(str, options)])
    told = json.loads(capsys.readouterr().out)
    assert told["is_sound"] == (code == 0)
    return code, {(one["area"], one["what"]): one for one in told["findings"]}


def installed_as(tmp_path, monkeypatch, *requires, extras=()):
    """Have the package's metadata say that it requires these."""
    folder = tmp_path / "site" / "orchestration_kit-9.9.dist-info"
    folder.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", "Name: orchestration-kit", "Version: 9.9"]
    lines += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {one}" for one in requires]
    (folder / "METADATA").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path / "site")


def dot_that(tmp_path, monkeypatch, script):
    folder = tmp_path / "programs"
    folder.mkdir()
    if script:
        (folder / "dot").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin" if script else str(folder))


def test_a_whole_installation_is_sound(here, capsys):
    code, found = examined(capsys)
    assert code == 0
    assert found["python", "Python"]["found"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    assert found["package", "orchestration-kit"]["state"] == "ok"
    assert {what for area, what in found if area == "extras"} >= {"demo", "lab", "llm", "plot", "dask", "reliability"}
    assert all(one["state"] in ("ok", "missing") for one in found.values())
    assert ("journal", "runs.db") not in found


def test_it_is_printed_as_a_table_with_what_to_do_below(here, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "changeme")
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert text.split("\n")[0].split() == ["area", "what", "state", "found"]
    assert "Worth a look:\n  OPENAI_API_KEY: Set OPENAI_API_KEY anew, before Python starts.\n" in text
    assert text.endswith("\nNothing is broken.\n")
    assert is_safe(text)


def test_it_asks_no_network(here, capsys, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("no network")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert main(["doctor"]) == 0


def test_an_extra_that_is_not_complete_is_told_with_the_pip_command_and_is_no_error(
    tmp_path, here, capsys, monkeypatch
):
    requires = [
        "pydantic>=2",
        "no-such-thing>=3; extra == 'fly'",
        "pydantic>=2000; extra == 'later'",
        "rich; extra == 'nice'",
    ]
    installed_as(tmp_path, monkeypatch, *requires, extras=["fly", "later", "nice"])
    code, found = examined(capsys)
    assert code == 0
    assert found["package", "orchestration-kit"]["found"] == "9.9"
    fly = found["extras", "fly"]
    assert (fly["state"], fly["found"], fly["fix"]) == (
        "missing",
        "needs no-such-thing>=3",
        'pip install "orchestration-kit[fly]"',
    )
    assert found["extras", "later"]["found"].startswith("needs pydantic>=2000 (there is 2.")
    assert found["extras", "nice"]["state"] == "ok"
    assert main(["doctor"]) == 0
    assert '\nTo have more:\n  fly: pip install "orchestration-kit[fly]"\n' in capsys.readouterr().out


def test_a_package_that_the_core_needs_and_lacks_is_broken(tmp_path, here, capsys, monkeypatch):
    installed_as(tmp_path, monkeypatch, "no-such-thing>=3")
    code, found = examined(capsys)
    assert code == 1
    assert found["package", "orchestration-kit"]["found"] == "9.9, without no-such-thing>=3"
    assert main(["doctor"]) == 1
    assert "To mend:\n  orchestration-kit: pip install -U orchestration-kit\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "name", "lacks"),
    [
        ("pydantic", "pydantic", ""),
        ("Pydantic (>=2)", "Pydantic", ""),
        ("common_expression_language>=0.1,<99", "common_expression_language", ""),
        ("pydantic-ai-slim[openai]>=2; extra == 'llm'", "pydantic-ai-slim", ""),
        ("pydantic-ai-slim[ no-such-extra ]", "pydantic-ai-slim", ""),
        ("pandas>=999.0", "pandas", "pandas>=999.0 (there is "),
        ("no.such_thing[x,y]>=1.0", "no.such_thing", "no.such_thing[x,y]>=1.0"),
        ("???", "???", "???"),
    ],
)
def test_requirements_are_read(text, name, lacks):
    needed = needed_of(text)
    assert needed.name == name
    assert lack_of(needed).startswith(lacks)
    assert bool(lack_of(needed)) == bool(lacks)


def test_what_the_extra_of_a_requirement_needs_is_looked_at_too(tmp_path, monkeypatch):
    folder = tmp_path / "slim-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: slim\nVersion: 1.0\nRequires-Dist: no-such-thing; extra == 'more'\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert lack_of(needed_of("slim[more]")) == "no-such-thing (for slim[more])"
    assert lack_of(needed_of("slim")) == ""


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        ("", "missing", "not on the PATH"),
        ("echo 'no plugins' >&2; exit 3", "broken", "failed with code 3: no plugins"),
        ('test "$1" = -V && echo "dot - graphviz version 2.30.1 (2013)" >&2 || { cat >/dev/null; echo "<svg/>"; }', "note", "2.30.1 at "),
        ('test "$1" = -V && echo "dot - graphviz version 12.2.1 (2024)" >&2 || { cat >/dev/null; echo "<svg/>"; }', "ok", "12.2.1 at "),
    ],
)  # fmt: skip
def test_the_renderer_is_tried(tmp_path, monkeypatch, script, state, said):
    dot_that(tmp_path, monkeypatch, script)
    builtin, dot = renderer_findings()
    assert builtin.state == "ok"
    assert (dot.state, bool(dot.fix)) == (state, state != "ok")
    assert said in dot.found


def test_widgets_whose_extension_is_not_where_jupyterlab_looks_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    found = {one.what: one for one in notebook_findings()}
    assert found["anywidget"].state in ("note", "ok")  # it may be in a folder of the user, or of the system
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "mine"))
    (tmp_path / "mine" / "labextensions" / "anywidget").mkdir(parents=True)
    assert {one.what: one.state for one in notebook_findings()}["anywidget"] == "ok"


@pytest.mark.parametrize(
    ("value", "state", "found"),
    [
        (SECRET, "ok", "set"),
        ("", "note", "set, to nothing"),
        (f" {SECRET}\n", "note", "set, with blanks around it, which servers refuse"),
        (f"'{SECRET}'", "note", "set, with quotes around it, which servers refuse"),
        ("********", "note", "set, to a word that is no key"),
    ],
    ids=["a key", "nothing", "blanks", "quotes", "a mask"],
)
def test_keys_are_named_and_never_shown(here, capsys, monkeypatch, value, state, found):
    monkeypatch.setenv("ANTHROPIC_API_KEY", value)
    (one,) = key_findings()
    assert (one.what, one.state, one.found) == ("ANTHROPIC_API_KEY", state, found)
    for options in ([], ["--json"]):
        main(["doctor", *options])
        printed = capsys.readouterr()
        assert "ANTHROPIC_API_KEY" in printed.out
        assert SECRET not in printed.out + printed.err


def test_a_sound_journal_is_told_with_its_runs(runs, capsys):
    code, found = examined(capsys)
    assert code == 0
    assert found["journal", "runs.db"]["state"] == "ok"
    assert "version 1" in found["journal", "runs.db"]["found"]
    assert found["journal", "content"]["found"] == "every page, row, blob and checksum fits"
    assert found["journal", "runs"]["found"] == "1 completed, 1 failed, 1 in_progress"
    assert "left behind" not in {what for _, what in found}
    (runs / "runs.db").chmod(0o644)
    code, found = examined(capsys, "--journal", "runs.db")
    assert (code, found["journal", "access"]["state"], found["journal", "access"]["fix"]) == (
        0,
        "note",
        "chmod 600 runs.db",
    )


def test_a_damaged_journal_is_broken_and_named(runs, capsys):
    with closing(sqlite3.connect("runs.db")) as connection, connection:
        connection.execute("UPDATE runs SET reason = 'none' WHERE CAST(run_id AS TEXT) = 'failing'")
    code, found = examined(capsys)
    assert code == 1
    assert found["journal", "content"]["state"] == "broken"
    assert "'failing'" in found["journal", "content"]["found"]
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out.endswith("\n1 thing is broken.\n")


def test_what_is_no_journal_is_broken_and_nothing_is_made(here, capsys):
    Path("text.db").write_text("no database " * 100)
    Path("empty.db").touch()
    with closing(sqlite3.connect("other.db")) as connection, connection:
        connection.execute("CREATE TABLE mine(x)")
    Path("folder.db").mkdir()
    for name, said in {
        "none.db": "there is no such file, and none was made",
        "text.db": "text.db",
        "empty.db": "nothing was ever put into it",
        "other.db": "it is an SQLite database of another program",
        "folder.db": "it is no file",
    }.items():
        before = {path: path.stat().st_size for path in Path().rglob("*") if path.suffix == ".db"}
        code, found = examined(capsys, "--journal", name)
        assert code == 1
        one = found["journal", name]
        assert (one["state"], bool(one["fix"])) == ("broken", True)
        assert said in one["found"]
        assert before == {path: path.stat().st_size for path in Path().rglob("*") if path.suffix == ".db"}


def test_a_run_whose_driver_died_is_told_with_how_to_resume_it(here, capsys):
    (here / "kill").touch()
    code = "import sys; sys.path.insert(0, '.'); from flow_under_test import hub; hub('runs.db').execute_workflow('article', 'go', verbose=False, run_id='killed')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL
    code, found = examined(capsys)
    one = found["journal", "left behind"]
    assert (code, one["state"]) == (0, "note")
    assert "has ended: killed. What they had completed is kept" in one["found"]
    assert one["fix"] == "orchestration-kit runs resume killed --hub MODULE:NAME --journal runs.db"


def test_a_run_that_is_driven_now_is_told(runs, capsys):
    with SQLiteJournal("runs.db") as journal:
        journal.claim("lively", journal.find_run("lively").holder)
        _, found = examined(capsys)
    assert found["journal", "driven"]["found"] == "1 run driven now: lively"


def test_in_a_narrow_terminal_everything_is_still_there(here):
    code, text = in_terminal(60, "doctor")
    assert code == 0
    assert "Nothing is broken." in text
    assert all(
        len(line) <= 60
        for line in re.sub("\x1b\\[[0-9;]*m", "", text).split("\r\n")
        if line.startswith(("extras", "python"))
    )


def test_hostile_names_of_runs_are_text(hostile, capsys):
    path, ids = hostile
    assert main(["doctor", "--journal", str(path)]) == 0
    text = capsys.readouterr().out
    assert is_safe(text)
    assert f"{len(ids)} failed" in text
    assert len(PAYLOADS) >= len(ids)


def test_a_folder_that_is_not_installed_says_so(tmp_path, here, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    code, found = examined(capsys)
    assert code == 0
    assert "it is not installed" in found["package", "orchestration-kit"]["found"]
    assert found["notebooks", "front end"]["fix"] == 'pip install "orchestration-kit[lab]"'


def test_values_of_types_that_are_not_known_here_are_no_damage(here, capsys):
    (here / "own_types.py").write_text("from dataclasses import dataclass\n@dataclass\nclass Own:\n    x: int\n")
    code = """
import sys; sys.path.insert(0, '.')
import own_types
from orchestration_kit import Orchestrator, SQLiteJournal, WorkerDefinition, WorkflowDefinition, register_type
register_type(own_types.Own)
hub = Orchestrator(journal=SQLiteJournal('runs.db'))
hub.register_worker(WorkerDefinition(worker_type='generic', name='g', executor=lambda value: own_types.Own(1)))
hub.register_workflow(WorkflowDefinition.from_edges('w', [('a', 'b')]))
hub.execute_workflow('w', 'go', verbose=False)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    code, found = examined(capsys)
    assert (code, found["journal", "types"]["state"]) == (0, "note")
    assert found["journal", "types"]["fix"] == "orchestration-kit runs check --import MODULE"


# --- the folder


def test_a_folder_on_a_network_share_is_noted_before_a_journal_is_refused(tmp_path):
    assert not list(folder_findings(tmp_path, "21 1 8:1 / / rw - ext4 /dev/sda1 rw"))
    [found] = folder_findings(tmp_path, "21 1 0:50 / / rw - nfs4 server:/home rw")
    assert (found.state, found.found) == (
        "note",
        "it is on a network or shared file system (nfs4): a journal is refused here",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="takes a user who may become another")
def test_a_folder_that_may_not_be_written_to_is_noted():
    program = (
        "import os; from pathlib import Path; from orchestration_kit.cli.doctor_around import folder_findings;"
        "os.setgid(65534); os.setuid(65534); print(next(folder_findings(Path('/'))).found)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "this user may not write here: no journal, cassette or notebook can be kept\n"
