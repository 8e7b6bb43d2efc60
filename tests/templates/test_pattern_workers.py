"""The ready workers, by themselves: what they count, keep and refuse."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from orchestration_kit import Failure, WorkflowDefinition, WorkflowStep
from orchestration_kit.definition import MapStep
from orchestration_kit.templates import create_reflexion, create_voting
from orchestration_kit.workers.patterns import gate, majority_vote, output_of, pattern_workers, top_lessons
from orchestration_kit.workers.patterns.answers import same_key

count = majority_vote().executor


class Answer(BaseModel):
    label: str


@dataclasses.dataclass
class Point:
    x: int


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12))
def test_a_count_is_what_the_ballots_say(answers):
    found = count(dict(enumerate(answers)), None)
    most = max(answers.count(answer) for answer in answers)
    assert answers.count(found["answer"]) == found["votes"] == most
    assert found["of"] == len(answers) == sum(one["votes"] for one in found["counts"])
    assert found["tied"] == (len([a for a in set(answers) if answers.count(a) == most]) > 1)
    assert found["tied"] or found["lead"] > 0
    assert found["answer"] == next(answer for answer in answers if answers.count(answer) == most)


def test_answers_may_come_as_a_list():
    assert count(["x", "y", "y"], None)["counts"][0] == {"answer": "y", "votes": 2, "voters": ["2", "3"]}


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        (np.int64(1), np.int64(1), True),
        (np.str_("a"), "a", True),
        (np.array([1, 2]), [1, 2], True),
        (Answer(label="a"), Answer(label="a"), True),
        (Answer(label="a"), Answer(label="b"), False),
        (Point(1), Point(1), True),
        (Point(1), Point(2), False),
        ((1, 2), [1, 2], True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (1, "1", False),
        (True, 1, False),
        (None, "None", False),
        ("yes", "Yes", False),
    ],
)
def test_which_answers_are_the_same(one, other, are_same):
    assert (same_key(one) == same_key(other)) is are_same


@pytest.mark.parametrize("outputs", [{}, [], {"a": {"error": "ill"}}])
def test_a_count_of_nothing_fails(outputs):
    with pytest.raises(Failure, match="no voter gave an answer"):
        count(outputs, None)


@pytest.mark.parametrize("outputs", ["yes", 3, None])
def test_what_are_no_ballots_cannot_be_counted(outputs):
    with pytest.raises(Failure, match="a mapping by voter, or as a list"):
        count(outputs, None)


def test_a_gate_is_named_after_its_function_or_as_told():
    def is_short(text):
        return len(text) < 3

    assert gate(is_short).name == "is_short"
    assert gate(is_short, name="brief").name == "brief"
    with pytest.raises(ValueError, match="A gate without a name"):
        gate(lambda text: True)
    with pytest.raises(TypeError, match="gate takes a function"):
        gate("short")


def test_what_makes_no_worker_is_refused():
    with pytest.raises(ValueError, match="top_k=0"):
        top_lessons(0)
    with pytest.raises(ValueError, match="needs the id of a step"):
        output_of("")


def test_the_number_of_lessons_is_part_of_the_type_so_that_another_does_not_fit():
    types = [str(worker.worker_type) for worker in pattern_workers(create_reflexion("a", "b", "c", top_k=7))]
    assert types == ["kit.top_lessons_7", "kit.output_of_attempt"]


def test_workflows_within_steps_have_their_ready_workers_found():
    outer = WorkflowDefinition(name="outer")
    outer.add_step(MapStep(step_id="each", over="data.items", body=create_voting(3, voters="c")), is_initial=True)
    outer.add_step(WorkflowStep(step_id="mine", worker_type="kit.unknown", is_terminal=True))
    assert [worker.name for worker in pattern_workers(outer)] == ["kit.majority_vote"]
