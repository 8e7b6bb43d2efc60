"""`same_value` and `differences`: what is the same data, and where two values part."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from pydantic import BaseModel

from orchestration_kit.history.differences import differences, same_value
from tests.history.runs import VALUES


class Model(BaseModel):
    n: object


@dataclass
class Data:
    n: object


class Plain:
    def __init__(self, n):
        self.n = n


class Raises:
    def __eq__(self, _):
        raise RuntimeError("no")

    __hash__ = None


class Arrays:
    def __eq__(self, _):
        return np.array([True, False])

    __hash__ = None


class Same:
    def __eq__(self, _):
        return True

    __hash__ = None


NAN = float("nan")


@pytest.mark.parametrize(
    "make",
    [
        lambda: NAN,
        lambda: float("inf"),
        lambda: [1, {"a": (NAN, b"x")}],
        lambda: Decimal("NaN"),
        lambda: {1, 2},
        lambda: deque([1, NAN]),
        lambda: OrderedDict(a=[NAN]),
        lambda: datetime(2026, 1, 1, tzinfo=UTC),
        lambda: Model(n=[NAN]),
        lambda: Data(Model(n=NAN)),
        lambda: Plain({"x": [NAN]}),
        lambda: np.array([1.0, NAN]),
        lambda: np.array([1, None, "x"], dtype=object),
        lambda: np.float64(NAN),
        lambda: pd.DataFrame({"a": [1.0, NAN], "b": ["x", None]}),
        lambda: pd.Series([1, 2]),
        lambda: pd.Timestamp("2026-01-01"),
        lambda: pd.NaT,
        lambda: Same(),
    ],
)
def test_equal_data_is_the_same(make):
    assert same_value(make(), make())
    assert differences("x", make(), make()) == []


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, True),
        (1, 1.0),
        ("1", 1),
        (0.0, NAN),
        ([1], (1,)),
        ({"a": 1}, {"a": 1, "b": None}),
        (Decimal("sNaN"), Decimal(1)),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.array([1, 2]), np.array([1, 2, 3])),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (Model(n=1), Model(n=2)),
        (Data(1), Data(2)),
        (Plain(1), Plain(2)),
        (object(), object()),
        (Raises(), Raises()),
        (Arrays(), Arrays()),
        (lambda: 1, lambda: 1),
    ],
)
def test_different_data_is_not(a, b):
    assert not same_value(a, b)
    (found,) = differences("x", a, b, limit=1)
    assert found.a != found.b


@pytest.mark.parametrize("value", [Raises(), Arrays(), object(), NAN, [Raises()]])
def test_a_value_is_the_same_as_itself(value):
    assert same_value(value, value)


def test_places_are_written_as_code_would_reach_them():
    a, b = {"items": [Model(n=1), 2], "gone": 1}, {"items": [Model(n=5), 2], "new": 2}
    assert [(one.where, one.a, one.b) for one in differences("output", a, b)] == [
        ("output['items'][0].n", "1", "5"),
        ("output['gone']", "1", "absent"),
        ("output['new']", "absent", "2"),
    ]


def test_long_texts_are_shown_around_the_place_where_they_part():
    a, b = "x" * 5_000 + "left" + "y" * 5_000, "x" * 5_000 + "right" + "y" * 5_000
    (found,) = differences("text", a, b)
    assert "left" in found.a
    assert "right" in found.b
    assert len(found.a) < 100


def test_values_that_read_alike_are_told_apart_by_type_or_in_words():
    (found,) = differences("x", pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]}))
    assert (found.a, found.b) == ("DataFrame 1 x 1", "DataFrame 1 x 1 (not equal)")
    (found,) = differences("x", np.int64(1), np.int32(1))
    assert found.a != found.b


def test_at_most_the_limit_is_listed():
    assert len(differences("x", list(range(100)), list(range(1, 101)), limit=3)) == 3


def test_values_that_hold_themselves_come_to_an_end():
    def loop():
        node = Plain(1)
        node.next = Plain(2)
        node.next.next = node
        return node

    assert same_value(loop(), loop())
    a, b = [], []
    a.append(a)
    b.append(b)
    assert isinstance(same_value(a, b), bool)


def test_what_breaks_when_looked_at_is_different():
    class Broken(dict):
        def items(self):
            raise RuntimeError("no")

    assert not same_value(Broken(a=1), Broken(a=1))
    (found,) = differences("x", {"k": Broken(a=1)}, {"k": Broken(a=2)})
    assert found.where == "x"


@settings(deadline=None)
@given(VALUES, VALUES)
def test_same_means_no_differences_both_ways(a, b):
    assert same_value(a, a)
    assert same_value(a, b) == same_value(b, a) == (differences("", a, b) == [])
