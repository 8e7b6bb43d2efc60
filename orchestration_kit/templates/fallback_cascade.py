"""Fallback cascade: the cheapest worker first, a stronger one where its answer is not accepted."""

from __future__ import annotations

from typing import Any

from orchestration_kit.definition import Branch, Budget, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import condition
from orchestration_kit.templates.parts import Workers, assemble, done, end, several, step

_TAKEN = ("done", "none_accepted", "budget_spent")


def create_fallback_cascade(
    workers: Workers, accept: Any = None, *, budget: Budget | None = None, name: str = "fallback_cascade"
) -> WorkflowDefinition:
    """Return workers in a row, cheap to strong; the first whose answer is accepted ends it.

    ```text
    rules --> small_model --> large_model --> none_accepted      (not accepted, or failed)
      |            |               |
      +------------+---------------+--> done                      (accepted)
    ```

    Use it where most inputs are easy, and a cheap worker can tell how sure it is. Do not use it where the cheap one is
    sure of wrong answers too, or where it can be told beforehand who is needed (`create_routing`): an answer that is
    not accepted was paid for.

    Source: the cascade of FrugalGPT, Chen et al. 2023 (arXiv 2305.05176).

    Args:
        workers: Cheap to strong: `["rules", "small_model", "large_model"]`. The first gets the goal, each other one
            what came of the one before it (an answer, or `{"error": message}`); the task itself is `context.goal`.
        accept: A condition on an answer, in CEL or a callable, e.g. `"output.confidence >= 0.8"`. None: every answer
            is accepted, and only a failure leads on.
        budget: What all of them together may use: `Budget(max_cost_usd=0.05)`. Where it is spent the run ends at
            `budget_spent`, or at the `on_budget` that it names. What one worker may cost at most is set aside where
            its step says so: `WorkflowStep(step_id="large", worker_type="large", budget=Budget(reserve_usd=0.04))`.
        name: The workflow's name.

    The result is the output of `done`: the answer that was accepted. Where none is, the run fails at `none_accepted`.

    Raises:
        ValueError: no workers, or one called like a step of the template.
        ConditionSyntaxError: (a ValueError) an `accept` that is no condition.

    >>> workflow = create_fallback_cascade(["rules", "small_model"], accept="output.confidence >= 0.8")
    >>> list(workflow.steps), workflow.validate()
    (['rules', 'small_model', 'done', 'none_accepted'], (True, None))
    """
    named = several("workers", workers, taken=_TAKEN)
    if budget is not None and not isinstance(budget, Budget):
        raise TypeError(f"budget is a Budget, not {budget!r:.60}. Write for example Budget(max_cost_usd=0.05).")
    accepted = () if accept is None else (Branch(when=condition("accept", accept), to="done", label="accepted"),)
    steps: list[AnyStep] = []
    for (worker_name, worker), after in zip(named.items(), [*list(named)[1:], "none_accepted"], strict=True):
        ways: dict[str, Any] = {"on_success": after if accepted else "done", "on_failure": after}
        if accepted:
            ways["branches"] = accepted
        steps.append(step(worker_name, worker, "Answer, or leave it to the next", **ways))
    steps += [done("The answer that was accepted"), end("none_accepted", "No answer was accepted")]
    workflow = assemble(name, "Cheap workers first, stronger ones where needed", "A good answer at little cost", steps)
    if budget is not None:
        if budget.on_budget is None:
            workflow.add_step(end("budget_spent", "The budget is spent"))
            budget = budget.model_copy(update={"on_budget": "budget_spent"})
        workflow.budget = budget
    return workflow
