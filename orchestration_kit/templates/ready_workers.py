"""Types of the ready workers that some templates need; `orchestration_kit.workers.patterns` makes them.

Templates name them and import none: who counts the votes is a worker like any other, and may be another one.
"""

from __future__ import annotations

PREFIX = "kit."
"""What the types of all ready workers begin with."""

HAND_ON = "kit.hand_on"
MAJORITY_VOTE = "kit.majority_vote"
KEEP_BEST = "kit.keep_best"
KEEP_LAST = "kit.keep_last"
FIRST_TASK = "kit.first_task"
NEXT_TASK = "kit.next_task"
REPLAN = "kit.replan"
DEBATE_ROUND = "kit.debate_round"
LAST_ATTEMPT = "kit.last_attempt"

_TOP_LESSONS = "kit.top_lessons_"


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
