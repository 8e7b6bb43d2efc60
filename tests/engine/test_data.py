"""The data bus as a visit sees it, and copies of values."""

from __future__ import annotations

import json
import pickle
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from orchestration_kit.engine.data import Changes, DataView
from orchestration_kit.engine.values import isolate, same
from orchestration_kit.errors import OutputRejected, ValueTooDeep

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def test_a_view_is_a_dict_to_everyone():
    view = DataView({"a": {"x": [1]}, "b": 2})
    assert isinstance(view, dict)
    assert json.loads(json.dumps(view)) == {"a": {"x": [1]}, "b": 2}
    assert {**view, "c": 3} == {"a": {"x": [1]}, "b": 2, "c": 3}
    assert dict(view) == view == {"a": {"x": [1]}, "b": 2}
    assert (view | {"b": 3}, {"z": 0, "b": 9} | view) == ({"a": {"x": [1]}, "b": 3}, {"z": 0, "b": 2, "a": {"x": [1]}})
    assert (repr(view), len(view), list(view), "a" in view, 5 in view) == (
        "{'a': {'x': [1]}, 'b': 2}",
        2,
        ["a", "b"],
        True,
        False,
    )
    assert (view.get("nope"), view.get("b"), view != {}) == (None, 2, True)
    assert type(view.copy()) is dict
    assert pickle.loads(pickle.dumps(view)) == view
    with pytest.raises(TypeError):
        hash(view)
    with pytest.raises(KeyError):
        view["nope"]


def test_every_way_of_changing_it_is_noticed():
    base = {"a": 1, "b": 2, "c": [1], "d": 4, "e": {"k": 1}, "same": [1]}
    view = DataView(base)
    view["a"] = 10
    del view["b"]
    view["c"].append(2)
    assert view.pop("d") == 4
    view.update(new=5)
    view |= {"more": 6}
    view.setdefault("first", []).append(7)
    for _, value in view.items():
        if isinstance(value, dict):
            value["k"] = 2
    assert list(view.values())
    view["same"] = [1]
    assert view.changes() == Changes(
        {"a": 10, "c": [1, 2], "e": {"k": 2}, "first": [7], "more": 6, "new": 5}, ("b", "d")
    )
    assert base == {"a": 1, "b": 2, "c": [1], "d": 4, "e": {"k": 1}, "same": [1]}
    view.clear()
    assert view.changes().removed == ("a", "b", "c", "d", "e", "same")


def test_looking_is_no_change():
    view = DataView({"a": [1, {"b": 2}], "n": 1})
    assert (view["a"], view.get("a"), list(view.items())) == (
        [1, {"b": 2}],
        [1, {"b": 2}],
        [("a", [1, {"b": 2}]), ("n", 1)],
    )
    assert view.changes() is None


def test_keys_are_text():
    with pytest.raises(TypeError, match=r"text keys, not 7; write context.data\[str\(key\)\]"):
        DataView({})[7] = 1


@given(
    base=st.dictionaries(st.text(max_size=3), PLAIN, max_size=5),
    edits=st.lists(st.tuples(st.text(max_size=3), PLAIN | st.just("DELETE")), max_size=8),
)
def test_the_base_and_the_changes_give_the_view(base, edits):
    before = isolate(base)
    view = DataView(base)
    for key, value in edits:
        if value == "DELETE":
            view.pop(key, None)
        else:
            view[key] = value
    changes = view.changes()
    merged = dict(base)
    if changes is not None:
        merged.update(changes.updated)
        for key in changes.removed:
            del merged[key]
    assert merged == view
    assert base == before


class Colour(Enum):
    RED = 1


@dataclass
class Point:
    at: list[int] = field(default_factory=lambda: [0])


class Model(BaseModel):
    parts: list[int]


@pytest.mark.parametrize(
    ("value", "inner"),
    [
        ({"a": [1]}, lambda v: v["a"]), ([[1]], lambda v: v[0]), (([1],), lambda v: v[0]), (OrderedDict(a=[1]), lambda v: v["a"]),
        (defaultdict(list, a=[1]), lambda v: v["a"]), (deque([[1]], maxlen=3), lambda v: v[0]), (Point([1]), lambda v: v.at),
        (Model(parts=[1]), lambda v: v.parts), ({1, 2}, None), (frozenset({1}), None), (bytearray(b"x"), None), (Counter("aab"), None),
        (Decimal(1), None), (Path("x"), None), (Colour.RED, None), ("text", None), (None, None),
    ],
)  # fmt: skip
def test_a_copy_is_the_same_and_shares_nothing(value, inner):
    copied = isolate(value)
    assert copied == value
    assert type(copied) is type(value)
    assert same(copied, value)
    if inner is not None:
        inner(copied).append(2)
        assert inner(value) == [1]
        assert not same(copied, value)


def test_other_objects_are_handed_on_as_they_are():
    thing = object()
    assert isolate([thing])[0] is thing
    assert isolate(Point) is Point


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        ([1], (1,)),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1], [1, 2]),
        ({1}, {2}),
        (object(), object()),
        (deque([1]), deque([2])),
    ],
)
def test_different_data_is_not_the_same(one, other):
    assert not same(one, other)


@given(PLAIN)
def test_copies_are_the_same(value):
    assert same(isolate(value), value)


def test_depth_is_bounded():
    value: list = []
    for _ in range(199):
        value = [value]
    assert isolate(value) == value
    with pytest.raises(ValueTooDeep, match="more than 200 levels"):
        isolate([[value]])


def test_a_coroutine_is_no_value():
    async def nothing(): ...

    with pytest.raises(OutputRejected, match="async def"):
        isolate([nothing()])
