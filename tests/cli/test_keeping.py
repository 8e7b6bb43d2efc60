"""`runs prune`, `backup`, `check`: the file of a journal is looked after."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from orchestration_kit.cli import main
from tests.cli.support import lines


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
