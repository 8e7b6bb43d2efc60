"""Evaluator and optimizer: one worker makes, another rates, until the rating is good enough."""

from __future__ import annotations

from orchestration_kit.definition import Branch, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import number, whole
from orchestration_kit.templates.parts import AnyWorker, assemble, done, end, failed, step
from orchestration_kit.templates.ready_workers import KEEP_BEST, KEEP_LAST


def create_evaluator_optimizer(  # noqa: PLR0913 - the pattern's usual parameters
    generator: AnyWorker,
    evaluator: AnyWorker,
    *,
    min_rating: float,
    max_refinements: int = 3,
    keep_best: bool = True,
    name: str = "evaluator_optimizer",
) -> WorkflowDefinition:
    """Return a loop between a maker and a rater, that ends with a good rating or after so many refinements.

    ```text
    generate --> evaluate --> keep --> done       (rated min_rating or more)
       ^                       | |
       +-----------------------+ +--> done, or without keep_best not_good_enough      (no refinement left)
    ```

    Use it where what is good can be said clearly, and the maker gets better by being told what is not. Do not use it
    where a test can decide (`create_reflexion` for tasks with a pass or fail, or `success_when` with `max_retries`),
    or where rater and maker share their blind spots: the rating then rises and the work does not.

    The drafts are kept by the ready workers `keep_best()` and `keep_last()` of `orchestration_kit.workers.patterns`;
    register the one, or all that a workflow needs: `for worker in pattern_workers(workflow):
    hub.register_worker(worker)`.

    Source: "evaluator-optimizer" in Anthropic, Building effective agents (2024); also Madaan et al. 2023, Self-Refine
    (arXiv 2303.17651).

    Args:
        generator: Gets the goal, and in later rounds what `keep` gave, as below. Gives a draft.
        evaluator: Gets the draft. Gives a mapping with the number `"rating"` and what else helps, e.g. `"feedback"`;
            or the number alone.
        min_rating: The rating that is good enough.
        max_refinements: Rounds after the first one.
        keep_best: Refine the best draft so far, and after the last round let it be the result, though it is not good
            enough. Else the latest is refined, and the run fails at `not_good_enough`.
        name: The workflow's name.

    The result is the output of `done`: `{"draft", "rating", "evaluation", "round", "rounds"}`, the draft that was kept,
    its rating, all that the evaluator said of it, the round it is from, and how many there were.

    Raises:
        ValueError: fewer than 0 refinements, or a rating that is not finite.

    >>> workflow = create_evaluator_optimizer("writer", "critic", min_rating=8)
    >>> list(workflow.steps), workflow.validate()
    (['generate', 'evaluate', 'keep', 'done', 'failed'], (True, None))
    """
    number("min_rating", min_rating)
    rounds = whole("max_refinements", max_refinements, least=0) + 1
    exhausted = "done" if keep_best else "not_good_enough"
    steps: list[AnyStep] = [
        step("generate", generator, "Make a draft, or a better one", on_success="evaluate", on_failure="failed"),
        step("evaluate", evaluator, "Rate the draft", on_success="keep", on_failure="failed"),
        step(
            "keep",
            KEEP_BEST if keep_best else KEEP_LAST,
            "Keep the best draft" if keep_best else "Keep the latest draft",
            branches=(
                Branch(when=f"output.rating >= {min_rating}", to="done", label=f"rated {min_rating:g} or more"),
                Branch(when=f"visits >= {rounds}", to=exhausted, label="no refinement left"),
            ),
            on_success="generate",
            on_failure="failed",
        ),
        done("The draft that was kept, and its rating"),
        failed(),
    ]
    if not keep_best:
        steps.append(end("not_good_enough", "No draft was good enough"))
    return assemble(name, "A maker and a rater in a loop", f"A draft rated {min_rating:g} or more", steps)
