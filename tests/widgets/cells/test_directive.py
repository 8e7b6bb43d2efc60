"""A directive becomes `%%step`; every other cell stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.widgets.cells.directive import as_magic


@pytest.mark.parametrize(
    "first",
    ["#| step review", "#|step review", "# | step review", "#| step: review", "#|  step   review", "#| step review   "],
)
def test_the_directive_is_understood_as_people_write_it(first):
    lines = as_magic([f"{first}\n", "input\n"])
    assert [line.split() for line in lines] == [["%%step", "review"], ["input"]]


def test_what_follows_the_name_is_kept():
    assert as_magic(["#| step 'draft it' --again\n", "1\n"])[0] == "%%step 'draft it' --again\n"


@pytest.mark.parametrize(
    "cell",
    [
        "# step review\ninput\n",
        "#| steps review\n1\n",
        "#| stepping stones\n1\n",
        "x = 1\n#| step review\n",
        "'#| step review'\n",
        "%%time\n#| step review\n",
        "##| step review\n",
        "",
        "\n\n",
    ],
)
def test_other_cells_are_left_alone(cell):
    lines = cell.splitlines(keepends=True)
    assert as_magic(lines) == lines


def test_it_may_stand_among_other_directives_and_lines_keep_their_numbers():
    lines = as_magic(["#| label: review\n", "#| step review\n", "1/0\n"])
    assert lines == ["%%step review\n", "#\n", "1/0\n"]


@pytest.mark.parametrize("cell", [["#| step review"], ["#| step review\n"], ["%%step review"], ["%%step"]])
def test_a_cell_without_code_gets_an_empty_line_so_that_ipython_refuses_nothing_itself(cell):
    assert as_magic(cell)[1:] == ["\n"]


@given(st.text())
def test_no_text_makes_it_raise_and_what_is_no_directive_comes_back(text):
    lines = text.splitlines(keepends=True)
    made = as_magic(list(lines))
    assert made == lines or made[0].startswith("%%step")


def test_ipython_may_call_it_to_see_whether_a_cell_is_whole():
    assert as_magic.has_side_effects is False
