"""Take the minutes of a debate: what each said in a round, and whether they agree."""

from __future__ import annotations

from typing import Any

from orchestration_kit.definition import WorkerDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.templates.ready_workers import DEBATE_ROUND
from orchestration_kit.workers.patterns.answers import AnswerOf, answer_of, by_name, same_key


def debate_round(answer_of: AnswerOf = answer_of) -> WorkerDefinition:
    """Return the worker that takes the minutes, for `create_debate`.

    It gets the statements of a round by participant, adds `{"round", "statements"}` to the list `data["debate"]`, and
    gives `{"round", "statements", "agreed"}`.

    >>> debate_round().name
    'kit.debate_round'

    Args:
        answer_of: By what statements are compared; by default their `"answer"` where they are mappings that have one.
    """

    def note(outputs: Any, context: WorkflowContext) -> dict[str, Any]:
        statements = by_name(outputs)
        this = {"round": context.visit, "statements": statements}
        context.data["debate"] = [*context.data.get("debate", []), this]
        answers = {same_key(answer_of(statement)) for statement in statements.values()}
        return {**this, "agreed": len(answers) == 1}

    return WorkerDefinition(
        worker_type=DEBATE_ROUND, name=DEBATE_ROUND, description="Takes the minutes of a round.", executor=note
    )
