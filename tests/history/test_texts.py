"""`short_text`: any value for a person, never long, never an error."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from orchestration_kit.history.texts import one_line, short_text, size_of
from tests.history.runs import VALUES


class Model(BaseModel):
    name: str
    inner: object = None


@dataclass
class Data:
    name: str
    inner: object = None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", "'1'"),
        (1, "1"),
        (True, "True"),
        (-1.5, "-1.5"),
        ({"b": 1, "a": [True, None]}, "{'b': 1, 'a': [True, None]}"),
        ((1,), "(1,)"),
        (Model(name="Ada", inner=Data("x")), "Model(name='Ada', inner=Data(name='x', inner=None))"),
        (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (short_text, "<function short_text>"),
        ("two\nlines\u202e", "'two\\nlines\\u202e'"),
        ({"k": "x" * 1_000}, "{'k': '" + "x" * 112 + "…"),
    ],
)
def test_values_read_as_code_would_write_them(value, text):
    found = short_text(value)
    assert found == text or (isinstance(value, OrderedDict) and found.startswith("OrderedDict("))


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**7,
        list(range(10**6)),
        {i: i for i in range(10**5)},
        [[[[[[[[[["deep"]]]]]]]]]],
        10**5_000,
        Model(name="x" * 10**6),
        defaultdict(list, {"a": ["b"] * 1_000}),
        {"a": Model(name="y", inner={"b": {"c": {"d": {"e": Model(name="z")}}}})},
    ],
    ids=lambda value: type(value).__name__,
)
def test_large_and_deep_values_are_cut(value):
    assert len(short_text(value)) <= 120


def test_a_text_on_one_line_shows_what_does_not_print():
    assert one_line("a\x00b\nc\ud800\u202e é \U0001f600") == "a\\x00b\\nc\\ud800\\u202e é \U0001f600"


def test_sizes_are_those_of_what_has_one():
    class Odd:
        def __len__(self):
            raise RuntimeError("no")

    assert [size_of(value) for value in ("abc", [1], {}, None, 5, Odd(), range(10**30))] == [
        3,
        1,
        0,
        None,
        None,
        None,
        None,
    ]


@settings(deadline=None)
@given(VALUES, st.integers(24, 200))
def test_any_value_fits_the_limit_and_prints(value, limit):
    text = short_text(value, limit)
    assert len(text) <= limit
    assert text.isprintable()
