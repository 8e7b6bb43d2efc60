"""The study of sets measures what it says, and notices a wrong result."""

from __future__ import annotations

import pytest

from benchmarks import many
from benchmarks.harness import WrongResult


def test_a_small_study_gives_the_rows_of_the_table():
    rows = many.rows(runs=20, repeats=1)
    assert rows[0].title == "run_many, 20 runs x 3 steps, journaled in groups, a step"
    assert rows[0].goal == "<= 60 us"
    assert rows[0].met is not None
    assert all(row.figure != "-" for row in rows)


def test_a_wrong_result_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(many, "STEPS", 4)
    with pytest.raises(WrongResult, match="with 6 attempts"):
        many.set_seconds(tmp_path / "runs.db", runs=2, group_commit=True)
