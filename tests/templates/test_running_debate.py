"""The debate, run: who speaks knows what was said, and it ends."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_debate
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import visits, way

PARTICIPANTS = {"ada": "optimist", "ben": "pessimist"}


def team(ada, ben, judge=lambda minutes: minutes):
    return {"optimist": ScriptedWorker(*ada), "pessimist": ScriptedWorker(*ben), "judge": judge}


def test_who_speaks_in_a_later_round_knows_what_all_said(perform):
    workers = team([7, 6], [3, 5])
    result = perform(create_debate(PARTICIPANTS, "judge", max_rounds=2), workers)
    assert (result.state, visits(result, "round")) == ("completed", 2)
    said = {"round": 1, "statements": {"ada": 7, "ben": 3}, "agreed": False}
    assert workers["optimist"].calls == workers["pessimist"].calls == ["the goal", said]
    assert result.data["done_output"] == {"round": 2, "statements": {"ada": 6, "ben": 5}, "agreed": False}


def test_the_minutes_of_all_rounds_are_on_the_data_bus(perform):
    result = perform(create_debate(PARTICIPANTS, "judge", max_rounds=2), team([7, 6], [3, 5]))
    assert [one["statements"]["ada"] for one in result.data["debate"]] == [7, 6]


def test_an_agreement_ends_it(perform):
    workers = team([7, {"answer": 5, "because": "you are right"}], [3, {"answer": 5, "because": "half way"}])
    result = perform(create_debate(PARTICIPANTS, "judge", max_rounds=9), workers)
    assert (visits(result, "round"), result.data["done_output"]["agreed"]) == (2, True)


def test_an_agreement_may_be_tried_again(perform):
    workflow = create_debate(PARTICIPANTS, "judge", max_rounds=2, stop_when_agreed=False)
    assert visits(perform(workflow, team([5, 5], [5, 5])), "round") == 2


@pytest.mark.parametrize("max_rounds", [1, 3])
def test_there_are_only_so_many_rounds(perform, max_rounds):
    workers = team(range(9), range(1, 10))
    result = perform(create_debate(PARTICIPANTS, "judge", max_rounds=max_rounds), workers)
    assert (result.state, visits(result, "round"), visits(result, "judge")) == ("completed", max_rounds, 1)


def test_a_participant_that_fails_fails_the_run(perform):
    result = perform(create_debate(PARTICIPANTS, "judge"), team([ValueError("left")], [3]))
    assert (result.state, way(result)[-1]) == ("failed", "failed")
