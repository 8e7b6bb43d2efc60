"""Types of the ready workers that some templates need; `orchestration_kit.workers.patterns` makes them.

Templates name them and import none: who counts the votes is a worker like any other, and may be another one.
"""

from __future__ import annotations

PREFIX = "kit."
"""What the types of all ready workers begin with."""

HAND_ON = "kit.hand_on"
GOAL = "kit.goal"
MAJORITY_VOTE = "kit.majority_vote"
KEEP_BEST = "kit.keep_best"
KEEP_LAST = "kit.keep_last"
FIRST_TASK = "kit.first_task"
NEXT_TASK = "kit.next_task"
REPLAN = "kit.replan"
DEBATE_ROUND = "kit.debate_round"

_OUTPUT_OF = "kit.output_of_"
_TOP_LESSONS = "kit.top_lessons_"


def output_of_type(step_id: str) -> str:
    """Return the type of the worker that gives the last output of a step once more.

    >>> output_of_type("attempt")
    'kit.output_of_attempt'
    """
    return f"{_OUTPUT_OF}{step_id}"


def step_id_of(worker_type: str) -> str | None:
    """Return whose output a worker of this type gives; None where it is of another type.

    >>> step_id_of("kit.output_of_attempt"), step_id_of("coder")
    ('attempt', None)
    """
    step_id = worker_type.removeprefix(_OUTPUT_OF)
    return step_id if step_id not in ("", worker_type) else None


def top_lessons_type(top_k: int) -> str:
    """Return the type of the worker that keeps so many lessons; another number is another type.

    >>> top_lessons_type(3)
    'kit.top_lessons_3'
    """
    return f"{_TOP_LESSONS}{top_k}"


def top_k_of(worker_type: str) -> int | None:
    """Return how many lessons a worker of this type keeps; None where it is of another type.

    >>> top_k_of("kit.top_lessons_3"), top_k_of("coder")
    (3, None)
    """
    number = worker_type.removeprefix(_TOP_LESSONS)
    return int(number) if number != worker_type and number.isascii() and number.isdigit() else None
