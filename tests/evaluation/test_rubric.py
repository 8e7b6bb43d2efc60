"""Dimensions and criteria of every kind."""

from __future__ import annotations

import asyncio
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_evals.evaluators import (
    Contains,
    Equals,
    EqualsExpected,
    EvaluationReason,
    Evaluator,
    IsInstance,
    LLMJudge,
    MaxDuration,
)

from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.evaluation import Case, Criterion, Rubric, RubricError
from orchestration_kit.evaluation.criteria import Answer
from tests.laws import examples

CASE = Case("ada", "Ada", "Hello, Ada!", ("short",))


def score_of(check: object, output: object = "Hello, Ada!", case: Case = CASE) -> tuple[float, str]:
    context = WorkflowContext("run-1", "Greet")
    found = Rubric({"dimension": check}).score(Answer(case, output, context, 0.5, 0.01, 12))
    return found.scores["dimension"], found.why


async def later(output, expected):
    await asyncio.sleep(0)
    return output == expected


class Polite:
    def __call__(self, output):
        return "Hello" in output


@pytest.mark.parametrize(
    "check",
    [
        lambda output: output == "Hello, Ada!",
        lambda output, expected: output == expected,
        lambda output, expected, case: case.input in output,
        lambda output, expected, context: context.workflow_id == "run-1",
        lambda output, case: case is CASE,
        lambda output, expected, case, context: context.goal == "Greet" and case is CASE,
        lambda output, expected, case, most=20: len(output) < most,
        lambda *args: args == ("Hello, Ada!", "Hello, Ada!", CASE),
        later,
        Polite(),
        bool,
        lambda output: np.bool_(True),
        lambda output: np.float32(1.0),
        lambda output: 1,
    ],
)
def test_criteria_of_every_kind_score(check):
    assert score_of(check) == (1.0, "")


def test_a_criterion_can_say_why():
    assert score_of(lambda output: (0.25, "too long")) == (0.25, "dimension: too long")
    assert score_of(lambda output: (True, None)) == (1.0, "")


@pytest.mark.parametrize(
    ("check", "part"),
    [
        (lambda output: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda output: 1.5, "from 0 to 1, not 1.5"),
        (lambda output: math.nan, "from 0 to 1, not nan"),
        (lambda output: "good", "not 'good'"),
        (lambda output: None, "not None"),
        (lambda output: {}, "no verdict"),
        (lambda output: (1, 2, 3), "ValueError"),
    ],
)
def test_a_criterion_that_fails_scores_nan_and_says_how(check, part):
    score, why = score_of(check)
    assert math.isnan(score)
    assert why.startswith("dimension: ")
    assert part in why


def test_one_failure_does_not_hide_the_other_dimensions():
    rubric = Rubric({"broken": lambda output: 1 / 0, "fine": lambda output: True, "shown": Criterion(bool, weight=0)})
    found = rubric.score(Answer(CASE, "x"))
    assert math.isnan(found.total)
    assert (found.scores["fine"], found.passed) == (1.0, False)


def test_a_failure_of_what_does_not_count_leaves_the_total():
    rubric = Rubric({"fine": lambda output: 0.5, "shown": Criterion(lambda output: 1 / 0, weight=0, threshold=0)})
    assert rubric.score(Answer(CASE, "x")).total == 0.5


def test_the_total_is_weighted_and_every_threshold_counts():
    rubric = Rubric({"a": Criterion(lambda output: 0.9, weight=3, threshold=0.8), "b": lambda output: 0.5})
    found = rubric.score(Answer(CASE, "x"))
    assert (found.total, found.passed) == (pytest.approx(0.8), True)
    strict = Rubric({"a": Criterion(lambda output: 0.9, threshold=0.95), "b": lambda output: 1})
    assert strict.score(Answer(CASE, "x")).passed is False


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e308)), min_size=1, max_size=6).filter(
        lambda pairs: any(weight for _, weight in pairs)
    )
)
def test_the_total_lies_between_its_scores(pairs):
    rubric = Rubric({f"d{at}": Criterion(bool, weight=weight) for at, (_, weight) in enumerate(pairs)})
    total = rubric.total({f"d{at}": score for at, (score, _) in enumerate(pairs)})
    counting = [score for score, weight in pairs if weight]
    assert min(counting) - 1e-9 <= total <= max(counting) + 1e-9


@pytest.mark.parametrize(
    ("evaluator", "score"),
    [
        (EqualsExpected(), 1.0),
        (Equals("x"), 0.0),
        (Contains("Ada"), 1.0),
        (Contains("Bob"), 0.0),
        (IsInstance("str"), 1.0),
        (MaxDuration(1.0), 1.0),
        (MaxDuration(0.1), 0.0),
    ],
)
def test_evaluators_of_pydantic_evals_score(evaluator, score):
    assert score_of(evaluator)[0] == score


def test_reasons_of_an_evaluator_are_kept():
    assert score_of(IsInstance("int")) == (0.0, "dimension: output is of type str")


def test_an_evaluator_that_has_nothing_to_compare_with_gives_no_verdict():
    score, why = score_of(EqualsExpected(), case=Case("free", "Ada"))
    assert math.isnan(score)
    assert "expects nothing" in why


def test_an_evaluator_of_ones_own_sees_the_case_and_what_it_cost():
    class Own(Evaluator):
        async def evaluate(self, ctx):
            assert (ctx.name, ctx.inputs, ctx.metadata) == ("ada", "Ada", {"tags": ["short"]})
            assert (ctx.metrics, ctx.duration) == ({"cost_usd": 0.01, "tokens": 12}, 0.5)
            return {"one": 0.5, "two": EvaluationReason(True, "fine")}

    assert score_of(Own()) == (0.75, "dimension: fine")


def test_a_model_can_judge():
    from pydantic_ai.models.test import TestModel

    said = {"reason": "it is polite", "pass": True, "score": 0.9}
    judge = LLMJudge("Is it polite?", model=TestModel(custom_output_args=said))
    assert score_of(judge) == (1.0, "dimension: it is polite")


def test_async_criteria_work_while_a_loop_runs():
    async def cell():
        return score_of(later)

    assert asyncio.run(cell()) == (1.0, "")


@pytest.mark.parametrize(
    ("dimensions", "part"),
    [
        ({}, "names no dimension"),
        (None, "names no dimension"),
        ({"total": bool}, "cannot be called 'total'"),
        ({"": bool}, "the name ''"),
        ({"a": 3}, "dimension 'a': 3 cannot be called"),
        ({"a": EqualsExpected}, "Give an instance: EqualsExpected(...)"),
        ({"a": lambda: True}, "does not fit"),
        ({"a": Criterion(bool, weight=0)}, "no dimension counts"),
    ],
)
def test_a_rubric_that_cannot_score_is_refused(dimensions, part):
    with pytest.raises(RubricError) as caught:
        Rubric(dimensions)
    assert part in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("fields", [{"weight": -1}, {"weight": math.nan}, {"threshold": 2}, {"weight": True}])
def test_weights_and_thresholds_are_numbers_in_their_range(fields):
    with pytest.raises(RubricError, match="from 0 to 1"):
        Criterion(bool, **fields)


def test_a_dimension_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(KeyError, match="Did you mean 'brief'?"):
        Rubric({"brief": bool})["breif"]
