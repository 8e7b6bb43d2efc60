"""The evaluator-optimizer, run: better until good, the best where it never is."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_evaluator_optimizer
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import visits, way


def rated(*ratings):
    """A generator that counts its drafts, and an evaluator that gives these ratings."""
    generator = ScriptedWorker(*(f"draft {number + 1}" for number in range(len(ratings))))
    return {"writer": generator, "critic": ScriptedWorker(*({"rating": one, "feedback": "more"} for one in ratings))}


def test_a_good_draft_ends_it_at_once(perform):
    result = perform(create_evaluator_optimizer("writer", "critic", min_rating=8), rated(8))
    assert (result.state, way(result)) == ("completed", ["generate", "evaluate", "keep", "done"])
    assert result.data["done_output"] == {
        "draft": "draft 1",
        "rating": 8,
        "evaluation": {"rating": 8, "feedback": "more"},
        "round": 1,
        "rounds": 1,
    }


def test_the_generator_is_given_the_best_draft_and_what_was_said_of_it(perform):
    team = rated(5, 3, 9)
    result = perform(create_evaluator_optimizer("writer", "critic", min_rating=8), team)
    assert result.state == "completed"
    assert (result.data["done_output"]["draft"], result.data["done_output"]["round"]) == ("draft 3", 3)
    assert team["critic"].calls == ["draft 1", "draft 2", "draft 3"]
    assert [given if isinstance(given, str) else given["draft"] for given in team["writer"].calls] == [
        "the goal",
        "draft 1",
        "draft 1",
    ]


@pytest.mark.parametrize(("ratings", "best"), [((5, 7, 6), "draft 2"), ((5, 5, 5), "draft 1"), ((1, 2, 3), "draft 3")])
def test_after_the_last_refinement_the_best_draft_is_the_result(perform, ratings, best):
    workflow = create_evaluator_optimizer("writer", "critic", min_rating=8, max_refinements=2)
    result = perform(workflow, rated(*ratings))
    assert (result.state, result.data["done_output"]["draft"]) == ("completed", best)
    assert (result.data["done_output"]["rounds"], visits(result, "generate")) == (3, 3)


def test_without_keep_best_the_latest_is_refined_and_too_little_fails(perform):
    team = rated(7, 3)
    workflow = create_evaluator_optimizer("writer", "critic", min_rating=8, max_refinements=1, keep_best=False)
    result = perform(workflow, team)
    assert (result.state, way(result)[-1]) == ("failed", "not_good_enough")
    assert result.get_last_output()["draft"] == "draft 2"
    assert team["writer"].calls[1]["rating"] == 7


def test_an_evaluation_may_be_a_number_alone(perform):
    workflow = create_evaluator_optimizer("writer", "critic", min_rating=0.5)
    result = perform(workflow, {"writer": str, "critic": lambda draft: 0.75})
    assert result.data["done_output"]["rating"] == 0.75


@pytest.mark.parametrize("evaluation", [{}, "good", {"rating": "9"}, {"rating": True}, {"rating": float("nan")}, None])
def test_an_evaluation_without_a_number_fails_the_run(perform, evaluation):
    workflow = create_evaluator_optimizer("writer", "critic", min_rating=8)
    result = perform(workflow, {"writer": str, "critic": lambda draft: evaluation})
    assert (result.state, way(result)) == ("failed", ["generate", "evaluate", "keep", "failed"])
    assert "an evaluation is a number" in result.data["failed_output"]["error"]


def test_a_failing_evaluator_fails_the_run(perform):
    workflow = create_evaluator_optimizer("writer", "critic", min_rating=8)
    result = perform(workflow, {"writer": str, "critic": ScriptedWorker(ValueError("asleep"))})
    assert way(result) == ["generate", "evaluate", "failed"]
