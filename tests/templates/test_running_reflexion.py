"""Reflexion, run: lessons are drawn, kept, and given to the next attempt."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_reflexion
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import visits, way


def team(*passed, lessons=()):
    return {
        "coder": ScriptedWorker(*(f"try {number + 1}" for number in range(len(passed)))),
        "tester": ScriptedWorker(*({"passed": one} for one in passed)),
        "critic": ScriptedWorker(*lessons),
    }


def test_an_attempt_that_passes_is_the_result(perform):
    result = perform(create_reflexion("coder", "tester", "critic"), team(True))
    assert (result.state, way(result)) == ("completed", ["attempt", "evaluate", "accept", "done"])
    assert result.data["done_output"] == "try 1"


def test_the_next_attempt_is_given_the_lessons(perform):
    workers = team(False, True, lessons=["mind the gap"])
    result = perform(create_reflexion("coder", "tester", "critic"), workers)
    assert (result.state, result.data["done_output"]) == ("completed", "try 2")
    assert workers["coder"].calls == [
        "the goal",
        {"lessons": ["mind the gap"], "attempt": "try 1", "evaluation": {"passed": False}},
    ]
    assert result.data["lessons"] == [{"weight": 1.0, "lesson": "mind the gap"}]


def test_only_the_weightiest_lessons_are_kept_and_of_equals_the_latest(perform):
    weights = [2, 1, 3, 2]
    drawn = [{"lesson": f"lesson {number}", "weight": weight} for number, weight in enumerate(weights)]
    workers = team(*[False] * 4, True, lessons=drawn)
    result = perform(create_reflexion("coder", "tester", "critic", attempts=5, top_k=2), workers)
    assert result.state == "completed"
    assert [given["lessons"] for given in workers["coder"].calls[1:]] == [
        ["lesson 0"],
        ["lesson 0", "lesson 1"],
        ["lesson 0", "lesson 2"],
        ["lesson 2", "lesson 3"],
    ]


def test_a_lesson_drawn_twice_is_kept_once(perform):
    workers = team(False, False, False, True, lessons=["a", "b", "a"])
    result = perform(create_reflexion("coder", "tester", "critic", attempts=4), workers)
    assert [one["lesson"] for one in result.data["lessons"]] == ["b", "a"]


def test_lessons_of_earlier_runs_can_be_given(perform):
    workers = team(False, True, lessons=["new"])
    old = {"lessons": [{"lesson": "old", "weight": 5.0}, "older"]}
    perform(create_reflexion("coder", "tester", "critic", top_k=2), workers, initial_data=old)
    assert workers["coder"].calls[1]["lessons"] == ["old", "new"]


@pytest.mark.parametrize("attempts", [1, 3])
def test_there_are_only_so_many_attempts(perform, attempts):
    workers = {"coder": str, "tester": lambda a: {"passed": False}, "critic": lambda e: "try harder"}
    result = perform(create_reflexion("coder", "tester", "critic", attempts=attempts), workers)
    assert (result.state, way(result)[-1]) == ("failed", "no_attempts_left")
    assert (visits(result, "attempt"), visits(result, "reflect")) == (attempts, attempts - 1)


@pytest.mark.parametrize("weight", ["heavy", True, float("inf")])
def test_a_lesson_whose_weight_is_no_number_fails(perform, weight):
    result = perform(
        create_reflexion("coder", "tester", "critic"), team(False, lessons=[{"lesson": "x", "weight": weight}])
    )
    assert way(result)[-2:] == ["keep_lessons", "failed"]


def test_an_evaluation_that_says_neither_fails(perform):
    workers = {"coder": str, "tester": lambda attempt: {"ok": True}, "critic": str}
    assert way(perform(create_reflexion("coder", "tester", "critic"), workers)) == ["attempt", "evaluate", "failed"]
