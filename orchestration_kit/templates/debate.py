"""Debate: several workers answer, read what the others said, and answer again; a judge decides."""

from __future__ import annotations

from orchestration_kit.definition import Branch, ParallelStep, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import whole
from orchestration_kit.templates.parts import AnyWorker, Workers, assemble, done, failed, several, step
from orchestration_kit.templates.ready_workers import DEBATE_ROUND

_TAKEN = ("round", "minutes", "judge", "done", "failed")


def create_debate(
    participants: Workers,
    judge: AnyWorker,
    *,
    max_rounds: int = 3,
    stop_when_agreed: bool = True,
    name: str = "debate",
) -> WorkflowDefinition:
    """Return rounds in which all participants speak at once, knowing what was said before, and a judge.

    ```text
    round --> ada, ben (at once) --> minutes --> judge --> done
      ^                                 |
      +---------- max_rounds -----------+
    ```

    Use it where an answer can be argued about, and an argument can change a worker's mind: estimates, reviews, sums
    that language models get wrong alone. Do not use it where a vote does as well (`create_voting` costs one round), or
    where the participants are one model with one prompt, which agrees with itself.

    The minutes are taken by the ready worker `debate_round()` of `orchestration_kit.workers.patterns`: `for worker in
    pattern_workers(workflow): hub.register_worker(worker)`.

    Source: Du et al. 2023, Improving Factuality and Reasoning through Multiagent Debate (arXiv 2305.14325).

    Args:
        participants: At least two: `{"ada": "optimist", "ben": "pessimist"}`. In the first round each gets the goal,
            later `{"round", "statements", "agreed"}`: the number of the last round, and what each said in it, by name.
            `data["debate"]` is the list of all rounds. Each gives its statement: any value, or a mapping with
            `"answer"`.
        judge: Gets `{"round", "statements", "agreed"}` of the last round; all of them are in `data["debate"]`. Its
            output is the result.
        max_rounds: After so many the judge decides in any case.
        stop_when_agreed: Leave out the rounds that are left when all gave the same answer.
        name: The workflow's name.

    The result is the output of `done`: what the judge gave. A participant's failure fails the run.

    Raises:
        ValueError: fewer than two participants, one called like a step of the template, or fewer than one round.

    >>> workflow = create_debate({"ada": "optimist", "ben": "pessimist"}, "judge", max_rounds=2)
    >>> list(workflow.steps), workflow.validate()
    (['round', 'ada', 'ben', 'minutes', 'judge', 'done', 'failed'], (True, None))
    """
    named = several("participants", participants, taken=_TAKEN, least=2)
    whole("max_rounds", max_rounds)
    branches = [Branch(when=f"visits >= {max_rounds}", to="judge", label="the last round")]
    if stop_when_agreed:
        branches.insert(0, Branch(when="output.agreed", to="judge", label="all agree"))
    steps: list[AnyStep] = [
        ParallelStep(
            step_id="round",
            description="All participants speak",
            branches={participant: participant for participant in named},
            on_success="minutes",
            on_failure="failed",
        ),
        *(step(participant, worker, "Speak") for participant, worker in named.items()),
        step(
            "minutes",
            DEBATE_ROUND,
            "Note what was said",
            branches=tuple(branches),
            on_success="round",
            on_failure="failed",
        ),
        step("judge", judge, "Decide", on_success="done", on_failure="failed"),
        done("What the judge decided"),
        failed(),
    ]
    return assemble(name, "Rounds of statements, then a judge", "An answer that stood up to the others", steps)
