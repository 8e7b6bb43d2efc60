"""The study of reliability asks about a few runs, and each answer is checked before its time counts."""

from __future__ import annotations

import pytest

from benchmarks import reliability
from benchmarks.harness import WrongResult


@pytest.mark.soak
def test_each_kind_of_question_is_timed():
    found = reliability.rows(attempts=3_000, steps=6, large=60, runs=5_000, repeats=1)
    assert [row.goal for row in found] == ["<= 1 s", "<= 1 s", "<= 0.1 s", "<= 2 s", "<= 0.5 s"]
    assert all(row.figure.endswith(" s") for row in found)


def test_runs_of_another_workflow_are_a_wrong_result():
    with pytest.raises(WrongResult, match="P\\(success\\)"):
        reliability.of_runs(reliability.observed(300, 6), 100)
