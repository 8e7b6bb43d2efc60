"""The study of planning asks about a few steps, and each answer is held against all choices before its time counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import planning
from benchmarks.harness import WrongResult


@pytest.mark.soak
def test_each_kind_of_question_is_timed():
    found = planning.rows(steps=4, tried_steps=1, repeats=1)
    assert [row.goal for row in found] == ["<= 1 s"] * len(planning.QUESTIONS)
    assert all(row.figure.endswith(" s") for row in found)
    assert found[0].title == "least cost, in a row: 4 steps, 1.6e+05 choices"


def test_another_best_than_trying_all_finds_is_a_wrong_result():
    question = replace(planning.QUESTIONS[0], best=planning.failure)  # asked for the least cost
    with pytest.raises(WrongResult, match="trying every choice finds"):
        planning.agrees(question, planning.made(2, "row"))
