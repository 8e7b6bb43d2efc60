"""Patches: what changed in a value, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.journal import codec
from orchestration_kit.journal.deltas import ABSENT, apply, diff

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "a", "$tuple", "\ud800"])
    | st.just(float("nan"))
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(
            st.sampled_from(["a", "b", "$x", "c", "d", "\udc00", "e"]) | st.integers(0, 2), inner, max_size=6
        )
        | st.tuples(inner, inner)
    ),
    max_leaves=25,
)


def same(one, other):
    """Whether two values would be stored alike, order included."""
    return codec.dumps(codec.encode(one, "one")) == codec.dumps(codec.encode(other, "other"))


def led(old, new):
    """What comes of `new` after it was stored as a patch, and the patch's JSON."""
    patch = diff(old, new, encode=lambda part: codec.encode(part, "part"))
    text = codec.dumps(patch)
    return apply(old, codec.loads(text)), text


@given(VALUES, VALUES)
def test_a_patch_leads_from_any_value_to_any_other(old, new):
    result, _ = led(old, new)
    assert same(result, new)
    if isinstance(new, dict):
        assert list(result) == list(new)


@given(st.lists(VALUES, min_size=4, max_size=12), st.data())
def test_a_patch_leads_from_a_value_to_a_changed_copy_of_it(old, data):
    new = list(old)
    for _ in range(data.draw(st.integers(0, 2))):
        index = data.draw(st.integers(0, len(new)))
        new[index : index + data.draw(st.integers(0, 2))] = data.draw(st.lists(VALUES, max_size=2))
    before = codec.dumps(codec.encode(old, "old"))
    result, _ = led(old, new)
    assert same(result, new)
    assert codec.dumps(codec.encode(old, "old")) == before


@pytest.mark.parametrize(
    ("change", "size"),
    [
        (lambda value: value["log"].append("more"), 60),
        (lambda value: value["log"].insert(0, "first"), 60),
        (lambda value: value["log"].pop(500), 60),
        (lambda value: value["log"].__setitem__(7, "other"), 60),
        (lambda value: value["deep"]["list"][3].update(k="v"), 80),
        (lambda value: value.__delitem__("b"), 40),
        (lambda value: value.update(new=1), 40),
    ],
)
def test_a_small_change_of_a_large_value_is_stored_small(change, size):
    def large():
        inner = {f"k{i}": i for i in range(100)}
        return {
            "log": ["x" * 20] * 1000,
            "a": 1,
            "b": 2,
            "c": 3,
            "deep": {"list": [dict(inner) for _ in range(9)], "x": 1, "y": 2, "z": 3},
        }

    old, new = large(), large()
    change(new)
    result, text = led(old, new)
    assert same(result, new)
    assert len(text) <= size


def test_what_was_not_there_is_stored_whole():
    assert diff(ABSENT, [1], lambda part: part) == ["=", [1]]


@pytest.mark.parametrize(
    "patch", [["l", 5, 0, []], ["l", -1, 0, []], ["i", 0], ["d", [], ["missing"]], ["?"], [], 5, ["i", "x", ["=", 1]]]
)
def test_a_patch_that_does_not_fit_is_refused(patch):
    with pytest.raises((ValueError, TypeError, LookupError)):
        apply([1, 2], patch)
    with pytest.raises((ValueError, TypeError, LookupError)):
        apply({"a": 1}, patch)
