"""Cassettes as text: what is written is read back, and reads well."""

from __future__ import annotations

import textwrap

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.definition.files import parse_yaml
from orchestration_kit.journal.cassette.tape_text import render
from orchestration_kit.journal.codec.room import with_room
from tests.definition.test_files import NASTY
from tests.hostile import PAYLOADS
from tests.laws import examples


def is_clean(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)  # the codec tags those


TEXTS = (
    st.sampled_from([text for text in (*NASTY, *PAYLOADS) if is_clean(text)])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    | st.text("ab \n\t#:-\"'\\|>{}[]é\u200d", max_size=30)
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXTS, part, max_size=4),
    max_leaves=15,
)  # fmt: skip


def text_of(data) -> str:
    return "\n".join(render(data)) + "\n"


def same(one, other) -> bool:
    """Equal, of equal types, and in the same order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and repr(one) == repr(other)


@settings(max_examples=examples(400), deadline=None)
@given(DATA)
def test_what_is_written_is_read_back(data):
    data = {"a": data, "list": [data, 1], "b": {"c": [[data]]}}
    assert same(parse_yaml(text_of(data), max_depth=1000), data)


@pytest.mark.parametrize("text", [text for text in NASTY if is_clean(text)])
def test_other_readers_see_the_same_text(text):
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(text_of({"k": text, text[:50]: ["x"]}), loader)["k"] == text


def test_it_reads_well():
    data = {
        "path": "draft#1", "n": 1, "rate": 0.5, "none": None, "yes": True, "number": "1", "prose": "A site for a bakery, in Bonn (open 6 to 18)!",
        "code": "def f():\n    return 1\n\n\nf()\n", "last": "a\nb", "markdown": "# A\n- b  \n", "quote": 'say "x"', "colon": "a: b", "empty": [{}, [], ""],
        "nested": [[1, [2]], {"a": {"b": ["x\ny"]}}],
    }  # fmt: skip
    assert text_of(data) == textwrap.dedent(
        r"""
        path: draft#1
        "n": 1
        rate: 0.5
        none: null
        "yes": true
        number: "1"
        prose: A site for a bakery, in Bonn (open 6 to 18)!
        code: |
          def f():
              return 1


          f()
        last: |-
          a
          b
        markdown: "# A\n\
          - b  \n\
          "
        quote: say "x"
        colon: "a: b"
        empty:
          - {}
          - []
          - ""
        nested:
          - - 1
            - - 2
          - a:
              b:
                - |-
                  x
                  y
        """
    ).lstrip("\n")


def test_long_keys_and_long_texts():
    data = {"k" * 5000: {"x": "y" * 100_000}, '"' * 2000: [1]}
    assert parse_yaml(text_of(data)) == data


@pytest.mark.parametrize("value", [float("nan"), float("inf"), (1, 2), b"x", {1}])
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(ValueError, match="is not plain data"):
        render({"x": value})


def test_deep_data():
    data: list = []
    for _ in range(400):
        data = [data]
    assert parse_yaml("\n".join(with_room(render, {"x": data})), max_depth=1000) == {"x": data}
