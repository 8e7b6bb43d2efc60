from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.scale import Goal, GoalsError
from orchestration_kit.scale.goals import goals_of


def test_texts_are_called_by_their_position():
    assert goals_of(["a", "b"]) == (Goal("1", "a", {}), Goal("2", "b", {}))


def test_a_generator_of_texts_will_do():
    assert [goal.text for goal in goals_of(text for text in "ab")] == ["a", "b"]


def test_a_dict_may_bring_data_and_an_id():
    given_data = {"budget": 9}
    (goal,) = goals_of([{"goal": "Build a shop", "data": given_data, "id": "shop"}])
    assert goal == Goal("shop", "Build a shop", {"budget": 9})
    assert goal.data is not given_data


def test_a_goal_is_taken_as_it_is():
    assert goals_of([Goal("x", "text", {"a": 1})]) == (Goal("x", "text", {"a": 1}),)


def test_a_whole_number_may_be_an_id():
    assert goals_of([{"goal": "a", "id": 7}])[0].id == "7"


@pytest.mark.parametrize("column", ["id", "name"])
def test_columns_of_a_table_are_data_and_one_names_the_goal(column):
    frame = pd.DataFrame({column: ["x", "y"], "goal": ["do x", "do y"], "budget": [1, 2], "note": ["n", None]})
    first, second = goals_of(frame)
    assert first == Goal("x", "do x", {"budget": 1, "note": "n"})
    assert second == Goal("y", "do y", {"budget": 2, "note": None})
    assert type(first.data["budget"]) is int


def test_with_an_id_column_the_name_is_data():
    (goal,) = goals_of(pd.DataFrame({"id": ["x"], "name": ["Ada"], "goal": ["greet"]}))
    assert goal == Goal("x", "greet", {"name": "Ada"})


def test_what_is_missing_in_a_table_is_none():
    frame = pd.DataFrame({"goal": ["a", "b"], "n": pd.array([1, None], "Int64"), "at": [pd.Timestamp(0), pd.NaT]})
    assert goals_of(frame)[1].data == {"n": None, "at": None}


def test_a_cell_with_a_list_stays_a_list():
    assert goals_of(pd.DataFrame({"goal": ["a"], "tags": [[1, 2]]}))[0].data == {"tags": [1, 2]}


def test_braces_in_a_goal_are_text():
    assert goals_of(pd.DataFrame({"goal": ["Build {what}"], "what": ["a shop"]}))[0].text == "Build {what}"


@pytest.mark.parametrize(
    ("goals", "says"),
    [
        ([], "there are none"),
        (pd.DataFrame({"goal": []}), "there are none"),
        ("Build a shop", "Write [goal]"),
        ({"goal": "a"}, "a dict is no list"),
        (7, "a int is no list"),
        (["a", ""], "number 2: the goal is empty"),
        (["a", None, 3], "number 2: the goal is NoneType, not text; number 3: the goal is int"),
        ([{"text": "a"}], "there is no 'text' in a goal"),
        (
            [{"goal": "a", "raw": 1}] * 7,
            "number 1, 2, 3, 4, 5 and 2 more: there is no 'raw' in a goal. For the data bus",
        ),
        ([{"gaol": "a"}], "Did you mean 'goal'?"),
        ([{"data": {}}], "it has no 'goal', only data"),
        ([{"goal": "a", "data": [1]}], "its data is [1]"),
        ([{"goal": "a", "data": {1: 2}}], "not a dict with text keys"),
        ([{"goal": "a", "id": ""}], "its id is empty; leave it out, and it is called 1"),
        ([{"goal": "a", "id": 1.5}], "its id is 1.5"),
        ([{"goal": "a", "id": True}], "its id is True"),
        ([{"goal": "a", "id": "x"}, {"goal": "b", "id": "x"}], 'ids are used twice: "x" is number 1 and number 2'),
        (["a", {"goal": "b", "id": "1"}], '"1" is number 1 and number 2'),
        (pd.DataFrame({"text": ["a"]}), "the table has no column `goal`"),
        (pd.DataFrame([["a", "b"]], columns=["goal", "goal"]), "share a name"),
    ],
)
def test_what_is_no_goal_is_named(goals, says):
    with pytest.raises(GoalsError) as caught:
        goals_of(goals)
    assert says in str(caught.value)


def test_of_many_wrong_goals_the_first_are_named():
    with pytest.raises(GoalsError, match="and 995 more") as caught:
        goals_of([""] * 1000)
    assert len(str(caught.value)) < 1000


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=5))
def test_texts_stay_as_they_are(texts):
    assert [goal.text for goal in goals_of(texts)] == texts
    assert [goal.text for goal in goals_of(pd.DataFrame({"goal": pd.Series(texts, dtype=object)}))] == texts
