"""Reflexion: after an attempt that failed, a lesson is drawn from it and kept for the next one."""

from __future__ import annotations

from orchestration_kit.definition import Branch, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import whole
from orchestration_kit.templates.parts import AnyWorker, assemble, done, end, failed, step
from orchestration_kit.templates.ready_workers import output_of_type, top_lessons_type


def create_reflexion(  # noqa: PLR0913 - the pattern's usual parameters
    worker: AnyWorker,
    evaluator: AnyWorker,
    lessons: AnyWorker,
    *,
    attempts: int = 3,
    top_k: int = 3,
    name: str = "reflexion",
) -> WorkflowDefinition:
    """Return a worker that tries again with the lessons of its failed attempts.

    ```text
    attempt --> evaluate --> accept --> done                          (passed)
       ^          |  |
       |          |  +--> no_attempts_left                          (failed)
       |          v
       |       reflect
       +-- keep_lessons
    ```

    Use it where an attempt can be tested (unit tests, a game, a known answer), and words about what went wrong help
    the next one. Do not use it where only a degree can be given (`create_evaluator_optimizer`), or where the same
    attempt may simply succeed the second time (`max_retries`).

    The lessons are kept by the ready workers `top_lessons(top_k)` and `output_of("attempt")` of
    `orchestration_kit.workers.patterns`: `for worker in pattern_workers(workflow): hub.register_worker(worker)`.

    Source: Shinn et al. 2023, Reflexion (arXiv 2303.11366).

    Args:
        worker: Gets the goal, and later `{"lessons", "attempt", "evaluation"}`: the lessons kept, what it gave last,
            and what the evaluator said of that. `data["lessons"]`, where there are any, holds the same lessons.
        evaluator: Gets the attempt. Gives a mapping with `"passed"`, true or false, and what else helps.
        lessons: Gets the evaluation (the attempt is `data["attempt_output"]`). Gives a lesson: a text, or a mapping
            with `"lesson"` and the number `"weight"`, 1 where there is none.
        attempts: Attempts in all. Where the last one did not pass, the run fails at `no_attempts_left`.
        top_k: How many lessons are kept: those of the greatest weight, of equals the latest.
        name: The workflow's name.

    Lessons of earlier runs can be given on the way: `initial_data={"lessons": [{"lesson": ..., "weight": 1.0}]}`.
    The result is the output of `done`: the attempt that passed.

    Raises:
        ValueError: a number under 1.

    >>> workflow = create_reflexion("coder", "tester", "critic", attempts=4, top_k=2)
    >>> list(workflow.steps)[:5], workflow.validate()
    (['attempt', 'evaluate', 'reflect', 'keep_lessons', 'accept'], (True, None))
    """
    whole("attempts", attempts)
    whole("top_k", top_k)
    steps: list[AnyStep] = [
        step("attempt", worker, "Attempt it, knowing the lessons", on_success="evaluate", on_failure="failed"),
        step(
            "evaluate",
            evaluator,
            "Test the attempt",
            branches=(
                Branch(when="output.passed == true", to="accept", label="passed"),
                Branch(when=f"visits >= {attempts}", to="no_attempts_left", label="the last attempt"),
            ),
            on_success="reflect",
            on_failure="failed",
        ),
        step("reflect", lessons, "Draw a lesson", on_success="keep_lessons", on_failure="failed"),
        step("keep_lessons", top_lessons_type(top_k), "Keep the best", on_success="attempt", on_failure="failed"),
        step(
            "accept", output_of_type("attempt"), "Take the attempt that passed", on_success="done", on_failure="failed"
        ),
        done("The attempt that passed"),
        failed(),
        end("no_attempts_left", "No attempt passed"),
    ]
    return assemble(name, "Attempts that learn from one another", "An attempt that passes", steps)
