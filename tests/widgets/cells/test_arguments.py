"""The line of a magic is read; every slip is an error of ours that says what was possible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.widgets.cells.arguments import Usage, parse
from orchestration_kit.widgets.cells.errors import BadCommand

USAGE = Usage(
    "%it WORD [--goal TEXT] [--resume [ID]] [--again]",
    most_words=1,
    flags=("--again",),
    values=("--goal", "--resume"),
    optional=("--resume",),
)


def test_words_flags_and_values_are_told_apart():
    given = parse("review --goal 'two words' --again", USAGE)
    assert (given.word, given.values, given.flags) == ("review", {"--goal": "two words"}, {"--again"})


def test_a_value_may_be_joined_by_an_equals_sign_and_may_begin_with_hyphens():
    assert parse("--goal=--odd", USAGE).values == {"--goal": "--odd"}


@pytest.mark.parametrize(("line", "value"), [("--resume", ""), ("--resume r1", "r1"), ("--resume --again", "")])
def test_a_value_may_be_left_out_where_that_means_something(line, value):
    assert parse(line, USAGE).values == {"--resume": value}


def test_positions_with_their_signs_are_one_word():
    assert parse("papers#1[3]/draft#2", USAGE).word == "papers#1[3]/draft#2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--gaol x", "There is no '--gaol'. Did you mean '--goal'?"),
        ("--goal", "--goal needs a value."),
        ("--goal --again", "--goal needs a value."),
        ("--again=yes", "--again takes no value."),
        ("a b", "'b' is one word too many."),
        ("--goal 'open", "A quotation mark is missing"),
    ],
)
def test_slips_say_what_was_possible(line, message):
    with pytest.raises(BadCommand) as caught:
        parse(line, USAGE)
    assert message in str(caught.value)
    assert str(caught.value).endswith(f"Use:  {USAGE.text}")


@given(st.text())
def test_no_line_raises_anything_else(line):
    try:
        parse(line, USAGE)
    except BadCommand:
        pass
