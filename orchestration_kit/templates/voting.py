"""Voting: the same question to several workers, or several times to one; the answers become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from orchestration_kit.definition import Branch, ParallelStep, Step, WorkerDefinition, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import choice, votes, whole
from orchestration_kit.templates.parts import AnyWorker, Workers, assemble, done, end, failed, several, step
from orchestration_kit.templates.ready_workers import MAJORITY_VOTE

Aggregator = Literal["majority", "quorum", "judge"]
TieBreak = Literal["first", "fail", "judge"]
_TAKEN = ("votes", "more_votes", "vote", "another_vote", "tally", "break_tie", "judge", "done", "failed", "undecided")


@dataclass(frozen=True)
class _Poll:
    """What was asked for, checked."""

    voters: dict[str, AnyWorker]
    """Who gives each vote, by the vote's name."""
    are_one: bool
    """One voter gives them all."""
    aggregator: Aggregator
    needed: int | None
    """Votes: for the answer (majority), or answers to be waited for (quorum, judge)."""
    early_stop: bool
    tie_break: TieBreak

    @property
    def first(self) -> int:
        """How many are asked at first: so many that they can decide it among themselves."""
        most = len(self.voters)
        if self.aggregator == "majority" and self.early_stop:
            return min(most, max(most // 2 + 1, self.needed or 1))
        return most


def create_voting(  # noqa: PLR0913 - the pattern's usual parameters
    n: int | None = None,
    aggregator: Aggregator = "majority",
    *,
    voters: AnyWorker | Workers,
    threshold: float | None = None,
    early_stop: bool = False,
    tie_break: TieBreak = "first",
    judge: AnyWorker | None = None,
    name: str = "voting",
) -> WorkflowDefinition:
    """Return voters that answer at once, and a count of their answers.

    ```text
    votes --> vote, vote, vote (at once) --> tally --> done          majority, quorum
          --> vote, vote, vote (at once) --> judge --> done          judge
    ```

    Use it where an answer is short, can be compared (a label, a number, yes or no), and workers err in different ways:
    differently trained models, other prompts, one model with some temperature. Do not use it where all err alike, or
    for long texts, of which no two are equal: there only a judge can choose. It costs n times as much.

    The answers are counted by the ready worker `majority_vote()` of `orchestration_kit.workers.patterns`; register it,
    or all that a workflow needs: `for worker in pattern_workers(workflow): hub.register_worker(worker)`.

    Sources: self-consistency, Wang et al. 2022 (arXiv 2203.11171); stopping early, Aggarwal et al. 2023 (arXiv
    2305.11860); "parallelization: voting" in Anthropic, Building effective agents (2024).

    Args:
        n: How often one voter is asked. With several voters it may be left out: each is asked once.
        aggregator: `"majority"`: the answer that most voters gave. `"quorum"`: the same among those who answered, of
            whom there have to be `threshold`; the others may fail. `"judge"`: `judge` decides.
        voters: One worker, or several: `["bayes", "forest", "svm"]`. Each gets the goal and gives its answer, or a
            mapping with `"answer"` (what else is in there does not count).
        threshold: A whole number counts votes, a fraction is a share of them. For a majority: how many have to agree,
            else the run fails at `undecided` (default: the most, however few). For a quorum: how many have to answer
            (default: over half). For a judge: how many answers suffice where `early_stop` is set.
        early_stop: Save what cannot change the result. For a majority only just over half of the voters are asked at
            first (or `threshold` of them), and the others where that leaves it open. For a quorum and a judge the run
            goes on with the first `threshold` answers, and the other voters are cancelled: which answers come first
            depends on how quick the voters are.
        tie_break: Where several answers have the most votes: `"first"` takes that of the voter named first, `"fail"`
            ends at `undecided`, `"judge"` asks `judge`.
        judge: Gets a dict of the answers by voter (as aggregator), or the count (as `tie_break`); its output is the
            result.
        name: The workflow's name.

    The result is the output of `done`. Of a count it is `{"answer", "votes", "of", "share", "lead", "tied", "counts",
    "failed"}`: the answer, who voted how, and by how many votes it leads. A voter that fails has no vote.

    Raises:
        ValueError: no voters, a threshold of more votes than there are, an unknown aggregator, a judge that is missing
            or would never be asked.

    >>> workflow = create_voting(5, voters="classifier", threshold=3)
    >>> list(workflow.steps), workflow.validate()
    (['votes', 'vote', 'tally', 'done', 'failed', 'undecided'], (True, None))
    """
    polled, are_one = _voters(n, voters)
    choice("aggregator", aggregator, get_args(Aggregator))
    choice("tie_break", tie_break, get_args(TieBreak))
    needed = None if threshold is None else votes("threshold", threshold, len(polled))
    if aggregator == "quorum" and needed is None:
        needed = len(polled) // 2 + 1
    poll = _Poll(polled, are_one, aggregator, needed, early_stop, tie_break)
    _check_judge(poll, judge)
    ends = [done("The answer"), failed("Too few voters answered, or a worker failed")]
    if aggregator == "judge":
        decide = step("judge", judge or "", "Decide", on_success="done", on_failure="failed")
        steps = [*_asking(poll, "judge"), decide, *ends]
        return assemble(name, "Several answers, and a judge", "The best answer of several", steps)
    tally = _tally(poll)
    steps = [*_asking(poll, "tally"), tally]
    if judge is not None:
        steps.append(step("break_tie", judge, "Decide between equals", on_success="done", on_failure="failed"))
    if any(branch.to == "undecided" for branch in tally.choices):
        ends.append(end("undecided", "No answer has the votes it needs"))
    return assemble(name, "Several answers, counted", "The answer that most voters give", [*steps, *ends])


def _voters(n: int | None, voters: AnyWorker | Workers) -> tuple[dict[str, AnyWorker], bool]:
    """Return who gives each vote, and whether that is one voter."""
    if isinstance(voters, (str, WorkerDefinition, Step)):
        if n is None:
            raise ValueError("n is missing: how often is the one voter asked? Write for example create_voting(5, ...).")
        return {str(index + 1): voters for index in range(whole("n", n))}, True
    named = several("voters", voters, taken=_TAKEN)
    if n is not None and whole("n", n) != len(named):
        raise ValueError(
            f"n={n}, and there are {len(named)} voters, each of which is asked once. Leave n out, or give one voter."
        )
    return named, False


def _check_judge(poll: _Poll, judge: AnyWorker | None) -> None:
    wants_judge = "judge" in (poll.aggregator, poll.tie_break)
    if wants_judge and judge is None:
        which = "aggregator" if poll.aggregator == "judge" else "tie_break"
        raise ValueError(f"{which}='judge' needs a judge: judge='reviewer'.")
    if judge is not None and not wants_judge:
        raise ValueError("This judge would never be asked. Set aggregator='judge' or tie_break='judge'.")
    if poll.aggregator != "judge":
        return
    if poll.tie_break != "first":
        raise ValueError(f"tie_break={poll.tie_break!r} is for votes that are counted; a judge decides by itself.")
    if poll.early_stop and poll.needed is None:
        raise ValueError("early_stop with a judge needs threshold: how many answers suffice?")
    if poll.needed is not None and not poll.early_stop:
        raise ValueError("threshold says how many answers suffice for a judge; that needs early_stop=True.")


def _asking(poll: _Poll, counted_at: str) -> list[AnyStep]:
    """Return the steps that ask: at first so many, and the others where it stays open."""
    names = list(poll.voters)
    needed = poll.needed or len(names)
    joins_early = poll.early_stop and poll.aggregator != "majority" and needed < len(names)
    rounds = [("votes", "vote", names[: poll.first]), ("more_votes", "another_vote", names[poll.first :])]
    steps: list[AnyStep] = []
    for step_id, one, asked in rounds:
        if not asked:
            continue
        places = {voter: one if poll.are_one else voter for voter in asked}
        asking = ParallelStep(
            step_id=step_id,
            description="Ask the voters" if step_id == "votes" else "Ask the others",
            branches=places,
            join=needed if joins_early else "all",
            failure="fail_fast" if joins_early else "continue",
            on_success=counted_at,
            on_failure="failed",
        )
        voters = {places[voter]: poll.voters[voter] for voter in asked}
        steps += [asking, *(step(place, voter, "Vote") for place, voter in voters.items())]
    return steps


def _tally(poll: _Poll) -> AnyStep:
    """Return the step that counts. What the count has to fulfil stands here, so that it is seen and on record."""
    ways: list[Branch] = []
    rest = len(poll.voters) - poll.first
    if rest:
        is_open = f"output.lead <= {rest}"
        if poll.aggregator == "majority" and poll.needed is not None:
            may_get_there = f"output.votes + {rest} >= {poll.needed}"
            is_open = f"({is_open} || output.votes < {poll.needed}) && {may_get_there}"
        ways.append(Branch(when=f"visits == 1 && {is_open}", to="more_votes", label="still open"))
    if poll.aggregator == "majority" and poll.needed is not None:
        ways.append(Branch(when=f"output.votes < {poll.needed}", to="undecided", label=f"under {poll.needed} votes"))
    if poll.aggregator == "quorum" and not poll.early_stop:
        ways.append(Branch(when=f"output.of < {poll.needed}", to="undecided", label=f"under {poll.needed} answers"))
    if poll.tie_break != "first":
        to = "break_tie" if poll.tie_break == "judge" else "undecided"
        ways.append(Branch(when="output.tied", to=to, label="a tie"))
    fields: dict[str, Any] = {"branches": tuple(ways), "on_success": "done", "on_failure": "failed"}
    return step("tally", MAJORITY_VOTE, "Count the votes", **fields)
