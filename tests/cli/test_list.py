"""`runs list`: which runs there are, newest first, and what wrong use is told."""

from __future__ import annotations

import csv
import io
import json

import pytest

from orchestration_kit.cli import main
from tests.cli.support import lines


def test_runs_are_listed_newest_first_with_what_they_came_to(runs, capsys):
    assert main(["runs", "list"]) == 0
    header, *rows = lines(capsys)
    assert header.split() == ["run", "workflow", "state", "started", "attempts", "took", "cost", "fork", "of", "tags"]
    assert [row.split()[0] for row in rows] == ["lively", "failing", "first"]
    assert [row.split()[2] for row in rows] == ["in_progress", "failed", "completed"]
    assert "first@write#1" in rows[0]
    assert "$1.0000" in rows[1]
    assert "n=1, who=ann" in rows[2]


def test_runs_by_itself_lists_them(runs, capsys):
    assert main(["runs"]) == 0
    listed = lines(capsys)
    assert main(["runs", "--state", "failed"]) == 0
    assert [line.split()[0] for line in lines(capsys)] == ["run", "failing"]
    assert main(["runs", "list"]) == 0
    assert listed == lines(capsys)
    with pytest.raises(SystemExit):
        main(["runs", "--help"])
    assert "approve" in capsys.readouterr().out


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
    ],
)
def test_wrong_use_is_told_with_what_was_possible(here, capsys, options, said):
    with pytest.raises(SystemExit) as raised:
        main(["runs", *options])
    assert raised.value.code == 2
    assert said in capsys.readouterr().err
