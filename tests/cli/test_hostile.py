"""Text from journals is data: no control characters, no markup, no formulas; tables fit."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml
from rich.cells import cell_len

from orchestration_kit.cli import main
from orchestration_kit.cli.terminal import Cell, Column, fitted
from tests.cli.support import hub_at, in_terminal, is_safe


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


@pytest.mark.parametrize("every", [41, pytest.param(1, marks=pytest.mark.soak)])
def test_hostile_text_is_shown_and_exported_without_control_characters(hostile, tmp_path, capsys, every):
    path, ids = hostile
    for text in ids[::every] + [text for text in ids if not text.isprintable()]:
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
