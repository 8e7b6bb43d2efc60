"""Count votes: the answers of several voters become one answer, and how many gave it."""

from __future__ import annotations

from typing import Any

from orchestration_kit.definition import WorkerDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.outcome import Failure
from orchestration_kit.templates.ready_workers import MAJORITY_VOTE
from orchestration_kit.workers.patterns.answers import AnswerOf, answer_of, by_name, is_failure, same_key


def majority_vote(answer_of: AnswerOf = answer_of) -> WorkerDefinition:
    """Return the worker that counts votes, for `create_voting`.

    It gets a mapping of outputs by voter (or a list) and gives `{"answer", "votes", "of", "share", "lead", "tied",
    "counts", "failed"}`: the answer with the most votes (of several, that of the voter who comes first), its votes, of
    how many, their share, by how many votes it leads, whether it does not, every answer with its votes and voters, and
    which voters failed. It fails where nobody answered.

    >>> count = majority_vote().executor({"a": "yes", "b": "no", "c": "yes"}, None)
    >>> count["answer"], count["votes"], count["of"], count["lead"]
    ('yes', 2, 3, 1)

    Args:
        answer_of: What of an output is counted; by default its `"answer"` where it is a mapping that has one, else all
            of it. Make equal here what is to count as equal: `lambda output: output["answer"].strip().lower()`.
    """

    def count(outputs: Any, context: WorkflowContext | None) -> dict[str, Any]:
        ballots = by_name(outputs)
        if context is not None and context.visit > 1:  # the others were asked, since the first left it open
            ballots = {**by_name(context.data.get("votes_output", {})), **ballots}
        return _counted(ballots, answer_of)

    return WorkerDefinition(
        worker_type=MAJORITY_VOTE, name=MAJORITY_VOTE, description="Counts the votes.", executor=count
    )


def _counted(ballots: dict[str, Any], answer_of: AnswerOf) -> dict[str, Any]:
    failed = [voter for voter, output in ballots.items() if is_failure(output)]
    counts: dict[str, dict[str, Any]] = {}
    for voter, output in ballots.items():
        if voter in failed:
            continue
        answer = answer_of(output)
        entry = counts.setdefault(same_key(answer), {"answer": answer, "votes": 0, "voters": []})
        entry["votes"] += 1
        entry["voters"].append(voter)
    if not counts:
        raise Failure("no voter gave an answer", output=ballots)
    ranked = sorted(counts.values(), key=lambda entry: -entry["votes"])  # stable: of equals, who was named first
    best = ranked[0]
    asked = len(ballots) - len(failed)
    lead = best["votes"] - (ranked[1]["votes"] if len(ranked) > 1 else 0)
    return {
        "answer": best["answer"],
        "votes": best["votes"],
        "of": asked,
        "share": best["votes"] / asked,
        "lead": lead,
        "tied": lead == 0,
        "counts": ranked,
        "failed": failed,
    }
