"""Looking makes no journal, whatever there is in its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orchestration_kit import SQLiteJournal
from orchestration_kit.cli import main
from tests.cli.support import lines

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
