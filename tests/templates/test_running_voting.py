"""Voting, run: who wins, who is not asked, and what happens where nobody does."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration_kit.templates import create_voting
from orchestration_kit.testing import ScriptedWorker
from orchestration_kit.workers.patterns import majority_vote
from tests.templates.conftest import hub_with, visits, way


def voters_of(*answers):
    """A type for each voter, called a, b, c, ..., and a worker that gives its answer or raises it."""
    return {chr(ord("a") + index): ScriptedWorker(answer, repeat_last=True) for index, answer in enumerate(answers)}


def vote(perform, answers, judge=None, **options):
    team = voters_of(*answers)
    workflow = create_voting(voters=list(team), judge=None if judge is None else "judge", **options)
    return perform(workflow, team if judge is None else team | {"judge": judge})


def asked(result):
    return [step for step in way(result) if len(step) == 1]


def test_the_answer_of_the_most_wins(perform):
    result = vote(perform, ["yes", "no", "yes"])
    assert (result.state, way(result)) == ("completed", ["a", "b", "c", "votes", "tally", "done"])
    count = result.data["done_output"]
    assert (count["answer"], count["votes"], count["of"], count["lead"], count["tied"]) == ("yes", 2, 3, 1, False)
    assert [(one["answer"], one["voters"]) for one in count["counts"]] == [("yes", ["a", "c"]), ("no", ["b"])]


def test_one_voter_is_asked_n_times(perform):
    numbers = iter(range(5))
    workflow = create_voting(5, voters="model")
    result = perform(workflow, {"model": lambda goal: {"answer": "odd" if next(numbers) % 2 else "even"}})
    assert (visits(result, "vote"), result.data["done_output"]["answer"]) == (5, "even")


def test_only_the_answer_of_a_mapping_counts(perform):
    answers = [{"answer": 4, "because": "2+2"}, {"answer": 5, "because": "?"}, {"answer": 4, "because": "3+1"}]
    assert vote(perform, answers).data["done_output"]["answer"] == 4


def test_a_voter_that_fails_has_no_vote(perform):
    count = vote(perform, [ValueError("ill"), "no", "yes", "yes"]).data["done_output"]
    assert (count["answer"], count["of"], count["failed"]) == ("yes", 3, ["a"])


def test_where_every_voter_fails_so_does_the_run(perform):
    result = vote(perform, [ValueError("ill"), ValueError("ill")])
    assert (result.state, way(result)[-1]) == ("failed", "failed")


@pytest.mark.parametrize(("threshold", "end"), [(3, "done"), (4, "undecided"), (0.6, "done"), (0.61, "undecided")])
def test_an_answer_may_need_so_many_votes(perform, threshold, end):
    result = vote(perform, ["yes", "yes", "yes", "no", "no"], threshold=threshold)
    assert way(result)[-1] == end
    assert result.get_last_output()["answer"] == "yes"


def test_of_equals_the_voter_named_first_wins(perform):
    count = vote(perform, ["no", "yes", "yes", "no"]).data["done_output"]
    assert (count["answer"], count["tied"]) == ("no", True)


def test_a_tie_may_fail_the_run(perform):
    result = vote(perform, ["no", "yes"], tie_break="fail")
    assert (result.state, way(result)[-1]) == ("failed", "undecided")
    assert vote(perform, ["no", "yes", "no"], tie_break="fail").state == "completed"


def test_a_tie_may_go_to_a_judge(perform):
    result = vote(perform, ["no", "yes"], tie_break="judge", judge=lambda count: f"{count['votes']} each: yes")
    assert (way(result)[-2:], result.data["done_output"]) == (["break_tie", "done"], "1 each: yes")
    assert "break_tie" not in way(vote(perform, ["no", "no"], tie_break="judge", judge=ScriptedWorker()))


# Stopping early.


@pytest.mark.parametrize(
    ("answers", "voters"),
    [
        (["yes", "yes", "yes", "no", "no"], "abc"),
        (["yes", "no", "yes", "no", "yes"], "abcde"),
        (["yes", "yes", "no", "no", "no"], "abcde"),
        ([ValueError("ill"), "yes", "yes", "no", "no"], "abcde"),
    ],
)
def test_the_rest_is_asked_only_where_it_can_change_the_result(perform, answers, voters):
    early = vote(perform, answers, early_stop=True)
    whole = vote(perform, answers)
    assert "".join(sorted(asked(early))) == voters
    assert early.data["done_output"]["answer"] == whole.data["done_output"]["answer"]
    assert early.data["done_output"]["of"] == len(voters) - len(early.data["done_output"]["failed"])


@pytest.mark.parametrize(
    ("answers", "threshold", "voters", "end"),
    [
        (["yes", "yes", "yes", "yes", "no"], 4, "abcd", "done"),
        (["yes", "yes", "no", "yes", "yes"], 4, "abcde", "done"),
        (["yes", "no", "no", "yes", "yes"], 4, "abcd", "undecided"),
        (["yes", "yes", "no", "no", "yes"], 2, "abcde", "done"),
        (["yes", "yes", "yes", "no", "no"], 1, "abc", "done"),
    ],
)
def test_a_threshold_is_waited_for_only_where_it_can_be_reached(perform, answers, threshold, voters, end):
    result = vote(perform, answers, threshold=threshold, early_stop=True)
    assert ("".join(sorted(asked(result))), way(result)[-1]) == (voters, end)


def test_a_quorum_needs_so_many_answers(perform):
    ill = ValueError("ill")
    assert vote(perform, [ill, "yes", "yes"], aggregator="quorum").state == "completed"
    result = vote(perform, [ill, ill, "yes"], aggregator="quorum")
    assert (result.state, way(result)[-1]) == ("failed", "undecided")
    assert vote(perform, [ill, ill, "yes"], aggregator="quorum", threshold=1).state == "completed"


def quick_and_slow(hub_workers):
    async def quick(_):
        return "quick"

    async def slow(_):
        await asyncio.Event().wait()

    return {"a": quick, "b": slow, "c": quick, **hub_workers}


def test_a_quick_quorum_cancels_the_slow_and_says_so():
    workflow = create_voting(voters=["a", "b", "c"], aggregator="quorum", early_stop=True)
    result = hub_with(workflow, quick_and_slow({})).execute_workflow("voting", "?", verbose=False)
    assert (result.state, result.data["done_output"]["of"]) == ("completed", 2)
    assert list(result.data["votes_output"]) == ["a", "c"]
    entries = {entry["step"]: entry for entry in result.history}
    assert entries["votes"]["detail"]["branches"] == {"a": "completed", "b": "cancelled", "c": "completed"}
    assert entries["b"]["error_type"] == "BranchCancelled"


def test_a_quick_quorum_does_not_wait_for_a_sync_voter_either():
    is_over = threading.Event()
    team = {"a": lambda q: "quick", "b": lambda q: is_over.wait(30), "c": lambda q: "quick"}
    workflow = create_voting(voters=["a", "b", "c"], aggregator="quorum", early_stop=True)
    try:
        result = hub_with(workflow, team).execute_workflow("voting", "?", verbose=False)
        assert (result.state, result.data["done_output"]["of"], is_over.is_set()) == ("completed", 2, False)
    finally:
        is_over.set()


def test_a_quick_quorum_that_cannot_be_reached_fails_at_once(perform):
    ill = ValueError("ill")
    result = vote(perform, [ill, ill, "yes"], aggregator="quorum", early_stop=True)
    assert (result.state, way(result)[-1]) == ("failed", "failed")


def test_a_judge_gets_the_answers_by_voter(perform):
    result = vote(perform, ["no", ValueError("ill"), "yes"], aggregator="judge", judge=lambda answers: answers)
    assert way(result)[-3:] == ["votes", "judge", "done"]
    answers = result.data["done_output"]
    assert (list(answers), answers["a"], answers["c"], list(answers["b"])) == (["a", "b", "c"], "no", "yes", ["error"])


def test_a_quick_judge_gets_the_first_answers():
    workflow = create_voting(aggregator="judge", voters=["a", "b", "c"], judge="judge", early_stop=True, threshold=2)
    hub = hub_with(workflow, quick_and_slow({"judge": lambda answers: answers}))
    result = hub.execute_workflow("voting", "?", verbose=False)
    assert result.data["done_output"] == {"a": "quick", "c": "quick"}


def test_what_counts_as_equal_can_be_said():
    team = voters_of("Yes.", "no", "yes")
    hub = hub_with(create_voting(voters=list(team)), team)
    hub.register_worker(majority_vote(answer_of=lambda text: text.lower().strip(".")))
    assert hub.execute_workflow("voting", "?", verbose=False).data["done_output"]["answer"] == "yes"
